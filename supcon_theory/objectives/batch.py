"""The rows of a batch and the sets that objectives sum over, written down once.

An anchor a = (i, l) is view l of sample i. Every objective is made of

    log_sum(set, scale)   log of sum over the set of exp(scale <z_a, z_b>)      one per anchor
    own()                 <z_a, z_p> for the other views p of the same sample   K-1 per anchor
    mean_own, mean_same_class   means of <z_a, z_p> over positives              one per anchor
    following(j)          <z_a, z_p> for the j-th row p after a in its class    one per anchor
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from supcon_theory.objectives.class_blocks import Block, class_blocks, sum_over
from supcon_theory.objectives.log_sums import LARGEST_UNSHIFTED, log_sums

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


class Batch:
    """Checked embeddings (N, K, d), float32 or float64, with labels (N,) or None.

    `valid` is None while every anchor has what the objective requires, else the (N,) mask of those
    that have (validity depends on the class only, so all views of a sample share it).
    """

    def __init__(self, z: Tensor, y: Tensor | None, name: str, invalid: str) -> None:
        self.z, self.labels, self.name, self.invalid = z, y, name, invalid
        self.N, self.K, self.d = z.shape
        self.valid: Tensor | None = None
        self._classes: tuple[Tensor, Tensor] | None = None

    # ---- labels -------------------------------------------------------------------------------
    def classes(self) -> tuple[Tensor, Tensor]:
        """Class number 0..C-1 of every sample (N,) and class sizes (C,)."""
        if self._classes is None:
            if self.labels is None:
                raise ValueError(f"y is None; {self.name} needs labels: pass y of shape (N,)")
            _, inverse, sizes = torch.unique(self.labels, return_inverse=True, return_counts=True)
            self._classes = inverse, sizes
        return self._classes

    def _group(self, kind: str | None, views: int) -> int | Tensor | None:
        """Groups of the rows of `views` views as `log_sums` takes them: run lengths or numbers."""
        if kind == "class":
            return self.classes()[0].to(self.z.dtype).repeat_interleave(views)
        return {None: None, "row": 1, "sample": views}[kind]

    def size(self, name: str) -> int | Tensor:
        """Number of rows in the set of an anchor: an int, or (N,) if it depends on the class."""
        n = None
        if name in NEED_LABELS:
            classes, sizes = self.classes()
            n = sizes[classes]
        return SETS[name].size(self.N, self.K, n)

    def log_size(self, name: str) -> float | Tensor:
        """Logarithm of `size`, a float or (N, 1)."""
        size = self.size(name)
        return size.to(self.z.dtype).log()[:, None] if isinstance(size, Tensor) else math.log(size)

    def require(self, *names: str) -> None:
        """Every anchor must have a row in each of these sets; others raise or are skipped."""
        for name in names:
            size = self.size(name)
            has = size > 0 if isinstance(size, Tensor) else torch.tensor([size > 0] * self.N)
            if bool(has.all()):
                continue
            missing = self.N - int(has.sum())
            valid = has if self.valid is None else self.valid & has
            if self.invalid == "error" or not bool(valid.any()):
                hint = (
                    "give the batch at least two classes"
                    if name in NEED_LABELS and missing == self.N and "other" in name
                    else "use K >= 2 views"
                    if name == "own"
                    else "draw at least two samples per class, or pass invalid='skip'"
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
        """log sum over the set of exp(scale <z_a, z_b>) for every scale, (number, N, K)."""
        same, different, *_ = SETS[name]
        if same == "view":
            groups = None, self._group(different, 1)
            return torch.stack([log_sums(v, scales, *groups) for v in self.z.unbind(1)], 2)
        groups = self._group(same, self.K), self._group(different, self.K)
        return log_sums(self.z.flatten(0, 1), scales, *groups).view(-1, self.N, self.K)

    def log_sum(self, name: str, scale: float) -> Tensor:
        """log sum over the set of exp(scale <z_a, z_b>), (N, K)."""
        if name == "same_class" and scale <= LARGEST_UNSHIFTED[self.z.dtype]:
            blocks = self._class_blocks()
            if sum(block.pairs for block in blocks) <= MOST_PAIRS:
                terms = sum_over(blocks, self.z, lambda s, _: torch.exp(scale * s))
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
        classes, sizes = self.classes()
        sums = self.z.new_zeros(len(sizes), self.d).index_add(0, classes, self.z.sum(1))
        others = sums.index_select(0, classes)[:, None] - self.z
        total = (self.z * others).sum(-1)
        count = self.size("same_class").clamp(min=1)  # 0 only for anchors that are left out
        return total / count[:, None]

    def following(self, j: int) -> tuple[Tensor, Tensor]:
        """<z_a, z_p> for the j-th row p after the anchor in its class, cyclically, and if p != a.

        Own views first (1 <= j < K), then the next samples of the class in the order of the batch:
        j = K is the same view of the next one. Shapes (N, K) and (N,): p == a if j >= K n.
        """
        classes, sizes = self.classes()
        order = torch.argsort(classes, stable=True)
        start = sizes.cumsum(0) - sizes
        rank = torch.empty_like(order)
        rank[order] = torch.arange(self.N, device=order.device) - start[classes[order]]
        sample = order[start[classes] + (rank + j // self.K) % sizes[classes]]
        partner = self.z[sample].roll(-(j % self.K), 1)
        return (self.z * partner).sum(-1), j < self.K * sizes[classes]

    def softplus_same_class(self, x: Tensor, scale: float) -> Tensor:
        """sum over p in `same_class` of log(1 + exp(x_a - scale <z_a, z_p>)), (N, K).

        Only the blocks of the similarity matrix that hold pairs of one class are computed.
        """
        x = x.reshape(-1, 1)

        def term(s: Tensor, rows: Tensor) -> Tensor:
            return softplus(F.embedding(rows, x) - scale * s)

        return sum_over(self._class_blocks(), self.z, term)

    def _class_blocks(self) -> list[Block]:
        return class_blocks(*self.classes(), self.K)


def softplus(x: Tensor) -> Tensor:
    """log(1 + e^x), exact to rounding (torch's default returns x from 20 on: 2e-9 off)."""
    return F.softplus(x, threshold=40)
