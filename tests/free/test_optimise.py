"""Free embeddings: the batched optimiser, the batched losses, curvature along the spheres."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize as scipy_minimise

from supcon_theory.audits.frames import prototypes_audit
from supcon_theory.free import curvature
from supcon_theory.free.lbfgs import minimise, value_and_gradient
from supcon_theory.free.optimise import (
    gaussian_starts,
    kept_long,
    losses,
    onto_sphere,
    optimise,
)
from supcon_theory.objectives import OBJECTIVES
from supcon_theory.theory.minima import MINIMA, nscl_minimum
from supcon_theory.theory.simplex import class_simplex, instance_simplex
from tests.objectives.test_loop_references import LOSSES


def labels(C, n):
    return torch.arange(C).repeat_interleave(n)


def torch_simplex(build, counts, K, d):
    z, y = build(counts, K, d)
    return torch.from_numpy(z), torch.from_numpy(y)


# ---- losses -------------------------------------------------------------------------------------
@pytest.mark.parametrize("tau", [0.05, 0.5, 2.0])
@pytest.mark.parametrize("counts", [[3, 3, 3], [4, 2, 1]])
@pytest.mark.parametrize("objective", LOSSES)
def test_batched_losses_are_the_objectives(objective, counts, tau):
    y = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    for K in (2, 3):
        z = gaussian_starts(4, len(y), K, 5, seed=1)
        expected = torch.stack([OBJECTIVES[objective](row, y, tau=tau) for row in z])
        torch.testing.assert_close(losses(objective, y, tau)(z), expected, atol=1e-11, rtol=1e-11)


def test_the_gap_is_the_difference_of_the_two_losses():
    y, z = labels(3, 4), gaussian_starts(3, 12, 2, 4, seed=2)
    expected = losses("dcl", y, 0.3)(z) - losses("nscl", y, 0.3)(z)
    torch.testing.assert_close(losses("gap", y, 0.3)(z), expected)


def test_single_views_work_where_the_positive_is_the_anchor_itself():
    z, y = gaussian_starts(2, 6, 1, 3, seed=3), labels(3, 2)
    assert torch.isfinite(losses("nscl", y, 0.5)(z)).all()
    with pytest.raises(ValueError, match="K >= 2"):
        losses("nscl_coupled", y, 0.5)(z)


@pytest.mark.parametrize(
    "arguments, word",
    [
        (("nscl", labels(1, 4), 1.0), "at least two classes"),
        (("gap", labels(1, 4), 1.0), "at least two classes"),
        (("nothing", labels(2, 2), 1.0), "one of"),
        (("nscl", labels(2, 2), 0.0), r"tau is 0\.0"),
    ],
)
def test_what_cannot_be_optimised_is_said(arguments, word):
    with pytest.raises(ValueError, match=word):
        losses(*arguments)(gaussian_starts(2, 4, 2, 3, seed=0))


# ---- optimiser ----------------------------------------------------------------------------------
def rosenbrock(x):
    return (100 * (x[:, 1:] - x[:, :-1] ** 2) ** 2 + (1 - x[:, :-1]) ** 2).sum(1)


def test_every_start_reaches_the_minimum_of_a_hard_valley():
    starts = torch.randn(8, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = minimise(rosenbrock, starts, gradient_tolerance=1e-8)
    assert not found.stalled.any()
    near_one = (found.x - 1).abs().amax(1) < 1e-6
    assert near_one.any()  # in four dimensions there is a second minimum near (-1, 1, 1, 1)
    for end in found.x[~near_one]:
        gradient = value_and_gradient(rosenbrock, end[None])[1]
        assert gradient.norm() < 1e-7


def test_starts_do_not_influence_each_other():
    starts = torch.randn(5, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    together = minimise(rosenbrock, starts)
    for k in range(5):
        alone = minimise(rosenbrock, starts[k : k + 1])
        torch.testing.assert_close(alone.x[0], together.x[k], atol=1e-9, rtol=0)
        assert alone.iterations[0] == together.iterations[k]


def test_a_quadratic_is_solved_in_as_few_steps_as_scipy_needs():
    scale = torch.logspace(0, 4, 30, dtype=torch.float64)
    start = torch.ones(1, 30, dtype=torch.float64)
    found = minimise(lambda x: (scale * x**2).sum(1) / 2, start, gradient_tolerance=1e-6)
    s = scale.numpy()
    other = scipy_minimise(
        lambda x: (s @ x**2) / 2,
        np.ones(30),
        jac=lambda x: s * x,
        method="L-BFGS-B",
        options={"maxcor": 20, "ftol": 0, "gtol": 1e-7},
    )
    assert not found.stalled[0]
    assert found.iterations[0] <= 2 * other.nit


def test_too_few_iterations_are_reported_as_stalled():
    start = torch.tensor([[-1.2, 1.0], [1.0, 1.0]], dtype=torch.float64)
    found = minimise(rosenbrock, start, iterations=3)
    assert found.stalled.tolist() == [True, False]
    assert found.gradient_norm[0] > 1e-3


def test_a_function_without_a_minimum_stalls_instead_of_claiming_one():
    found = minimise(lambda x: -x.sum(1), torch.zeros(1, 2, dtype=torch.float64), iterations=30)
    assert found.stalled[0]


@pytest.mark.parametrize("objective", ["nscl", "nscl_coupled", "supcon"])
def test_with_room_every_start_collapses_to_the_minimum(objective):
    C, n, K, tau = 3, 3, 2, 0.3
    z, found = optimise(objective, gaussian_starts(6, C * n, K, C + 2, 0), labels(C, n), tau)
    assert not found.stalled.any()
    assert (found.value - MINIMA[objective](C, n, K, tau)).abs().max() < 1e-12
    centres = z.flatten(1, 2).view(6, C, n * K, -1)
    assert (centres - centres.mean(2, keepdim=True)).abs().max() < 1e-5
    gram = centres.mean(2) @ centres.mean(2).transpose(1, 2)
    assert (gram - (torch.eye(C) * 1.5 - 0.5)).abs().max() < 1e-5


def test_gap_ascent_returns_the_largest_gap_of_two_classes():
    y = labels(2, 3)
    _z, found = optimise("gap", gaussian_starts(6, 6, 1, 1 + 1, 0), y, 1.0)
    ceiling = np.log1p((2 / 3) * np.exp(2.0))
    assert found.value.max() == pytest.approx(ceiling, abs=1e-10)


def test_a_row_that_a_line_search_takes_to_the_origin_is_no_end():
    short = torch.full((1, 2, 1, 3), 1e-13, dtype=torch.float64)
    assert torch.allclose(onto_sphere(short).norm(dim=-1), torch.ones_like(short[..., 0]))
    long = torch.ones(2, 2, 1, 3, dtype=torch.float64)
    long[1, 0] = 0.2  # of norm .35
    assert kept_long(torch.tensor([3.0, 4.0]), long).tolist() == [3.0, float("inf")]
    for C, n, weight in ((3, 2, 1.0), (3, 3, 0.1)):  # rows pulled across the sphere
        rows = prototypes_audit(C, n, 0.5, (weight,), 12)
        assert not any(row["stalled"] for row in rows)


def test_single_precision_is_refused():
    with pytest.raises(TypeError, match="float64"):
        optimise("nscl", gaussian_starts(1, 4, 2, 3, 0).float(), labels(2, 2), 1.0)


# ---- curvature ----------------------------------------------------------------------------------
def test_the_hessian_is_the_second_difference_along_great_circles():
    y, z = labels(2, 2), gaussian_starts(1, 4, 2, 3, seed=4)[0]
    _, second, basis = curvature.hessian("nscl", z, y, 0.5)
    directions = curvature.random_directions(z, 5, torch.Generator().manual_seed(0), False)
    function, h = losses("nscl", y, 0.5), 1e-3
    for direction, found in zip(
        directions, curvature.curvature_along(second, basis, directions), strict=False
    ):
        speed = direction.norm(dim=-1, keepdim=True)

        t = torch.tensor([h, 0, -h]).view(3, 1, 1, 1)
        path = z * torch.cos(t * speed) + direction / speed * torch.sin(t * speed)
        difference = 8 * function(path) @ torch.tensor([1.0, -2, 1]).double() / h**2  # N K = 8
        assert float(found) == pytest.approx(float(difference), abs=1e-4)


@pytest.mark.parametrize("d, rank, expected", [(3, 3, 3), (4, 3, 6), (6, 3, 12), (5, 2, 7)])
def test_rotations_of_a_rank_deficient_set_are_counted(d, rank, expected):
    z = torch.nn.functional.pad(gaussian_starts(1, 5, 2, rank, seed=5)[0], (0, d - rank))
    basis = curvature.tangent_basis(z.reshape(-1, d))
    assert curvature.rotation_modes(z, basis).shape[1] == expected


def spectrum_at(objective, z, y, tau):
    return curvature.spectrum(z, *curvature.hessian(objective, z, y, tau))


@pytest.mark.parametrize(
    "C, n, K, tau, d", [(4, 5, 2, 1.0, 4), (3, 3, 3, 1.0, 3), (3, 2, 1, 0.3, 5)]
)
def test_the_class_simplex_is_a_strict_minimum_of_nscl_and_a_strict_saddle_of_dcl(C, n, K, tau, d):
    z, y = torch_simplex(class_simplex, [n] * C, K, d)
    minimum = spectrum_at("nscl", z, y, tau)
    assert minimum.gradient_norm < 1e-12 and minimum.smallest > 1e-3
    saddle = spectrum_at("dcl", z, y, tau)
    assert saddle.gradient_norm < 1e-12 and saddle.values[0] < -1e-3


def test_the_instance_simplex_is_a_strict_minimum_of_dcl():
    z, y = torch_simplex(instance_simplex, [2, 2], 2, 3)
    assert spectrum_at("dcl", z, y, 0.5).smallest > 1e-3


def test_near_the_smallest_dimension_nscl_has_a_strict_minimum_with_a_split_class():
    C, n, K, tau, d = 4, 5, 2, 1.0, 3
    z, found = optimise("nscl", gaussian_starts(20, C * n, K, d, 0), labels(C, n), tau)
    excess = found.value - nscl_minimum(C, n, K, tau)
    stuck = z[excess > 1e-3]
    assert len(stuck) >= 1
    at = spectrum_at("nscl", stuck[0], labels(C, n), tau)
    assert at.rotations == 3 and at.smallest > 0.1 and at.rotation_residual < 1e-5
    assert (at.values.abs() < 1e-6).sum() == 3
