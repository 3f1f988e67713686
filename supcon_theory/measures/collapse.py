"""Neural collapse of labelled features: within classes, and of the class means to a simplex ETF.

All with population moments and every class weighing the same: mu_G is the mean of the class means
and Sigma_W the mean of the class covariances (Papyan, Han, Donoho 2020, arXiv 2008.08186, state
them for balanced classes, where no choice arises). `grand_mean="samples"` centres by the mean of
all samples instead. C classes form a simplex ETF only in D >= C - 1 dimensions; in fewer the
measures are still returned, and say so.
"""

import numpy as np
import torch
from torch import Tensor

from supcon_theory import inputs
from supcon_theory.measures.moments import COINCIDE, Features, Measure, Moments, as_moments
from supcon_theory.measures.similarity import etf_gram


def augmentation_variance(features: Features, labels=None) -> Measure:
    """Mean over samples and views of ||z_i^l - mean_l z_i^l||^2; NaN for a single view."""
    moments = as_moments(features, labels)
    if moments.views == 1:
        return Measure(float("nan"), "one view per sample: nothing varies with the augmentation")
    present = moments.samples > 0
    weights = moments.samples[present].double() / moments.samples.sum()
    return Measure((moments.augmentation[present] * weights).sum().item())


def within_class_variance(features: Features, labels=None) -> Measure:
    """Mean over classes of v_c = tr Sigma_c."""
    moments = as_moments(features, labels)
    return Measure(moments.variances.mean().item(), moments.reason)


def nc1(features: Features, labels=None) -> Measure:
    """tr(Sigma_W Sigma_B^+) / C with Sigma_B = (1/C) sum_c (mu_c - mu_G)(mu_c - mu_G)'.

    With the singular value decomposition U S V' of the centred means, Sigma_B^+ = C V S^-2 V':
    the residuals are projected on V, so no D x D pseudo-inverse with an arbitrary cut-off.

    Args:
        features: (N, D) or (N, K, D) with labels, or their Moments.
        labels: (N,) labels of any kind, for features.

    Returns:
        NC1, 0 at collapse; NaN with a reason where the class means have no spread.
    """
    moments = as_moments(features, labels)
    centred = moments.centred_means()
    if reason := moments.reason or _no_spread(moments, centred):
        return Measure(float("nan"), reason)
    c, d = centred.shape
    _, s, vt = torch.linalg.svd(centred, full_matrices=False)
    expected = min(c - 1, d)
    rank = int((s[:expected] > COINCIDE * moments.scale).sum())
    directions = (vt[:rank].T * (moments.scale / s[:rank])).to(moments.residuals.dtype)
    weights, total = 1 / moments.counts.double(), 0.0
    for owners, residuals in moments.residual_tiles():
        squares = (residuals @ directions).double().square_().sum(1)
        total += (weights[owners] @ squares).item()
    if rank < expected:
        reason = (
            f"the class means span {rank} of the {expected} dimensions they could: "
            f"variance outside that span does not count"
        )
    return Measure(total / c / moments.scale**2, reason)


def equinorm(features: Features, labels=None, *, grand_mean: str = "classes") -> Measure:
    """std_c ||mu_c - mu_G|| / mean_c ||mu_c - mu_G||, population standard deviation."""
    moments = as_moments(features, labels)
    centred = moments.centred_means(grand_mean)
    if reason := _no_spread(moments, centred):
        return Measure(float("nan"), reason)
    norms = centred.norm(dim=1)
    return Measure((norms.std(correction=0) / norms.mean()).item(), _trivial(moments))


def equiangularity(features: Features, labels=None, *, grand_mean: str = "classes") -> Measure:
    """Standard deviation over pairs of classes of cos(mu_c - mu_G, mu_c' - mu_G)."""
    moments = as_moments(features, labels)
    cosines, reason = _pair_cosines(moments, grand_mean)
    return Measure(cosines.std(correction=0).item(), reason or _trivial(moments))


def max_angle(features: Features, labels=None, *, grand_mean: str = "classes") -> Measure:
    """Mean over pairs of classes of |cos(mu_c - mu_G, mu_c' - mu_G) + 1 / (C - 1)|."""
    moments = as_moments(features, labels)
    cosines, reason = _pair_cosines(moments, grand_mean)
    excess = (cosines + 1 / (len(moments.classes) - 1)).abs().mean().item()
    return Measure(excess, reason or _trivial(moments))


