"""The critical tilt of class-level hard negatives, against slow searches and the objective."""

import numpy as np
import pytest
import torch

from supcon_theory.objectives import OBJECTIVES
from supcon_theory.theory.tilt import best_cosine, critical_tilt, equal_cosine_loss

SETTINGS = [(2, 1.0), (3, 0.5), (5, 1.0), (10, 0.3), (200, 2.0)]


def embedded(C, rho):
    """C unit rows in C dimensions, every two at cosine rho, from the eigenvalues of their Gram."""
    values, vectors = np.linalg.eigh(np.full((C, C), rho) + (1 - rho) * np.eye(C))
    return torch.from_numpy(vectors * np.sqrt(values.clip(0)))[:, None]


@pytest.mark.parametrize("tau", [0.2, 1.0])
@pytest.mark.parametrize(("C", "rho"), [(2, -1.0), (4, -1 / 3), (4, 0.2), (6, 0.9)])
def test_the_loss_of_the_family_is_the_objective(C, rho, tau):
    z, y = embedded(C, rho).repeat_interleave(3, 0), torch.arange(C).repeat_interleave(3)
    for tilt in (0.0, 1.0, 7.0):
        wanted = OBJECTIVES["ucl_ball"](z, y, tau=tau, beta=tilt * tau).item()
        assert float(equal_cosine_loss(C, tau, tilt, rho)) == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize(("C", "tau"), SETTINGS)
def test_the_best_cosine_is_that_of_a_fine_grid(C, tau):
    grid = np.linspace(-1 / (C - 1), 1, 200_001)
    for tilt in (0.0, 0.1, 0.5, 1.0, 3.0, 10.0):
        values = equal_cosine_loss(C, tau, tilt, grid)
        found = best_cosine(C, tau, tilt)
        assert found == pytest.approx(grid[values.argmin()], abs=2e-5 + 1e-6 * tilt)
        assert equal_cosine_loss(C, tau, tilt, found) <= values.min() + 1e-13


@pytest.mark.parametrize(("C", "tau"), SETTINGS)
def test_the_etf_is_best_just_up_to_the_critical_tilt(C, tau):
    b, etf = critical_tilt(C, tau), -1 / (C - 1)
    assert 0 < b < C - 1 + 1e-12
    assert best_cosine(C, tau, b * (1 - 1e-6)) == etf < best_cosine(C, tau, b * (1 + 1e-6))
    assert best_cosine(C, tau, b * (1 + 1e-6)) == pytest.approx(etf, abs=1e-3)  # continuous
    at = equal_cosine_loss(C, tau, 2 * b, [etf, best_cosine(C, tau, 2 * b)])
    assert at[1] < at[0]


def test_known_critical_tilts():
    found = [round(critical_tilt(C, 0.5), 2) for C in (2, 5, 10, 100, 200)]
    assert found == [0.07, 0.54, 0.98, 2.57, 3.08]


@pytest.mark.parametrize(
    ("f", "arguments", "words"),
    [
        (critical_tilt, (1, 1.0), "at least 2"),
        (critical_tilt, (3, 0.0), "positive"),
        (best_cosine, (3, 1.0, -1.0), "at least 0"),
        (best_cosine, (3, 1.0, np.inf), "finite"),
        (equal_cosine_loss, (3, 1.0, 1.0, -0.6), r"\[-1/\(C-1\), 1\]"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(f, arguments, words):
    with pytest.raises(ValueError, match=words):
        f(*arguments)
