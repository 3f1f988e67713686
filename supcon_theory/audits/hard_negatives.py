"""UCL, SCL and their hardened forms on one batch, anchor by anchor; rows of `HARD_NEGATIVES`.

All four have the own views as positives, and Q = K (N - 1) times a mean over negatives: of all
other samples, or of other classes.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from supcon_theory.audits.accuracy import neighbour_error
from supcon_theory.audits.columns import HARD_NEGATIVES
from supcon_theory.inputs import unit_rows
from supcon_theory.objectives import OBJECTIVES
from supcon_theory.pairs.batch import softplus
from supcon_theory.theory.hardening import hardened_bounds

COLUMNS, VERSION = HARD_NEGATIVES.columns, HARD_NEGATIVES.version
Row = dict[str, Any]
EXACT = 1e-12  # difference of two means below which neither is the larger
MOST_BETA = 200.0  # up to which a crossing is looked for
SHARE = 0.1  # of the negatives that threshold and top-k keep


def order_rows(z: Tensor, y: Tensor, tau: float, betas: Sequence[float]) -> list[Row]:
    """The four losses of a batch for each hardness, and whether order follows the assumption.

    Args:
        z: (N, K, d) embeddings, K >= 2.
        y: (N,) labels.
        tau: Temperature.
        betas: Hardnesses on s = cos / tau.

    Returns:
        A row per beta, and one for threshold and top-k weights each.
    """
    z = unit_rows(z)
    given = dict(tau=tau, reduction="none")
    ucl = OBJECTIVES["nt_xent"](z, y, **given)
    scl = OBJECTIVES["scl_jiang"](z, y, positives="own", **given)
    s, sisters, others = _logits(z, y, tau)
    n_c = torch.bincount(y)[y].numpy()[:, None]
    rows = []
    for beta in betas:
        hucl = OBJECTIVES["hucl"](z, y, beta=beta, **given)
        hscl = OBJECTIVES["hscl"](z, y, beta=beta, positives="own", **given)
        h_nscl = OBJECTIVES["h_nscl"](z, y, beta=beta, **given)
        low, high, equal_q = hardened_bounds(n_c, len(z), tau, beta / tau)
        difference, same_q = (hucl - h_nscl).numpy(), (hucl - hscl).numpy()
        row = _compared(ucl, scl, hucl, hscl, *_means(s, beta * s, sisters, others))
        row |= {"part": "order", "hardening": "exponential", "beta": beta, "tau": tau}
        row |= {"gap": float(difference.mean()), "bound": float(high.mean())}
        row["violation_gap"] = float(max((difference - high).max(), (low - difference).max()))
        row["violation_equal_q"] = float((same_q - equal_q).max())
        rows.append(row)
    for name in ("threshold", "top-k"):
        log_weights = _kept(s, sisters | others, name)
        same, other, every = _means(s, log_weights, sisters, others)
        if not torch.isfinite(other).any():
            continue  # nothing of another class is among the hardest
        own = _own(z, tau)
        log_Q = np.log(z.shape[1] * (len(z) - 1))
        hucl, hscl = (softplus(log_Q + mean.view_as(own) - own) for mean in (every, other))
        row = _compared(ucl, scl, hucl, hscl, same, other, every)
        rows.append(row | {"part": "order", "hardening": name, "tau": tau})
    return rows


def crossing_row(z: Tensor, y: Tensor, tau: float, betas: Sequence[float]) -> Row:
    """The hardness from which on mean H-SCL is at least mean UCL, embeddings fixed.

    H-SCL of an anchor rises with beta to log(1 + Q max e^{s_an} e^{-s_ap}), n in other classes. So
    a crossing exists iff the mean of that limit is above mean UCL.

    Args:
        z: (N, K, d) embeddings, K >= 2.
        y: (N,) labels.
        tau: Temperature.
        betas: Hardnesses between which H-SCL must not fall.

    Returns:
        A row.
    """
    z = unit_rows(z)
    ucl = float(OBJECTIVES["nt_xent"](z, y, tau=tau))
    s, _, others = _logits(z, y, tau)
    hardest = s.masked_fill(~others, -torch.inf).amax(1)
    own, log_Q = _own(z, tau), np.log(z.shape[1] * (len(z) - 1))
    limit = float(softplus(log_Q + hardest.view_as(own) - own).mean())

    def hscl(beta: float) -> float:
        return float(OBJECTIVES["hscl"](z, y, tau=tau, beta=beta, positives="own"))

    found = np.array([hscl(beta) for beta in (*sorted(betas), MOST_BETA)])
    low, high = 0.0, MOST_BETA
    crossing = np.inf
    if found[-1] >= ucl:
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (low, middle) if hscl(middle) >= ucl else (middle, high)
        crossing = high
    missed = np.isfinite(crossing) != (limit > ucl) and abs(found[-1] - ucl) > 1e-3
    row = {"part": "crossing", "tau": tau, "loss_ucl": ucl, "beta_crossing": crossing}
    row["violation_monotone"] = float(-np.diff(found).min())
    return row | {"violation_crossing": float(missed)}


def _compared(
    ucl: Tensor, scl: Tensor, hucl: Tensor, hscl: Tensor, same: Tensor, other: Tensor, every: Tensor
) -> Row:
    """Means of the losses, the share of A*, and where it disagrees with the order."""
    defined = torch.isfinite(other).view_as(ucl)  # some negative of another class is kept
    excess = (same - other).view_as(ucl)
    holds = (excess >= 0) & torch.isfinite(same).view_as(ucl)
    clear = defined & (excess.abs() > EXACT) & ((hucl - hscl).abs() > EXACT)
    wrong = (holds != (hucl >= hscl)) & clear
    order = torch.maximum(ucl - hucl, scl - hscl)[defined]
    losses = {"ucl": ucl, "scl": scl, "hucl": hucl, "hscl": hscl}
    means = {name: float(loss[defined].mean()) for name, loss in losses.items()}
    return {f"loss_{name}": mean for name, mean in means.items()} | {
        "premise": float(holds[defined].double().mean()),
        "violation_equivalence": float(wrong[defined].double().mean()),
        "violation_order": float(order.max()),
        "over": means["hscl"] - means["hucl"],
    }


def _logits(z: Tensor, y: Tensor, tau: float) -> tuple[Tensor, Tensor, Tensor]:
    """Logits of all rows; which are of another sample of the anchor's class, of other classes."""
    K = z.shape[1]
    flat, label = z.flatten(0, 1), y.repeat_interleave(K)
    sample = torch.arange(len(z)).repeat_interleave(K)
    same = label[:, None] == label
    return flat @ flat.T / tau, same & (sample[:, None] != sample), ~same


