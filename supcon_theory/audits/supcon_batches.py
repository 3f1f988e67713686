"""The two forms of SupCon on batches: their distance, their gradients, their special cases.

Everything that theory predicts is set beside what automatic differentiation gives, in float64.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from supcon_theory.audits.columns import SUPCON
from supcon_theory.objectives import OBJECTIVES
from supcon_theory.pairs.dense import inside
from supcon_theory.pairs.tiles import Groups
from supcon_theory.theory import supcon as theory
from supcon_theory.theory.supcon import Form

COLUMNS, VERSION = SUPCON.columns, SUPCON.version
FORMS: tuple[Form, Form] = ("supcon", "supcon_in")
SPREADS = {"random": np.inf, "clustered": 1.0, "collapsed": 0.0}  # of a class about its centre
VIEWS = 0.5  # spread of the views of a sample, in that of its class
ALIKE = 1e-9  # range of logits within which none of the positives is the harder
Row = dict[str, Any]


class Batch(NamedTuple):
    """A batch as theory sees it."""

    z: Tensor  # (N, K, d) unit rows, float64
    y: Tensor  # (N,)
    s: np.ndarray  # (M, M) logits of the M = N K rows
    positives: np.ndarray  # (M, M) Boolean
    negatives: np.ndarray  # (M, M) Boolean


def draw(
    law: str, C: int, n: int, K: int, d: int, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Unit rows (C n, K, d) and labels: random, clustered about class centres, or collapsed.

    Args:
        law: a name of `SPREADS`; random rows have no centre.
        C: classes.
        n: samples of each.
        K: views of each.
        d: dimension.
        rng: of the draw.

    Returns:
        z in float64 and y.
    """
    y = np.repeat(np.arange(C), n)
    spread = SPREADS[law]
    centres = rng.normal(size=(C, 1, d))[y] * (spread < np.inf)
    samples, views = rng.normal(size=(C * n, 1, d)), rng.normal(size=(C * n, K, d))
    rows = centres + min(spread, 1) * (samples + VIEWS * views)
    return normalize(torch.from_numpy(rows), dim=-1), torch.from_numpy(y)


def seen(z: Tensor, y: Tensor, tau: float) -> Batch:
    """Logits, positives and negatives of all rows of a batch."""
    rows, labels = z.flatten(0, 1), y.repeat_interleave(z.shape[1])
    P = inside(len(rows), Groups(labels, 1), z.device).numpy()
    negatives = (labels[:, None] != labels).numpy()
    return Batch(z, y, (rows @ rows.T / tau).numpy(), P, negatives)


def batch_rows(
    law: str, C: int, n: int, K: int, d: int, tau: float, draws: int, seed: int
) -> Iterator[Row]:
    """Both forms on independent batches of a law.

    Args:
        law: a name of `SPREADS`.
        C: classes.
        n: samples of each.
        K: views of each.
        d: dimension.
        tau: temperature.
        draws: batches.
        seed: key of the draws.

    Yields:
        A row for each form: errors and violations of the worst batch, the mean of all others.
    """
    key = (seed, C, n, K, d, list(SPREADS).index(law))
    rng = np.random.default_rng(key)
    found: dict[Form, list[dict[str, float]]] = {form: [] for form in FORMS}
    for _ in range(draws):
        batch = seen(*draw(law, C, n, K, d, rng), tau)
        between = forms_apart(batch)
        lengths = torch.from_numpy(np.exp(rng.normal(size=(C * n, K, 1)) / 2))
        for form in FORMS:
            slopes = theory.logit_gradient(batch.s, batch.positives, batch.negatives, form)
            measured = weights_row(batch, slopes, tau, form)
            found[form].append(between | measured | gradients(batch, slopes, tau, form, lengths))
    about = {"part": "batches", "law": law, "C": C, "n": n, "K": K, "d": d, "tau": tau}
    for form, rows in found.items():
        worst = {k for k in rows[0] if k.startswith("violation_") or k.endswith("_error")}
        of = {k: (np.max if k in worst else np.mean)([row[k] for row in rows]) for k in rows[0]}
        yield about | {"objective": form, "draws": draws} | {k: float(v) for k, v in of.items()}


