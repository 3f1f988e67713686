"""Floors: the minimum where classes are balanced, below every embedding elsewhere."""

import numpy as np
import pytest
import torch

from supcon_theory.objectives import OBJECTIVES
from supcon_theory.theory import floors, minima
from supcon_theory.theory.mixture import ssem_minimum

SETTINGS = [(2, 2, 2, 1.0), (3, 4, 2, 0.3), (4, 3, 3, 0.1), (5, 2, 2, 2.0)]
AT_INSTANCES = {"dcl", "dhel", "nt_xent", "hucl"}


@pytest.mark.parametrize("C, n, K, tau", SETTINGS)
@pytest.mark.parametrize("name", sorted(set(floors.TERMS) & set(minima.MINIMA)))
def test_a_balanced_floor_is_the_closed_form_minimum(name, C, n, K, tau):
    counts = [1] * (n * C) if name in AT_INSTANCES else [n] * C
    found = floors.class_floor(floors.TERMS[name], counts, [1.0] * len(counts), K, tau)
    assert found == pytest.approx(float(minima.MINIMA[name](C, n, K, tau)), abs=1e-12)


def weights(name, counts, K):
    counts = np.array(counts, float)
    if name in ("hscl", "scl_jiang"):
        return K * counts - 1
    return np.where(counts > 1, 1.0, 0.0) if name == "n_pairs" else np.ones_like(counts)


def slow_margin(counts, slopes, tau, w):
    """The floor of `margin_floor` for one w, class by class."""
    N, total, spread = sum(counts), 0.0, 0.0
    for n, omega in zip(counts, slopes, strict=True):
        rho = omega / (N - n)
        total += n * omega + n * n * rho
        spread += n * abs(rho - w)
    return -(total + spread**2 / (4 * w)) / (N * tau)


def test_the_weight_is_the_best_of_a_fine_grid():
    rng = np.random.default_rng(0)
    for counts in ([12, 4, 2, 2], [20, 1, 1, 1], [9, 6, 3], [5, 5, 5]):
        for slopes in (np.ones(len(counts)), rng.uniform(0, 1, len(counts)), [0] + [1] * 9):
            slopes = np.asarray(slopes, float)[: len(counts)]
            best = floors.margin_floor(counts, slopes, 0.5)
            grid = [slow_margin(counts, slopes, 0.5, w) for w in np.geomspace(1e-4, 10, 3000)]
            assert max(grid) <= best + 1e-12
            assert max(grid) == pytest.approx(best, abs=2e-3)


@pytest.mark.parametrize("name", ["nscl", "n_dhel", "nscl_coupled", "supcon", "supcon_in", "hscl"])
def test_no_embedding_is_below_the_floor_of_its_counts(name):
    """Collapsed, spread and nearly merged classes; the floor must not give way to any of them."""
    rng = np.random.default_rng(1)
    for counts in ([4, 4, 4], [9, 2, 2, 1], [5, 3], [6, 1, 1, 1, 1]):
        y = np.repeat(np.arange(len(counts)), counts)
        for tau in (0.1, 0.5, 2.0):
            floor = floors.class_floor(floors.TERMS[name], counts, weights(name, counts, 2), 2, tau)
            for d in (2, 5):
                for noise in (0.0, 0.1, 1.0):
                    centres = rng.standard_normal((len(counts), d))
                    centres -= rng.choice([0, 1]) * centres.mean(0)
                    z = centres[y][:, None] + noise * rng.standard_normal((len(y), 2, d))
                    z = torch.from_numpy(z / np.linalg.norm(z, axis=-1, keepdims=True))
                    loss = float(OBJECTIVES[name](z, torch.from_numpy(y), tau=tau))
                    assert loss >= floor - 1e-9, (counts, tau, d, noise)


def test_unit_class_weights_do_not_go_below_their_floor():
    rng = np.random.default_rng(2)
    for counts in ([3, 3, 3], [5, 2, 1, 1]):
        C, y = len(counts), np.repeat(np.arange(len(counts)), counts)
        for tau in (0.1, 1.0):
            floor = floors.weights_floor(np.array(counts) / sum(counts), tau)
            for _ in range(50):
                w = rng.standard_normal((C, C)) + rng.choice([0, 3]) * np.eye(C)
                w /= np.linalg.norm(w, axis=1, keepdims=True)
                z = w[y] + rng.choice([0, 0.3]) * rng.standard_normal((len(y), C))
                z /= np.linalg.norm(z, axis=1, keepdims=True)
                logits = z @ w.T / tau
                loss = np.mean(np.logaddexp.reduce(logits, 1) - logits[np.arange(len(y)), y])
                assert loss >= floor - 1e-12


