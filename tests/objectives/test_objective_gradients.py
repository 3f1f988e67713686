"""First and second derivatives of the objectives, with weights held and not."""

import math

import pytest
import torch

from tests.objectives.batches import OPTIONS, batch, value

HARD = ["hucl", "h_nscl", "hcl", "hscl"]


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize(("name", "options"), OPTIONS)
def test_the_gradient_is_that_of_finite_differences(name, options, K):
    z, y = batch(1, N=7, K=K, d=3)
    assert torch.autograd.gradcheck(lambda x: value(name, x, y, **options), z.requires_grad_())


@pytest.mark.parametrize(
    "name", ["dcl", "nscl", "supcon", "supcon_in", "hucl", "dhel", "hscl", "triplet"]
)
def test_second_derivatives_exist_and_are_right(name):
    z, y = batch(2, N=6, K=2, d=2)
    assert torch.autograd.gradgradcheck(lambda x: value(name, x, y), z.requires_grad_())


@pytest.mark.parametrize("tau", [0.5, 0.001])  # 0.001: shifted strips
def test_the_gradient_survives_a_second_backward_of_the_same_graph(tau):
    z, y = batch(3)
    loss = value("nscl", z.requires_grad_(), y, tau)
    first, second = (torch.autograd.grad(loss, z, retain_graph=True)[0] for _ in range(2))
    assert torch.equal(first, second)


@pytest.mark.parametrize("name", HARD)
def test_detached_weights_leave_the_value_and_give_the_gradient_of_constant_weights(name):
    z, y = batch(4, N=6, d=3)
    z.requires_grad_()
    beta, tau, K = 0.7, 0.5, 2
    options = {"positives": "own"} if name == "hscl" else {}
    loss = value(name, z, y, tau, beta=beta, detach_weights=True, **options)
    assert abs(loss - value(name, z, y, tau, beta=beta, **options)) < 1e-14
    rows, classes = z.flatten(0, 1), y.repeat_interleave(K)
    s = rows @ rows.T / tau
    sample = torch.arange(len(rows)) // K
    apart = classes if name in ("h_nscl", "hscl") else sample
    negatives = apart[:, None] != apart
    weights = torch.exp(beta * s).detach() * negatives
    m = (weights * s.exp()).sum(1) / weights.sum(1)
    partner = torch.stack([s[a, a ^ 1] for a in range(len(rows))])
    if name == "hcl":
        m = torch.clamp((m - 0.1 * partner.exp()) / 0.9, min=math.exp(-1 / tau))
    count = negatives.sum(1) if name == "h_nscl" else K * (len(y) - 1)
    wanted = torch.log1p(count * m / partner.exp()).mean()
    assert abs(loss - wanted) < 1e-12
    found, expected = (torch.autograd.grad(x, z)[0] for x in (loss, wanted))
    assert (found - expected).abs().max() < 1e-12
    through = torch.autograd.grad(value(name, z, y, tau, beta=beta, **options), z)[0]
    assert (found - through).abs().max() > 1e-4


@pytest.mark.parametrize("name", ["scl_ball", "ucl_ball"])
def test_detached_weights_of_class_level_losses_are_constant_too(name):
    z, y = batch(4, N=6, d=3)
    z.requires_grad_()
    beta, tau = 0.7, 0.5
    loss = value(name, z, y, tau, beta=beta, detach_weights=True)
    assert abs(loss - value(name, z, y, tau, beta=beta)) < 1e-14
    rows, classes = z.flatten(0, 1), y.repeat_interleave(2)
    s, same = rows @ rows.T / tau, classes[:, None] == classes
    weights = torch.exp(beta * s).detach() * (~same if name == "scl_ball" else 1)
    m = (weights * s.exp()).sum(1) / weights.sum(1)
    wanted = torch.log1p(m[:, None] / s.exp())[same].mean()
    assert abs(loss - wanted) < 1e-12
    found, expected = (torch.autograd.grad(x, z)[0] for x in (loss, wanted))
    assert (found - expected).abs().max() < 1e-12
    through = torch.autograd.grad(value(name, z, y, tau, beta=beta), z)[0]
    assert (found - through).abs().max() > 1e-4


@pytest.mark.parametrize("name", ["supcon", "supcon_in"])
def test_the_supcon_gradient_is_that_of_the_paper_with_both_halves(name):
    """dL/dz = (R + R^T) z, R = (P - X) / tau: X uniform (L_out) or softmax (L_in) on positives."""
    z, y = batch(5)
    tau, M = 0.3, 20
    (found,) = torch.autograd.grad(value(name, z.requires_grad_(), y, tau), z)
    rows, classes = z.detach().flatten(0, 1), y.repeat_interleave(2)
    s = rows @ rows.T / tau
    s.fill_diagonal_(-torch.inf)
    positive = (classes[:, None] == classes) & ~torch.eye(M, dtype=torch.bool)
    x = (s if name == "supcon_in" else 0 * rows @ rows.T).masked_fill(~positive, -torch.inf)
    x = x.softmax(1)
    r = (s.softmax(1) - x) / tau / M
    assert (found.flatten(0, 1) - (r + r.T) @ rows).abs().max() < 1e-13
