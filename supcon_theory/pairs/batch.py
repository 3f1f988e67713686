"""The rows of a batch and the sets that objectives sum over, written down once.

An anchor a = (i, l) is view l of sample i. Every objective is made of

    log_sum(set, scale)   log of sum over the set of exp(scale <z_a, z_b>)      one per anchor
    own()                 <z_a, z_p> for the other views p of the same sample   K-1 per anchor
    mean_own, mean_same_class   means of <z_a, z_p> over positives              one per anchor
    following(j)          <z_a, z_p> for the j-th row p after a in its class    one per anchor
"""

import math
from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from supcon_theory.pairs.class_blocks import Block, Term, class_blocks, sum_over
from supcon_theory.pairs.log_sums import LARGEST_UNSHIFTED, log_sums

MOST_PAIRS = 2**20  # of one class, up to which autograd may keep them: 4 MB a copy in float32


class Set(NamedTuple):
    """Rows in the anchor's group `same` that are not in its group `different`, and how many."""

    same: str | None
    different: str | None
    size: Callable  # (N, K, n) -> number of rows, n = size of the anchor's class
    meaning: str


SETS = {
    "own": Set("sample", "row", lambda N, K, n: K - 1, "other view"),
    "other_rows": Set(None, "row", lambda N, K, n: N * K - 1, "other row"),
    "other_samples": Set(None, "sample", lambda N, K, n: K * (N - 1), "row of another sample"),
    "other_classes": Set(None, "class", lambda N, K, n: K * (N - n), "row of another class"),
    "same_class": Set("class", "row", lambda N, K, n: K * n - 1, "other row of their class"),
    "siblings": Set("class", "sample", lambda N, K, n: K * (n - 1), "other sample of their class"),
    "same_view": Set("view", "sample", lambda N, K, n: N - 1, "other sample"),
    "same_view_other_classes": Set("view", "class", lambda N, K, n: N - n, "other class"),
}
NEED_LABELS = {name for name, s in SETS.items() if "class" in (s.same, s.different)}


class Classes(NamedTuple):
    """The labels of a batch, renumbered 0 .. C-1."""

    of_sample: Tensor  # (N,)
    of_row: Tensor  # (N K,)
    sizes: Tensor  # (C,) samples in each class
    n: Tensor  # (N,) samples in the class of each sample
    fewest: int  # samples in a class


