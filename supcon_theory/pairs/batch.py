"""A batch as the objectives see it: its rows scaled by 1 / sqrt(tau), and what is summed over sets.

With x = z / sqrt(tau) every logit is s_ab = <x_a, x_b>, so a temperature that is learned, and rows
of any length, need nothing of their own: their gradients come with that of x. Every objective is
made of

    log_sum(set)           log E(set) = log of sum over the set of e^{s_ab}    one per anchor
    own()                  s_ap for the other views p of the same sample       K - 1 per anchor
    mean_own(), mean_P(), mean_sis()   means of s_ap over positives            one per anchor
    log_sum_all(scale)     log of the sum over all rows, the anchor too        one per anchor
    following(j)           s_ap for the j-th row p after a in its class        one per anchor
"""

import math
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.nn import functional as F

from supcon_theory import inputs
from supcon_theory.pairs import dense
from supcon_theory.pairs.class_blocks import Block, Term, class_blocks, sum_over
from supcon_theory.pairs.log_sums import log_sums
from supcon_theory.pairs.sets import SETS
from supcon_theory.pairs.tiles import DIFFERENTIATED, Groups

MOST_PAIRS = 2**20  # of one class, up to which autograd may keep them: 4 MB a copy in float32


class Classes(NamedTuple):
    """The classes of a batch."""

    of_sample: Tensor  # (N,) numbers 0 .. C-1
    of_row: Tensor  # (N K,)
    sizes: Tensor  # (C,) samples in each class
    n: Tensor  # (N,) samples in the class of each sample