@pytest.mark.parametrize("margin", [0.0, 0.3])
@pytest.mark.parametrize("C, tau", [(2, 0.5), (5, 0.1), (4, 3.0)])
def test_balanced_unit_class_weights_reach_their_floor_at_the_simplex(C, tau, margin):
    apart = (margin - C / (C - 1)) / tau  # of a true class's logit from the others, less
    wanted = np.log1p((C - 1) * np.exp(apart))
    assert floors.weights_floor([1 / C] * C, tau, margin) == pytest.approx(wanted, abs=1e-14)


@pytest.mark.parametrize("C, n, K, tau", SETTINGS)
def test_the_mixture_reaches_its_floor_at_the_weight_of_the_softmax_only(C, n, K, tau):
    def floor(alpha):
        return floors.class_floor(floors.mixed(alpha), [n] * C, [1.0] * C, K, tau)

    assert floor(1 / n) == pytest.approx(ssem_minimum(C, n, K, tau, 1 / n), abs=1e-12)
    for alpha in {0.1, 0.3, 0.7, 1.0} - {1 / n}:
        assert floor(alpha) < ssem_minimum(C, n, K, tau, alpha) - 1e-6


@pytest.mark.parametrize("N, K, tau, share", [(6, 2, 0.3, 0.1), (4, 2, 1.5, 0.1), (5, 2, 0.7, 0.0)])
def test_debiased_losses_are_above_their_bound_and_known_at_the_simplex(N, K, tau, share):
    bound, found, proved = floors.debiased_floor(N, K, tau, share)
    y, simplex = torch.arange(N), torch.eye(N, dtype=torch.float64) - 1 / N
    loss = OBJECTIVES["debiased"]
    z = torch.nn.functional.normalize(simplex, dim=-1)[:, None].expand(-1, K, -1)
    assert float(loss(z, y, tau=tau, tau_plus=share)) == pytest.approx(found, abs=1e-12)
    least, rng = found if proved else bound, np.random.default_rng(3)
    assert bound == pytest.approx(np.log1p(K * (N - 1) * np.exp(-2 / tau))) and bound <= found
    for noise in (0.1, 0.5, 5.0):
        near = z.numpy() + noise * rng.standard_normal((N, K, N))
        near /= np.linalg.norm(near, axis=-1, keepdims=True)
        assert float(loss(torch.from_numpy(near), y, tau=tau, tau_plus=share)) >= least - 1e-12


def test_classes_without_a_loss_are_an_error():
    with pytest.raises(ValueError, match="no anchor of such a batch has a loss"):
        floors.class_floor(floors.TERMS["n_pairs"], [1, 1], [0.0, 0.0], 2, 1.0)


@pytest.mark.parametrize("name", floors.TERMS)
def test_low_temperatures_lose_no_floor(name):
    counts = [4, 3, 2]
    found = floors.class_floor(floors.TERMS[name], counts, [1.0] * 3, 2, 0.001)
    assert np.isfinite(found)
    assert found == pytest.approx(
        floors.class_floor(floors.TERMS[name], counts, [1.0] * 3, 2, 0.00101), abs=30
    )


@pytest.mark.parametrize("margin", [0.0, 0.1, 1.2, 1.6, 3.0])
def test_a_floor_of_triplets_is_the_balanced_minimum_and_below_every_embedding(margin):
    for C, n, K, tau in SETTINGS:
        found = floors.triplet_floor([n] * C, [1.0] * C, tau, margin)
        least = float(minima.triplet_minimum(C, n, K, tau, margin))
        assert found == pytest.approx(least, abs=1e-12)
    rng = np.random.default_rng(3)
    for counts in ([9, 2, 2, 1], [5, 3], [6, 1, 1, 1, 1]):
        y, tau = np.repeat(np.arange(len(counts)), counts), 0.5
        floor = floors.triplet_floor(counts, [1.0] * len(counts), tau, margin)
        for noise in (0.0, 0.1, 1.0):
            centres = rng.standard_normal((len(counts), 5))
            z = (centres - centres.mean(0))[y][:, None] + noise * rng.standard_normal(
                (len(y), 2, 5)
            )
            z = torch.from_numpy(z / np.linalg.norm(z, axis=-1, keepdims=True))
            loss = OBJECTIVES["triplet"](z, torch.from_numpy(y), tau=tau, margin=margin)
            assert loss.item() >= floor - 1e-12


def test_anchors_without_a_loss_weigh_nothing_in_a_floor_of_triplets():
    """One view: the class of one has no positive, the others are balanced beside it."""
    found = floors.triplet_floor([4, 4, 1], [1, 1, 0], 0.5, 3.0)
    y = torch.tensor([0] * 4 + [1] * 4 + [2])
    for angle in np.linspace(0, np.pi, 50):
        z = torch.zeros(9, 1, 2, dtype=torch.float64)
        z[:, 0, 0] = torch.tensor([1.0] * 4 + [-1.0] * 4 + [np.cos(angle)])
        z[8, 0, 1] = np.sin(angle)
        loss = OBJECTIVES["triplet"](z, y, tau=0.5, margin=3.0).item()
        assert found - 1e-12 <= loss
    assert found > (3 - 2.001) / 0.5
