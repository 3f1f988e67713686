"""The corruption error of a classifier beside that of another one (arXiv 1903.12261)."""

import numpy as np
from numpy.typing import ArrayLike


def corruption_error(
    error: ArrayLike, reference: ArrayLike, clean: float = 0.0, clean_reference: float = 0.0
) -> float:
    """The mCE = mean_c sum_s E_(s,c) / sum_s E'_(s,c), over kinds c, severities s.

    E' is the reference. With the errors on clean images it is the relative mCE: E_(s,c) - E_clean
    in place of E_(s,c), and likewise of the reference. A fraction: what is published as 100 % is 1.

    Args:
        error: (kinds, severities) of the classifier.
        reference: (kinds, severities) of the reference.
        clean: of the classifier, for the relative mCE.
        clean_reference: of the reference.

    Returns:
        The mean over kinds; NaN where the reference loses nothing to one of them (a sum of E' that
        is not above 0), or an error is NaN.

    Raises:
        ValueError: for errors that are no two tables of equal shape.
    """
    ours, theirs = np.asarray(error, float) - clean, np.asarray(reference, float) - clean_reference
    if ours.ndim != 2 or ours.shape != theirs.shape or ours.size == 0:
        raise ValueError(
            f"errors have shapes {ours.shape} and {theirs.shape}: both must be (kinds, severities)."
        )
    total = theirs.sum(axis=1)
    if not (total > 0).all():
        return float("nan")
    return float((ours.sum(axis=1) / total).mean())
