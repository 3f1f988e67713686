"""Hard negatives of free embeddings: what the audit says is what a slow look at them says."""

import numpy as np
import pytest
import torch

from supcon_theory.audits import hard_geometry
from supcon_theory.audits.hard_geometry import _slope
from supcon_theory.free.optimise import follow, gaussian_starts, into_ball, optimise
from supcon_theory.measures import means_geometry
from supcon_theory.theory.simplex import class_simplex
from supcon_theory.theory.tilt import best_cosine, critical_tilt, equal_cosine_loss


def test_a_simplex_deviates_in_nothing_and_each_fault_in_its_measure():
    z, y = class_simplex([3, 3, 3, 3], 2, 5)
    at = means_geometry(z, y)
    assert max(at.zero_sum, at.unit_norm, at.spread, at.equal_products) < 1e-12
    assert at.cosine == pytest.approx(-1 / 3)
    assert means_geometry(0.5 * z, y).unit_norm == pytest.approx(0.5)
    shifted = means_geometry(z + np.eye(5)[4], y)  # common direction, orthogonal to all
    assert shifted.zero_sum == pytest.approx(1) and shifted.equal_products > 0.5
    turned = z.copy()
    turned[y == 0] = turned[y == 1]
    assert means_geometry(turned, y).spread > 1


@pytest.mark.parametrize("tilt", [0.3, 3.0])
@pytest.mark.parametrize("C", [4, 9])
def test_the_slope_without_held_weights_is_that_of_the_closed_form(C, tilt):
    tau, h = 0.5, 1e-6
    for rho in (-0.9 / (C - 1), 0.1, 0.7):
        up, down = (equal_cosine_loss(C, tau, tilt, rho + s) for s in (h, -h))
        assert _slope(C, tau, tilt, rho, False) == pytest.approx((up - down) / (2 * h), abs=1e-7)
        assert _slope(C, tau, tilt, rho, True) > 0


def test_the_slope_with_held_weights_is_the_written_one():
    C, tau, b, rho = 4, 0.5, 2.0, 0.2
    a = 1 / tau
    M = np.expm1(equal_cosine_loss(C, tau, b, rho))
    weight = (C - 1) * np.exp(b * rho) / (np.exp(b) + (C - 1) * np.exp(b * rho))
    wanted = weight * a * np.exp(a * (rho - 1)) / (1 + M)
    assert _slope(C, tau, b, rho, True) == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize("tau", [1.0, 0.5])
@pytest.mark.parametrize("ratio", [0.8, 2.0])
def test_full_gradients_leave_the_etf_above_the_critical_tilt_only(ratio, tau):
    rows, spectra = hard_geometry.threshold_audit(3, 2, 3, tau, (ratio,), 2)
    best = min(rows, key=lambda row: row["loss"])
    tilt = ratio * critical_tilt(3, tau)
    assert best["cosine"] == pytest.approx(best_cosine(3, tau, tilt), abs=1e-5)
    assert (best["cosine"] > -0.49) == (ratio > 1)
    assert np.isnan(best["violation_etf"]) == (ratio < 1)
    assert [row["rank"] for row in spectra] == [1, 2]


def test_held_weights_go_to_the_etf_where_full_gradients_do_not():
    rows, _ = hard_geometry.held_audit(3, 2, 2, 1.0, 1.0, 1, 250)
    assert best_cosine(3, 1.0, 1.0) > -0.1
    assert rows[0]["rho_error"] < 0.1


def test_rows_of_the_ball_may_be_short_and_are_where_that_is_best():
    x = torch.tensor([[3.0, 4.0], [0.3, 0.4]])
    assert torch.allclose(into_ball(x), torch.tensor([[0.6, 0.8], [0.3, 0.4]]))
    y, options = torch.arange(5), {"beta": 1.2}  # above the critical tilt, without room for it
    starts = gaussian_starts(4, 5, 1, 4, 0)
    z, found = optimise("ucl_ball", starts, y, 1.0, 400, ball=True, **options)
    norms = z[int(found.value.argmin())].norm(dim=-1)
    assert norms.max() <= 1 + 1e-12 and norms.min() < 0.95
    _, unit = optimise("ucl_ball", starts, y, 1.0, 400, **options)
    assert found.value.min() < unit.value.min() - 1e-6


def test_adam_follows_and_starts_do_not_see_each_other():
    y, starts = torch.arange(3).repeat(2), gaussian_starts(2, 6, 1, 3, 0)
    both = follow("ucl_ball", starts, y, 1.0, 20)
    alone = follow("ucl_ball", starts[1:], y, 1.0, 20)
    assert torch.allclose(both[1:], alone, atol=1e-12)
    assert torch.allclose(both.norm(dim=-1), torch.ones(2, 6, 1, dtype=torch.float64))
