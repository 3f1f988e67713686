"""The one pass over class means and scatter that every geometric measure reads.

Two passes over the data, both accumulated in float64: the class means first, then everything about
the residuals x - mu_y. Nothing is ever computed as E[x^2] - E[x]^2, so a common offset of the
features (1e4 in float32, say) costs no digits beyond those it costs the features themselves.

All moments are population moments (1/n). Views of a sample count as further samples of its class.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from supcon_theory import inputs

ROWS = 512  # samples held in float64 at a time
COINCIDE = 1e-12  # relative to the rms norm of the features: means closer than this are one point


class Measure(NamedTuple):
    """A number, and why it is NaN or says nothing ("" when neither)."""

    value: float
    reason: str = ""


class PairMeasure(NamedTuple):
    """A measure of every ordered pair of classes: `pairs[i, j]`, NaN on the diagonal.

    `mean` averages over all C (C - 1) ordered pairs and is NaN as soon as one of them is;
    `defined_mean` averages over those that are defined. `reason` names what is undefined.
    """

    pairs: Tensor
    mean: float
    reason: str = ""

    @property
    def defined_mean(self) -> float:
        """Mean over the ordered pairs that are defined."""
        return self.pairs.nanmean().item()


@dataclass(frozen=True, eq=False)
class Moments:
    """Class means and scatter of labelled features; rows of missing classes are NaN.

    classes             (C,)       labels, ascending (an array: labels may be strings)
    samples             (C,)       samples per class (of `views` rows each)
    means               (C, D)     mu_c, float64
    variances           (C,)       v_c = tr Sigma_c = E||x - mu_c||^2; NaN below two rows
    sample_variances    (C,)       the same of the samples' view means; NaN below two samples
    augmentation        (C,)       mean over samples and views of ||x - view mean||^2
    residuals           (N, K, D)  x - mu_y, samples grouped by class, in the features' dtype
    owners              (N,)       index into `classes` of each sample of `residuals`
    reason              what is missing, in words ("" when nothing is)
    """

    classes: np.ndarray
    samples: Tensor
    means: Tensor
    variances: Tensor
    sample_variances: Tensor
    augmentation: Tensor
    residuals: Tensor
    owners: Tensor
    reason: str

    @property
    def views(self) -> int:
        """Views K of every sample."""
        return self.residuals.shape[1]

    @property
    def counts(self) -> Tensor:
        """Rows (samples x views) per class, (C,)."""
        return self.samples * self.views

    @property
    def sums(self) -> Tensor:
        """Sums of the rows of each class, (C, D)."""
        return self.means * self.counts[:, None]

    def residual_tiles(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Class numbers (b,) and residuals (b, D) of all rows, some at a time."""
        flat, owners = self.residuals.flatten(0, 1), self.owners.repeat_interleave(self.views)
        yield from zip(owners.split(ROWS), flat.split(ROWS), strict=True)

    @cached_property
    def scale(self) -> float:
        """Rms norm of a row, the yardstick for "the same up to rounding"."""
        present = self.samples > 0
        squares = self.means[present].square().sum(1)
        spread = (self.variances * self.counts)[self.counts > 1].sum() / self.counts.sum()
        return (squares.max() + spread).sqrt().item()

    def centred_means(self, grand_mean: str = "classes") -> Tensor:
        """mu_c - mu_G, with mu_G the mean of the class means or of all samples.

        The two differ only when the classes are unequal in size.

        Args:
            grand_mean: "classes" or "samples".

        Returns:
            (C, D) float64.

        Raises:
            ValueError: For another `grand_mean`.
        """
        if grand_mean not in ("classes", "samples"):
            raise ValueError(f"grand_mean is {grand_mean!r}; choose 'classes' or 'samples'.")
        if grand_mean == "classes":
            return self.means - self.means.mean(0)
        weights = self.samples.double() / self.samples.sum()
        return self.means - weights @ self.means

    @cached_property
    def square_distances(self) -> Tensor:
        """||mu_i - mu_j||^2, (C, C) float64, NaN on the diagonal and where the means coincide."""
        centred = self.means - self.means[self.samples > 0].mean(0)
        squares = centred.square().sum(1)
        sums = squares[:, None] + squares
        distances = sums - 2 * centred @ centred.T
        # Where the Gram form cancels more than six digits, subtract the means themselves.
        near = (distances < 1e-6 * sums).triu(1).nonzero()
        for i, j in (pairs.unbind(1) for pairs in near.split(ROWS)):
            exact = (centred[i] - centred[j]).square().sum(1)
            distances[i, j] = distances[j, i] = exact
        distances[distances <= (COINCIDE * self.scale) ** 2] = torch.nan
        return distances.fill_diagonal_(torch.nan)

    @cached_property
    def coincidence(self) -> str:
        """Which class means are one point, in words ("" when none are)."""
        present = self.samples > 0
        lost = self.square_distances.isnan() & present[:, None] & present
        pairs = lost.triu(1).nonzero()
        if not len(pairs):
            return ""
        i, j = self.classes[pairs[0].cpu()].tolist()
        others = f" (and {len(pairs) - 1} more pairs)" if len(pairs) > 1 else ""
        return f"the means of classes {i} and {j} coincide{others}"


