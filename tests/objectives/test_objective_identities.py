"""Objectives that are equal to each other, or to a formula, at certain arguments."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from supcon_theory.objectives import OBJECTIVES
from tests.objectives.batches import batch, value
from tests.objectives.test_loop_references import Rows, triplet


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), tau=st.floats(0.05, 5), K=st.integers(2, 4))
def test_identities_between_objectives(seed, tau, K):
    z, y = batch(seed, K=K)
    unique = torch.arange(len(y))

    def L(name, labels=y, **options):
        return value(name, z, labels, tau, **options).item()

    def same(a, b):
        assert abs(a - b) < 1e-12 * max(1, abs(a))

    same(L("hucl", beta=0), L("nt_xent"))
    same(L("h_nscl", beta=0), L("nscl_coupled"))
    same(L("hscl", beta=0), L("scl_jiang"))
    same(L("hcl", beta=0), L("debiased"))
    same(L("hcl", tau_plus=0, beta=1.5), L("hucl", beta=1.5))
    same(L("nscl", labels=unique), L("dcl"))
    same(L("nscl_coupled", labels=unique), L("nt_xent"))
    same(L("n_dhel", labels=unique), L("dhel"))
    own = (z.sum(1).square().sum(-1) - K) / (K * (K - 1))  # mean cosine of distinct views
    same(L("dcl"), L("dcl", pairs="distinct") - (1 - own.mean().item()) / (K * tau))
    same(L("nscl"), L("nscl", pairs="distinct") - (1 - own.mean().item()) / (K * tau))
    same(L("dhel_official"), 2 * L("dhel") + own.mean().item() / tau)
    same(L("supcon", max_positives=K * len(y)), L("supcon"))
    if K == 2:
        same(L("supcon", labels=unique), L("nt_xent"))
        same(L("supcon_in", labels=unique), L("nt_xent"))
        same(L("supcon", max_positives=1), L("nscl_coupled"))


def test_n_pairs_is_supcon_when_classes_are_pairs_of_single_views():
    z, _ = batch(9, N=8, K=1)
    y = torch.tensor([0, 1, 2, 3, 3, 2, 0, 1])
    assert abs(value("n_pairs", z, y, 1.0) - value("supcon", z, y, 1.0)) < 1e-14
    assert abs(OBJECTIVES["n_pairs"](z, y) - value("n_pairs", z, y, 1.0)) == 0  # tau = 1 by default


def test_one_positive_and_one_negative_give_the_triplet_limits():
    """log(1 + e^u), u = (d_ap - d_an) / (2 tau) with squared distances d: a hinge, then a line."""
    z, _ = batch(10, N=3, K=1, d=3, C=1)
    y = torch.tensor([0, 0, 1])  # anchors 0 and 1; the third sample has no positive
    d = torch.cdist(z[:, 0], z[:, 0]).square()
    difference = d[0, 1] - d[:2, 2]

    def loss(tau):
        alone = value("supcon", z, y, tau, reduction="none").isnan()
        assert alone.flatten().tolist() == [False, False, True]
        return value("supcon", z, y, tau)

    assert abs(loss(0.7) - torch.log1p(torch.exp(difference / 1.4)).mean()) < 1e-13
    low, high = 1e-4, 1e4
    hinge = torch.relu(difference / 2).mean()
    assert abs(low * loss(low) - hinge) < low
    assert abs(low * value("triplet", z, y, low, margin=0.0) - hinge) < 1e-14
    assert abs(loss(high) - math.log(2) - (difference / (4 * high)).mean()) < 1e-8


@pytest.mark.parametrize("alpha", [0.2, 1.5])
def test_twice_tau_times_the_triplet_loss_is_that_of_squared_distances(alpha):
    """FaceNet's: the mean over an anchor's triplets of max(0, d_ap - d_an + alpha)."""
    z, y = batch(12, N=8, K=2)
    rows, label = z.flatten(0, 1), y.repeat_interleave(2)
    d = torch.cdist(rows, rows).square()
    total = 0.0
    for a in range(16):
        p = [b for b in range(16) if label[b] == label[a] and b != a]
        n = [b for b in range(16) if label[b] != label[a]]
        total += torch.relu(d[a, p][:, None] - d[a, n] + alpha).mean() / 16
    assert abs(2 * 0.3 * value("triplet", z, y, 0.3, margin=alpha / 2) - total) < 1e-13


@pytest.mark.parametrize("margin", [0.0, 1.0, 2.0])
def test_triplets_at_their_kinks_count_as_nothing_and_have_one_of_the_two_slopes(margin):
    """Cosines of -1, 0 and 1 without rounding: many hinges are exactly at 0."""
    axes = torch.cat([torch.eye(3), -torch.eye(3)]).double()
    z = axes[torch.tensor([[0, 0], [0, 3], [1, 1], [1, 0], [4, 2], [5, 2]])].requires_grad_()
    y = torch.tensor([0, 0, 1, 1, 2, 2])
    wanted = triplet(Rows(z.detach(), y, 0.5), margin)
    loss = value("triplet", z, y, margin=margin)
    assert abs(loss - wanted) < 1e-14
    (found,) = torch.autograd.grad(loss, z)
    g, h = torch.Generator().manual_seed(0), 1e-7
    for _ in range(5):  # rows off the sphere by h^2 only
        step = torch.randn(z.shape, generator=g, dtype=torch.float64)
        step -= (step * z.detach()).sum(-1, keepdim=True) * z.detach()
        up, down = (value("triplet", z.detach() + t * step, y, margin=margin) for t in (h, -h))
        slopes = sorted([(up - loss.detach()).item() / h, (loss.detach() - down).item() / h])
        assert slopes[0] - 1e-5 < (found * step).sum() < slopes[1] + 1e-5
    if margin < 2:  # at kinks indeed; a cosine of 1 or -1 has no slope along the sphere
        assert slopes[1] - slopes[0] > 1e-3


@pytest.mark.parametrize(("C", "n", "K"), [(3, 2, 2), (4, 3, 1), (2, 5, 3)])
def test_equal_rows_give_the_logarithm_of_a_count(C, n, K):
    N, tau = C * n, 0.4
    z = F.normalize(torch.ones(N, K, 3, dtype=torch.float64), dim=-1)
    y = torch.arange(N) % C
    Q, other = K * (N - 1), K * n * (C - 1)
    wanted = {
        "supcon": math.log(K * N - 1),
        "supcon_in": math.log(K * N - 1),
        "dcl": math.log(Q),
        "nscl": math.log(other),
        "scl_jiang": math.log1p(Q),
        "hscl": math.log1p(Q),
        "n_pairs": math.log1p(other),
        "scl_ball": math.log(2),
        "ucl_ball": math.log(2),
        "ssem": math.log(K * N),
        "soft_supcon": math.log(K * N - 1),
        "triplet": 0.1 / tau,
    }
    if K > 1:
        wanted |= dict.fromkeys(("nt_xent", "hucl", "debiased", "hcl"), math.log1p(Q))
        wanted |= dict.fromkeys(("nscl_coupled", "h_nscl"), math.log1p(other))
        wanted |= {
            "dhel": math.log(N - 1),
            "dhel_official": 2 * math.log(N - 1) + 1 / tau,
            "n_dhel": math.log(n * (C - 1)),
            "kcl": 2 * 16 - 2,
            "sigmoid": math.log1p(math.exp(10 - 1 / tau))
            + (N - 1) * math.log1p(math.exp(1 / tau - 10)),
        }
    for name, expected in wanted.items():
        assert abs(value(name, z, y, tau).item() - expected) < 1e-12, name
