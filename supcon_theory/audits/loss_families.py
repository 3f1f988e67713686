"""Minima of other contrastive losses with free embeddings, and what their batches do.

Rows of `LOSS_FAMILIES`, told apart by `part`.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import torch
from torch import Tensor

from supcon_theory.audits.accuracy import neighbour_error
from supcon_theory.audits.columns import LOSS_FAMILIES
from supcon_theory.free.lbfgs import Minimised
from supcon_theory.free.optimise import gaussian_starts, optimise
from supcon_theory.measures import rankme, singular_values, wasserstein_uniformity
from supcon_theory.objectives import OBJECTIVES
from supcon_theory.theory.minima import MINIMA
from supcon_theory.theory.pairwise import aligned_bias, kcl_minimum, own_cosine, sigmoid_minimum

COLUMNS, VERSION = LOSS_FAMILIES.columns, LOSS_FAMILIES.version
Row = dict[str, Any]
INSTANCES = ("dcl", "nt_xent", "dhel", "dhel_official", "kcl")  # least at the simplex of samples
KERNELS = ("gaussian", "inverse_multiquadric")
BATCHED = ("kcl", "dhel", "nt_xent", "dcl")  # whose means over batches are compared


def simplex_audit(N: int, tau: float, starts: int) -> list[Row]:
    """Where L-BFGS takes the losses of instances in d = N - 1 dimensions: the simplex.

    Args:
        N: Samples, of two views.
        tau: Temperature.
        starts: Gaussian starts.

    Returns:
        A row per loss, kernel and start.
    """
    rows = []
    for objective in INSTANCES:
        for name in KERNELS if objective == "kcl" else ("",):
            options = {"kernel_name": name} if name else {}
            if name:
                least = kcl_minimum(N, tau, kernel_name=name)
            else:
                least = float(MINIMA[objective](N, 1, 2, tau))
            z, found = _from(objective, N, N - 1, tau, starts, options)
            about = {"part": "simplex", "objective": objective, "method": name, "floor": least}
            of = _of_samples(N, tau, z, found, -1 / (N - 1), 1.0)
            rows += [about | _least(row, least) for row in of]
    return rows


def polytope_audit(d: int, tau: float, starts: int) -> list[Row]:
    """The same with N = 2 d samples: the vertices +-e_k, cosines -1 once and 0 else."""
    N, rows = 2 * d, []
    unit = torch.eye(d, dtype=torch.float64)
    vertices = torch.cat([unit, -unit])[:, None].expand(N, 2, d)
    for objective in INSTANCES:
        least = float(OBJECTIVES[objective](vertices, None, tau=tau))
        z, found = _from(objective, N, d, tau, starts, {})
        for k, row in enumerate(_of_samples(N, tau, z, found, 0.0, 1.0)):
            cosines = (z[k, :, 0] @ z[k, :, 0].T).sort(1).values[:, :-1]
            wanted = torch.tensor([-1.0] + [0.0] * (N - 2))
            row["cosine_error"] = float((cosines - wanted).abs().max())
            about = {"part": "polytope", "objective": objective, "floor": least}
            rows.append(about | _least(row, least))
    return rows


def sigmoid_audit(N: int, tau: float, biases: Sequence[float], starts: int) -> list[Row]:
    """The sigmoid loss at a fixed temperature and bias: views together, or parted as a whole."""
    rows = []
    for bias in biases:
        least, own = sigmoid_minimum(N, 2, tau, bias), own_cosine(N, 2, tau, bias)
        z, found = _from("sigmoid", N, N + 1, tau, starts, {"bias": bias})
        about = {"part": "sigmoid", "objective": "sigmoid", "bias_option": bias}
        about |= {"own_predicted": own, "bias_parts": aligned_bias(N, 2, tau)}
        for row in _of_samples(N, tau, z, found, np.nan, own):
            rows.append(about | _least(row, least))
    return rows


def batches_audit(N: int, d: int, tau: float, seed: int) -> list[Row]:
    """Means over all batches of each size of one set of embeddings, exactly.

    A mean of kernels over pairs has the same mean over batches of any size. DHEL is the logarithm
    of a mean over the rest of the batch, so by Jensen its mean rises with the size, less the
    constant log(B - 1).

    Args:
        N: Samples, of two views.
        d: Dimensions.
        tau: Temperature.
        seed: Of the embeddings, noisy views of random directions.

    Returns:
        A row per loss and batch size.
    """
    centre = gaussian_starts(1, N, 1, d, seed)[0]
    noise = gaussian_starts(1, N, 2, d, seed + 1)[0]
    z = torch.nn.functional.normalize(centre + 0.5 * noise, dim=-1)
    flat = torch.ones(1, 2, d, dtype=torch.float64) / d**0.5
    rows = []
    for objective in BATCHED:
        loss = OBJECTIVES[objective]
        means = []
        for B in range(2, N + 1):
            some = [loss(z[list(of)], None, tau=tau).item() for of in combinations(range(N), B)]
            equal = loss(flat.expand(B, 2, d), None, tau=tau).item()
            means.append(float(np.mean(some)) - equal)
        for k, mean in enumerate(means):
            bias = mean - means[-1]
            row = {"part": "batches", "objective": objective, "seed": seed, "batch": k + 2}
            row |= {"tau": tau, "batch_mean": mean, "batch_bias": bias}
            row["bias_size"] = abs(bias) if objective == "kcl" else np.nan
            last = k + 1 == len(means)
            row["violation_batch"] = np.nan if last or objective != "dhel" else mean - means[k + 1]
            rows.append(row)
    return rows


def debiased_audit(
    C: int, n: int, d: int, tau: float, spreads: Sequence[float], seed: int
) -> list[Row]:
    """Debiased CL, NSCL and CL anchor by anchor, at the true tau_plus of balanced classes.

    With Q (1 - tau_plus) for Q, debiased <= nscl_coupled <= nt_xent at every anchor whose own view
    is at least as near as its class (means of e^s). With Q = K (N - 1) as coded it need not be.

    Args:
        C: Classes.
        n: Samples in each, of two views.
        d: Dimensions.
        tau: Temperature.
        spreads: Of samples and views about the centre of their class.
        seed: Of the draws.

    Returns:
        A row per spread.
    """
    y, N, rows = torch.arange(C).repeat_interleave(n), C * n, []
    Q, tau_plus = 2 * (N - 1), (n - 1) / (N - 1)
    centre = gaussian_starts(1, C, 1, d, seed)[0][y]
    samples = gaussian_starts(1, N, 1, d, seed + 1)[0]
    views = gaussian_starts(1, N, 2, d, seed + 2)[0]
    for spread in spreads:
        z = torch.nn.functional.normalize(centre + spread * (samples + 0.5 * views), dim=-1)
        s = torch.einsum("nkd,mld->nkml", z, z) / tau
        sample, same = torch.eye(N, dtype=torch.bool), y[:, None] == y
        sisters = (same & ~sample)[:, None, :, None]
        mates = (s.exp() * sisters).sum((2, 3)) / (2 * (n - 1))
        own = (z[:, 0] * z[:, 1]).sum(-1)[:, None].expand(N, 2) / tau
        premise = own.exp() >= mates
        given = dict(tau=tau, reduction="none")
        coded = OBJECTIVES["debiased"](z, y, tau_plus=tau_plus, **given)
        nscl, cl = (OBJECTIVES[name](z, y, **given) for name in ("nscl_coupled", "nt_xent"))
        matched = torch.log1p(torch.expm1(coded) * (1 - tau_plus))
        clamp = torch.log1p(Q * (1 - tau_plus) * torch.exp(-1 / tau - own))
        fair = premise & (matched > clamp + 1e-9)  # else the clamp decides
        worst = torch.maximum(matched - nscl, nscl - cl)[fair]
        broken = float((coded > nscl)[premise].double().mean()) if premise.any() else np.nan
        row = {"part": "debiased", "objective": "debiased", "seed": seed, "spread": spread}
        row |= {"tau": tau, "premise": float(premise.double().mean()), "broken": broken}
        row |= {
            "not_broken": -broken,
            "loss": float(matched.mean()),
            "gap": float((cl - nscl).mean()),
        }
        rows.append(row | {"violation_matched": float(worst.max()) if fair.any() else np.nan})
    return rows


def _from(
    objective: str, N: int, d: int, tau: float, starts: int, options: dict[str, Any]
) -> tuple[Tensor, Minimised]:
    z = gaussian_starts(starts, N, 2, d, 0)
    return optimise(objective, z, torch.arange(N), tau, 2000, **options)


def _of_samples(
    N: int, tau: float, z: Tensor, found: Minimised, cosine: float, own: float
) -> list[Row]:
    """Of every start its loss and how far cosines are from those wanted."""
    rows, off = [], ~torch.eye(N, dtype=torch.bool)
    for k in range(len(z)):
        cosines = (z[k, :, 0] @ z[k, :, 1].T)[off]
        views = (z[k, :, 0] * z[k, :, 1]).sum(-1)
        row = {"seed": k, "tau": tau, "n": N, "d": z.shape[-1], "loss": float(found.value[k])}
        row |= {"own_cosine": float(views.mean()), "own_error": float((views - own).abs().max())}
        row |= {"cosine_error": float((cosines - cosine).abs().max())}
        row |= {"gradient_norm": float(found.gradient_norm[k]), "stalled": bool(found.stalled[k])}
        rows.append(row)
    return rows


def _least(row: Row, least: float) -> Row:
    excess = row["loss"] - least
    return row | {"floor": least, "excess": excess, "violation_minimum": -excess}


def embedding_row(h: Tensor, y: Tensor, queries: Tensor, of_queries: Tensor, z: Tensor) -> Row:
    """Effective rank and uniformity of z, and the error of neighbours in h on new images."""
    error = neighbour_error(h[:, 0], y, queries[:, 0], of_queries)
    return {
        "part": "encoders",
        "rankme": rankme(singular_values(z)),
        "uniformity_w1": wasserstein_uniformity(z).value,
        "error": error,
    }
