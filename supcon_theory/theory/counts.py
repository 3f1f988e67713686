"""Numbers that every formula takes: their checks, and kappa, the ratio of the terms in S and in D.

The one place of validation in `theory`: each `checked_*` takes a concept in whatever numbers or
arrays, gives float64 arrays back, and refuses what makes no sense in one sentence.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]


def log1p_exp(x: ArrayLike) -> Floats:
    """log(1 + e^x), for any x."""
    return np.logaddexp(0.0, x)


def kappa(C: ArrayLike, n: ArrayLike) -> Floats:
    """(n - 1) / (n (C - 1)): terms in S over terms in D, in balanced classes.

    Args:
        C: number of classes.
        n: samples in each class; may be infinite.

    Returns:
        kappa, of the broadcast shape.

    Example:
        >>> float(kappa(5, 2)), float(kappa(5, float("inf")))
        (0.125, 0.25)
    """
    C, n = checked_balanced(C, n)
    return (1 - 1 / n) / (C - 1)


def anchor_kappa(n_c: ArrayLike, N: ArrayLike) -> Floats:
    """(n_c - 1) / (N - n_c): the same for an anchor whose class has n_c of the N samples."""
    n_c, N = checked_sizes(n_c, N)
    return (n_c - 1) / (N - n_c)


def log_kappa(ratio: ArrayLike) -> Floats:
    """Log of `kappa` or `anchor_kappa`; -inf for a class of one sample, whose S is empty."""
    with np.errstate(divide="ignore"):
        return np.log(ratio)


def require(holds: ArrayLike, ask: str, **given: object) -> None:
    """Refuse the numbers `given` by name unless a condition holds everywhere.

    Args:
        holds: the condition, elementwise.
        ask: what to pass instead.
        **given: the names and values that the sentence quotes.

    Raises:
        ValueError: "name = value, ...: ask."
    """
    if not np.all(holds):
        quoted = (f"{name} = {np.asarray(value).tolist()}" for name, value in given.items())
        raise ValueError(f"{', '.join(quoted)}: {ask}.")


def checked_whole(least: int, **numbers: ArrayLike) -> list[Floats]:
    """Finite whole numbers of at least `least`, given by name."""
    arrays = [np.asarray(value, float) for value in numbers.values()]
    for (name, value), x in zip(numbers.items(), arrays, strict=True):
        whole = (x >= least) & (x == np.floor(x)) & (x < np.inf) & (np.asarray(value).dtype != bool)
        require(whole, f"pass a whole number of at least {least}", **{name: value})
    return arrays


def checked_tau(tau: ArrayLike) -> Floats:
    """Temperatures: positive and finite."""
    x = np.asarray(tau, float)
    require((x > 0) & (x < np.inf), "a temperature must be positive and finite", tau=tau)
    return x


def checked_balanced(C: ArrayLike, n: ArrayLike) -> tuple[Floats, Floats]:
    """C >= 2 classes of n >= 1 samples each, whole numbers; n may be infinite."""
    (C,), x = checked_whole(2, C=C), np.asarray(n, float)
    require((x >= 1) & (x == np.floor(x)), "pass whole class sizes of at least 1, or infinity", n=n)
    return C, x


def checked_setting(
    C: ArrayLike, n: ArrayLike, K: ArrayLike, tau: ArrayLike
) -> tuple[Floats, Floats, Floats, Floats]:
    """C classes of n samples of K views at tau, n = B / C on average: not necessarily whole."""
    (C, K), x = (*checked_whole(2, C=C), *checked_whole(1, K=K)), np.asarray(n, float)
    require((x >= 1) & (x < np.inf), "pass class sizes of at least 1", n=n)
    return C, x, K, checked_tau(tau)


def checked_sizes(n_c: ArrayLike, N: ArrayLike) -> tuple[Floats, Floats]:
    """The size n_c of the anchor's class and the number N of all samples, n_c < N."""
    n_c, N = checked_whole(1, n_c=n_c, N=N)
    ask = "n_c must be below N, or the anchor has no negatives of another class"
    require(n_c < N, ask, n_c=n_c, N=N)
    return n_c, N


def checked_counts(counts: ArrayLike) -> Floats:
    """(C,) class sizes of at least two classes."""
    (x,) = checked_whole(1, counts=counts)
    require(x.ndim == 1 and len(x) >= 2, "pass the sizes of at least two classes", counts=counts)
    return x


def checked_shots(m: ArrayLike) -> Floats:
    """Supports per class: at least 1, not necessarily whole in a formula."""
    x = np.asarray(m, float)
    require((x >= 1) & (x < np.inf), "the number of shots must be at least 1 and finite", m=m)
    return x


def checked_ways(ways: ArrayLike) -> Floats:
    """Classes in an episode: at least 2."""
    x = np.asarray(ways, float)
    require(x >= 2, "an episode needs at least 2 classes", ways=ways)
    return x


def checked_moments(**moments: ArrayLike) -> list[Floats]:
    """Moments by name, each finite and not negative."""
    arrays = [np.asarray(value, float) for value in moments.values()]
    for name, x in zip(moments, arrays, strict=True):
        if not np.all(np.isfinite(x)):
            raise ValueError(f"{name} has a NaN or infinite entry: leave that pair of classes out.")
        if np.any(x < 0):
            raise ValueError(f"{name} = {x.min():g}: this moment cannot be negative.")
    return arrays


def checked_classes(
    classes: Sequence[ArrayLike], queries: Sequence[ArrayLike] | None
) -> tuple[list[Floats], list[Floats]]:
    """The rows of each class and the test points of each (default: its rows), finite matrices.

    Args:
        classes: at least two matrices (n_c, D).
        queries: as many matrices (N_c, D), or None.

    Returns:
        Both as lists of float64 matrices.

    Raises:
        ValueError: if there are fewer than two classes, another number of queries, or a matrix that
            is empty, of another D, or not finite.
    """
    queries = classes if queries is None else queries
    if len(classes) < 2 or len(queries) != len(classes):
        raise ValueError(
            f"{len(classes)} classes and queries of {len(queries)}: an error needs at least 2 "
            "classes to choose from, and test points of each of them."
        )
    found = []
    for name, sets in (("classes", classes), ("queries", queries)):
        found.append([np.asarray(x, np.float64) for x in sets])
        for c, x in enumerate(found[-1]):
            if x.ndim != 2 or len(x) == 0 or x.shape[1] != np.shape(classes[0])[-1]:
                raise ValueError(
                    f"{name}[{c}] has shape {x.shape}: every class must be (n, D), n >= 1, one D."
                )
            if not np.isfinite(x).all():
                raise ValueError(f"{name}[{c}] has a NaN or infinite feature: remove such rows.")
    return found[0], found[1]


def root(f: Callable[[float], float], low: float, high: float, tolerance: float) -> float:
    """Where a function that changes sign between two ends is 0, by Brent's method.

    Args:
        f: the function.
        low: one end.
        high: the other.
        tolerance: how far off the root may be.

    Returns:
        The root.
    """
    from scipy.optimize import root_scalar

    return float(root_scalar(f, bracket=(low, high), xtol=tolerance, rtol=1e-14).root)
