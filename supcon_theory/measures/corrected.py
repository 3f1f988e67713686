"""Moments of classes without the bias of few samples, and CDNV, directional CDNV, NC1 of them.

A class has n independent samples x of K views each; u = view mean less class mean, q = |u|^2, w = a
view less its sample's mean, S = sum u u'/(n-1), A = mean w w', Sigma = S + A without bias. delta_a
is the mean of class a less that of class c, T_a the covariance of a view mean in class a.

    v_c          tr Sigma_c
    |D_ij|^2     |mean_i - mean_j|^2 - tr S_i/n_i - tr S_j/n_j
    K^c_ab       (mu_a - mu_c)'Sigma_c(mu_b - mu_c), the directional numerator at a = b:

    delta_a'Sigma delta_b + <t, delta_a + delta_b> + f - [a = b] tr(Sigma T_a)/n_a
    t = sum u q/((n-1)(n-2)) + sum A_k u_k/(n(n-1))
    f = [2n sum q^2 - (sum q)^2 - (n-1) sum_jk <u_j, u_k>^2]/(n(n-1)(n-2)(n-3))
        + [2 sum u_k'A_k u_k - sum_jk u_j'A_k u_j]/(n(n-1)(n-2))

Proof. K^c_ab is the mean over distinct samples x1..x4 of class c and y of a and b (y1 != y2 where
a = b) of <x1-x2, y1-x3><x1-x2, y2-x4>/2 + (y1-x3)'A_1(y2-x4): x1-x2, y1-x3 and y2-x4 are
independent, so its mean is exactly K^c_ab. Expand the product; sums over distinct samples are those
over all less what coincides, and sum u = 0: sum_{3 != 1,2} u_3 = -u_1 - u_2 gives t, the same twice
gives f, and y1 != y2 takes T_a/n_a off the product of the means.

v, |D|^2, K, and with them the Gram matrix G of the centred means and H_ab = m_a'Sigma_W m_b, are
unbiased, entry by entry. The ratios

    CDNV (v_i + v_j)/(2|D|^2)     directional D'Sigma_i D/(|D|^2)^2     NC1 tr(G^+ H G^+)

are not: a ratio of unbiased numbers keeps a bias of the order of its denominator's relative
variance, about v/(n |D|^2). Where noise explains the whole distance of two means the denominator
is not positive and there is no ratio; numerators near 0 may come out below it.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from supcon_theory.measures.covariances import FEWEST, gram_product
from supcon_theory.measures.moments import (
    Features,
    Measure,
    Moments,
    PairMeasure,
    as_moments,
    class_moments,
)
from supcon_theory.measures.pair_moments import scatter_products


class Unbiased(NamedTuple):
    """Moments of C classes, each entry without bias; NaN where a class has too few samples."""

    classes: list
    variances: Tensor  # (C,) v_c, from 2 samples on
    distances: Tensor  # (C, C) squared, from 2 samples on
    along: Tensor  # (C, C) D'Sigma_i D, i the row, from 4 samples on
    gram: Tensor  # (C, C) of the centred means
    through: Tensor  # (C, C) m_a' Sigma_W m_b of the centred means m
    dimension: int


def unbiased_moments(features: Features, labels=None) -> Unbiased:
    """The moments that CDNV, directional CDNV and NC1 are made of, without bias.

    Args:
        features: (N, D) or (N, K, D) with labels, or their Moments.
        labels: (N,) labels of any kind, for features.

    Returns:
        The moments, float64. O(N K C (C + D)) and the cost of `scatter_products`.
    """
    moments = as_moments(features, labels)
    n, C = moments.samples.double(), len(moments.samples)
    share = moments.sample_variances / (n - 1)  # tr S_c / n_c
    noise = share.masked_fill(moments.samples < 2, torch.nan)
    # means that are one point up to rounding have the distance 0
    plain = moments.square_distances.masked_fill(moments.square_distances.isnan(), 0.0)
    distances = (plain - noise[:, None] - noise).fill_diagonal_(0.0)
    middle = torch.eye(C, dtype=n.dtype, device=n.device) - 1 / C
    centred = moments.means - moments.means.mean(0)
    gram = centred @ centred.T - middle @ noise.diag() @ middle
    along, through = torch.zeros_like(distances), torch.zeros_like(distances)
    products = _products(moments)
    start = 0
    for c, size in enumerate(moments.samples.tolist()):
        found = _through(moments, c, start, size)
        found -= (products[c] / n).diag()
        found[c], found[:, c] = 0.0, 0.0
        along[c] = found.diagonal()
        through += middle @ found @ middle / C
        start += size
    variances = noise * n + moments.augmentation
    names = moments.classes.tolist()
    return Unbiased(names, variances, distances, along, gram, through, centred.shape[1])


def _through(moments: Moments, c: int, start: int, n: int) -> Tensor:
    """K^c of all pairs of classes but for the noise of their means, (C, C)."""
    delta = moments.means - moments.means[c]
    if n < FEWEST:
        return delta.new_full((len(delta), len(delta)), torch.nan)
    rows = moments.residuals[start : start + n].double()
    u, views = rows.mean(1), rows.shape[1]
    q = u.square().sum(1)
    seen = u @ delta.T
    found = seen.T @ seen / (n - 1)
    turn = seen.T @ q / ((n - 1) * (n - 2))
    fourth = 2 * n * (q @ q).item() - q.sum().item() ** 2 - (n - 1) * gram_product(u, u)
    rest = fourth / (n * (n - 1) * (n - 2) * (n - 3))
    if views > 1:
        w = (rows - u[:, None]).flatten(0, 1)
        seen, own = w @ delta.T, (w * u.repeat_interleave(views, 0)).sum(1)
        found += seen.T @ seen / (n * views)
        turn += seen.T @ own / (views * n * (n - 1))
        shared = 2 * (own @ own).item() - gram_product(w, u)
        rest += shared / (views * n * (n - 1) * (n - 2))
    return found + turn[:, None] + turn + rest


def _products(moments: Moments) -> Tensor:
    """tr(Sigma_c T_a) without bias, c the row: Sigma of a view, T of a view mean; (C, C)."""
    grow = moments.samples.double() / (moments.samples - 1)
    C, views = len(grow), moments.views
    if views == 1:
        return scatter_products(moments) * grow[:, None] * grow
    u = moments.residuals.double().mean(1)
    w = (moments.residuals.double() - u[:, None]).flatten(0, 1)
    owners = torch.cat([moments.owners, C + moments.owners.repeat_interleave(views)])
    both = scatter_products(class_moments(torch.cat([u, w]), owners))
    return (both[:C, :C] * grow[:, None] + both[C:, :C]) * grow


def corrected_cdnv(moments: Unbiased) -> PairMeasure:
    """(v_i + v_j)/(2 |D_ij|^2) of unbiased moments; NaN, with the reason, where noise is all."""
    v = moments.variances
    return _over(moments, (v[:, None] + v) / 2, moments.distances)


def corrected_directional_cdnv(moments: Unbiased) -> PairMeasure:
    """D'Sigma_i D/(|D_ij|^2)^2 of unbiased moments, row i; NaN, with the reason, as above."""
    return _over(moments, moments.along / moments.distances, moments.distances)