def forms_apart(batch: Batch) -> dict[str, float]:
    """L_out - L_in between its limits, and as the losses give it."""
    gap = theory.form_gap(batch.s, batch.positives)
    ends = [np.where(batch.positives, batch.s, empty) for empty in (-np.inf, np.inf)]
    spread, size = ends[0].max(1) - ends[1].min(1), batch.positives.sum(1)
    low, high = theory.form_gap_range(spread, size)
    tau = 1 / batch.s[0, 0]
    losses = [OBJECTIVES[f](batch.z, batch.y, tau=tau, reduction="none").numpy() for f in FORMS]
    return {
        "form_gap": gap.mean(),
        "spread": spread.mean(),
        "form_gap_low": low.mean(),
        "form_gap_high": high.mean(),
        "violation_form_gap_low": (low - gap).max(),
        "violation_form_gap_high": (gap - high).max(),
        "form_gap_error": np.abs(losses[0].ravel() - losses[1].ravel() - gap).max(),
    }


def weights_row(batch: Batch, slopes: np.ndarray, tau: float, form: Form) -> dict[str, float]:
    """Which positives of an anchor are pulled hardest.

    Args:
        batch: the batch.
        slopes: its `logit_gradient`.
        tau: temperature.
        form: of the loss.

    Returns:
        Columns of `SUPCON`.
    """
    M = len(batch.s)
    s = batch.s[batch.positives].reshape(M, -1)
    order = np.argsort(s, 1)
    s = np.take_along_axis(s, order, 1)
    weight = np.take_along_axis(-slopes[batch.positives].reshape(M, -1), order, 1)
    rise = np.diff(weight, axis=1) * np.sign(np.diff(s, axis=1))  # of equals no order is claimed
    cosine = np.clip(s * tau, -1, 1)
    pull = np.maximum(weight, 0) * np.sqrt(1 - cosine**2)
    half = s.shape[1] // 2
    hard, easy = pull[:, :half].sum(1), pull[:, -half:].sum(1)
    total = np.where(s[:, -1] - s[:, 0] > ALIKE, hard + easy, np.nan)
    A = batch.positives | batch.negatives
    sums = [np.exp(np.where(rows, batch.s, -np.inf)).sum(1) for rows in (batch.positives, A)]
    predicted = np.exp(s) * (1 / sums[0] - 1 / sums[1])[:, None]
    return {
        "violation_order": float((rise if form == "supcon" else -rise).max()),
        "proportional_error": float(np.abs(weight - predicted).max()) * (form == "supcon_in"),
        "repelled": float((weight < 0).mean()),
        "hard_half": float((hard / total).mean()),
    }


def gradients(
    batch: Batch, slopes: np.ndarray, tau: float, form: Form, lengths: Tensor
) -> dict[str, float]:
    """Theory's gradients beside those of automatic differentiation, in units of 1/tau.

    That is the size of the terms; at collapse they cancel to rounding.

    Args:
        batch: the batch.
        slopes: its `logit_gradient`.
        tau: temperature.
        form: of the loss.
        lengths: (N, K, 1) of the rows before they are normalised.

    Returns:
        Columns of `SUPCON`.
    """
    z, M = batch.z.flatten(0, 1).numpy(), len(batch.s)

    def measured(rows: Tensor, loss: Callable[[Tensor], Tensor]) -> np.ndarray:
        rows = rows.clone().requires_grad_()
        (found,) = torch.autograd.grad(loss(rows), rows)
        return found.reshape(M, -1).numpy()

    def summed(rows: Tensor, unit: bool = True) -> Tensor:
        return M * OBJECTIVES[form](rows, batch.y, tau=tau, unit=unit)

    w = batch.z * lengths
    full, half = theory.batch_gradient(z, slopes, tau), theory.anchor_gradient(z, slopes, tau)
    whole = measured(batch.z, lambda rows: summed(rows, unit=False))
    alone = measured(batch.z, lambda rows: _with_others_held(rows.flatten(0, 1), batch, tau, form))
    before = measured(w, lambda rows: summed(normalize(rows, dim=-1)))
    raw = measured(w, lambda rows: summed(rows, unit=False))
    w = w.flatten(0, 1).numpy()
    projected = theory.through_normalisation(w, full)
    pairs = {"gradient": (full, whole), "anchor": (half, alone), "row": (projected, before)}
    return {
        **{f"{k}_error": float(tau * np.abs(a - b).max()) for k, (a, b) in pairs.items()},
        "left_out": float(np.linalg.norm(full - half) / np.linalg.norm(full)),
        "radial_error": float(np.abs(_radial(w, before)).max() / np.abs(before).max()),
        "radial_raw": float(np.linalg.norm(_radial(w, raw)) / np.linalg.norm(raw)),
    }


