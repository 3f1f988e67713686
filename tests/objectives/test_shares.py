"""Losses of samples that belong to several classes in shares, beside loops over pairs of rows."""

import itertools
import math

import pytest
import torch

from supcon_theory.objectives import IDS, OBJECTIVES
from supcon_theory.objectives.ids import OF_SHARES
from supcon_theory.objectives.shares import one_hot, shares_loss

N, K, C, D, TAU = 6, 3, 4, 5, 0.3


def batch(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Unit rows, shares and class weights."""
    generator = torch.Generator().manual_seed(seed)
    drawn = (torch.randn(*shape, generator=generator).double() for shape in ((N, K, D), (C, D)))
    z, weights = drawn
    shares = torch.rand(N, C, generator=generator).double() ** 3
    return torch.nn.functional.normalize(z, dim=-1), shares / shares.sum(1, keepdim=True), weights


def more(objective: str, weights: torch.Tensor) -> dict:
    return {"weights": weights} if objective == "cross_entropy" else {}


def supcon_loop(z: torch.Tensor, q: torch.Tensor) -> float:
    """Every pair of rows, one after another."""
    rows = list(itertools.product(range(N), range(K)))
    losses = []
    for i, k in rows:
        denominator = wanted = weight = 0.0
        for j, l in rows:
            if (i, k) == (j, l):
                continue
            s = float(z[i, k] @ z[j, l]) / TAU
            w = 1.0 if i == j else float(q[i] @ q[j])
            denominator += math.exp(s)
            wanted, weight = wanted + w * s, weight + w
        losses.append(math.log(denominator) - wanted / weight)
    return sum(losses) / len(losses)


@pytest.mark.parametrize("seed", range(3))
def test_supcon_weighs_positives_by_the_chance_of_one_class(seed):
    z, q, _ = batch(seed)
    assert shares_loss("supcon", z, q, tau=TAU).item() == pytest.approx(
        supcon_loop(z, q), rel=1e-12
    )


@pytest.mark.parametrize("seed", range(3))
def test_cross_entropy_is_the_mean_over_classes_weighted_by_shares(seed):
    z, q, weights = batch(seed)
    found = 0.0
    for c in range(C):
        y = torch.full((N,), c)
        of = OBJECTIVES["cross_entropy"](z, y, tau=TAU, weights=weights, reduction="none")
        found = found + (q[:, c, None] * of).mean()
    loss = shares_loss("cross_entropy", z, q, tau=TAU, weights=weights)
    assert loss.item() == pytest.approx(found.item(), rel=1e-12)


@pytest.mark.parametrize("objective", OF_SHARES)
def test_whole_shares_give_the_objective_itself_and_its_gradient(objective):
    z, _, weights = batch()
    y, of = torch.tensor([0, 1, 1, 2, 3, 0]), more(objective, weights)
    one, other = (z.clone().requires_grad_() for _ in range(2))
    plain = OBJECTIVES[objective](one, y, tau=TAU, **of)
    shared = shares_loss(objective, other, one_hot(y, C).double(), tau=TAU, **of)
    assert shared.item() == pytest.approx(plain.item(), rel=1e-12)
    plain.backward(), shared.backward()
    torch.testing.assert_close(one.grad, other.grad, rtol=1e-9, atol=1e-12)


def test_what_uses_no_labels_does_not_see_the_shares():
    z, q, _ = batch()
    for objective in ("dcl", "nt_xent"):
        assert shares_loss(objective, z, q, tau=TAU) == OBJECTIVES[objective](z, None, tau=TAU)


@pytest.mark.parametrize("objective", [name for name in IDS if name not in OF_SHARES])
def test_others_are_refused(objective):
    z, q, _ = batch()
    with pytest.raises(ValueError, match=f"^{objective} is not defined for samples of several"):
        shares_loss(objective, z, q, tau=TAU)


@pytest.mark.parametrize(
    "wrong", [lambda q: q[:-1], lambda q: 2 * q, lambda q: 2 * q - q.mean(1)[0]]
)
def test_shares_that_are_none_are_refused(wrong):
    z, q, _ = batch()
    with pytest.raises(ValueError, match="not negative, of sum 1"):
        shares_loss("supcon", z, wrong(q), tau=TAU)
    with pytest.raises(ValueError, match=r"must be \(6, 3\)"):
        shares_loss("cross_entropy", z, q, tau=TAU, weights=torch.ones(3, D).double())


def test_a_margin_is_refused():
    z, q, weights = batch()
    plain = shares_loss("cross_entropy", z, q, tau=TAU, weights=weights)
    assert shares_loss("cross_entropy", z, q, tau=TAU, weights=weights, margin=0.0) == plain
    with pytest.raises(ValueError, match=r"^margin is 0\.2; .* leave it at 0\.$"):
        shares_loss("cross_entropy", z, q, tau=TAU, weights=weights, margin=0.2)
