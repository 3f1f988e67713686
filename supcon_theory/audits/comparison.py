"""Two embeddings of the same samples: CKA and RSA, with intervals and the null of shuffled rows."""

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from supcon_theory.audits.columns import COMPARISON
from supcon_theory.audits.small_samples import jackknife
from supcon_theory.measures.comparison import cka, rsa
from supcon_theory.measures.moments import Measure
from supcon_theory.measures.sampling import sampled_rows
from supcon_theory.statistics import Interval

COLUMNS, VERSION = COMPARISON.columns, COMPARISON.version
MOST = 10_000  # samples that are compared
SHUFFLES = 10  # of the null
RANGES = {"cka_debiased": (-1, 1), "cka": (0, 1), "rsa": (-1, 1), "rsa_debiased": (-1, 1)}


def comparison_table(x: Tensor, y: Tensor, seed: int = 0) -> pd.DataFrame:
    """How alike two embeddings of the same samples are: `COMPARISON`.

    Args:
        x: (N, K, p) rows of any length but 0; views are averaged.
        y: (N, L, q) of the same samples in the same order.
        seed: Key of the samples drawn, of the groups of the jackknife and of the shuffles.

    Returns:
        A row for each measure.

    Raises:
        ValueError: For another number of samples.
    """
    if len(x) != len(y):
        raise ValueError(
            f"z has {len(x)} samples and against {len(y)}: pass embeddings of the same samples, "
            "row by row."
        )
    chosen = torch.from_numpy(sampled_rows(len(x), MOST, seed))
    x, y = (of[chosen.to(of.device)].double().mean(1).cpu() for of in (x, y))
    of_all = likenesses(x, y)
    intervals = comparison_intervals(x, y, seed)
    rng = np.random.default_rng((seed, len(x)))
    orders = [torch.from_numpy(rng.permutation(len(x))) for _ in range(SHUFFLES)]
    nulls = [[found.value for found in likenesses(x, y[order]).values()] for order in orders]
    return pd.DataFrame(
        {
            "measure": list(of_all),
            "value": [found.value for found in of_all.values()],
            "low": [intervals[name].low for name in of_all],
            "high": [intervals[name].high for name in of_all],
            "shuffled": np.mean(nulls, axis=0),
            "shuffled_high": np.max(nulls, axis=0),
            "samples": len(x),
            "reason": [found.reason for found in of_all.values()],
        }
    )


def likenesses(x: Tensor, y: Tensor) -> dict[str, Measure]:
    """The measures of `RANGES`, in their order."""
    by_kernels, by_pairs = cka(x, y), rsa(x, y)
    found = (by_kernels.debiased, by_kernels.biased, by_pairs.biased, by_pairs.debiased)
    return dict(zip(RANGES, found, strict=True))


def comparison_intervals(x: Tensor, y: Tensor, seed: int = 0) -> dict[str, Interval]:
    """Each of `RANGES` of (N, p) and (N, q) with its jackknife interval."""

    def of(kept: Tensor | slice) -> list[float]:
        return [found.value for found in likenesses(x[kept], y[kept]).values()]

    groups = np.zeros(len(x), int)
    return dict(zip(RANGES, jackknife(of, groups, seed, list(RANGES.values())), strict=True))
