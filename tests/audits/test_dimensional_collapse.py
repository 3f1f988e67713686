"""Class means of trained embeddings: at the ETF, and where they have lost dimensions."""

import numpy as np
import pytest
import torch

from supcon_theory.audits.dimensional_collapse import geometry_row, loss_row
from supcon_theory.measures import means_spectrum
from supcon_theory.theory.simplex import class_simplex


def at_etf(C=5, n=3, d=4):
    return map(torch.from_numpy, class_simplex([n] * C, 2, d))


def test_the_etf_has_all_dimensions_no_deviation_and_the_least_loss():
    z, y = at_etf()
    row = geometry_row(z, y, z, y)
    for name in ("equal_products", "unit_norm", "zero_sum", "within_class_variance", "error"):
        assert row[name] == pytest.approx(0, abs=1e-7), name
    assert row["means_rank"] == pytest.approx(4) and row["values_kept"] == 4
    for tilt in (0.0, 5.0, 30.0):
        found = loss_row("scl_ball", z, y, 1.0, tilt, "ball")
        assert found["violation_minimum"] == pytest.approx(0, abs=1e-9)
        assert found["violation_order"] <= 1e-9
    assert np.isnan(loss_row("scl_ball", z, y, 1.0, 5.0, "none")["violation_minimum"])
    assert np.isnan(loss_row("ucl_ball", z, y, 1.0, 5.0, "ball")["violation_minimum"])


def test_a_dimension_that_is_lost_is_counted():
    z, y = at_etf()
    flat = z.clone()
    flat[..., 0] *= 1e-4
    row = geometry_row(flat, y, flat, y)
    assert row["values_kept"] == 3 and row["means_rank"] < 3.1
    spectrum = means_spectrum(flat, y)
    assert spectrum[3] < 1e-3 * spectrum[0] and len(spectrum) == 4


def test_hardening_raises_the_loss_of_loose_classes_and_short_rows_are_above_the_minimum():
    z, y = at_etf()
    noise = torch.randn(z.shape, generator=torch.Generator().manual_seed(0)).double()
    loose = torch.nn.functional.normalize(z + 0.5 * noise, dim=-1)
    plain, hard = (loss_row("scl_ball", loose, y, 1.0, b, "ball") for b in (0.0, 5.0))
    assert hard["loss"] > plain["loss"] + 0.01 and hard["violation_order"] < 0
    short = loss_row("scl_ball", 0.5 * z, y, 1.0, 5.0, "ball")
    assert short["violation_minimum"] < -0.05
