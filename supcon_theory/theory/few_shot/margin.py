"""The margin of one test point over random supports, and its exact moments.

Classes are finite laws: m supports are drawn from the rows of class c, uniformly, with replacement.
For a fixed z, with a = z - mu_c and centred rows x of class c, the squared distance to the
empirical centre of m draws x_1 ... x_m is

    |z - centre|^2 = |a|^2 + v/m + sum_k h(x_k) + U,
    h(x) = -2 <a, x>/m + (|x|^2 - v)/m^2,      U = (1/m^2) sum_{k != l} <x_k, x_l>.

The sum (all that is linear in the law, with its diagonal) is of independent draws; U is degenerate:
it is uncorrelated with every function of a single draw, and its law does not depend on z. The
margin T = |z - centre_j|^2 - |z - centre_i|^2 of z against class j is E + L + U with L and U the
differences of the two classes' sums and remainders; an error is T <= 0, ties included.

Ties and rounding. The decomposition is an identity for any mu and v. In float64 the law has rows
within delta of the given ones and a mean within delta of 0, so that each outcome of T is off by at
most 2 (|a_i| + |a_j|) delta + 2 delta^2, to which the summation of |a|^2 and v/m adds its own
rounding. Their sum e, `rounding` in `draw_terms`, is taken off E: P(T <= 0) is at most the
probability that the computed margin is <= e, so ties stay errors even when the variance vanishes.
"""

from dataclasses import dataclass

import numpy as np

from supcon_theory.theory.counts import Floats

EPSILON = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class ClassLaw:
    """One class as the uniform law on its rows."""

    mean: Floats  # (D,)
    rows: Floats  # (n, D), centred
    gram: Floats  # (n, n) inner products of the centred rows
    v: float  # trace of the covariance
    delta: float  # by how much a centred row, and the mean of them, may be off

    @property
    def squares(self) -> Floats:
        """|x|^2 - v of each row."""
        return np.diag(self.gram) - self.v


def class_law(points: Floats) -> ClassLaw:
    """The uniform law on the rows (n, D) of a class, its mean to one rounding."""
    mean = points.mean(0)
    mean = mean + (points - mean).mean(0)
    rows = points - mean
    gram = rows @ rows.T
    v = float(np.mean(np.diag(gram)))
    largest = float(np.sqrt(np.max(np.sum(points**2, 1))))
    return ClassLaw(mean, rows, gram, v, EPSILON * (8 * largest + len(points) * v**0.5))


def draw_terms(law: ClassLaw, z: Floats, m: int) -> tuple[Floats, Floats, Floats]:
    """The squared distance of z to the empirical centre of m draws, in its terms.

    Args:
        law: a class.
        z: (Z, D) test points.
        m: supports.

    Returns:
        Its mean (Z,), h of every row (Z, n), and a bound (Z,) on the rounding of every outcome.
    """
    a = z - law.mean
    square = np.sum(a**2, 1)
    h = (-2 / m) * (a @ law.rows.T) + law.squares / m**2
    mean, terms = square + law.v / m, sum(law.rows.shape) + 8
    rounding = 2 * np.sqrt(square) * law.delta + law.delta**2 + EPSILON * terms * mean
    return mean, h, rounding


def remainder_variance(law: ClassLaw, m: int) -> float:
    """E[U^2] = 2 (m - 1) tr Sigma^2 / m^3."""
    return 2 * (m - 1) * float(np.mean(law.gram**2)) / m**3


def remainder_fourth(law: ClassLaw, m: int) -> float:
    """E[U^4], exactly, in O(n^3).

    U = (2/m^2) sum over pairs of <x_k, x_l>; in the fourth power a draw that occurs once averages
    to zero, which leaves the five multigraphs with four edges and no vertex of degree one. With
    (r) = m (m-1) ... (m-r+1): one edge four times, (2)/2; two double edges apart, 3 (4)/4, or
    sharing a draw, 3 (3); a triangle with one side doubled, 6 (3); a four-cycle, 3 (4).

    Args:
        law: a class.
        m: supports.

    Returns:
        The fourth moment.
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

    mean: Floats  # (Z,), less the rounding of T
    h: tuple[Floats, Floats]  # signed terms of one draw of class j and of class i, (Z, n)
    m: int
    linear_variance: Floats  # (Z,) Var L
    remainder_variance: float  # Var U
    remainder_fourth: float  # E[U^4]

    @property
    def variance(self) -> Floats:
        """Var T = Var L + Var U: the remainder is uncorrelated with the sum."""
        return self.linear_variance + self.remainder_variance

    def log_mgf(self, s: Floats) -> Floats:
        """Log E[exp(-s L)], exactly, for s of shape (Z,): the m-th power of a finite average."""
        total = np.zeros(len(s))
        for h in self.h:
            exponent = -s[:, None] * h
            top = exponent.max(1)
            total = total + self.m * (top + np.log(np.exp(exponent - top[:, None]).mean(1)))
        return total


def margin(law_i: ClassLaw, law_j: ClassLaw, z: Floats, m: int) -> Margin:
    """The margin of test points against another class.

    Args:
        law_i: the class of the test points.
        law_j: the other class.
        z: (Z, D) test points.
        m: supports per class.

    Returns:
        The margin, with everything that the bounds ask for.
    """
    mean_j, h_j, rounding_j = draw_terms(law_j, z, m)
    mean_i, h_i, rounding_i = draw_terms(law_i, z, m)
    v_j, v_i = remainder_variance(law_j, m), remainder_variance(law_i, m)
    fourth = remainder_fourth(law_j, m) + remainder_fourth(law_i, m) + 6 * v_j * v_i
    linear = m * (np.mean(h_j**2, 1) + np.mean(h_i**2, 1))
    mean = mean_j - mean_i - (rounding_j + rounding_i)
    return Margin(mean, (h_j, -h_i), m, linear, v_j + v_i, fourth)
