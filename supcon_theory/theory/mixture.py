"""The minimum of `ssem`, the mixture of own views (alpha) and class mates (1 - alpha): ours.

m classes of n samples, views together, cosine a within a class and, since the sum of all rows is 0,

    b = -(1 + (n-1) a) / (n (m-1))

between classes; a = 1 is class collapse, a = b the simplex of all samples. The loss

    l(a) = log K Z(a) - (alpha + (1 - alpha) a) / tau,
    Z(a) = e^{1/tau} + (n-1) e^{a/tau} + n (m-1) e^{b/tau}

is convex in a (b is linear in it), so its minimum is where l' = 0, or at a = 1 where l'(1) <= 0:

    1 - alpha = (n-1) (e^{a/tau} - e^{b/tau}) / Z(a),
    classes collapse iff alpha <= alpha_c = 1 - (n-1)/n (1-q) / (1 + (m-1) q),

q = e^{-m/((m-1) tau)}.

No configuration is better. The loss is convex in the Gram matrix, so the mean of a Gram matrix over
all permutations of views, samples and classes, which has one cosine each for views (o), classes (a)
and others (b), is no worse; b is least where the sum of all rows is 0. Views then coincide: the
derivative in o at o = 1 has the sign of (e^{1/tau} - e^{b/tau}) / Z - alpha, and by the equation
for a alpha Z = e^{1/tau} + (nm - 1) e^{b/tau}; where a = 1, a step that parts views parts samples
as much, and the derivative along it is n (e^{1/tau} - e^{b/tau}) / Z - 1 < 0.
(arXiv 2503.08203 states that simplices of simplices minimise; the closed form is ours.)
"""

import numpy as np
from scipy.optimize import root_scalar

from supcon_theory.theory.counts import checked_setting, checked_tau, checked_whole, require


def collapse_threshold(m: int, n: int, tau: float) -> float:
    """alpha_c, up to which own views are outweighed and classes collapse.

    Args:
        m: number of classes.
        n: samples in each class.
        tau: temperature.

    Returns:
        alpha_c in (0, 1).

    Example:
        >>> [round(collapse_threshold(10, 5000, tau), 3) for tau in (0.1, 0.5, 1.0)]
        [0.0, 0.549, 0.831]
    """
    checked_whole(2, m=m, n=n)
    q = np.exp(-m / ((m - 1) * float(checked_tau(tau))))
    return float(1 - (n - 1) / n * (1 - q) / (1 + (m - 1) * q))


def between(m: int, n: int, a: float) -> float:
    """B = -(1 + (n-1) a) / (n (m-1)): the cosine between classes of one of a within them."""
    return -(1 + (n - 1) * a) / (n * (m - 1))


def within_cosine(m: int, n: int, tau: float, alpha: float) -> float:
    """a*, the cosine within a class at the minimum; 1 up to `collapse_threshold`.

    Args:
        m: number of classes.
        n: samples in each class.
        tau: temperature.
        alpha: weight of the own views.

    Returns:
        a* in [-1/(N-1), 1].

    Example:
        >>> [round(within_cosine(4, 5, 0.5, alpha), 4) for alpha in (0.2, 0.5, 1.0)]
        [1.0, 0.8151, -0.0526]
    """
    checked_whole(2, m=m, n=n)
    tau = float(checked_tau(tau))
    require(0 <= alpha <= 1, "a weight lies in [0, 1]", alpha=alpha)

    def slope(a: float) -> float:  # everything over e^{1/tau}
        same, other = np.exp((a - 1) / tau), np.exp((between(m, n, a) - 1) / tau)
        return (n - 1) * (same - other) / (1 + (n - 1) * same + n * (m - 1) * other) - (1 - alpha)

    if slope(1.0) <= 0:
        return 1.0
    least = -1 / (n * m - 1)  # where a = b, and the slope is -(1 - alpha)
    if slope(least) >= 0:
        return least
    return float(root_scalar(slope, bracket=(least, 1.0), xtol=1e-15).root)


def ssem_minimum(C: int, n: int, K: int, tau: float, alpha: float = 0.5) -> float:
    """Least value of `ssem`: log K Z(a*) - (alpha + (1 - alpha) a*) / tau.

    Args:
        C: number of classes.
        n: samples in each class, at least 2.
        K: views of each sample.
        tau: temperature.
        alpha: weight of the own views.

    Returns:
        The minimum, where d is at least C n - 1 (C - 1 where classes collapse).
    """
    checked_setting(C, n, K, tau)
    a = within_cosine(C, n, tau, alpha)
    logs = np.array([1.0, a, between(C, n, a)]) / tau
    Z = np.logaddexp.reduce(logs + np.log([1, n - 1, n * (C - 1)]))
    return float(np.log(K) + Z - (alpha + (1 - alpha) * a) / tau)
