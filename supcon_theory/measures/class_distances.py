"""Class-distance-normalised variance, whole and along the line between two classes.

With d_ij = ||mu_i - mu_j||, v_i = tr Sigma_i and u_ij = (mu_j - mu_i) / d_ij (population moments):

    "half"      (v_i + v_j) / (2 d_ij^2)   Galanti, Gyorgy, Hutter (arXiv 2112.15121); public code
    "single"    v_i / d_ij^2               arXiv 2506.04411, text; over ordered pairs the same mean
    "unhalved"  (v_i + v_j) / d_ij^2       arXiv 2603.03530, Theorem 4.1; twice the mean
    directional u_ij' Sigma_i u_ij / d_ij^2   of class i only, over ordered pairs; all three papers

In D dimensions 0 <= directional <= "single", with directional = single / D for isotropic classes.
"""

import torch
from torch import Tensor

from supcon_theory.inputs import choice
from supcon_theory.measures.moments import Features, Names, PairMeasure, as_moments
from supcon_theory.measures.pair_moments import directional_scatter

CONVENTIONS = ("half", "single", "unhalved")


def cdnv(
    features: Features,
    labels=None,
    *,
    convention: str = "half",
    debiased: bool = False,
    classes: Names = None,
) -> PairMeasure:
    """V_ij in the named convention, and its mean over ordered pairs.

    A missing class, a class of one row, coinciding means and a debiased distance that is not
    positive give NaN, with the reason.

    Args:
        features: (N, D) or (N, K, D) with labels, or their Moments.
        labels: (N,) labels of any kind, for features.
        convention: "half", "single" or "unhalved".
        debiased: Divide by `centre_distances(debiased=True)` instead of the plain distance.
        classes: As in `class_moments`.

    Returns:
        (C, C) pairs and their mean.
    """
    choice(convention, "convention", CONVENTIONS)
    moments = as_moments(features, labels, classes)
    distances = centre_distances(moments, debiased=debiased)
    v = moments.variances[:, None]
    numerator = {"half": (v + v.T) / 2, "single": v, "unhalved": v + v.T}[convention]
    return _averaged(numerator / distances.pairs, distances.reason)


def directional_cdnv(
    features: Features, labels=None, *, debiased: bool = False, classes: Names = None
) -> PairMeasure:
    """u_ij' Sigma_i u_ij / d_ij^2, row i the class whose variance it is, and its mean.

    Note: one project page prints u_ij with a squared norm; a unit vector is meant.

    Args:
        features: (N, D) or (N, K, D) with labels, or their Moments.
        labels: (N,) labels of any kind, for features.
        debiased: Replaces the dividing d_ij^2; the direction u_ij stays that of the plain means.
        classes: As in `class_moments`.

    Returns:
        (C, C) pairs and their mean.
    """
    moments = as_moments(features, labels, classes)
    distances = centre_distances(moments, debiased=debiased)
    along = directional_scatter(moments) / moments.square_distances
    return _averaged(along / distances.pairs, distances.reason)


def centre_distances(
    features: Features, labels=None, *, debiased: bool = False, classes: Names = None
) -> PairMeasure:
    """Squared distances between class means, plain or without the bias of estimated means.

    E||mu^_i - mu^_j||^2 = ||mu_i - mu_j||^2 + s_i^2 / n_i + s_j^2 / n_j, with s_c^2 the variance of
    one sample. Debiased subtracts the unbiased estimate of the last two: with population moments
    s_c^2 / n_c is v_c / (n_c - 1). The views of a sample are not independent, so v_c is here the
    variance of the samples' view means and n_c the number of samples.

    Where noise explains the whole distance the debiased one is not positive: NaN, with the reason.

    Args:
        features: (N, D) or (N, K, D) with labels, or their Moments.
        labels: (N,) labels of any kind, for features.
        debiased: Subtract the estimated bias.
        classes: As in `class_moments`.

    Returns:
        (C, C) pairs and their mean.
    """
    moments = as_moments(features, labels, classes)
    plain = moments.square_distances
    reasons = [r for r in (moments.reason, moments.coincidence) if r]
    if not debiased:
        return _averaged(plain, "; ".join(reasons))
    noise = moments.sample_variances / (moments.samples - 1)
    distances = plain - noise[:, None] - noise
    lost = distances <= 0
    if lost.any():
        i, j = moments.classes[lost.triu().nonzero()[0].cpu()].tolist()
        reasons.append(
            f"the debiased squared distance is not positive for {lost.sum().item() // 2} pairs of "
            f"classes, the first {i} and {j}: noise explains the distance of their means"
        )
    if moments.views > 1 and (moments.samples == 1).any():
        reasons.append("a class of one sample has no noise estimate")
    return _averaged(distances.masked_fill(lost, torch.nan), "; ".join(reasons))


def _averaged(pairs: Tensor, reason: str) -> PairMeasure:
    c = len(pairs)
    off_diagonal = pairs.flatten()[1:].view(c - 1, c + 1)[:, :-1]
    return PairMeasure(pairs, off_diagonal.mean().item(), reason)