def corrected_nc1(moments: Unbiased) -> Measure:
    """tr(G^+ H G^+) of unbiased moments: `nc1` is the same of the plug-in ones.

    With M the centred means, tr(Sigma_W Sigma_B^+)/C = tr(Sigma_W (M'M)^+) = tr(G^+ M Sigma_W M'
    G^+), G = MM': the means enter through products that can be corrected one by one.

    Args:
        moments: From `unbiased_moments`.

    Returns:
        NC1; NaN with a reason where noise explains a direction in which the class means differ.
    """
    if not moments.through.isfinite().all():
        return Measure(math.nan, f"a class has fewer than {FEWEST} samples")
    expected = min(len(moments.gram) - 1, moments.dimension)
    values, vectors = torch.linalg.eigh(moments.gram)
    values, vectors = values[-expected:], vectors[:, -expected:]
    if not values[0] > 0:
        return Measure(math.nan, "noise explains a direction in which the class means differ")
    inside = ((vectors.T @ moments.through) * vectors.T).sum(1)
    return Measure((inside / values.square()).sum().item())


def _over(moments: Unbiased, numerator: Tensor, distances: Tensor) -> PairMeasure:
    lost = (distances <= 0).fill_diagonal_(False)
    pairs = (numerator / distances).masked_fill(lost, torch.nan).fill_diagonal_(torch.nan)
    off = ~torch.eye(len(pairs), dtype=torch.bool, device=pairs.device)
    reason = ""
    if lost.any():
        i, j = (moments.classes[k] for k in lost.nonzero()[0].tolist())
        reason = (
            f"noise explains the distance of the means of {int(lost.sum()) // 2} pairs of classes, "
            f"the first {i} and {j}"
        )
    elif pairs[off].isnan().any():
        reason = "a class has too few samples"
    return PairMeasure(pairs, pairs[off].mean().item(), reason)
