"""Two embeddings of the same samples: how far apart, which directions they share, their weights.

CKA and RSA are in `comparison`; here are the lengths that bounds on them are made of, in feature
space: no N x N matrix is formed.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from supcon_theory import inputs
from supcon_theory.measures.comparison import Cosines, cosine_covariance
from supcon_theory.measures.covariances import centred, product_square
from supcon_theory.measures.moments import Features


class Apart(NamedTuple):
    """How far apart the matrices of cosines Sigma and Sigma' of two embeddings are.

    kernels        |H Sigma H - H Sigma' H|_F / |H Sigma H|_F, H the centring
    dissimilarities  |b - a|_2 / (sqrt(M) sd a), a and b the M pairs i < j of 1 - cosine
    drift          |Sigma - Sigma'|_F
    """

    kernels: float
    dissimilarities: float
    drift: float


def apart(x: Features, y: Features) -> Apart:
    """Distances of two embeddings, by |A - B|^2 = |A|^2 + |B|^2 - 2 <A, B> in feature space.

    Args:
        x: (N, p) or (N, K, p), whose views are averaged; rows of any length but 0.
        y: (N, q) or (N, L, q) of the same samples in the same order.

    Returns:
        The distances; NaN of `kernels` and `dissimilarities` where the cosines of x are all one.
        What is below the rounding of the three terms is 0.

    Raises:
        ValueError: for another number of samples.
    """
    a, b = (_unit(z, name) for z, name in ((x, "x"), (y, "y")))
    if len(a) != len(b):
        raise ValueError(f"x has {len(a)} samples and y {len(b)}: pass the same samples.")
    N, u, v = len(a), a - a.mean(0), b - b.mean(0)
    whole = _distance(product_square(a, a), product_square(b, b), product_square(a, b))
    uu, vv, uv = (product_square(*of) for of in ((u, u), (v, v), (u, v)))
    variance, _ = cosine_covariance(Cosines(a), Cosines(a))
    return Apart(
        _distance(uu, vv, uv) / math.sqrt(uu) if uu > 0 else math.nan,
        whole / math.sqrt(N * (N - 1) * variance) if variance > 0 else math.nan,
        whole,
    )


def shared_directions(x: Features, y: Features, count: int) -> Tensor:
    """Cosines of the principal angles between the top principal components of two embeddings.

    The components are vectors of N scores, so a rotation of either embedding changes nothing and
    their dimensions may differ.

    Args:
        x: (N, p) or (N, K, p), whose views are averaged.
        y: (N, q) or (N, L, q) of the same samples in the same order.
        count: Components of each; fewer where an embedding has fewer.

    Returns:
        (count,) cosines in [0, 1], the largest first.
    """
    bases = [_scores(centred(z, name), count) for z, name in ((x, "x"), (y, "y"))]
    return torch.linalg.svdvals(bases[0].T @ bases[1]).clamp(max=1.0)


def weight_gaps(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> dict[str, float]:
    """|w - w'|_F / ((|w|_F + |w'|_F) / 2) of each weight, in [0, 2].

    Args:
        one: Weights of an encoder by name.
        other: Those of another of the same shape.

    Returns:
        The relative gap of every matrix or kernel; vectors (biases, gains) are left out.

    Raises:
        ValueError: for encoders of different shape.
    """
    shapes = [{name: tuple(w.shape) for name, w in of.items()} for of in (one, other)]
    if shapes[0] != shapes[1]:
        raise ValueError("the encoders have different layers: compare two of one architecture.")
    found = {}
    for name, w in one.items():
        if w.ndim > 1:
            a, b = w.double(), other[name].double()
            found[name] = float((a - b).norm() / ((a.norm() + b.norm()) / 2))
    return found


def _unit(z: Features, name: str) -> Tensor:
    rows = inputs.features(z, name).detach()
    return inputs.unit_rows(rows.double().mean(1) if rows.ndim == 3 else rows)


def _distance(aa: float, bb: float, ab: float) -> float:
    square = aa + bb - 2 * ab
    return math.sqrt(square) if square > 1e-13 * (aa + bb) else 0.0


def _scores(rows: Tensor, count: int) -> Tensor:
    """Orthonormal scores (N, count) of the top principal components of centred rows."""
    values, vectors = torch.linalg.eigh(rows.T @ rows)
    kept = values > 1e-12 * values[-1].clamp(min=1e-300)
    top = min(count, int(kept.sum()))
    return rows @ vectors[:, -top:] / values[-top:].sqrt()
