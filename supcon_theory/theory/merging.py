"""When small classes share one point at the minimum: an exact test by convexity. Ours.

k_1 large classes, k_2 small ones. Of all geometries in which the small ones are one point v the
best has the large ones at u_i = x v + sqrt(1 - x^2) w_i with w a simplex, one number x. The loss is
convex (`theory.imbalance`), so this is the minimum of all iff its multipliers are feasible, which
comes down to directions that part the small classes:

    margin = -lambda - S_small,small >= 0,    lambda = sum_c S_small,c M_c,small

S the derivative of the loss in the Gram matrix of the means. For NSCL only the ratio R of the sizes
counts, and as R grows the cosine of two small classes tends to

    min(1, tau log((k_1 - 1) a^2 / (4 k_1))),    a = 1 + k_1/(k_1 - 1) e^{1/((k_1 - 1) tau)},

so they merge at a finite R iff that logarithm times tau is above 1. (arXiv 2605.11291 states that
minority classes merge above a threshold that depends on the loss and on the number of negatives.)
"""

import numpy as np
import scipy.optimize
from scipy.special import expit, logit

from supcon_theory.theory.counts import Floats, checked_tau, checked_whole, require, root
from supcon_theory.theory.imbalance import collapsed, value

UNIT = 1000  # samples of a small class: those of a large one are rounded to its parts
LARGEST = 1e6  # ratio of the sizes up to which a threshold is looked for


def merged_gram(large: int, small: int, x: float) -> Floats:
    """(C, C) Gram matrix of `large` classes at cosine x to the point of all `small` ones."""
    M = np.ones((large + small, large + small))
    M[:large, :large] = x**2 - (1 - x**2) / (large - 1)
    M[:large, large:] = M[large:, :large] = x
    np.fill_diagonal(M, 1.0)
    return M


def merging_margin(
    objective: str,
    sizes: tuple[int, int],
    classes: tuple[int, int],
    K: int,
    tau: float,
    negatives: float | None = None,
) -> float:
    """How far the small classes are from parting: their merging is the minimum iff at least 0.

    Args:
        objective: One of `theory.imbalance.OBJECTIVES` that collapses classes.
        sizes: Samples of a large and of a small class.
        classes: Numbers k_1 and k_2 of them, each at least 2.
        K: Views of each sample.
        tau: Temperature.
        negatives: As in `theory.imbalance.value`.

    Returns:
        The margin over the size of the derivatives, so that it is of order 1.
    """
    M, S = _merged_least(objective, sizes, classes, K, tau, negatives)
    large = classes[0]
    multiplier = float(S[large] @ M[large])
    parting = float(S[large, large + 1])
    return -(multiplier + parting) / (abs(parting) + abs(multiplier) + np.finfo(float).tiny)


def _merged_least(
    objective: str,
    sizes: tuple[int, int],
    classes: tuple[int, int],
    K: int,
    tau: float,
    negatives: float | None = None,
) -> tuple[Floats, Floats]:
    """The best Gram matrix with the small classes in one point, and the derivative of the loss."""
    checked_whole(2, classes=classes)
    large, small = classes
    counts = [sizes[0]] * large + [sizes[1]] * small

    def slope_at(x: float) -> tuple[float, Floats, Floats]:
        M = merged_gram(large, small, x)
        _, (S, _, _) = value(objective, counts, K, tau, collapsed(M), negatives=negatives)
        pairs = large * (large - 1) * S[0, 1] * 2 * x * large / (large - 1)
        return float(pairs + 2 * large * small * S[0, -1]), M, S

    x = root(lambda x: slope_at(x)[0], -1, 1, 1e-15)
    return slope_at(x)[1:]


def merging_ratio(
    objective: str,
    classes: tuple[int, int],
    K: int,
    tau: float,
    negatives: float | None = None,
) -> float:
    """The least ratio of large to small class sizes at which the small ones merge.

    Note: where `limit_cosine` is below 1 they may merge at one ratio and part again at a larger one
    (three and three classes, tau = .1: they merge at 53 and are apart again at 10,000).

    Args:
        objective: As in `merging_margin`, as the others.
        classes: Numbers of large and of small classes.
        K: Views of each sample.
        tau: Temperature.
        negatives: As there.

    Returns:
        The ratio, to a thousandth; inf if they do not merge up to `LARGEST`.

    Example:
        >>> round(merging_ratio("nscl", (2, 6), 2, 1.0), 1)
        23.7
        >>> merging_ratio("nscl", (5, 5), 2, 1.0)
        inf
    """

    def margin(log_ratio: float) -> float:
        sizes = (round(UNIT * float(np.exp(log_ratio))), UNIT)
        return merging_margin(objective, sizes, classes, K, tau, negatives)

    if margin(0.0) >= 0:
        return 1.0
    ends = np.linspace(0, np.log(LARGEST), 40)
    merged = [margin(end) >= 0 for end in ends]
    if not any(merged):
        return np.inf
    k = merged.index(True)
    return float(np.exp(root(margin, float(ends[k - 1]), float(ends[k]), 1e-6)))


