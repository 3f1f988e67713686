"""The losses of some anchors against all rows, under several labelings at once, in one pass.

S and D of an anchor are exact: only the mean over anchors is then a sample mean.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from torch import Tensor

from supcon_theory import inputs
from supcon_theory.measures.losses import GlobalLosses
from supcon_theory.measures.rows import UnitRows, each_tile
from supcon_theory.pairs.tiles import SUMMED
from supcon_theory.processes import check_same, mine, total

CHUNK = 512  # anchors whose similarities to CHUNK_COLUMNS rows are held at once: 1 MB
CHUNK_COLUMNS = 512


@dataclass(frozen=True)
class RowLosses:
    """Losses of M rows, each (M,) float64; supcon is NaN where a row has no positive."""

    dcl: np.ndarray
    nscl: np.ndarray
    supcon: np.ndarray
    gap: np.ndarray

    def at(self, rows: np.ndarray) -> "RowLosses":
        """Those of chosen rows (indices or a mask)."""
        return RowLosses(self.dcl[rows], self.nscl[rows], self.supcon[rows], self.gap[rows])


def supcon_of(
    losses: GlobalLosses, z: Tensor, y: Tensor, sums: Tensor, counts: Tensor, tau: float
) -> np.ndarray:
    """SupCon (L_out) of every row from the S and D of `global_losses`, (N, K).

        log(O + S + D) - (<z_a, s_c> - 1) / ((n_c K - 1) tau),  O the other views of the sample

    Args:
        losses: Of all rows.
        z: (N, K, d) the unit rows.
        y: (N,) class numbers.
        sums: (C, d) sums of the rows of each class.
        counts: (C,) samples of each class.
        tau: Temperature of the losses.

    Returns:
        The losses; NaN where the class has a single row.
    """
    log_total = np.logaddexp(losses.log_S, losses.log_D)
    return _supcon(log_total, z.double(), sums[y], counts[y], tau)


def _supcon(log_total: np.ndarray, z: Tensor, sums: Tensor, n: Tensor, tau: float) -> np.ndarray:
    M, K, _ = z.shape
    own = torch.einsum("nkd,nld->nkl", z, z)
    positives = (n * K - 1).double()[:, None]
    mean = (torch.einsum("nkd,nd->nk", z, sums) - own.diagonal(0, 1, 2)) / positives
    own = own.masked_fill(torch.eye(K, dtype=torch.bool), -torch.inf)
    log_own = (own / tau).logsumexp(2).cpu().numpy()
    loss = np.logaddexp(log_total, log_own) - (mean / tau).cpu().numpy()
    return np.where((positives > 0).expand(M, K).cpu().numpy(), loss, np.nan)


def sampled_losses(
    source: UnitRows,
    labelings: Sequence[Tensor],
    sums: Sequence[Tensor],
    anchors: np.ndarray,
    taus: Sequence[float],
    progress: Callable[[float], None] = lambda share: None,
) -> list[dict[float, RowLosses]]:
    """Losses of chosen anchors with all rows as candidates, for each labeling and temperature.

    O(M N K d) time, memory O(M (d + labelings x temperatures)). Products in the type
    of the source, exponentials too while 1 / tau <= 80 (relative error of a sum about 1e-6 / tau)
    and in float64 beyond, sums over tiles in float64.

    Args:
        source: The rows.
        labelings: Class numbers (N,) under each labeling.
        sums: Sums (C, d) of the rows of each class, under each labeling.
        anchors: (M,) rows, i K + l for view l of sample i; may repeat.
        taus: Temperatures.
        progress: Called with the share that is done.

    Returns:
        By labeling, by temperature, the losses of the M anchors.
    """
    N, K, _ = source.shape
    taus = inputs.temperatures(taus, least=1 / SUMMED[torch.float64])
    samples, views = torch.from_numpy(anchors // K), torch.from_numpy(anchors % K)
    picked, place = np.unique(anchors // K, return_inverse=True)
    own_rows = source.at(picked)[torch.from_numpy(place)]  # (M, K, d)
    z = own_rows[torch.arange(len(anchors)), views]
    check_same(z, samples, *labelings, torch.tensor(taus))
    both = torch.zeros(len(labelings), len(taus), 2, len(anchors), dtype=torch.float64)  # S and D
    for rows, x in each_tile(source):
        flat = x.flatten(0, 1)
        sample = torch.arange(rows.start, rows.stop).repeat_interleave(K)
        chunks = product(_chunks(len(anchors), CHUNK), _chunks(len(flat), CHUNK_COLUMNS))
        for block, columns in mine(list(chunks), lambda pair: pair[1].stop - pair[1].start):
            _add(
                both[:, :, :, block],
                z[block] @ flat[columns].T,
                samples[block],
                sample[columns],
                labelings,
                taus,
            )
        progress(rows.stop / N)
    total(both)
    exact = own_rows.double()
    positive = torch.einsum("md,mkd->m", exact[torch.arange(len(anchors)), views], exact) / K
    found = []
    for y, of, per_tau in zip(labelings, sums, both, strict=True):
        numbers, counts = y[samples], y.bincount()
        found.append({})
        for tau, (S, D) in zip(taus, per_tau.numpy(), strict=True):
            with np.errstate(divide="ignore"):
                log_S, log_D = np.log(S), np.log(D)
            supcon = _supcon(
                np.logaddexp(log_S, log_D)[:, None].repeat(K, 1),
                exact,
                of[numbers],
                counts[numbers],
                tau,
            )
            pull = positive.numpy() / tau
            found[-1][tau] = RowLosses(
                dcl=np.logaddexp(log_S, log_D) - pull,
                nscl=log_D - pull,
                supcon=supcon[np.arange(len(anchors)), views.numpy()],
                gap=np.logaddexp(0, log_S - log_D),
            )
    return found


def _chunks(count: int, size: int) -> list[slice]:
    return [slice(a, min(a + size, count)) for a in range(0, count, size)]


def _add(
    both: Tensor, cosines: Tensor, anchor: Tensor, sample: Tensor, labelings, taus: list[float]
) -> None:
    """Add exp(cosine / tau) over same and over other classes to (labelings, taus, 2, anchors)."""
    itself = None
    if anchor.min() <= sample[-1] and anchor.max() >= sample[0]:
        itself = anchor[:, None] == sample
    masks = [y[anchor][:, None] == y[sample] for y in labelings]
    for t, tau in enumerate(taus):
        scaled = cosines if 1 / tau <= SUMMED[torch.float32] else cosines.double()
        e = (scaled / tau).exp_()
        if itself is not None:
            e.masked_fill_(itself, 0)
        for per_tau, mask in zip(both, masks, strict=True):
            same = e * mask
            per_tau[t, 0] += same.sum(1)
            per_tau[t, 1] += same.neg_().add_(e).sum(1)  # e or 0, never a difference of sums
