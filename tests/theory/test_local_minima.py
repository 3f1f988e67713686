"""The constant against automatic derivatives, the trap against functions that attain its bounds."""

import math

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from supcon_theory.objectives import OBJECTIVES
from supcon_theory.theory import local_minima
from supcon_theory.theory.local_minima import newton_condition, third_derivative_bound, trap


def along(objective: str, z: torch.Tensor, v: torch.Tensor, y: torch.Tensor, tau: float):
    """The loss of each anchor along the geodesic from z with velocity v, and N K times the mean."""
    speed = v.norm(dim=-1, keepdim=True)
    direction = torch.where(speed > 0, v / speed.clamp(min=1e-300), 0)

    def at(t: torch.Tensor) -> torch.Tensor:
        moved = torch.cos(speed * t) * z + torch.sin(speed * t) * direction
        return OBJECTIVES[objective](moved, y, tau=tau, reduction="none").sum()

    return at


def third_derivative(at) -> float:
    first = torch.func.grad(at)
    third = torch.func.grad(torch.func.grad(first))
    return float(third(torch.zeros((), dtype=torch.float64)))


@pytest.mark.parametrize("tau", [0.1, 0.5, 1.0, 3.0])
@pytest.mark.parametrize("objective", ["nscl", "dcl", "nt_xent", "supcon"])
def test_no_third_derivative_along_a_geodesic_is_above_the_bound(objective, tau):
    generator = torch.Generator().manual_seed(0)
    y, worst = torch.arange(6) % 3, 0.0
    for k in range(12):
        z = normalize(torch.randn(6, 2, 3, generator=generator, dtype=torch.float64), dim=-1)
        v = torch.randn(6, 2, 3, generator=generator, dtype=torch.float64)
        if k % 2:  # two rows move, as in the extreme case of the proof
            v[1:, :] = 0
        v = v - (v * z).sum(-1, keepdim=True) * z
        at = along(objective, z, v / v.norm(), y, tau)
        worst = max(worst, abs(third_derivative(at)))
    assert 0 < worst <= 12 * third_derivative_bound(tau)


def test_the_parts_of_the_constant_are_extreme_values():
    p = np.linspace(0, 1, 100_001)
    cumulant = np.abs(p * (1 - p) * (1 - 2 * p)).max() * (2 * math.sqrt(2)) ** 3
    tau = np.array([0.05, 0.3, 1.0, 7.0])
    expected = cumulant / tau**3 + 3 * math.sqrt(2) * 2 / tau**2 + 2 * 2**1.5 / tau
    found = [third_derivative_bound(float(t)) for t in tau]
    np.testing.assert_allclose(found, expected, rtol=1e-8)


@pytest.mark.parametrize(
    "g, curvature, L", [(0.1, 1.0, 2.0), (1e-12, 0.3, 1e5), (0.0, 1.0, 1.0), (0.4999, 1.0, 1.0)]
)
def test_the_trap_is_that_of_the_cubic_that_attains_every_bound(g, curvature, L):
    found = trap(g, curvature, L)
    slope = lambda t: -g + curvature * t - L * t**2 / 2  # noqa: E731
    assert slope(found.inner) == pytest.approx(0, abs=1e-15)
    assert slope(found.outer) == pytest.approx(0, abs=1e-12 * (1 + L * found.outer**2))
    assert slope((found.inner + found.outer) / 2) > 0
    t = np.linspace(0, found.outer, 200_001)
    value = -g * t + curvature * t**2 / 2 - L * t**3 / 6
    assert -value.min() <= found.drop + 1e-18 and found.drop == pytest.approx(
        -value.min(), rel=1e-6
    )
    assert newton_condition(g, curvature, L) < 0.5


@pytest.mark.parametrize("g, curvature", [(0.5, 1.0), (0.1, 0.0), (0.1, -1.0), (math.nan, 1.0)])
def test_nothing_is_proved_where_the_condition_fails(g, curvature):
    assert all(math.isnan(part) for part in trap(g, curvature, 1.0))


def test_the_allowance_covers_the_rounding_of_a_gradient():
    from supcon_theory.free.curvature import hessian

    generator = torch.Generator().manual_seed(1)
    y = torch.arange(8) // 2
    for tau in (0.1, 1.0):
        z = normalize(torch.randn(8, 2, 4, generator=generator, dtype=torch.float64), dim=-1)
        turned = torch.linalg.qr(torch.randn(4, 4, generator=generator, dtype=torch.float64))[0]
        norms = [float(hessian("nscl", x, y, tau)[0].norm()) for x in (z, z @ turned)]
        assert abs(norms[0] - norms[1]) < local_minima.rounding(16, 4, tau)


def test_a_temperature_that_is_not_positive_is_refused():
    with pytest.raises(ValueError, match="tau is 0 but must be positive"):
        third_derivative_bound(0)
