"""Newton's method ends where the gradient is rounding, and does not leave the critical point."""

import torch

from supcon_theory.audits.studies import Study
from supcon_theory.free.curvature import hessian
from supcon_theory.free.optimise import gaussian_starts
from supcon_theory.free.polish import polished


def test_a_critical_point_is_reached_to_rounding_and_not_another_one():
    study = Study("spurious", C=4, n=2, K=1, d=3, seeds=4, taus=(0.1,))
    z, _ = study.minimised("nscl", 0.1)
    for start in z:
        end = polished("nscl", start, study.labels, 0.1)
        assert hessian("nscl", end, study.labels, 0.1)[0].norm() < 1e-12
        assert (end - start).norm() < 1e-5 and (end.norm(dim=-1) - 1).abs().max() < 1e-15
        again = polished("nscl", end, study.labels, 0.1)
        assert (again - end).norm() < 1e-13


def test_a_point_from_which_a_step_lengthens_the_gradient_stays():
    (z,) = gaussian_starts(1, 4, 1, 3, seed=0)
    y = torch.arange(4) // 2
    end = polished("nscl", z, y, 0.1)
    before, after = (float(hessian("nscl", x, y, 0.1)[0].norm()) for x in (z, end))
    assert after <= before
