"""The losses of anchors among independent random directions, without a row being drawn."""

import numpy as np

from supcon_theory.measures.sampled_losses import RowLosses

SIMULATED = 4_000_000  # cosines drawn
ANCHORS = (4, 256)  # fewest and most


def random_losses(
    shape: tuple[int, int, int], counts: np.ndarray, tau: float, seed: int
) -> RowLosses:
    """Losses of drawn anchors among independent random directions, with these class sizes.

    The cosine of two of them is 2 B - 1, B beta distributed with (d - 1) / 2 and (d - 1) / 2, and
    the cosines of an anchor to all others are independent: they are drawn, not the rows. Positive
    cosines are set to their mean, 0.

    Args:
        shape: (N, K, d).
        counts: (C,) class sizes.
        tau: Temperature.
        seed: Key of the draws.

    Returns:
        Losses of 4 to 256 anchors.
    """
    N, K, d = shape
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, 4))))
    count = int(np.clip(SIMULATED // (N * K), *ANCHORS))
    own = rng.choice(counts, count, p=counts / N)
    log_S, log_D, log_own = np.full((3, count), -np.inf)
    for a, n_c in enumerate(own):
        if d == 1:
            cosines = rng.choice([-1.0, 1.0], N * K - 1)
        else:
            cosines = 2 * rng.beta((d - 1) / 2, (d - 1) / 2, N * K - 1) - 1
        parts = np.split(cosines / tau, np.cumsum([K * (N - n_c), K * (n_c - 1)]))
        for log_sum, logits in zip((log_D, log_S, log_own), parts, strict=True):
            if len(logits):
                log_sum[a] = np.logaddexp.reduce(logits)
    pull = 1 / (K * tau)  # of the anchor with itself, one of its K positives
    total = np.logaddexp(log_S, log_D)
    supcon = np.where(own * K > 1, np.logaddexp(total, log_own), np.nan)
    return RowLosses(total - pull, log_D - pull, supcon, np.logaddexp(0, log_S - log_D))
