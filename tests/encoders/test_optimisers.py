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
