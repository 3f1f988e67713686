"""Certificates: proved upper bounds on the m-shot error of the nearest class centre, from features.

A class is the uniform law on its rows; m supports per class are drawn with replacement, test points
are `queries` (default: the rows themselves), classes weigh the same, ties are errors. For every
test point z and other class j a bound p_j(z) >= P(T_j <= 0 | z) is found, and then

    all-way   E_z[1 - prod_j (1 - p_j(z))],      two-way   E_z[p_j(z)],
    w-way     E_z[1 - e_{w-1}(1 - p_1(z), ..., 1 - p_{C-1}(z))/binom(C-1, w-1)],

the last for an episode of w random classes, e the elementary symmetric polynomial: the mean over
all sets of w - 1 others of the product that holds for each.

The product is valid: given z the distances to the C empirical centres are independent, and every
event {T_j > 0} decreases in that to the class of z and increases in another one, so the events are
positively associated (Harris) and P(all T_j > 0) >= prod_j P(T_j > 0).

Kinds, each including the ones before it (the smallest bound is taken point by point):

    cantelli        Var T/(Var T + E^2) with the exact moments of T given z
    chernoff        P(L <= -(1-t)E) by Chernoff with the exact moment generating function, plus
                    P(U <= -tE) by Cantelli or the exact fourth moment; the best t tried
    trigonometric   a majorant integrated exactly against the joint law of (L, U)

With C classes of n rows in D dimensions and N test points, cantelli costs N C n D operations,
chernoff N C n exponentials per t, trigonometric N k n (n K2 + K0) for the k closest classes.
At m = 1 the margin is linear in the pair of draws and the error is computed exactly.

The error is not monotone in m: for the classes {0} and {-10, 10} it is .25 at m = 1 and .625 at
m = 2. So a bound at one m says nothing about another, and no minimum over m is ever taken.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from supcon_theory.theory.counts import Floats, checked_classes, checked_whole, require
from supcon_theory.theory.few_shot.margin import ClassLaw, Margin, class_law, margin
from supcon_theory.theory.few_shot.trigonometric import margin_at, trigonometric_bound

Kind = Literal["cantelli", "chernoff", "trigonometric"]
KINDS = ("cantelli", "chernoff", "trigonometric")
SPLITS = (0.1, 0.2, 0.3, 0.45)  # t: the share of the mean margin left to the remainder U
NEGLIGIBLE = 1e-4  # below this a bound is not refined


@dataclass(frozen=True)
class Certificate:
    """Bounds on the error of each class."""

    pairs: Floats  # (C, C), of class i against class j alone; NaN if i = j
    all_way: Floats  # (C,), of class i against all others at once
    by_ways: Mapping[int, float]  # of episodes of so many random classes, averaged over classes

    @property
    def error(self) -> float:
        """Bound on the mean all-way error."""
        return float(self.all_way.mean())

    @property
    def two_way_error(self) -> float:
        """Bound on the two-way error, averaged over ordered pairs."""
        return float(np.nanmean(self.pairs))


def certificate(
    classes: Sequence[ArrayLike],
    m: int,
    kind: Kind = "trigonometric",
    queries: Sequence[ArrayLike] | None = None,
    closest: int = 16,
    ways: Sequence[int] = (),
) -> Certificate:
    """Proved bound on the m-shot error, a theorem for the law that draws from these very rows.

    For features of which these are only a sample it is a plug-in estimate of the bound, not one.

    Args:
        classes: matrices (n_c, D), the rows of each class.
        m: supports per class.
        kind: which inequalities are used, see above.
        queries: matrices (N_c, D), the test points of each class; None takes the rows.
        closest: how many classes per test point `trigonometric` refines; leaving others unrefined
            keeps the bound valid.
        ways: numbers of classes of random episodes to bound the error of, 2 .. C.

    Returns:
        The bounds, per class and per pair of classes, and of random episodes.

    Raises:
        ValueError: on an unknown kind, m < 1, one class, rows that are not finite matrices, or an
            episode of fewer than 2 or more than C classes.

    Example:
        >>> certificate([[[0.0]], [[-10.0], [10.0]]], 1).two_way_error
        0.25
    """
    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}, but must be one of {', '.join(KINDS)}")
    checked_whole(1, m=m)
    rows, points = checked_classes(classes, queries)
    C = len(rows)
    for w in ways:
        require(2 <= w <= C, f"an episode has from 2 to all {C} classes", ways=w)
    laws = [class_law(x) for x in rows]
    return _gather([_bounds(i, laws, z, int(m), kind, closest) for i, z in enumerate(points)], ways)


def _gather(per_class: list[Floats], ways: Sequence[int]) -> Certificate:
    C = len(per_class)
    pairs = np.stack([p.mean(0) for p in per_class])
    pairs[np.eye(C, dtype=bool)] = np.nan
    all_way = np.array([np.mean(1 - np.prod(1 - p, axis=1)) for p in per_class])
    right = [np.delete(1 - p, i, axis=1) for i, p in enumerate(per_class)]
    by_ways = {w: float(np.mean([1 - mean_product(q, w - 1).mean() for q in right])) for w in ways}
    return Certificate(pairs, all_way, by_ways)


def mean_product(q: Floats, size: int) -> Floats:
    """e_size(q_1, ..., q_k)/binom(k, size): the mean product over subsets of that size, O(k size).

    By the recursion M_{s,j} = ((j - s)/j) M_{s,j-1} + (s/j) q_j M_{s-1,j-1} over the first j
    numbers, in which nothing over- or underflows: every entry is a mean of products.

    Args:
        q: (Z, k) probabilities.
        size: numbers in a subset, at most k.

    Returns:
        (Z,) the means.

    Example:
        >>> float(mean_product(np.array([[1.0, 0.5, 0.0]]), 2)[0])
        0.16666666666666666
    """
    means = np.zeros((size + 1, len(q)))
    means[0] = 1
    for j in range(1, q.shape[1] + 1):
        for s in range(min(size, j), 0, -1):
            means[s] = ((j - s) * means[s] + s * q[:, j - 1] * means[s - 1]) / j
    return means[size]


def _bounds(i: int, laws: list[ClassLaw], z: Floats, m: int, kind: Kind, closest: int) -> Floats:
    """(Z, C) bounds on P(T_j <= 0 | z) for test points z of class i; 0 in column i."""
    others = [j for j in range(len(laws)) if j != i]
    found = np.zeros((len(z), len(laws)))
    for j in others:
        if m == 1:
            found[:, j] = _one_draw(laws[i], laws[j], z)
            continue
        t = margin(laws[i], laws[j], z, m)
        found[:, j] = cantelli_bound(t)
        if kind != "cantelli":
            found[:, j] = np.minimum(found[:, j], split_bound(t))
    if kind == "trigonometric" and m > 1:
        rank = np.argsort(np.argsort(-found, axis=1), axis=1)
        worth = (rank < closest) & (found > NEGLIGIBLE)
        for j in others:
            rows = np.flatnonzero(worth[:, j])
            if len(rows):
                t = margin(laws[i], laws[j], z[rows], m)
                better = trigonometric_bound(laws[i], laws[j], t)
                found[rows, j] = np.minimum(found[rows, j], better)
    return found


def cantelli_bound(t: Margin) -> Floats:
    """Var T/(Var T + E^2) where the mean margin E is positive, else 1."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(t.mean > 0, t.variance / (t.variance + t.mean**2), 1.0)


