"""Batches to hold objectives against, and their options."""

import torch
from torch.nn import functional as F

from supcon_theory.objectives import OBJECTIVES
from tests.objectives.test_loop_references import LOSSES

OPTIONS = [(name, {}) for name in LOSSES] + [
    ("dcl", {"pairs": "distinct"}),
    ("supcon", {"max_positives": 3}),
    ("hscl", {"positives": "own", "beta": 0.5}),
    ("dhel", {"anchors": "first_view"}),
    ("hcl", {"tau_plus": 0.0}),
    ("scl_ball", {"beta": 0.5}),
    ("ucl_ball", {"beta": 0.5}),
    ("ssem", {"alpha": 1.0}),
    ("soft_supcon", {"softness": 1.0}),
    ("kcl", {"kernel_name": "inverse_multiquadric", "gamma": 1.0}),
    ("sigmoid", {"bias": -1.0}),
    ("triplet", {"margin": 0.5}),
]


def batch(seed, N=10, K=2, d=5, C=3, spread=None):
    """Random unit rows, every class present at least twice; `spread` clusters views and classes."""
    g = torch.Generator().manual_seed(seed)
    y = torch.cat([torch.arange(C).repeat(2), torch.randint(C, (N - 2 * C,), generator=g)])
    y = y[torch.randperm(N, generator=g)]
    z = torch.randn(N, K, d, generator=g, dtype=torch.float64)
    if spread is not None:
        centres = torch.randn(C, d, generator=g, dtype=torch.float64)
        z = centres[y][:, None] + spread * z
    return F.normalize(z, dim=-1), y


def value(name, z, y, tau=0.5, **options):
    return OBJECTIVES[name](z, y, tau=tau, **options)
