"""How much of the correlation of two losses follows from their difference being bounded."""

import numpy as np
from numpy.typing import ArrayLike


def forced_correlation(spread: ArrayLike, width: ArrayLike) -> np.ndarray:
    """Least Pearson correlation of X and X + G over a sequence of measurements:

        sqrt(1 - (width / (2 sd X))^2),   or -1 if width >= 2 sd X,

    X with (population) standard deviation `spread`, G anything within an interval of that width.
    Proof: sd G <= width / 2 (Popoviciu); X and X + G, centred, are two sides of a triangle whose
    third is G, so the sine of the angle between them is at most sd G / sd X.

    With X the NSCL loss over checkpoints and G the gap, which every encoder keeps between 0 and its
    bound, a correlation of DCL and NSCL this high says nothing about learning.
    """
    spread, width = np.asarray(spread, float), np.asarray(width, float)
    if not np.all((spread > 0) & (width >= 0)):
        raise ValueError(
            "a spread is not positive or a width negative: pass the standard deviation "
            "of losses that vary, and the width of the interval that holds the gap."
        )
    ratio = width / (2 * spread)
    return np.where(ratio < 1, np.sqrt(np.maximum(0.0, 1 - ratio**2)), -1.0)
