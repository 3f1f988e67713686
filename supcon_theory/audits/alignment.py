"""How alike two encoders are: CKA, RSA, shared directions, weights, and the floors made of them.

*pair*: two encoders on the same images. *weights*: the same two, layer by layer. *anchors*: the
distance of CL's and NSCL's softmax weights at an encoder. *constructed*: embeddings on which a
published floor of RSA fails.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from supcon_theory.audits.columns import ALIGNMENT
from supcon_theory.inputs import unit_rows
from supcon_theory.measures.comparison import cka, rsa
from supcon_theory.measures.losses import anchor_losses
from supcon_theory.measures.sampling import sampled_rows
from supcon_theory.measures.subspaces import Apart, apart, shared_directions, weight_gaps
from supcon_theory.theory.alignment import cosine_floor, published_floor, reweighting
from supcon_theory.theory.drift import log_cap

COLUMNS, VERSION = ALIGNMENT.columns, ALIGNMENT.version
ANCHORS = 256  # of the dense path
Row = dict[str, Any]


def pair_row(x: Tensor, y: Tensor, directions: int) -> Row:
    """Two embeddings of the same samples.

    Args:
        x: (N, p) rows of any length but 0.
        y: (N, q) of the same samples in the same order.
        directions: Principal components whose angles are looked at.

    Returns:
        A row of `ALIGNMENT` without weights.
    """
    by_kernels = cka(x, y)
    cosines = shared_directions(x, y, directions)
    return {
        "cka": by_kernels.biased.value,
        "cka_debiased": by_kernels.debiased.value,
        "shared_directions": float(cosines.square().mean()),
        "largest_angle": float(torch.rad2deg(torch.acos(cosines[-1]))),
    } | floor_columns(x, y)


def floor_columns(x: Tensor, y: Tensor) -> Row:
    """CKA of the cosine kernels and RSA beside their floors.

    Args:
        x: (N, p) rows of any length but 0, whose cosines differ.
        y: (N, q) of the same samples.

    Returns:
        Those columns of `ALIGNMENT`.
    """
    found: Apart = apart(x, y)
    alike, by_pairs = cka(unit_rows(x), unit_rows(y)).biased.value, rsa(x, y)
    correlated = by_pairs.biased.value
    floor_cka = float(cosine_floor(found.kernels, 0.0))
    floor_rsa = float(cosine_floor(found.dissimilarities, -1.0))
    return {
        "kernels_apart": found.kernels,
        "cosine_cka": alike,
        "floor_cka": floor_cka,
        "violation_cka": floor_cka - alike,
        "pairs_apart": found.dissimilarities,
        "rsa": correlated,
        "rsa_debiased": by_pairs.debiased.value,
        "floor_rsa": floor_rsa,
        "violation_rsa": floor_rsa - correlated,
        "published_rsa": float(published_floor(found.dissimilarities)),
        "log_drift": float(np.log(found.drift)) if found.drift else -np.inf,
        "log_cap": log_cap(len(x)),
    }


def weight_rows(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> list[Row]:
    """Relative gap of the weights of two encoders: their mean, then each layer."""
    gaps = weight_gaps(one, other)
    each = [{"weight": name, "weight_gap": gap} for name, gap in gaps.items()]
    return [{"weight_gap": float(np.mean(list(gaps.values())))}, *each]


def anchor_row(z: Tensor, y: Tensor, tau: float) -> Row:
    """The distance of the two losses' softmax weights at one encoder, anchor by anchor.

    Args:
        z: (N, K, d) unit rows.
        y: (N,) labels.
        tau: Temperature.

    Returns:
        A row of `ALIGNMENT`: the weights are those of the dense path, the gap of two log-sums.
    """
    N, K, _ = z.shape
    rows = sampled_rows(N * K, ANCHORS)
    found = anchor_losses(z, y, np.stack([rows // K, rows % K], 1), tau)
    gaps = np.maximum(found.gap, 0.0)
    return {
        "protocol": "anchors",
        "tau": tau,
        "gap": float(gaps.mean()),
        "reweighting": float(reweighting(gaps).mean()),
        "distance_error": float(np.abs(found.l1 - reweighting(gaps)).max()),
    }


def random_pair_rows(count: int, seed: int) -> Iterator[Row]:
    """Random pairs of embeddings, from nearly the same to unrelated: floors of CKA and RSA.

    Args:
        count: Pairs.
        seed: Key of the draw.

    Yields:
        Rows of the protocol "pairs".
    """
    rng = np.random.default_rng((seed, count))
    for _ in range(count):
        N, p = int(rng.integers(4, 60)), int(rng.integers(2, 12))
        x = rng.normal(size=(N, p)) + 3 * rng.random() * rng.normal(size=p)
        y = x * np.exp(rng.normal()) + np.exp(3 * rng.normal()) * rng.normal(size=(N, p))
        about = {"protocol": "pairs", "n": N, "d": p}
        yield about | floor_columns(torch.from_numpy(x), torch.from_numpy(y))


def opposed_row(spread: float) -> Row:
    """Two embeddings whose dissimilarities are opposed: RSA is negative, below the published floor.

    Three unit rows of the plane: in the one embedding the first two are close, in the other the
    first and the third.

    Args:
        spread: Widest angle of the second over that of the first, from 1 to 2.

    Returns:
        A row of the protocol "constructed".
    """
    angle = 0.4
    angles = np.array([[0.0, 0.1 * angle, angle], [0.0, spread * angle, 0.1 * spread * angle]])
    x, y = (torch.from_numpy(np.stack([np.cos(a), np.sin(a)], 1)) for a in angles)
    return {"protocol": "constructed", "n": 3, "d": 2} | floor_columns(x, y)