def least_gram(ratio: int, classes: tuple[int, int], K: int, tau: float) -> Floats:
    """Gram matrix of the class means at the least NSCL loss of classes of two sizes.

    The loss is convex and the same when classes of one size change places, so that at a minimum two
    large classes have one cosine l, two small ones one cosine s, a large and a small one m. It
    rises with m, and m is least where the means depend on each other,

        k_1 k_2 m^2 = (1 + (k_1 - 1) l) (1 + (k_2 - 1) s),    m <= 0.

    Where the small classes do not merge both derivatives in what is left are 0. A search over all
    means finds this less well: small classes weigh 1/R in the loss, so that at R = 10,000 an excess
    of 1e-8 nats leaves their cosine .02 off.

    Args:
        ratio: R of the class sizes, 1 or more.
        classes: Numbers k_1 and k_2 of large and small classes, each at least 2.
        K: Views of each sample.
        tau: Temperature.

    Returns:
        (C, C), the large classes first; `theory.imbalance.lower_bound` certifies it.

    Example:
        >>> round(float(least_gram(10_000, (5, 5), 2, 1.0)[8, 9]), 7)
        0.3053364
    """
    checked_whole(1, ratio=ratio, K=K)
    checked_whole(2, classes=classes)
    large, small = classes
    sizes = (UNIT * ratio, UNIT)
    if merging_margin("nscl", sizes, classes, K, tau) >= 0:
        return _merged_least("nscl", sizes, classes, K, tau)[0]
    counts = [sizes[0]] * large + [sizes[1]] * small
    root_of, most = np.sqrt(large * small), np.sqrt(classes)

    def gram(p: float, q: float) -> Floats:
        M = np.full((large + small, large + small), -p * q / root_of)
        M[:large, :large], M[large:, large:] = (p**2 - 1) / (large - 1), (q**2 - 1) / (small - 1)
        np.fill_diagonal(M, 1.0)
        return M

    def slopes(x: Floats) -> Floats:
        p, q = most * expit(x)  # roots of 1 + (k_1 - 1) l and 1 + (k_2 - 1) s
        _, (S, _, _) = value("nscl", counts, K, tau, collapsed(gram(p, q)))
        mixed = -2 * S[0, -1] * root_of  # of the k_1 k_2 pairs, twice
        by_p, by_q = 2 * p * large * S[0, 1] + mixed * q, 2 * q * small * S[-1, -2] + mixed * p
        return ratio * np.array([by_p, by_q])

    far = np.sqrt(1 + (small - 1) * min(0.9, limit_cosine(large, tau)))
    starts = [np.array([p, q]) for p in np.geomspace(1 / ratio, 1, 6) for q in (1.0, far)]
    ends = [scipy.optimize.root(slopes, logit(start / most), tol=1e-14).x for start in starts]
    found = [most * expit(end) for end in ends]
    losses = [value("nscl", counts, K, tau, collapsed(gram(*at)))[0] for at in found]
    return gram(*found[int(np.argmin(losses))])


def limit_cosine(large: int, tau: float) -> float:
    """The cosine of two small classes under NSCL as the ratio of the sizes grows; 1 if they merge.

    Args:
        large: Number k_1 of large classes.
        tau: Temperature.

    Returns:
        min(1, tau log((k_1 - 1) a^2 / (4 k_1))), whatever the number of small classes.

    Example:
        >>> [round(limit_cosine(5, tau), 4) for tau in (1.0, 0.5, 0.1)]
        [0.3055, 0.314, 0.3964]
    """
    checked_whole(2, large=large)
    tau = float(checked_tau(tau))
    require(tau >= 0.01, "below that exponentials overflow", tau=tau)
    a = 1 + large / (large - 1) * np.exp(1 / ((large - 1) * tau))
    return float(min(1.0, tau * np.log((large - 1) * a**2 / (4 * large))))