def split_bound(t: Margin) -> Floats:
    """Min over t of P(L <= -(1 - t) E) + P(U <= -t E), each bounded by what is known exactly."""
    best = np.ones(len(t.mean))
    rows = np.flatnonzero((t.mean > 0) & (t.linear_variance > 0))
    if len(rows) == 0:
        return best
    part = margin_at(t, rows)
    for share in SPLITS:
        gap, left = (1 - share) * part.mean, share * part.mean
        variance, fourth = part.remainder_variance, part.remainder_fourth
        with np.errstate(divide="ignore", invalid="ignore"):  # a margin whose powers underflow
            tail = np.fmin(variance / (variance + left**2), fourth / left**4)
        for damp in (1.0, 0.7):  # any s > 0 is valid; Gap/Var is best for a normal L
            s = damp * gap / part.linear_variance
            value = np.exp(np.minimum(part.log_mgf(s) - s * gap, 0)) + tail
            best[rows] = np.fmin(best[rows], value)
    return best


def _one_draw(law_i: ClassLaw, law_j: ClassLaw, z: Floats) -> Floats:
    """P(|z - y|^2 <= |z - x|^2), x of class i, y of class j, exactly, by sorting."""
    found = np.empty(len(z))
    for row, point in enumerate(z):
        near = np.sort(np.sum((point - law_i.mean - law_i.rows) ** 2, 1))
        far = np.sum((point - law_j.mean - law_j.rows) ** 2, 1)
        top = max(near[-1], far.max())
        # what differs by no more than the rounding of the rows is a tie, hence an error
        least = far - 1e-12 * top - 4 * np.sqrt(top) * (law_i.delta + law_j.delta)
        found[row] = np.mean(1 - np.searchsorted(near, least, side="left") / len(near))
    return found
