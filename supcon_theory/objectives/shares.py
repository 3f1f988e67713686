"""Losses of samples that belong to several classes in shares: mixed images (MixUp, CutMix)."""

import torch
from torch import Tensor
from torch.nn import functional as F

from supcon_theory import inputs
from supcon_theory.objectives.coupled import nt_xent
from supcon_theory.objectives.decoupled import dcl
from supcon_theory.objectives.ids import OF_SHARES
from supcon_theory.pairs.batch import Batch
from supcon_theory.pairs.tiles import products

LABEL_FREE = {"dcl": dcl, "nt_xent": nt_xent}


def shares_loss(
    objective: str, z: Tensor, shares: Tensor, *, tau: float | Tensor, unit: bool = True, **more
) -> Tensor:
    """An objective where a sample is of class c to a share q_c; with whole shares it is itself.

    Without labels a mixed image is a sample of its own, and nothing changes. Cross-entropy is the
    mean over classes, weighted by the shares. SupCon weighs its positives by the chance that two
    samples are of one class, each of a class drawn by its shares,

        log E(rest) - sum_b w_ab s_ab / sum_b w_ab,   w_ab = <q_a, q_b>, 1 for own views (ours).

    Its denominator has all rows whatever their class, so this is all that shares change. Of NSCL
    they change the denominator: which rows are of another class is no longer a yes or no, and no
    published loss says what stands there, so that it is left undefined, as are the others.

    Args:
        objective: one of `OF_SHARES`.
        z: (N, K, d) unit rows, N samples x K views, K >= 2.
        shares: (N, C), each row not negative and of sum 1.
        tau: temperature, a number or a 0-dim tensor.
        unit: False takes rows of any length.
        more: further arguments of the objective, `weights` of cross-entropy among them.

    Returns:
        The loss, a mean over rows.

    Raises:
        ValueError: another objective, shares that are none, or a margin: which class of a mixed
            image would have to win by it is no yes or no.
    """
    if objective not in OF_SHARES:
        raise ValueError(
            f"{objective} is not defined for samples of several classes: use one of "
            f"{', '.join(OF_SHARES)}."
        )
    shape = (len(z), more["weights"].shape[0] if "weights" in more else shares.shape[-1])
    if shares.shape != shape or shares.min() < 0 or (shares.sum(1) - 1).abs().max() > 1e-4:
        raise ValueError(
            f"shares of shape {tuple(shares.shape)} must be {shape}, not negative, of sum 1 a row."
        )
    if more.get("margin"):
        raise ValueError(
            f"margin is {more['margin']!r}; cross_entropy with a margin is not defined for samples "
            "of several classes: leave it at 0."
        )
    if objective in LABEL_FREE:
        return LABEL_FREE[objective](z, None, tau=tau, unit=unit, **more)
    if objective == "cross_entropy":
        z, weights = inputs.embeddings(z, unit=unit), more["weights"]
        dtype = inputs.working_dtype(z)
        logits = products(z.to(dtype), weights.to(dtype)) / inputs.temperature(tau)
        return -(shares[:, None] * F.log_softmax(logits, -1)).sum(-1).mean()
    b = Batch(z, None, tau, "own", unit=unit)
    q, of_sample = shares.to(b.x), b.x.sum(1)
    alike = q.square().sum(1, keepdim=True)  # (N, 1)
    class_sum = (b.x * (q @ (q.T @ of_sample))[:, None]).sum(-1)
    others = class_sum - alike * (b.x * of_sample[:, None]).sum(-1)
    own = b.K - 1
    weight = own + b.K * (q @ q.sum(0)[:, None] - alike)
    return b.reduce(b.log_sum("rest") - (others + own * b.mean_own()) / weight, "mean")


def one_hot(y: Tensor, classes: int) -> Tensor:
    """(N,) labels 0 .. C-1 as (N, C) whole shares, float32."""
    return F.one_hot(y, classes).to(torch.float32)
