"""What a linear encoder keeps under the spectral loss: the closed form, by a grid and by L-BFGS."""

import itertools

import numpy as np
import pytest
import torch

from supcon_theory.free.linear_features import learnt_energies, spectral_loss
from supcon_theory.theory.features import kept_energies

PAIRS = list(itertools.product((1.0, -1.0), repeat=2))  # y, s


def by_loops(u, v, own, other_class):
    """The population loss, pair by pair."""
    z = [np.array(u) * y + np.array(v) * s for y, s in PAIRS]
    same = [(a, b) for a in range(4) for b in range(4) if PAIRS[a][0] == PAIRS[b][0]]
    different = [(a, b) for a in range(4) for b in range(4) if PAIRS[a][0] != PAIRS[b][0]]
    negatives = different if other_class else [(a, b) for a in range(4) for b in range(4)]
    itself = np.mean([z[a] @ z[a] for a in range(4)])
    mates = np.mean([z[a] @ z[b] for a, b in same])
    return -2 * (own * itself + (1 - own) * mates) + np.mean(
        [(z[a] @ z[b]) ** 2 for a, b in negatives]
    )


@pytest.mark.parametrize("other_class", [False, True])
@pytest.mark.parametrize("own", [0.0, 0.3, 1.0])
def test_the_loss_is_the_written_one(own, other_class):
    rng = np.random.default_rng(0)
    for _ in range(5):
        u, v = rng.standard_normal((2, 3))
        z = torch.tensor(np.array([u * y + v * s for y, s in PAIRS]))[None]
        found = spectral_loss(z, own, other_class).item()
        assert found == pytest.approx(by_loops(u, v, own, other_class), abs=1e-12)
        p, q, c = u @ u, v @ v, u @ v
        assert found == pytest.approx(-2 * (p + own * q) + p * p + q * q + 2 * c * c, abs=1e-12)


@pytest.mark.parametrize("own", [0.0, 0.5, 1.0])
def test_every_start_keeps_the_energies_of_the_closed_form(own):
    for strengths in ((1.0, 4.0), (2.0, 0.5)):
        energies, _ = learnt_energies(own, own == 1, strengths, 3, seed=1)
        assert np.abs(energies.numpy() - kept_energies(own)).max() < 1e-5


def test_a_weight_out_of_range_is_refused():
    with pytest.raises(ValueError, match="in \\[0, 1\\]"):
        kept_energies(1.5)


def test_free_features_have_no_least_loss_where_negatives_are_of_other_classes():
    one_hot = torch.eye(2, dtype=torch.float64)[[0, 0, 1, 1]][None]
    values = [spectral_loss(r * one_hot, 1.0, True).item() for r in (1, 10, 100)]
    assert values == pytest.approx([-2, -200, -20000])
