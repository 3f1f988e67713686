"""Few-shot error as a function of the number m of labelled samples per class.

Two protocols, never to be mixed. `labelled_curve`: supports are different training images, queries
are other images, as one would use an encoder; no theorem speaks about it. `resampled_curve`: the
features at hand *are* the population, supports are drawn from it with replacement and the error is
exact over all its points: what the bounds are proved for.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from supcon_theory.inputs import matrix
from supcon_theory.measures.centres import Errors, nearest_centre, way_error
from supcon_theory.measures.probes import linear_probe, probe_error
from supcon_theory.measures.supports import class_rows, draw_supports

TOLERANCE = 1e-3  # of the gradient at the start: errors are those of 1e-4 at .7 of the time


def labelled_curve(
    features,
    labels,
    queries: Mapping[str, tuple[Any, Any]],
    shots: Sequence[int],
    ways: Sequence[int],
    *,
    draws: int,
    linear_draws: int,
    linear_shots: int,
    inverse_l2: float,
    seed: int,
) -> list[dict[str, Any]]:
    """Error of the nearest class centre and of the linear probe, supports all different.

    Draws are nested in m; where m is the size of the largest class there is one draw only.

    Args:
        features: (N, d) features that supports are drawn from.
        labels: (N,) their labels, of any kind.
        queries: Name to (features, labels) of what is classified.
        shots: Numbers m of supports per class, at most the size of the smallest class.
        ways: Numbers of classes to choose among, for the nearest centre.
        draws: Draws for the nearest centre.
        linear_draws: Draws for the linear probe, which is all-way.
        linear_shots: Largest m at which it is fitted.
        inverse_l2: Of `linear_probe`.
        seed: Of `draw_supports`.

    Returns:
        A row per m, probe, name and, for the nearest centre, number of ways: `error` (mean over the
        draws), `error_sd`, `draws`; for the linear probe `gradient` (relative to that at the start,
        the largest of the draws) and `unconverged` (how many draws; with any, `error` is NaN).
    """
    every = draw_supports(labels, max(shots), max(draws, linear_draws), seed)
    whole = max(map(len, class_rows(labels)[1]))
    rows = []
    for m in shots:
        supports = every[: 1 if m == whole else None, :, :m]
        C = supports.shape[1]
        centres, linear = supports[:draws], supports[:linear_draws]
        fitted = m <= linear_shots
        probe = (
            linear_probe(features, labels, linear, inverse_l2=inverse_l2, tol=TOLERANCE)
            if fitted
            else None
        )
        for name, (z, y) in queries.items():
            about = {"m": m, "split": name}
            beaten = nearest_centre(features, labels, centres, z, y).beaten
            rows += [
                about | {"probe": "nearest centre", "ways": w} | _spread(way_error(beaten, w))
                for w in ways
            ]
            if probe is not None:
                rows.append(
                    about
                    | {"probe": "linear", "ways": C}
                    | _spread(probe_error(probe, z, y))
                    | {"gradient": probe.gradient.max(), "unconverged": (~probe.converged).sum()}
                )
    return rows


def resampled_curve(
    features, labels, shots: Sequence[int], *, draws: int, seed: int
) -> Iterator[tuple[int, Errors]]:
    """Errors of the nearest class centre with the features as population, for each m.

    Two-way, C'-way and all-way errors all come from the same draws; see `Errors`, `way_error`.

    Args:
        features: (N, d) features.
        labels: (N,) labels of any kind.
        shots: Numbers m of supports per class.
        draws: Draws of supports, with replacement.
        seed: Of `draw_supports`.

    Yields:
        m and the errors.
    """
    every = draw_supports(labels, max(shots), draws, seed, replace=True)
    for m in shots:
        yield m, nearest_centre(features, labels, every[:, :, :m], features, labels)


def known_centre_errors(features, labels) -> np.ndarray:
    """Two-way error i -> j when the centres are the class means of all the features.

    Classes may differ in size. Ties are errors.

    Args:
        features: (N, d) features.
        labels: (N,) labels of any kind.

    Returns:
        (C, C) errors, 0 on the diagonal.
    """
    x = matrix(features, "features")
    names, rows = class_rows(labels)
    x = x - x[0]  # means lose no digits to a common vector
    means = np.stack([x[members].mean(axis=0) for members in rows])
    everything = np.arange(len(names))[None, :, None]
    return nearest_centre(means, names, everything, x, labels).pair[0]


def _spread(errors: np.ndarray) -> dict[str, float]:
    return {
        "error": errors.mean(),
        "draws": len(errors),
        "error_sd": errors.std(ddof=1) if len(errors) > 1 else np.nan,
    }
