"""How alike two encoders must be that are close: CKA and RSA as cosines (arXiv 2510.08852).

CKA of centred kernels K and K' is the cosine of the angle between them as vectors of N^2 entries,
RSA (Pearson) that of two centred dissimilarity matrices. If their difference is `ratio` times as
long as the first one, the sine of the angle is at most `ratio`.
"""

import numpy as np
from numpy.typing import ArrayLike

from supcon_theory.theory.counts import Floats, checked_moments


def cosine_floor(ratio: ArrayLike, least: float) -> Floats:
    """Least cosine of a and b for |a - b| = ratio |a|: sqrt(1 - ratio^2) up to ratio 1 (ours).

    Proof. a is at most ratio |a| from the line spanned by b, so the sine of their angle is at most
    `ratio`; below 1 the angle is acute, as |a|^2 - <a, b> <= |a| |a - b|. Attained where a - b is
    orthogonal to b. Beyond 1 nothing is known but the least cosine of all: 0 for kernels, which
    are positive semidefinite, -1 for dissimilarities.

    Args:
        ratio: |a - b| / |a|, at least 0.
        least: what the cosine is never below.

    Returns:
        The floor, of the shape of `ratio`.

    Raises:
        ValueError: for a negative or infinite ratio.

    Example:
        >>> cosine_floor([0.0, 0.6, 2.0], 0.0).tolist()
        [1.0, 0.8, 0.0]
    """
    (x,) = checked_moments(ratio=ratio)
    return np.where(x <= 1, np.sqrt(np.maximum(0.0, (1 - x) * (1 + x))), least)


def published_floor(ratio: ArrayLike) -> Floats:
    """(1 - ratio) / (1 + ratio), as published for CKA and RSA: never above `cosine_floor` up to 1.

    Beyond 1 it is negative: true of CKA, which is at least 0, and false of RSA.

    Args:
        ratio: |a - b| / |a|, at least 0.

    Returns:
        The floor, of the shape of `ratio`.

    Raises:
        ValueError: for a negative or infinite ratio.

    Example:
        >>> published_floor([0.0, 0.6, 3.0]).tolist()
        [1.0, 0.25, -0.5]
    """
    (x,) = checked_moments(ratio=ratio)
    return (1 - x) / (1 + x)


def reweighting(gap: ArrayLike) -> Floats:
    """|p_CL - p_NSCL|_1 = 2 S/(S + D) = 2 (1 - exp(-gap)) of an anchor's softmax weights.

    p_CL is NSCL's with the mass S/(S + D) moved to the anchor's own class, so the distance is that
    mass, taken away and put elsewhere. Its gradient with respect to the similarities is p / tau.

    Args:
        gap: of the anchor, log(1 + S/D).

    Returns:
        The distance, in [0, 2).

    Raises:
        ValueError: for a negative or infinite gap.

    Example:
        >>> float(reweighting(np.log(2)))
        1.0
    """
    (x,) = checked_moments(gap=gap)
    return -2 * np.expm1(-x)
