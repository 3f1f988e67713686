"""Collapsed classes under `ucl_ball`, whose negatives are all rows tilted by e^{b cos}: ours.

Each of C balanced classes lies in one point and every two points have the cosine rho, which ranges
from -1/(C-1), the simplex ETF, to 1. With a = 1/tau the loss is log(1 + M(rho)),

    M(rho) = (1 + (C-1) e^{(a+b)(rho-1)}) / (1 + (C-1) e^{b(rho-1)}),

and dM/drho has the sign of

    h(rho) = (a+b) e^{a rho} + a (C-1) e^{(a+b) rho - b} - b e^a,

which increases in rho and is positive at rho = 1. So M falls and then rises: its least value is at
the root of h, or at the ETF where h(-1/(C-1)) >= 0. Divided by e^a that is

    (a+b) e^{-a C/(C-1)} + a (C-1) e^{-(a+b) C/(C-1)} >= b,

whose left side less the right decreases in b, from a positive value to -inf: there is exactly one
critical tilt b_c, and the ETF is the best of the family iff b <= b_c. Above it the ETF is no
minimum of the loss in d >= C dimensions, where every rho exists, whatever lies outside the family.

With the tilting weights held constant in the gradient, the derivative is

    a (e^{(a+b) rho} (C-1)) / (e^b + (C-1) e^{b rho})

times a positive number, at every rho and b: then the ETF attracts, at a speed of e^{-b C/(C-1)}.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import root_scalar

from supcon_theory.theory.counts import Floats, checked_tau, checked_whole, require


def equal_cosine_loss(C: ArrayLike, tau: ArrayLike, tilt: ArrayLike, rho: ArrayLike) -> Floats:
    """log(1 + M(rho)): `ucl_ball` of C balanced collapsed classes, every two at cosine rho.

    Args:
        C: number of classes.
        tau: temperature.
        tilt: b, weight e^{b cos} of a negative; 0 for UCL.
        rho: cosine of two classes, in [-1/(C-1), 1].

    Returns:
        The loss, of the broadcast shape.

    Example:
        >>> round(float(equal_cosine_loss(5, 1.0, 1.0, -0.25)), 6)
        0.481795
    """
    (C,), tau, tilt = checked_whole(2, C=C), checked_tau(tau), checked_tilt(tilt)
    rho = np.asarray(rho, float)
    inside = (rho >= -1 / (C - 1) - 1e-12) & (rho <= 1)
    require(inside, "a cosine of C classes lies in [-1/(C-1), 1]", rho=rho)
    log_others, apart = np.log(C - 1), rho - 1
    high = np.logaddexp(0, log_others + (1 / tau + tilt) * apart)
    return np.logaddexp(0, high - np.logaddexp(0, log_others + tilt * apart))


def critical_tilt(C: int, tau: float) -> float:
    """b_c: a tilt up to which the simplex ETF is the best of the family, and above which it is not.

    Args:
        C: number of classes.
        tau: temperature.

    Returns:
        The root of (a+b) e^{-a C/(C-1)} + a (C-1) e^{-(a+b) C/(C-1)} = b, a = 1/tau.

    Example:
        >>> [round(critical_tilt(C, 1.0), 3) for C in (2, 5, 100)]
        [0.251, 0.914, 3.085]
    """
    checked_whole(2, C=C)
    a, apart = 1 / float(checked_tau(tau)), C / (C - 1)

    def excess(b: float) -> float:
        return (a + b) * np.exp(-a * apart) + a * (C - 1) * np.exp(-(a + b) * apart) - b

    # the second term is below a (C-1) e^{-a apart}, so b_c <= a C / (e^{a apart} - 1) <= C - 1
    return float(root_scalar(excess, bracket=(0, C), xtol=1e-14, rtol=1e-14).root)


def best_cosine(C: int, tau: float, tilt: float) -> float:
    """The cosine rho of the least loss of the family: -1/(C-1) up to `critical_tilt`, then more.

    Args:
        C: number of classes.
        tau: temperature.
        tilt: b.

    Returns:
        The root of h, or -1/(C-1).

    Example:
        >>> [round(best_cosine(5, 1.0, b), 3) for b in (0.5, 1, 2, 5)]
        [-0.25, -0.174, 0.307, 0.687]
    """
    checked_whole(2, C=C)
    a, b = 1 / float(checked_tau(tau)), float(checked_tilt(tilt))

    def slope(rho: float) -> float:  # h / e^a
        others = (C - 1) * np.exp((a + b) * (rho - 1))
        return (a + b) * np.exp(a * (rho - 1)) + a * others - b

    least = -1 / (C - 1)
    if slope(least) >= 0:
        return least
    return float(root_scalar(slope, bracket=(least, 1.0), xtol=1e-15).root)


def checked_tilt(tilt: ArrayLike) -> Floats:
    """Tilts b: at least 0 and finite."""
    x = np.asarray(tilt, float)
    require((x >= 0) & (x < np.inf), "a tilt must be at least 0 and finite", tilt=tilt)
    return x
