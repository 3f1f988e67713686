"""Is a classifier as often right as it is sure? The expected calibration error."""

import numpy as np

from supcon_theory.inputs import whole

BINS = 15


def calibration_error(confidence, correct, bins: int = BINS) -> float:
    """ECE = sum_b (n_b / N) |accuracy_b - confidence_b| (arXiv 1706.04599, Equation 3).

    Bin b holds confidences in ((b - 1)/B, b/B], the first also 0: exactly 1 falls in the last bin.

    Where the bins of one B are unions of those of another (B divides it) the ECE is at most the
    other's, by the triangle inequality; with one bin it is |accuracy - mean confidence|, and none
    is above `calibration_most`.

    Args:
        confidence: (N,) probability given to the class that was chosen.
        correct: (N,) whether that is the class.
        bins: B.

    Returns:
        The error, from 0 to 1.

    Raises:
        ValueError: for no samples, unequal lengths, or confidences that are no probabilities.
    """
    p, right = _checked(confidence, correct)
    edges = np.arange(1, whole(bins, "bins")) / bins  # rounded once: shared edges are the same
    where = np.searchsorted(edges, p, side="left")
    return float(np.abs(np.bincount(where, right - p, minlength=bins)).sum() / len(p))


def calibration_most(confidence, correct) -> float:
    """The mean of |correct - confidence|: the ECE of bins of one sample each, the most it can be.

    Args:
        confidence: (N,) as for `calibration_error`.
        correct: (N,) likewise.

    Returns:
        The mean, from 0 to 1.

    Raises:
        ValueError: as for `calibration_error`.
    """
    p, right = _checked(confidence, correct)
    return float(np.abs(right - p).mean())


def _checked(confidence, correct) -> tuple[np.ndarray, np.ndarray]:
    p, right = np.asarray(confidence, np.float64), np.asarray(correct, np.float64)
    if p.ndim != 1 or p.shape != right.shape or len(p) == 0:
        raise ValueError(
            f"confidence has shape {p.shape} and correct {right.shape}: give one of each for every "
            "sample, at least one."
        )
    if not ((p >= 0) & (p <= 1)).all():
        worst = p[~((p >= 0) & (p <= 1))][0]
        raise ValueError(f"a confidence is {worst}; it must be a probability, from 0 to 1.")
    if not np.isin(right, (0, 1)).all():
        raise ValueError("correct must be true or false for every sample.")
    return p, right