def _with_others_held(rows: Tensor, batch: Batch, tau: float, form: Form) -> Tensor:
    """The summed losses where each anchor moves against copies of the others that do not."""
    s = rows @ rows.detach().T / tau
    P, A = torch.from_numpy(batch.positives), torch.from_numpy(batch.positives | batch.negatives)
    positives = s.masked_fill(~P, -torch.inf).logsumexp(1) - P.sum(1).log()
    if form == "supcon":
        positives = s.masked_fill(~P, 0).sum(1) / P.sum(1)
    return (s.masked_fill(~A, -torch.inf).logsumexp(1) - positives).sum()


def _radial(w: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """The part of the gradient of each row along the row, (M,)."""
    return (w * gradient).sum(1) / np.linalg.norm(w, axis=1)


class Special(NamedTuple):
    """Two objectives that are, or are said to be, the same on batches of a shape."""

    law: str
    equal: bool
    left: str
    right: str
    shape: tuple[int, int, int]  # classes, samples of each, views
    options: Mapping[str, object]  # of the one on the left


KEPT = {"max_positives": 1}
SPECIALS = (
    Special("unique labels, 2 views: SimCLR", True, "supcon", "nt_xent", (12, 1, 2), {}),
    Special("unique labels, 2 views: SimCLR (in)", True, "supcon_in", "nt_xent", (12, 1, 2), {}),
    Special("unique labels, 3 views: SimCLR", False, "supcon", "nt_xent", (12, 1, 3), {}),
    Special("1 view, pairs: N-pairs", True, "supcon", "n_pairs", (6, 2, 1), {}),
    Special("1 view, triples: N-pairs", False, "supcon", "n_pairs", (4, 3, 1), {}),
    Special("1 positive kept: coupled NSCL", True, "supcon", "nscl_coupled", (4, 3, 2), KEPT),
    Special("1 positive kept: SimCLR", False, "supcon", "nt_xent", (4, 3, 2), KEPT),
)


def special_rows(d: int, draws: int, seed: int) -> Iterator[Row]:
    """The special cases of SupCon at tau = 1, anchor by anchor, on random rows.

    Args:
        d: dimension.
        draws: batches.
        seed: key of the draws.

    Yields:
        A row for each: the largest difference where both are the same, the least batch mean of the
        differences where they are not.
    """
    for k, case in enumerate(SPECIALS):
        rng = np.random.default_rng((seed, 1, k))
        differences = []
        for _ in range(draws):
            z, y = draw("random", *case.shape, d, rng)
            left = OBJECTIVES[case.left](z, y, tau=1.0, reduction="none", **case.options)
            right = OBJECTIVES[case.right](z, y, tau=1.0, reduction="none")
            differences.append((left - right).abs())
        each = torch.stack(differences).flatten(1)
        difference = each.max() if case.equal else each.mean(1).min()
        C, n, K = case.shape
        yield {
            **{"part": "equal" if case.equal else "unequal", "law": case.law, "tau": 1.0},
            **{"objective": case.left, "C": C, "n": n, "K": K, "d": d, "draws": draws},
            "difference": float(difference),
        }