Names = int | Iterable | None  # of classes that may be missing: how many, or their labels
Features = Moments | Tensor | np.ndarray  # with labels, unless they are Moments already


def class_moments(features: Tensor | np.ndarray, labels, classes: Names = None) -> Moments:
    """Means, scatter and residuals of each class, in two passes.

    Time O(N K D); memory one copy of the features (the residuals) and a few (C, D) matrices.

    Args:
        features: (N, D) or (N, K, D).
        labels: (N,) labels of any kind.
        classes: The classes that ought to be there: a number C (labels 0 .. C-1) or their values.
            One without a sample is reported and its rows are NaN. None: those that occur.

    Returns:
        The moments, classes in ascending order of label.

    Raises:
        ValueError: For fewer than two classes, a label that `classes` does not name, and what
            `inputs.features` and `inputs.labels` refuse.
    """
    views = inputs.features(features).detach()
    views = views if views.ndim == 3 else views[:, None]
    owners = inputs.labels(labels, len(views), "labels").to(views.device)
    names = known = inputs.class_names(labels, "labels")
    if len(names) < 2:
        raise ValueError(
            f"all labels are of one class, {names[0]}; these measures compare at least 2."
        )
    if classes is not None:
        numbers = isinstance(classes, int | np.integer)
        known = inputs.class_names(np.arange(classes) if numbers else classes, "classes")
        if len(known) < 2:
            raise ValueError(f"classes names {len(known)}; these measures compare at least 2.")
        place = {name: c for c, name in enumerate(known)}
        if stray := [name for name in names if name not in place]:
            raise ValueError(
                f"labels contain {stray[0]}, which is not among the {len(known)} classes "
                f"named; name it in `classes` or leave it out."
            )
        owners = torch.tensor([place[name] for name in names], device=views.device)[owners]
    samples = torch.bincount(owners, minlength=len(known))
    tiles = [slice(a, a + ROWS) for a in range(0, len(owners), ROWS)]
    n, k, d = views.shape

    means = views.new_zeros(len(known), d, dtype=torch.float64)
    for tile in tiles:
        rows = views[tile].double()
        means.index_add_(0, owners[tile], rows.sum(1) if k > 1 else rows[:, 0])
    means /= (samples * k)[:, None]

    order = owners.argsort(stable=True)
    owners = owners[order]
    residuals = views.new_empty(n, k, d, dtype=torch.promote_types(views.dtype, torch.float32))
    scatter, augmentation = means.new_zeros(2, len(known))
    for tile in tiles:
        rows = views[order[tile]].double().sub_(means[owners[tile], None])
        residuals[tile] = rows
        centre = rows.mean(1) if k > 1 else rows[:, 0]
        scatter.index_add_(0, owners[tile], centre.square().sum(1))
        if k > 1:
            spread = (rows - centre[:, None]).square().sum((1, 2)) / k
            augmentation.index_add_(0, owners[tile], spread)
    sample_variances = (scatter / samples).masked_fill(samples < 2, torch.nan)
    variances = ((scatter + augmentation) / samples).masked_fill(samples * k < 2, torch.nan)
    return Moments(
        np.asarray(known),
        samples,
        means,
        variances,
        sample_variances,
        augmentation / samples,
        residuals,
        owners,
        missing(known, samples.tolist(), k),
    )


def as_moments(features: Features, labels=None, classes: Names = None) -> Moments:
    """Features and labels through `class_moments`; moments as they are.

    Args:
        features: (N, D) or (N, K, D), or Moments.
        labels: (N,) labels, for features.
        classes: As in `class_moments`.

    Returns:
        The moments.

    Raises:
        TypeError: For features without labels.
    """
    if isinstance(features, Moments):
        return features
    if labels is None:
        raise TypeError("labels are missing: pass features with labels, or the Moments of both.")
    return class_moments(features, labels, classes)


def missing(known: list, samples: list[int], views: int) -> str:
    """Which classes have no sample, or a single row and thus no variance, in words."""
    sizes = list(zip(known, samples, strict=True))
    lacks = {
        "no sample of class": [c for c, n in sizes if n == 0],
        "one sample, so no variance, of class": [c for c, n in sizes if n == views == 1],
    }
    return "; ".join(
        f"{what} {', '.join(map(str, of[:5]))}" + f" and {len(of) - 5} more" * (len(of) > 5)
        for what, of in lacks.items()
        if of
    )