class Batch:
    """Checked embeddings (N, K, d), float32 or float64, with labels (N,) or None.

    `valid` is None while every anchor has what the objective requires, else the (N,) mask of those
    that have (validity depends on the class only, so all views of a sample share it).
    """

    def __init__(self, z: Tensor, y: Tensor | None, name: str, invalid: str) -> None:
        self.z, self.labels, self.name, self.invalid = z, y, name, invalid
        self.N, self.K, self.d = z.shape
        self.valid: Tensor | None = None

    # ---- labels -------------------------------------------------------------------------------
    @cached_property
    def classes(self) -> Classes:
        """Class number of every sample and row, and the sizes of the classes."""
        if self.labels is None:
            raise ValueError(f"y is None; {self.name} needs labels: pass y of shape (N,)")
        _, of_sample, sizes = torch.unique(self.labels, return_inverse=True, return_counts=True)
        of_row = of_sample.repeat_interleave(self.K)
        n = sizes.index_select(0, of_sample)
        return Classes(of_sample, of_row, sizes, n, int(sizes.min()))

    def _group(self, kind: str | None, *, one_view: bool = False) -> int | Tensor | None:
        """Groups of the rows as `log_sums` takes them: run lengths or numbers."""
        if kind == "class":
            classes = self.classes.of_sample if one_view else self.classes.of_row
            return classes.to(self.z.dtype)
        return {None: None, "row": 1, "sample": 1 if one_view else self.K}[kind]

    def size(self, name: str) -> int | Tensor:
        """Number of rows in the set of an anchor: an int, or (N,) if it depends on the class."""
        n = self.classes.n if name in NEED_LABELS else None
        return SETS[name].size(self.N, self.K, n)

    def log_size(self, name: str) -> float | Tensor:
        """Logarithm of `size`, a float or (N, 1)."""
        size = self.size(name)
        return size.to(self.z.dtype).log()[:, None] if isinstance(size, Tensor) else math.log(size)

    def require(self, *names: str) -> None:
        """Every anchor must have a row in each of these sets; others raise or are skipped."""
        for name in names:
            # only a smallest class can lack a row: other classes exist for all anchors or for none
            smallest = self.classes.fewest if name in NEED_LABELS else None
            if SETS[name].size(self.N, self.K, smallest) > 0:
                continue
            has = torch.as_tensor(self.size(name) > 0, device=self.z.device).expand(self.N)
            missing = self.N - int(has.sum())
            valid = has if self.valid is None else self.valid & has
            if self.invalid == "error" or not bool(valid.any()):
                hint = (
                    "give the batch at least two classes"
                    if name in NEED_LABELS and missing == self.N and "other" in name
                    else "use K >= 2 views"
                    if name == "own"
                    else "draw at least two samples per class"
                    + (", or pass invalid='skip'" if self.invalid == "error" else "")
                    if name in NEED_LABELS
                    else "use more samples"
                )
                raise ValueError(
                    f"{self.name}: {missing} of {self.N} samples have no {SETS[name].meaning} "
                    f"in this batch, so their loss is undefined: {hint}"
                )
            self.valid = valid

    # ---- similarities -------------------------------------------------------------------------
    def log_sums(self, name: str, *scales: float) -> Tensor:
        """Log sum over the set of exp(scale <z_a, z_b>) for every scale, (number, N, K)."""
        same, different, *_ = SETS[name]
        if same == "view":
            groups = None, self._group(different, one_view=True)
            return torch.stack([log_sums(v, scales, *groups) for v in self.z.unbind(1)], 2)
        groups = self._group(same), self._group(different)
        return log_sums(self.z.flatten(0, 1), scales, *groups).view(-1, self.N, self.K)

    def log_sum(self, name: str, scale: float) -> Tensor:
        """Log sum over the set of exp(scale <z_a, z_b>), (N, K)."""
        if name == "same_class" and scale <= LARGEST_UNSHIFTED[self.z.dtype]:
            blocks = self._class_blocks()
            if sum(block.pairs for block in blocks) <= MOST_PAIRS:
                terms = sum_over(blocks, EXP, scale, self.z.flatten(0, 1)).view(self.N, self.K)
                empty = terms == 0
                return terms.masked_fill(empty, 1).log().masked_fill(empty, -torch.inf)
        return self.log_sums(name, scale)[0]

    def own(self) -> Tensor:
        """<z_a, z_p> for the other views p of the anchor's sample, (N, K, K-1)."""
        shifted = [self.z.roll(-j, 1) for j in range(1, self.K)]
        return torch.stack([(self.z * other).sum(-1) for other in shifted], -1)

    def mean_own(self, *, with_self: bool = False) -> Tensor:
        """Mean of `own` (and of <z_a, z_a>), (N, K): z_a against the sum over the views."""
        total = (self.z * self.z.sum(1, keepdim=True)).sum(-1)
        if with_self:
            return total / self.K
        return (total - self.z.square().sum(-1)) / (self.K - 1)

    def mean_same_class(self) -> Tensor:
        """Mean of <z_a, z_p> over p in `same_class`, (N, K): z_a against the sum over the class."""
        classes = self.classes.of_sample
        sums = self.z.new_zeros(len(self.classes.sizes), self.d)
        sums = sums.index_add(0, classes, self.z.sum(1))
        others = sums.index_select(0, classes)[:, None] - self.z
        total = (self.z * others).sum(-1)
        count = self.size("same_class").clamp(min=1)  # 0 only for anchors that are left out
        return total / count[:, None]

    def following(self, j: int) -> tuple[Tensor, Tensor]:
        """<z_a, z_p> for the j-th row p after the anchor in its class, cyclically, and if p != a.

        Own views first (1 <= j < K), then the next samples of the class in the order of the batch:
        j = K is the same view of the next one. Shapes (N, K) and (N,): p == a if j >= K n.
        """
        classes, _, sizes, n, _ = self.classes
        order = torch.argsort(classes, stable=True)
        first = (sizes.cumsum(0) - sizes).index_select(0, classes)  # of the class, in `order`
        place = torch.empty_like(order).index_copy_(0, order, torch.arange(self.N).to(order))
        sample = order.index_select(0, first + (place - first + j // self.K) % n)
        partner = self.z.index_select(0, sample).roll(-(j % self.K), 1)
        return (self.z * partner).sum(-1), j < self.K * n

    def softplus_same_class(self, x: Tensor, scale: float) -> Tensor:
        """Sum over p in `same_class` of log(1 + exp(x_a - scale <z_a, z_p>)), (N, K).

        Only the blocks of the similarity matrix that hold pairs of one class are computed.
        """
        z, x = self.z.flatten(0, 1), x.reshape(-1, 1)
        return sum_over(self._class_blocks(), SOFTPLUS, -scale, z, x).view(self.N, self.K)

    def _class_blocks(self) -> list[Block]:
        return class_blocks(self.classes.of_row, self.K * self.classes.sizes)


def softplus(x: Tensor) -> Tensor:
    """log(1 + e^x), exact to rounding (torch's default returns x from 20 on: 2e-9 off)."""
    return F.softplus(x, threshold=40)


def quick_softplus(x: Tensor) -> Tensor:
    """The same by log(1 + t) = 2 atanh(t / (2 + t)), t = e^-|x|, at half the cost; without gradient."""
    t = x.abs().neg_().exp_()
    return t.div_(t + 2).atanh_().mul_(2).add_(x.clamp(min=0))


EXP = Term(torch.exp, torch.exp)
SOFTPLUS = Term(quick_softplus, torch.sigmoid)