def etf_deviation(
    features: Features, labels=None, *, convention: str = "cosine", grand_mean: str = "classes"
) -> Measure:
    """Frobenius distance of the class-mean Gram matrix to that of a simplex ETF.

    "cosine"  ||G - G*||_F / ||G*||_F, G of the centred means scaled to unit norm, G* with 1 on and
              -1/(C-1) off the diagonal: blind to unequal norms
    "gram"    ||G/||G||_F - G*/||G*||_F||_F, G of the centred means as they are: sees norms as well

    Args:
        features: (N, D) or (N, K, D) with labels, or their Moments.
        labels: (N,) labels of any kind, for features.
        convention: "cosine" or "gram".
        grand_mean: mu_G is the mean of the "classes" (their means) or of the "samples".

    Returns:
        The distance, 0 at a simplex ETF; NaN with a reason where a class mean has no direction.
    """
    moments = as_moments(features, labels)
    inputs.choice(convention, "convention", ("cosine", "gram"))
    ideal = etf_gram(len(moments.classes)).to(moments.means)
    if convention == "cosine":
        directions, reason = _directions(moments, grand_mean)
        deviation = (directions @ directions.T - ideal).norm() / ideal.norm()
    else:
        centred = moments.centred_means(grand_mean)
        gram, reason = centred @ centred.T, _no_spread(moments, centred)
        deviation = (gram / gram.norm() - ideal / ideal.norm()).norm()
    if reason:
        return Measure(float("nan"), reason)
    return Measure(deviation.item(), _trivial(moments))


def self_duality(features: Features, weights: Tensor | np.ndarray, labels=None) -> Measure:
    """NC3: ||W / ||W||_F - M / ||M||_F||_F, W classifier weights, M the centred class means.

    Args:
        features: (N, D) or (N, K, D) with labels, or their Moments.
        weights: (C, D), a row per class in ascending order of label.
        labels: (N,) labels of any kind, for features.

    Returns:
        The distance, from 0 (W is proportional to M) to 2.

    Raises:
        ValueError: For weights of another shape.
    """
    moments = as_moments(features, labels)
    means = moments.centred_means()
    w = inputs.features(weights, "weights").detach().to(means)
    if w.shape != means.shape:
        raise ValueError(
            f"weights have shape {tuple(w.shape)}; pass one row per class in "
            f"the order of the labels, {tuple(means.shape)}."
        )
    if reason := _no_spread(moments, means) or ("" if w.any() else "the weights are zero"):
        return Measure(float("nan"), reason)
    return Measure((w / w.norm() - means / means.norm()).norm().item())


def _directions(moments: Moments, grand_mean: str) -> tuple[Tensor, str]:
    centred = moments.centred_means(grand_mean)
    norms = centred.norm(dim=1, keepdim=True)
    zero = norms.squeeze(1) <= COINCIDE * moments.scale
    reason = moments.reason if (moments.samples == 0).any() else ""
    if not reason and zero.any():
        reason = (
            f"the mean of class {moments.classes[zero.cpu()][0]} coincides with the grand "
            f"mean: it has no direction"
        )
    return centred / norms.masked_fill(zero[:, None], torch.nan), reason


def _no_spread(moments: Moments, centred: Tensor) -> str:
    """Why the centred means have no scale: a class is missing, or they are all one point."""
    if (moments.samples == 0).any():
        return moments.reason
    spread = centred.norm(dim=1).max() > COINCIDE * moments.scale
    return "" if spread else "all class means coincide"


def _pair_cosines(moments: Moments, grand_mean: str) -> tuple[Tensor, str]:
    directions, reason = _directions(moments, grand_mean)
    i, j = torch.triu_indices(len(directions), len(directions), 1, device=directions.device)
    return (directions @ directions.T)[i, j], reason


def _trivial(moments: Moments) -> str:
    c, d = moments.means.shape
    if d < c - 1:
        return (
            f"no simplex ETF of {c} classes exists in {d} dimensions ({c - 1} needed): "
            f"this cannot reach 0"
        )
    if c == 2:
        return "two class means are opposite about their mean whatever the features"
    return ""
