"""Two embeddings of the same samples: CKA and RSA, with intervals and the null of shuffled rows."""

from collections.abc import Callable
from functools import partial

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
MOST = 20_000  # samples that are compared
SHUFFLES = 10  # of the null
MEASURES: dict[str, tuple[Callable[..., Measure], tuple[float, float]]] = {  # with their range
    "cka_debiased": (partial(cka, debiased=True), (-1.0, 1.0)),
    "cka": (cka, (0.0, 1.0)),
    "rsa": (rsa, (-1.0, 1.0)),
    "rsa_debiased": (partial(rsa, debiased=True), (-1.0, 1.0)),
}


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
    of_all = [measure(x, y) for measure, _ in MEASURES.values()]
    intervals = comparison_intervals(x, y, seed)
    rng = np.random.default_rng((seed, len(x)))
    orders = [torch.from_numpy(rng.permutation(len(x))) for _ in range(SHUFFLES)]
    nulls = [[m(x, y[order]).value for m, _ in MEASURES.values()] for order in orders]
    return pd.DataFrame(
        {
            "measure": list(MEASURES),
            "value": [found.value for found in of_all],
            "low": [intervals[name].low for name in MEASURES],
            "high": [intervals[name].high for name in MEASURES],
            "shuffled": np.mean(nulls, axis=0),
            "shuffled_high": np.max(nulls, axis=0),
            "samples": len(x),
            "reason": [found.reason for found in of_all],
        }
    )


def comparison_intervals(x: Tensor, y: Tensor, seed: int = 0) -> dict[str, Interval]:
    """Each of `MEASURES` of (N, p) and (N, q) with its jackknife interval."""

    def of(kept: Tensor | slice) -> list[float]:
        return [measure(x[kept], y[kept]).value for measure, _ in MEASURES.values()]

    ends = [ends for _, ends in MEASURES.values()]
    return dict(zip(MEASURES, jackknife(of, np.zeros(len(x), int), seed, ends), strict=True))
