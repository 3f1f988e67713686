"""How far an encoder is trained, at both ends of the scale and where there is none."""

import numpy as np
import pytest
import torch

from supcon_theory.audits.accuracy import training_row
from supcon_theory.theory.simplex import class_simplex


@pytest.mark.parametrize("objective", ["supcon", "supcon_in", "nscl"])
def test_nothing_is_left_at_the_simplex_and_everything_at_a_point(objective):
    y = torch.arange(4).repeat_interleave(3)
    simplex = torch.as_tensor(class_simplex([3] * 4, 2, 5)[0])
    found = training_row(simplex, y, objective, 0.3, {})
    assert found["left"] == pytest.approx(0, abs=1e-9)
    assert found["violation_least"] <= 1e-9
    point = torch.nn.functional.normalize(torch.ones(12, 2, 5, dtype=torch.float64), dim=-1)
    assert training_row(point, y, objective, 0.3, {})["left"] == pytest.approx(1)


def test_without_a_known_minimum_nothing_is_said():
    z = torch.nn.functional.normalize(torch.randn(12, 2, 5), dim=-1)
    y = torch.arange(4).repeat_interleave(3)
    for objective, options in (("cross_entropy", {}), ("supcon", {"max_positives": 1})):
        assert np.isnan(list(training_row(z, y, objective, 0.3, options).values())).all()
    unequal = training_row(z, torch.tensor([0] * 7 + [1] * 5), "supcon", 0.3, {})
    assert np.isnan(list(unequal.values())).all()


def test_an_instance_simplex_that_does_not_fit_is_no_end_of_the_scale():
    z = torch.nn.functional.normalize(torch.randn(12, 2, 5), dim=-1)
    found = training_row(z, torch.arange(4).repeat_interleave(3), "nt_xent", 0.3, {})
    assert np.isnan(found["left"]) and found["violation_least"] < 0
