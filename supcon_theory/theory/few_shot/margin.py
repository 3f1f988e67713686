"""The margin of one test point over random supports, and its exact moments.

Classes are finite laws: m supports are drawn from the rows of class c, uniformly, with replacement.
For a fixed z, with a = z - mu_c and centred rows x of class c, the squared distance to the empirical
centre of m draws x_1 ... x_m is

    |z - centre|^2 = |a|^2 + v/m + sum_k h(x_k) + U,
    h(x) = -2 <a, x>/m + (|x|^2 - v)/m^2,      U = (1/m^2) sum_{k != l} <x_k, x_l>.

The sum (all that is linear in the law, with its diagonal) is of independent draws; U is degenerate:
it is uncorrelated with every function of a single draw, and its law does not depend on z. The margin
T = |z - centre_j|^2 - |z - centre_i|^2 of z against class j is E + L + U with L and U the differences
of the two classes' sums and remainders; an error is T <= 0, ties included.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ClassLaw:
    """One class as the uniform law on its rows."""

    mean: np.ndarray  # (D,)
    rows: np.ndarray  # (n, D), centred
    gram: np.ndarray  # (n, n) inner products of the centred rows
    v: float  # trace of the covariance

    @property
    def squares(self) -> np.ndarray:
        """|x|^2 - v of each row."""
        return np.diag(self.gram) - self.v


def class_law(rows: np.ndarray) -> ClassLaw:
    mean = rows.mean(0)
    centred = rows - mean
    gram = centred @ centred.T
    return ClassLaw(mean, centred, gram, float(np.mean(np.diag(gram))))


def draw_terms(law: ClassLaw, z: np.ndarray, m: int) -> tuple[np.ndarray, np.ndarray]:
    """(mean of |z - centre|^2, h of every row): shapes (Z,) and (Z, n)."""
    a = z - law.mean
    h = (-2 / m) * (a @ law.rows.T) + law.squares / m**2
    return np.sum(a**2, 1) + law.v / m, h


def remainder_variance(law: ClassLaw, m: int) -> float:
    """E[U^2] = 2 (m - 1) tr Sigma^2 / m^3."""
    return 2 * (m - 1) * float(np.mean(law.gram**2)) / m**3


def remainder_fourth(law: ClassLaw, m: int) -> float:
    """E[U^4], exactly, in O(n^3): the five multigraphs with four edges and no vertex of degree one.

    U = (2/m^2) sum over pairs of <x_k, x_l>; in the fourth power a draw that occurs once averages to
    zero. With (r) = m (m-1) ... (m-r+1), what is left is: one edge four times, (2)/2; two double
    edges apart, 3 (4)/4, or sharing a draw, 3 (3); a triangle with one side doubled, 6 (3); a
    four-cycle, 3 (4).
    """
    g = law.gram
    g2, through = g**2, g @ g / len(g)
    falling = [float(np.prod([m - s for s in range(r)])) for r in range(5)]
    total = (
        falling[2] / 2 * np.mean(g2**2)
        + 3 * falling[4] / 4 * np.mean(g2) ** 2
        + 3 * falling[3] * np.mean(g2.mean(1) ** 2)
        + 6 * falling[3] * np.mean(g2 * through)
        + 3 * falling[4] * np.mean(through**2)
    )
    return 16 * float(total) / m**8


@dataclass(frozen=True)
class Margin:
    """The margin T = mean + L + U of test points z of class i against class j."""

    mean: np.ndarray  # (Z,)
    h: tuple[np.ndarray, np.ndarray]  # signed terms of one draw of class j and of class i, (Z, n)
    m: int
    linear_variance: np.ndarray  # (Z,) Var L
    remainder_variance: float  # Var U
    remainder_fourth: float  # E[U^4]

    @property
    def variance(self) -> np.ndarray:
        """Var T = Var L + Var U: the remainder is uncorrelated with the sum."""
        return self.linear_variance + self.remainder_variance

    def log_mgf(self, s: np.ndarray) -> np.ndarray:
        """Log E[exp(-s L)], exactly, for s of shape (Z,): the m-th power of a finite average."""
        total = 0.0
        for h in self.h:
            exponent = -s[:, None] * h
            top = exponent.max(1)
            total = total + self.m * (top + np.log(np.exp(exponent - top[:, None]).mean(1)))
        return total


def margin(own: ClassLaw, other: ClassLaw, z: np.ndarray, m: int) -> Margin:
    """The margin of z (rows of class `own`) against class `other`."""
    mean_j, h_j = draw_terms(other, z, m)
    mean_i, h_i = draw_terms(own, z, m)
    v_j, v_i = remainder_variance(other, m), remainder_variance(own, m)
    fourth = remainder_fourth(other, m) + remainder_fourth(own, m) + 6 * v_j * v_i
    linear = m * (np.mean(h_j**2, 1) + np.mean(h_i**2, 1))
    return Margin(mean_j - mean_i, (h_j, -h_i), m, linear, v_j + v_i, fourth)


def checked_classes(
    classes: Sequence[np.ndarray], queries: Sequence[np.ndarray] | None, m: int
) -> tuple[list[ClassLaw], list[np.ndarray]]:
    """The laws of the classes and the test points of each, after refusing what makes no sense."""
    if isinstance(m, bool) or int(m) != m or m < 1:
        raise ValueError(f"m is {m}, but the number of shots must be a whole number, at least 1")
    if len(classes) < 2:
        raise ValueError(
            f"{len(classes)} class given, but an error needs at least 2 to choose from"
        )
    queries = classes if queries is None else queries
    if len(queries) != len(classes):
        raise ValueError(f"queries has {len(queries)} classes, but classes has {len(classes)}")
    found = []
    for name, sets in (("classes", classes), ("queries", queries)):
        arrays = [np.asarray(x, np.float64) for x in sets]
        for c, x in enumerate(arrays):
            if x.ndim != 2 or len(x) == 0 or x.shape[1] != np.shape(classes[0])[-1]:
                raise ValueError(
                    f"{name}[{c}] has shape {x.shape}, but every class must be (n, D), "
                    "n >= 1, with one D"
                )
            if not np.isfinite(x).all():
                raise ValueError(f"{name}[{c}] has a NaN or infinite feature; remove such rows")
        found.append(arrays)
    return [class_law(x) for x in found[0]], found[1]
