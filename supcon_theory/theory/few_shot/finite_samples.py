"""Bounds on CDNV, directional CDNV and few-shot error that hold for the law behind a finite sample.

Bounds fed with estimated moments hold for the sample as its own population. Here they hold, with
probability at least 1 - delta, for the law that the rows were drawn from. Assumed of class c: n_c
independent draws of unit rows, the classes independent of each other. Nothing about the law.

Notation: hats are of the sample; mu^ the mean, v^ = tr S and S = sum (x - mu^)(x - mu^)'/(n - 1),
D^ = mu^_j - mu^_i, lambda^ the largest eigenvalue of S, t = log(E/delta), E = C (C + 1) events.

1. *Variance.* In a set of diameter B the empirical variance v^ is self-bounding: with m_k the mean
   of the other rows, replacing row k by y changes v^ by (|x_k - m_k|^2 - |y - m_k|^2)/n, so
   v^ - inf_y v^ <= |x_k - m_k|^2/n <= B^2/n, and the sum of the squares of these is at most
   (B^2/n^2) sum |x_k - m_k|^2 = B^2 v^/(n - 1). With Z = n v^/B^2 these are Z - inf <= 1 and
   sum (Z - inf)^2 <= n/(n - 1) Z, hence (Maurer 2006; Maurer and Pontil 2009, Theorem 10, where
   rows are numbers in [0, 1]: the proof uses nothing else) with probability 1 - e^-t
       sqrt(v) <= sqrt(v^) + B sqrt(2 t/(n - 1)),   B = 2 for unit rows.
2. *Mean.* E|mu^ - mu|^2 = v/n. |mu^ - mu| is the supremum over unit vectors w of the mean of
   <w, x - mu>, each at most 2 with variance at most v. By Bousquet's inequality (2002, Theorem 2.3)
   with probability 1 - e^-t
       |mu^ - mu| <= R = s + sqrt(2 t (v + 4 s)/n) + 2 t/(3 n),   s = sqrt(v/n),
   and since v = 1 - |mu|^2 for unit rows, v <= 1 - (|mu^| - R)^2 where |mu^| > R.
3. *Direction.* u = D/|D| does not depend on the sample, and <x, u> has range 2: by 1. with B = 2
       sqrt(u'Sigma_i u) <= sqrt(u'S_i u) + 2 sqrt(2 t/(n_i - 1)),
   and |D| sqrt(u'S_i u) = |S_i^(1/2) D| <= |S_i^(1/2) D^| + sqrt(lambda^_i) (R_i + R_j).

All events hold at once with probability 1 - delta: C each of 1 and 2, C (C - 1) of 3. Then with
low_ij = |D^| - R_i - R_j <= |D|, where it is positive,
       V_ij = v_i/|D|^2 <= v_i/low^2
       V_dir_ij <= (a/low^2 + 2 sqrt(2 t/(n_i - 1))/low)^2,
       a = sqrt(D^'S_i D^) + sqrt(lambda^_i)(R_i + R_j)
and the smaller of the two for V_dir. Where low <= 0 nothing is known: infinity. The bounds on the
error grow with these moments, so they hold with them in place of the true ones.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from supcon_theory.theory.counts import Floats, checked_moments, checked_whole, require
from supcon_theory.theory.few_shot.averages import known_centroid_bound, tightened_bound


class MomentBounds(NamedTuple):
    """Upper bounds for every ordered pair of classes (i the row), inf where nothing is known."""

    V: Floats  # (C, C) v_i / d_ij^2, diagonal NaN
    V_dir: Floats  # (C, C) u'Sigma_i u / d_ij^2, diagonal NaN


def variance_bound(v: ArrayLike, n: ArrayLike, t: float) -> Floats:
    """(sqrt(v^) + 2 sqrt(2 t/(n-1)))^2 >= v with probability 1 - e^-t: item 1, for unit rows.

    Args:
        v: unbiased empirical variance v^ of n rows in the unit ball, or of them along one line.
        n: rows, at least 2.
        t: -log of the probability of failure.

    Returns:
        The bound, of the broadcast shape.
    """
    (v,), (n,) = checked_moments(v=v), checked_whole(2, n=n)
    return np.square(np.sqrt(v) + 2 * np.sqrt(2 * t / (n - 1)))


def mean_radius(v: ArrayLike, n: ArrayLike, t: float) -> Floats:
    """R >= |mu^ - mu| with probability 1 - e^-t: item 2, for rows in the unit ball.

    Args:
        v: variance E|x - mu|^2, or a bound on it.
        n: rows.
        t: -log of the probability of failure.

    Returns:
        R, of the broadcast shape.
    """
    (v,), (n,) = checked_moments(v=v), checked_whole(1, n=n)
    s = np.sqrt(v / n)
    return s + np.sqrt(2 * t * (v + 4 * s) / n) + 2 * t / (3 * n)


def moment_bounds(
    n: ArrayLike,
    v: ArrayLike,
    largest: ArrayLike,
    length: ArrayLike,
    distance: ArrayLike,
    along: ArrayLike,
    delta: float,
) -> MomentBounds:
    """Upper bounds on CDNV and directional CDNV of all pairs at once, with probability 1 - delta.

    Args:
        n: (C,) independent unit rows of each class, at least 2.
        v: (C,) tr S_c, S_c with 1/(n-1).
        largest: (C,) largest eigenvalue of S_c.
        length: (C,) |mu^_c|.
        distance: (C, C) |D^_ij|; the diagonal is not read.
        along: (C, C) D^'S_i D^, i the row; the diagonal is not read.
        delta: probability that any of them fails, in (0, 1).

    Returns:
        The bounds.

    Example:
        >>> two = [[0, 1.2], [1.2, 0]]
        >>> found = moment_bounds([5000] * 2, [0.1] * 2, [0.02] * 2, [0.9] * 2, two, two, 0.05)
        >>> round(float(found.V[0, 1]), 3)
        0.123
    """
    require(0 < delta < 1, "choose a probability between 0 and 1", delta=delta)
    (n,), (v, largest, length) = (
        checked_whole(2, n=n),
        checked_moments(v=v, largest=largest, length=length),
    )
    C = len(n)
    off = ~np.eye(C, dtype=bool)
    (distance, along) = checked_moments(
        distance=np.where(off, distance, 0), along=np.where(off, along, 0)
    )
    t = np.log(C * (C + 1) / delta)
    above = np.minimum(variance_bound(v, n, t), 1.0)
    radius = mean_radius(above, n, t)
    above = np.minimum(above, 1 - np.square(np.maximum(length - radius, 0)))
    radii = radius[:, None] + radius
    low = distance - radii
    turned = np.sqrt(along) + np.sqrt(largest)[:, None] * radii
    with np.errstate(divide="ignore", invalid="ignore"):
        V = above[:, None] / low**2
        line = np.square(turned / low**2 + 2 * np.sqrt(2 * t / (n[:, None] - 1)) / low)
    known = off & (low > 0)
    V, line = np.where(known, V, np.inf), np.where(known, np.minimum(line, V), np.inf)
    return MomentBounds(np.where(off, V, np.nan), np.where(off, line, np.nan))


def sampled_error_bound(found: MomentBounds, m: float) -> float:
    """Bound on the mean two-way m-shot error over pairs, with probability 1 - delta; at most 1.

    `tightened_bound` holds for every pair of classes with the averages over its two orders, so the
    mean over pairs of min(1, .) bounds the mean error; at m = inf, of known centres,
    `known_centroid_bound` of each order. C' ways: C' - 1 times.

    Args:
        found: From `moment_bounds`.
        m: supports per class.

    Returns:
        The bound: 1 says nothing, and so does all that is not below 1/2, the error of guessing.
    """
    i, j = np.triu_indices(len(found.V), 1)
    V, V_dir = (np.stack([of[i, j], of[j, i]]) for of in found)
    known = np.isfinite(V).all(axis=0)
    bounds = np.ones(len(i))
    V, V_dir = V[:, known], V_dir[:, known]
    if np.isinf(m):
        bounds[known] = known_centroid_bound(V_dir).mean(axis=0)
    else:
        moments = (V.mean(axis=0), np.sqrt(V).mean(axis=0), V_dir.mean(axis=0))
        bounds[known] = np.minimum(tightened_bound(*moments, m), 1)
    return float(bounds.mean())
