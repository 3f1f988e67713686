import pytest
import torch

from supcon_theory.encoders.optimisers import LARS, OPTIMISERS


def test_lars_is_its_equations():
    generator = torch.Generator().manual_seed(0)
    weight = torch.nn.Parameter(torch.randn(3, 4, generator=generator, dtype=torch.float64))
    bias = torch.nn.Parameter(torch.zeros(3, dtype=torch.float64))
    w, b, v, u = weight.detach().clone(), bias.detach().clone(), 0.0, 0.0
    optimiser = LARS([weight, bias], lr=0.5, weight_decay=0.1, momentum=0.8, trust=0.02)
    for _ in range(3):
        gradients = (
            torch.randn(3, 4, generator=generator, dtype=torch.float64),
            torch.ones(3).double(),
        )
        weight.grad, bias.grad = gradients
        optimiser.step()
        g = gradients[0] + 0.1 * w
        v = 0.8 * v + 0.02 * w.norm() / g.norm() * g
        u = 0.8 * u + gradients[1]
        w, b = w - 0.5 * v, b - 0.5 * u
        torch.testing.assert_close(weight.detach(), w, rtol=0, atol=1e-14)
        torch.testing.assert_close(bias.detach(), b, rtol=0, atol=1e-14)


@pytest.mark.parametrize("name", OPTIMISERS)
def test_every_optimiser_lowers_a_quadratic(name):
    weight = torch.nn.Parameter(torch.ones(2, 2))
    optimiser = OPTIMISERS[name]([weight], lr=0.1, weight_decay=0.0)
    for _ in range(50):
        optimiser.zero_grad()
        weight.square().sum().backward()
        optimiser.step()
    assert weight.square().sum() < 3.9


def test_lars_moves_a_weight_that_is_zero_and_one_without_a_gradient_stays():
    """With q = trust |w| / |u| a zero weight would stay zero, and a zero update be 0 / 0."""
    zero, still = (torch.nn.Parameter(torch.full((2, 3), value)) for value in (0.0, 2.0))
    zero.grad, still.grad = torch.ones(2, 3), torch.zeros(2, 3)
    optimiser = LARS([zero, still], lr=0.5, weight_decay=0.0, momentum=0.0)
    optimiser.step()
    assert torch.equal(zero.detach(), torch.full((2, 3), -0.5))
    assert torch.equal(still.detach(), torch.full((2, 3), 2.0))
    both = torch.nn.Parameter(torch.zeros(2, 3))
    both.grad = torch.zeros(2, 3)
    LARS([both], lr=0.5, weight_decay=0.1).step()
    assert torch.equal(both.detach(), torch.zeros(2, 3))