def _own(z: Tensor, tau: float) -> Tensor:
    """The logit of an anchor and the next view of its sample, (N, K); the only other one of two."""
    return (z * z.roll(-1, 1)).sum(-1) / tau


def _kept(s: Tensor, negatives: Tensor, name: str) -> Tensor:
    """Log weights that keep the hardest negatives: above one threshold, or a share of each row."""
    inside = s.masked_fill(~negatives, -torch.inf)
    if name == "threshold":
        least = torch.quantile(s[negatives][:: max(1, int(negatives.sum()) // 10**6)], 1 - SHARE)
        least = least.expand(len(s), 1)
    else:
        k = max(1, int(SHARE * int(negatives.sum(1).min())))
        least = inside.topk(k, dim=1).values[:, -1:]
    return torch.zeros_like(s).masked_fill(inside < least, -torch.inf)


def _means(
    s: Tensor, log_weights: Tensor, sisters: Tensor, others: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Log of the weighted means of e^s over the anchor's class, other classes, and both."""

    def of(inside: Tensor) -> Tensor:
        weights = log_weights.masked_fill(~inside, -torch.inf)
        return (weights + s).logsumexp(1) - weights.logsumexp(1)

    return of(sisters), of(others), of(sisters | others)


def over_batches(found: pd.DataFrame, about: Row) -> Iterator[Row]:
    """Rows of several batches as one: means, and the worst of every violation."""
    worst = [name for name in found if name.startswith("violation_")]
    keys = ["part", "hardening", "beta", "tau"]
    grouped = found.drop(columns="batch").groupby(keys, dropna=False, sort=False)
    means, highest = (
        pd.DataFrame(of) for of in (grouped.mean(numeric_only=True), grouped[worst].max())
    )
    for _, row in means.assign(**{n: highest[n] for n in worst}).reset_index().iterrows():
        yield about | row.to_dict()


def gap_rows(z: Tensor, y: Tensor, tau: float, betas: Sequence[float]) -> list[Row]:
    """The hardened gap of a whole set beside the mean of its anchors' bounds."""
    z, given, rows = unit_rows(z), dict(tau=tau, reduction="none"), []
    n_c = torch.bincount(y)[y].numpy()[:, None]
    for beta in betas:
        hucl = OBJECTIVES["hucl"](z, y, beta=beta, **given)
        h_nscl = OBJECTIVES["h_nscl"](z, y, beta=beta, **given)
        _, high, _ = hardened_bounds(n_c, len(z), tau, beta / tau)
        row = {"part": "classes", "beta": beta, "tau": tau, "bound": float(high.mean())}
        rows.append(row | {"gap": float((hucl - h_nscl).mean())})
    return rows


def error_row(h: Tensor, y: Tensor, queries: Tensor, of_queries: Tensor) -> Row:
    """The error of ten neighbours of h on new images."""
    error = neighbour_error(h[:, 0], y, queries[:, 0], of_queries)
    return {"part": "encoders", "error": error}