class Batch:
    """Checked embeddings (N, K, d) over sqrt(tau), float32 or float64, with labels or None.

    `needs` are the sets in which an anchor must have a row for its loss to be defined; `valid` is
    None while every anchor has, else the (N, 1) mask of those that have.
    """

    def __init__(
        self, z: Tensor, y: object, tau: float | Tensor, *needs: str, unit: bool = True
    ) -> None:
        z = inputs.embeddings(z, unit=unit)
        tau = inputs.temperature(tau)
        self.N, self.K, _ = z.shape
        self.labels = None if y is None else inputs.labels(y, self.N).to(z.device)
        z = z.to(inputs.working_dtype(z))
        self.dense = torch._C._are_functorch_transforms_active() or any(
            forward_ad.unpack_dual(t).tangent is not None for t in (z, tau) if isinstance(t, Tensor)
        )
        self.bound = math.inf  # on |s_ab|
        if unit and not isinstance(tau, Tensor):
            self.bound = 1 / tau
        elif not self.dense:
            longest = 1.0 if unit else torch.linalg.vector_norm(z.detach(), dim=-1).max().item()
            self.bound = longest**2 / float(tau.detach() if isinstance(tau, Tensor) else tau)
        self.x = z * (tau.to(z) if isinstance(tau, Tensor) else tau) ** -0.5
        self.valid: Tensor | None = None
        for name in needs:
            self._require(name)

    # ---- labels -------------------------------------------------------------------------------
    @cached_property
    def classes(self) -> Classes:
        """Class number of every sample and row, and the sizes of the classes."""
        if self.labels is None:
            raise ValueError("y is None; this loss needs labels: pass y of shape (N,).")
        sizes = torch.bincount(self.labels)
        return Classes(
            self.labels,
            self.labels.repeat_interleave(self.K),
            sizes,
            sizes.index_select(0, self.labels),
        )

    def size(self, name: str) -> int | Tensor:
        """Number of rows in the set of an anchor: an int, or (N,) if it depends on the class."""
        return SETS[name].size(self.N, self.K, self.classes.n if SETS[name].labelled else None)

    def log_size(self, name: str) -> float | Tensor:
        """Logarithm of `size`, a float or (N, 1)."""
        size = self.size(name)
        return size.to(self.x.dtype).log()[:, None] if isinstance(size, Tensor) else math.log(size)

    def _require(self, name: str) -> None:
        size = self.size(name)
        if (int(size.min()) if isinstance(size, Tensor) else size) > 0:
            return
        has = torch.as_tensor(size, device=self.x.device).expand(self.N) > 0
        valid = has[:, None] if self.valid is None else self.valid & has[:, None]
        if not bool(valid.any()):
            raise ValueError(
                f"{self.N - int(has.sum())} of {self.N} samples have no {SETS[name].meaning} in "
                f"this batch, and no other anchor has a loss: {SETS[name].remedy}."
            )
        self.valid = valid

    # ---- similarities -------------------------------------------------------------------------
    def _groups(self, name: str) -> Groups:
        """The set, of rows or (same view) of samples, as the sums take it."""
        views = 1 if SETS[name].same == "view" else self.K

        def group(kind: str | None) -> int | Tensor | None:
            if kind == "class":
                of = self.classes.of_sample if views == 1 else self.classes.of_row
                return of.to(self.x.dtype)
            return {"row": 1, "sample": views}.get(kind or "")

        different = group(SETS[name].different)
        assert different is not None
        same = group(SETS[name].same)
        return Groups(same if isinstance(same, Tensor) else None, different)

    def log_sums(self, name: str, *scales: float) -> Tensor:
        """Log sum over the set of exp(scale s_ab) for the ascending scales, (scales, N, K)."""
        groups = self._groups(name)

        def of_view(l: int) -> Tensor:
            if not self.dense:
                return log_sums(self.x[:, l], scales, groups, self.bound)
            s = self._logits.unflatten(0, (self.N, self.K)).unflatten(2, (self.N, self.K))
            return dense.log_sums(s[:, l, :, l], scales, groups, self.bound)

        if SETS[name].same == "view":
            return torch.stack([of_view(l) for l in range(self.K)], 2)
        if self.dense:
            rows = dense.log_sums(self._logits, scales, groups, self.bound)
        else:
            rows = log_sums(self.x.flatten(0, 1), scales, groups, self.bound)
        return rows.unflatten(1, (self.N, self.K))

    @cached_property
    def _logits(self) -> Tensor:
        return dense.logits(self.x.flatten(0, 1))

    def log_sum(self, name: str) -> Tensor:
        """Log E(set), (N, K)."""
        if name == "P" and not self.dense and self.bound <= DIFFERENTIATED[self.x.dtype]:
            blocks = self._class_blocks()
            if sum(block.pairs for block in blocks) <= MOST_PAIRS:
                terms = sum_over(blocks, EXP, 1.0, self.x.flatten(0, 1)).view(self.N, self.K)
                empty = terms == 0
                return terms.masked_fill(empty, 1).log().masked_fill(empty, -torch.inf)
        return self.log_sums(name, 1.0)[0]

    def log_sum_all(self, *scales: float) -> Tensor:
        """Log sum over all rows, the anchor too, of exp(scale s_ab), (scales, N, K)."""
        itself = torch.stack([scale * self.itself() for scale in scales])
        return torch.logaddexp(self.log_sums("rest", *scales), itself)

    def itself(self) -> Tensor:
        """s_aa, (N, K)."""
        return self.x.square().sum(-1)

    def own(self) -> Tensor:
        """s_ap for the other views p of the anchor's sample, (N, K, K-1)."""
        shifted = [self.x.roll(-j, 1) for j in range(1, self.K)]
        return torch.stack([(self.x * other).sum(-1) for other in shifted], -1)

    def mean_own(self, *, with_self: bool = False) -> Tensor:
        """Mean of `own` (and of s_aa), (N, K): x_a against the sum over the views."""
        total = (self.x * self.x.sum(1, keepdim=True)).sum(-1)
        if with_self:
            return total / self.K
        return (total - self.itself()) / (self.K - 1)

    def mean_P(self) -> Tensor:
        """Mean of s_ap over p in P, (N, K): x_a against the sum over the class."""
        classes = self.classes.of_sample
        sums = self.x.new_zeros(len(self.classes.sizes), self.x.shape[-1])
        sums = sums.index_add(0, classes, self.x.sum(1))
        total = (self.x * (sums.index_select(0, classes)[:, None] - self.x)).sum(-1)
        count = torch.as_tensor(self.size("P")).clamp(min=1)  # 0 only for anchors without a loss
        return total / count[:, None]

    def mean_sis(self) -> Tensor:
        """Mean of s_ap over p in sis, (N, K): P without the own views."""
        P, sis = (torch.as_tensor(self.size(name))[:, None].clamp(min=1) for name in ("P", "sis"))
        own = self.K * self.mean_own(with_self=True) - self.itself()
        return (P * self.mean_P() - own) / sis

    def following(self, j: int) -> tuple[Tensor, Tensor]:
        """s_ap, (N, K), for the j-th row p after the anchor in its class; if p != a, (N,)."""
        # own views first (1 <= j < K), then the next samples of the class in the batch's order,
        # cyclically: j = K is the same view of the next one, and p == a if j >= K n
        classes, _, sizes, n = self.classes
        order = torch.argsort(classes, stable=True)
        first = (sizes.cumsum(0) - sizes).index_select(0, classes)  # of the class, in `order`
        place = torch.empty_like(order).index_copy_(0, order, torch.arange(self.N).to(order))
        sample = order.index_select(0, first + (place - first + j // self.K) % n)
        partner = self.x.index_select(0, sample).roll(-(j % self.K), 1)
        return (self.x * partner).sum(-1), j < self.K * n

    def softplus_P(self, t: Tensor) -> Tensor:
        """Sum over p in P of log(1 + exp(t_a - s_ap)), (N, K), for t of (N, K)."""
        if self.dense:
            sums = dense.softplus_sum(self._logits, t.flatten(), self._groups("P"))
            return sums.unflatten(0, t.shape)
        x, t = self.x.flatten(0, 1), t.reshape(-1, 1)
        return sum_over(self._class_blocks(), SOFTPLUS, -1.0, x, t).view(self.N, self.K)

    def _class_blocks(self) -> list[Block]:
        return class_blocks(self.classes.of_row, self.K * self.classes.sizes)

    # ---- the loss -----------------------------------------------------------------------------
    def only_first_view(self) -> None:
        """Leave the anchors of the other views out."""
        self.valid = torch.arange(self.K, device=self.x.device).expand(self.N, self.K) == 0

    def reduce(self, losses: Tensor, reduction: str) -> Tensor:
        """The mean over the anchors with a loss, or ("none") (N, K) with NaN for the others."""
        inputs.choice(reduction, "reduction", ("mean", "none"))
        if reduction == "none":
            return losses if self.valid is None else losses.masked_fill(~self.valid, torch.nan)
        if self.valid is not None:
            losses = losses[self.valid.expand(self.N, self.K)]
        return losses.mean()


def softplus(x: Tensor) -> Tensor:
    """log(1 + e^x), exact to rounding (torch's default returns x from 20 on: 2e-9 off)."""
    return F.softplus(x, threshold=40)


def quick_softplus(x: Tensor) -> Tensor:
    """The same by log(1 + t) = 2 atanh(t / (2 + t)), t = e^-|x|, at half the cost; no gradient."""
    t = x.abs().neg_().exp_()
    return t.div_(t + 2).atanh_().mul_(2).add_(x.clamp(min=0))


EXP = Term(torch.exp, torch.exp)
SOFTPLUS = Term(quick_softplus, torch.sigmoid)
