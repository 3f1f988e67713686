"""Neural collapse of labelled features: within classes, and of the class means to a simplex ETF.

All with population moments and every class weighing the same: mu_G is the mean of the class means
and Sigma_W the mean of the class covariances (Papyan, Han, Donoho 2020, arXiv 2008.08186, state
them for balanced classes, where no choice arises). `grand_mean="samples"` centres by the mean of
all samples instead. C classes form a simplex ETF only in D >= C - 1 dimensions; in fewer the
measures are still returned, and say so.
"""

import torch
from torch import Tensor

from supcon_theory.measures.moments import COINCIDE, ROWS, Measure, Moments, as_moments
from supcon_theory.measures.similarity import etf_gram

Features = Tensor | Moments


def augmentation_variance(features: Features, labels: Tensor | None = None) -> Measure:
    """Mean over samples and views of ||z_i^l - mean_l z_i^l||^2; NaN for a single view."""
    moments = as_moments(features, labels)
    if moments.views == 1:
        return Measure(float("nan"), "one view per sample: nothing varies with the augmentation")
    present = moments.samples > 0
    weights = moments.samples[present].double() / moments.samples.sum()
    return Measure((moments.augmentation[present] * weights).sum().item())


def within_class_variance(features: Features, labels: Tensor | None = None) -> Measure:
    """Mean over classes of v_c = tr Sigma_c."""
    moments = as_moments(features, labels)
    return Measure(moments.variances.mean().item(), moments.reason)


def nc1(features: Features, labels: Tensor | None = None) -> Measure:
    """tr(Sigma_W Sigma_B^+) / C with Sigma_B = (1/C) sum_c (mu_c - mu_G)(mu_c - mu_G)'.

    With the singular value decomposition U S V' of the centred means, Sigma_B^+ = C V S^-2 V':
    the residuals are projected on V, so no D x D pseudo-inverse with an arbitrary cut-off.
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
    flat = moments.residuals.flatten(0, 1)
    weights = (1 / moments.counts.double())[moments.owners].repeat_interleave(moments.views)
    total = 0.0
    for a in range(0, len(flat), ROWS):
        squares = (flat[a : a + ROWS] @ directions).double().square_().sum(1)
        total += (weights[a : a + ROWS] @ squares).item()
    reason = (
        ""
        if rank == expected
        else (
            f"the class means span {rank} of the {expected} dimensions they could: "
            f"variance outside that span does not count"
        )
    )
    return Measure(total / c / moments.scale**2, reason)


def equinorm(
    features: Features, labels: Tensor | None = None, *, grand_mean: str = "classes"
) -> Measure:
    """std_c ||mu_c - mu_G|| / mean_c ||mu_c - mu_G||, population standard deviation."""
    moments = as_moments(features, labels)
    centred = moments.centred_means(grand_mean)
    if reason := _no_spread(moments, centred):
        return Measure(float("nan"), reason)
    norms = centred.norm(dim=1)
    return Measure((norms.std(correction=0) / norms.mean()).item(), _trivial(moments))


def equiangularity(
    features: Features, labels: Tensor | None = None, *, grand_mean: str = "classes"
) -> Measure:
    """Standard deviation over pairs of classes of cos(mu_c - mu_G, mu_c' - mu_G)."""
    moments = as_moments(features, labels)
    cosines, reason = _pair_cosines(moments, grand_mean)
    return Measure(cosines.std(correction=0).item(), reason or _trivial(moments))


def max_angle(
    features: Features, labels: Tensor | None = None, *, grand_mean: str = "classes"
) -> Measure:
    """Mean over pairs of classes of |cos(mu_c - mu_G, mu_c' - mu_G) + 1 / (C - 1)|."""
    moments = as_moments(features, labels)
    cosines, reason = _pair_cosines(moments, grand_mean)
    excess = (cosines + 1 / (len(moments.classes) - 1)).abs().mean().item()
    return Measure(excess, reason or _trivial(moments))


def etf_deviation(
    features: Features,
    labels: Tensor | None = None,
    *,
    convention: str = "cosine",
    grand_mean: str = "classes",
) -> Measure:
    """Frobenius distance of the class-mean Gram matrix to that of a simplex ETF.

    "cosine"  ||G - G*||_F / ||G*||_F, G of the centred means scaled to unit norm, G* with 1 on and
              -1/(C-1) off the diagonal: blind to unequal norms
    "gram"    ||G/||G||_F - G*/||G*||_F||_F, G of the centred means as they are: sees norms as well
    """
    moments = as_moments(features, labels)
    if convention not in ("cosine", "gram"):
        raise ValueError(f"convention is {convention!r}; choose 'cosine' or 'gram'.")
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


def self_duality(features: Features, weights: Tensor, labels: Tensor | None = None) -> Measure:
    """NC3: ||W / ||W||_F - M / ||M||_F||_F, W (C, D) classifier weights, M centred class means."""
    moments = as_moments(features, labels)
    means = moments.centred_means()
    if weights.shape != means.shape:
        raise ValueError(
            f"weights have shape {tuple(weights.shape)}; pass one row per class in "
            f"the order of the labels, {tuple(means.shape)}."
        )
    weights = weights.detach().to(means)
    reason = _no_spread(moments, means)
    if not weights.norm() > 0:
        reason = "the weights are zero or not finite"
    if reason:
        return Measure(float("nan"), reason)
    return Measure((weights / weights.norm() - means / means.norm()).norm().item())


def centre_agreement(moments: Moments, features: Tensor, predictions: Tensor) -> float:
    """NC4: share of rows for which a classifier predicts the class of the nearest centre.

    moments      whose class means are the centres
    features     (M, D) to classify, predictions (M,) the classifier's labels for them
    """
    if predictions.shape != features.shape[:1] or features.shape[1:] != moments.means.shape[1:]:
        raise ValueError(
            f"features {tuple(features.shape)} and predictions "
            f"{tuple(predictions.shape)} must be (M, {moments.means.shape[1]}) and (M,)."
        )
    return (nearest_centres(moments, features) == predictions).double().mean().item()


def nearest_centres(moments: Moments, features: Tensor) -> Tensor:
    """The label of the class mean nearest to each row of (M, D), missing classes left out."""
    present = moments.samples > 0
    means = moments.means[present]
    origin = means.mean(0)
    centred = means - origin
    half_squares = centred.square().sum(1) / 2
    nearest = [
        ((rows.double() - origin) @ centred.T - half_squares).argmax(1)
        for rows in features.detach().split(ROWS)
    ]
    return moments.classes[present][torch.cat(nearest)]


def _directions(moments: Moments, grand_mean: str) -> tuple[Tensor, str]:
    centred = moments.centred_means(grand_mean)
    norms = centred.norm(dim=1, keepdim=True)
    zero = norms.squeeze(1) <= COINCIDE * moments.scale
    reason = moments.reason if (moments.samples == 0).any() else ""
    if not reason and zero.any():
        reason = (
            f"the mean of class {moments.classes[zero][0].item()} coincides with the grand "
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
