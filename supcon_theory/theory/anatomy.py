"""What the excess of NSCL over its minimum is made of, and how much collapse it can be worth.

Balanced classes, all ordered view pairs, no positive in the denominator. With A the mean squared
distance of a row from the mean of its sample, W the mean variance within classes, zbar the mean of
all rows, s_ab the cosines of anchor a to the rows b of other classes and
J_a = log mean_b e^{s_ab/tau} - mean_b s_ab/tau,

    L_NSCL - L* = A/tau + W/((C-1) tau) + C |zbar|^2/((C-1) tau) + mean_a J_a.

Every term is at least 0, and all are 0 exactly at the collapsed ETF. Proof: docs/proofs.md.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from supcon_theory.theory.counts import (
    Floats,
    checked_moments,
    checked_tau,
    checked_whole,
)


class Excess(NamedTuple):
    """The four terms of L_NSCL - L*, in nats."""

    alignment: Floats
    collapse: Floats
    centring: Floats
    jensen: Floats


def excess_terms(
    augmentation: ArrayLike,
    within: ArrayLike,
    centre: ArrayLike,
    jensen: ArrayLike,
    C: ArrayLike,
    tau: ArrayLike,
) -> Excess:
    """The terms of L_NSCL - L*; their sum is the excess.

    Args:
        augmentation: A, mean squared distance of a row from the mean of its sample's views.
        within: W, mean squared distance of a row from the mean of its class.
        centre: |zbar|^2, squared norm of the mean of all rows.
        jensen: mean over anchors of J_a, in nats.
        C: number of classes.
        tau: temperature.

    Returns:
        The terms, each of the broadcast shape.

    Example:
        >>> [round(float(term), 3) for term in excess_terms(0.24, 0.78, 0.01, 0.08, 20, 1.0)]
        [0.24, 0.041, 0.011, 0.08]
    """
    A, W, z, J = checked_moments(
        augmentation=augmentation, within=within, centre=centre, jensen=jensen
    )
    (C,), tau = checked_whole(2, C=C), checked_tau(tau)
    return Excess(A / tau, W / ((C - 1) * tau), C * z / ((C - 1) * tau), J)


def collapse_worth(C: ArrayLike, tau: ArrayLike) -> Floats:
    """1/((C-1) tau): the most that the collapse of all classes can lower the loss, in nats.

    W is at most 1, so an encoder may have no collapse at all at an excess of this. The gap between
    CL and NSCL is of the same order in C: a gap of O(1/C) implies no collapse.

    Args:
        C: number of classes.
        tau: temperature.

    Returns:
        The value, of the broadcast shape.
    """
    (C,) = checked_whole(2, C=C)
    return 1 / ((C - 1) * checked_tau(tau))


def jensen_floor(variance: ArrayLike, tau: ArrayLike) -> Floats:
    """J_a >= log(1 + g Var_b s_ab), g = h(-2/tau)/tau^2, h(w) = (e^w - 1 - w)/w^2.

    h increases and cosines differ from their mean by at most 2, so that
    E e^{(s - x)/tau} = 1 + E[((s - x)/tau)^2 h((s - x)/tau)] >= 1 + g Var s.

    Args:
        variance: of the cosines of an anchor to the rows of other classes.
        tau: temperature.

    Returns:
        The bound in nats, of the broadcast shape.

    Example:
        >>> round(float(jensen_floor(0.15, 1.0)), 3)
        0.042
    """
    (v,) = checked_moments(variance=variance)
    w = -2 / checked_tau(tau)
    return np.log1p(v * (np.expm1(w) - w) / 4)  # h(w)/tau^2 = (e^w - 1 - w)/4
