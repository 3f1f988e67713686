"""The nearest others of a sample: how they vote, and labels that may be wrong."""

import numpy as np
import pandas as pd

from supcon_theory.audits.columns import NEAREST
from supcon_theory.audits.opened import Opened
from supcon_theory.measures.misplaced import misplaced
from supcon_theory.measures.neighbours import nearest_others, vote_error
from supcon_theory.measures.rows import UnitRows
from supcon_theory.measures.sampling import sampled_rows

CLASSIFIED = 2048  # samples whose nearest others are looked up in a set longer than ALL_CLASSIFIED
ALL_CLASSIFIED = 16_384


def voted(source: UnitRows, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Nearest others, the samples whose they are, and the leave-one-out error of their votes.

    Args:
        source: Unit rows (N, K, d).
        y: Labels (N,), 0 .. C-1.

    Returns:
        Row numbers of the nearest others (samples, k), the samples, and the error of the votes.
    """
    N = len(y)
    samples = np.arange(N) if N <= ALL_CLASSIFIED else sampled_rows(N, CLASSIFIED)
    near = nearest_others(source, samples, min(NEAREST, N - 1))
    return near, samples, vote_error(near, y, y[samples])


def mislabelled_table(found: Opened) -> pd.DataFrame:
    """Candidates for a wrong label, the most suspicious first: `MISLABELLED`."""
    of = misplaced(found.source, found.y, found.moments)
    rows = of.candidates
    names = np.array([*found.names, None], dtype=object)[:-1]
    return pd.DataFrame(
        {
            "row": rows,
            "class": names[found.y.numpy()[rows]],
            "nearest": names[of.nearest[rows]],
            "distance_own": of.own[rows],
            "distance_nearest": of.other[rows],
            "score": of.score[rows],
            "threshold": of.threshold,
        }
    )
