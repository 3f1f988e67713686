import numpy as np
import pytest
import torch

from supcon_theory.audits.above_floor import above_floor
from supcon_theory.objectives import OBJECTIVES
from supcon_theory.theory.minima import nscl_coupled_minimum, nscl_minimum
from supcon_theory.theory.simplex import class_simplex


@pytest.mark.parametrize("K, tau", [(2, 1.0), (3, 0.2)])
def test_it_is_the_objective_minus_its_minimum(K, tau):
    z = torch.nn.functional.normalize(torch.randn(12, K, 5, dtype=torch.float64), dim=-1)
    y = torch.arange(4).repeat(3)
    found = above_floor(z, y, tau)
    for name, floor in (("nscl", nscl_minimum), ("nscl_coupled", nscl_coupled_minimum)):
        expected = OBJECTIVES[name](z, y, tau=tau).item() - float(floor(4, 3, K, tau))
        assert found[f"{name}_above_floor"] == pytest.approx(expected, abs=1e-12)
        assert expected > 0


def test_it_is_zero_at_the_simplex_of_the_classes():
    z, y = class_simplex([3] * 4, 2, 6)
    found = above_floor(torch.as_tensor(z), torch.as_tensor(y), 0.5)
    assert max(map(abs, found.values())) < 1e-12


def test_unbalanced_classes_have_no_such_floor():
    z = torch.nn.functional.normalize(torch.randn(5, 2, 3), dim=-1)
    assert np.isnan(above_floor(z, torch.tensor([0, 0, 0, 1, 1]), 1.0)["nscl_above_floor"])
