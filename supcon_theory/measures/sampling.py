"""Which rows stand for all of them where a measure is too dear to take over everything."""

import numpy as np


def sampled_rows(N: int, count: int, seed: int = 0) -> np.ndarray:
    """A uniform draw of rows without replacement, whatever order the data are in.

    Evenly spaced rows alias with data that come in turns (0 1 2 ... 0 1 2 ...): all of one class
    may be kept. A draw that is a function of (seed, N) alone has no such order.

    Args:
        N: Number of rows to choose from.
        count: Number wanted, at least 1; all rows when it is N or more.
        seed: Key of the draw, 0 or more.

    Returns:
        Ascending int64 row numbers, (min(count, N),).

    Raises:
        ValueError: For N < 1, count < 1 or a negative seed.
    """
    if N < 1 or count < 1 or seed < 0:
        raise ValueError(
            f"N = {N}, count = {count}, seed = {seed}: draw at least 1 of at least 1 row, "
            "with a seed of 0 or more."
        )
    if count >= N:
        return np.arange(N)
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, N))))
    return np.sort(rng.choice(N, count, replace=False, shuffle=False))
