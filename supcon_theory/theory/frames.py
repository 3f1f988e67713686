"""SupCon of rows without a negative entry: the orthogonal frame, whatever the class sizes.

Rows of length 1 whose entries are all at least 0 have cosines of at least 0. Of an anchor in a
class of n, of N samples of K views, each log-sum is then at least that of K (N - n) cosines 0
against positives at 1, so its SupCon loss is at least

    log(K n - 1 + K (N - n) e^{-1/tau}),

with equality iff its class is one point and every other row is orthogonal to it: the orthogonal
frame, in d >= C dimensions, for any class sizes (arXiv 2306.07960, Theorem 1). Over fixed batches
each batch has a frame of its own; they are one frame iff each class is connected through shared
samples and every two classes meet in some batch (its corollary).
"""

from collections.abc import Sequence

import numpy as np

from supcon_theory.theory.counts import checked_counts, checked_tau, checked_whole, require


def frame_minimum(counts: Sequence[int], K: int, tau: float) -> float:
    """Least mean SupCon loss of unit rows with no negative entry: that of the orthogonal frame.

    Args:
        counts: (C,) class sizes, d >= C.
        K: views of each sample.
        tau: temperature.

    Returns:
        The minimum over the anchors.

    Raises:
        ValueError: a class of one row, which has no positive.

    Example:
        >>> round(frame_minimum([20, 20, 2, 2], 1, 0.5), 6)
        2.992934
    """
    n, tau = checked_counts(counts), float(checked_tau(tau))
    checked_whole(1, K=K)
    require(K * n >= 2, "SupCon needs another row in every class", counts=counts, K=K)
    N = n.sum()
    return float(n @ np.log(K * n - 1 + K * (N - n) * np.exp(-1 / tau)) / N)
