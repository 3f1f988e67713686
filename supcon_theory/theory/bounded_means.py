"""The mean of bounded numbers from a sample of them: an interval that holds for every such law."""

import numpy as np
from numpy.typing import ArrayLike

from supcon_theory.theory.counts import Floats, require

STAKE = 0.75  # largest share of the capital that a bet may lose
HALVINGS = 60  # of the interval in which an end is looked for
CONFIDENCE = 0.95  # level where nobody asks for another


def mean_interval_of_bounded(
    values: ArrayLike, low: float, high: float, confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """Confidence interval of the mean mu of iid numbers in [low, high], whatever their law.

    By betting (Waudby-Smith and Ramdas 2024, arXiv 2010.09686). Scale to X in [0, 1]. For a
    candidate m a gambler starts with capital 1 and stakes lambda_i, which depends on X_1 .. X_{i-1}
    only, on X_i being above m:

        K(m) = prod_i (1 + lambda_i(m) (X_i - m)),    0 <= lambda_i(m) <= STAKE / m.

    Validity: no factor is below 1 - STAKE > 0, and E[X_i - mu | past] = 0, so K(mu) is a
    nonnegative martingale of mean 1 and P(K(mu) >= 2 / delta) <= delta / 2 (Markov). With
    lambda_i(m) = min(l_i, STAKE / m), l_i free of m, every factor falls in m, so that all m with
    K(m) < 2 / delta lie above one number: the lower end. The upper end is the same of 1 - X. Each
    fails with probability at most delta / 2, delta = 1 - confidence. The stakes l_i, which decide
    the width and not the validity, are sqrt(2 log(2 / delta) / (n var_{i-1})), var the variance
    seen so far.

    Sampling n of N numbers *with* replacement is iid; the interval is then that of their mean.

    Args:
        values: (n,) numbers, in an order that does not depend on them.
        low: smallest that one can be, known beforehand.
        high: largest that one can be.
        confidence: 1 - delta.

    Returns:
        Both ends. [low, high] itself without values.

    Raises:
        ValueError: a value outside of [low, high] (beyond rounding), NaN, or a level not in (0, 1).

    Example:
        >>> low, high = mean_interval_of_bounded([0.4, 0.5, 0.6] * 100, 0, 1)
        >>> round(low, 2), round(high, 2)
        (0.49, 0.51)
    """
    x = np.asarray(values, float)
    require(0 < confidence < 1, "pass a level between 0 and 1", confidence=confidence)
    slack = 1e-6 * max(abs(low), abs(high), high - low)  # of values that were computed in float32
    if not (np.isfinite([low, high]).all() and np.all((x >= low - slack) & (x <= high + slack))):
        worst = x[np.argmax(np.abs(x - (low + high) / 2))] if len(x) else np.nan
        raise ValueError(
            f"a value is {worst:g}, not in [{low:g}, {high:g}]: pass finite limits that hold for "
            "every value."
        )
    if len(x) == 0 or high <= low:
        return float(low), float(high)
    scaled = np.clip((x - low) / (high - low), 0, 1)
    lower = _lower_end(scaled, (1 - confidence) / 2)
    upper = 1 - _lower_end(1 - scaled, (1 - confidence) / 2)
    return low + (high - low) * lower, low + (high - low) * upper


def _lower_end(x: Floats, error: float) -> float:
    """The m in [0, 1] below which the capital of the gambler is at least 1 / error."""
    n = len(x)
    seen = np.arange(1, n + 1)
    mean = (0.5 + np.cumsum(x)) / (seen + 1)
    variance = (0.25 + np.cumsum((x - mean) ** 2)) / (seen + 1)
    before = np.concatenate([[0.25], variance[:-1]])
    stakes = np.sqrt(2 * np.log(1 / error) / (n * before))

    def log_capital(m: float) -> float:
        return float(np.log1p(np.minimum(stakes, STAKE / m) * (x - m)).sum())

    least, most, target = 0.0, 1.0, -np.log(error)
    for _ in range(HALVINGS):
        middle = (least + most) / 2
        if log_capital(middle) >= target:
            least = middle
        else:
            most = middle
    return least
