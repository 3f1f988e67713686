"""Learned temperatures, rows off the sphere, torch.func: derivatives that must agree."""

import inspect

import pytest
import torch
from torch.nn.functional import normalize

from supcon_theory.objectives import IDS, OBJECTIVES
from tests.objectives import test_loop_references
from tests.objectives.batches import OPTIONS, batch
from tests.objectives.test_loop_references import LOSSES, Rows
from tests.objectives.test_loop_references import batch as small

CLASSIFIER = [("cross_entropy", {}), ("cross_entropy", {"margin": 0.3})]
FREE = [name for name in LOSSES if "unit" in inspect.signature(OBJECTIVES[name]).parameters]


def loss(name, y, **options):
    weights = {"weights": torch.eye(3, 5, dtype=torch.float64)} if name == "cross_entropy" else {}
    return lambda z, tau=0.5: OBJECTIVES[name](z, y, tau=tau, **weights, **options)


def gradient(f, *arguments):
    arguments = [a.clone().requires_grad_() for a in arguments]
    return torch.autograd.grad(f(*arguments), arguments)


# ---- the temperature ----------------------------------------------------------------------------
@pytest.mark.parametrize("tau", [0.05, 0.5, 0.0005])
@pytest.mark.parametrize("name", IDS)
def test_a_learned_temperature_has_the_gradient_of_finite_differences(name, tau):
    z, y = batch(0)
    f, h = loss(name, y), tau * 1e-6
    wanted = (f(z, tau + h) - f(z, tau - h)).item() / (2 * h)
    found = gradient(f, z, torch.tensor(tau, dtype=torch.float64))
    assert abs(f(z, torch.tensor(tau, dtype=torch.float64)) - f(z, tau)) < 1e-14 / tau
    assert abs(found[1].item() - wanted) < 1e-7 * max(abs(wanted), 1 / tau)
    assert (found[0] - gradient(lambda z: f(z, tau), z)[0]).abs().max() < 1e-12 / tau


@pytest.mark.parametrize("name", ["nt_xent", "supcon", "nscl"])
def test_the_gradient_of_a_temperature_equals_that_of_the_loops(name):
    z, y = small("imbalanced", 2, 0)
    tau = torch.tensor(0.3, dtype=torch.float64)
    s = (z.flatten(0, 1) @ z.flatten(0, 1).T).view(11, 2, 11, 2)
    r, total = Rows(z, y, 0.3), 0.0
    for a in r.all:
        positives = r.P(a) if name == "supcon" else r.own(a) + [a] * (name == "nscl")
        for p in positives:
            rest = {"nt_xent": [p, *r.ins(a)], "supcon": r.P(a) + r.oth(a), "nscl": r.oth(a)}[name]
            weights = torch.tensor([s[*a, *b] / 0.3 for b in rest]).softmax(0)
            mean = sum(w * s[*a, *b] for w, b in zip(weights, rest, strict=True))
            total += (s[*a, *p] - mean) / 0.3**2 / len(positives) / len(r.all)
    found = gradient(loss(name, y), z, tau)[1]
    assert abs(found - total) < 1e-12 * abs(total)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_temperature_of_another_type_does_not_change_that_of_the_loss(dtype):
    z, y = batch(0)
    tau = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)  # 0.5 in every type
    wanted = OBJECTIVES["nscl"](z, y, tau=0.5)
    assert OBJECTIVES["nscl"](z, y, tau=tau.to(dtype)) == wanted
    found = OBJECTIVES["nscl"](z.float(), y, tau=tau)
    assert found.dtype == torch.float32 and abs(found - wanted) < 1e-6


# ---- off the sphere -----------------------------------------------------------------------------
@pytest.mark.parametrize("name", FREE)
def test_rows_of_any_length_are_logits_of_their_own(name):
    """Lengths and temperature enter through <z_a, z_b> / tau only; derivatives as anywhere."""
    z, y = batch(1, N=7, d=3)
    z = z * torch.linspace(0.2, 3, 7, dtype=torch.float64)[:, None, None]
    f = loss(name, y, unit=False)
    assert abs(f(3 * z, 9 * 0.5) - f(z, 0.5)) < 1e-12
    wanted = getattr(test_loop_references, name)(Rows(z, y, 0.5))
    assert abs(f(z) - wanted) < 1e-12 * max(1, abs(wanted))
    assert torch.autograd.gradcheck(f, z.requires_grad_())
    with pytest.raises(ValueError, match="norm"):
        loss(name, y)(z)


@pytest.mark.parametrize("size", [1e-30, 1e3, 1e15])
@pytest.mark.parametrize("name", FREE)
def test_values_and_gradients_are_finite_in_the_stated_range(name, size):
    z, y = batch(2)
    z = (z * size).float().requires_grad_()  # ||z||^2 (1 + beta) / tau up to 4e30 < 1e38 / 20
    value = loss(name, y, unit=False)(z)
    (found,) = torch.autograd.grad(value, z)
    assert value.isfinite() and found.isfinite().all()


def test_a_row_whose_square_is_no_number_is_named():
    z, y = batch(2)
    with pytest.raises(ValueError, match=r"squares.*\[0, 0\]"):
        loss("nscl", y, unit=False)(z.float() * 1e30)


# ---- function transforms ------------------------------------------------------------------------
@pytest.mark.parametrize("tau", [0.5, 0.001])  # 0.001: shifted
@pytest.mark.parametrize(("name", "options"), [*OPTIONS, *CLASSIFIER])
def test_grad_and_jvp_equal_autograd(name, options, tau):
    z, y = batch(3)
    f = loss(name, y, **options)
    (wanted,) = gradient(lambda z: f(z, tau), z)
    found = torch.func.grad(lambda z: f(z, tau))(z)
    close = dict(rtol=0, atol=1e-12 / tau)
    torch.testing.assert_close(found, wanted, **close)
    direction = torch.randn(z.shape, generator=torch.Generator().manual_seed(0)).double()
    value, slope = torch.func.jvp(lambda z: f(z, tau), (z,), (direction,))
    assert abs(value - f(z, tau)) < 1e-12 / tau
    assert abs(slope - (wanted * direction).sum()) < 1e-10 / tau
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(z, direction)
        slope = torch.autograd.forward_ad.unpack_dual(f(dual, tau)).tangent
    assert abs(slope - (wanted * direction).sum()) < 1e-10 / tau
    temperature = torch.tensor(tau, dtype=torch.float64)
    both = torch.func.grad(f, argnums=(0, 1))(z, temperature)
    torch.testing.assert_close(both, gradient(f, z, temperature), rtol=1e-9, atol=1e-9 / tau)


@pytest.mark.parametrize(("name", "options"), [*OPTIONS, *CLASSIFIER])
def test_vmap_equals_a_loop(name, options):
    z = torch.stack([batch(seed)[0] for seed in range(3)])
    y = batch(0)[1]
    f = loss(name, y, **options)
    wanted = torch.stack([gradient(f, row)[0] for row in z])
    for in_dim, stack in ((0, z), (1, z.movedim(0, 1)), (3, z.movedim(0, 3))):
        found = torch.func.vmap(torch.func.grad(f), in_dims=in_dim)(stack)
        torch.testing.assert_close(found, wanted, rtol=0, atol=1e-12)
    none = torch.func.vmap(loss(name, y, reduction="none", **options))(z)
    alone = torch.stack([loss(name, y, reduction="none", **options)(row) for row in z])
    torch.testing.assert_close(none, alone, equal_nan=True)


@pytest.mark.parametrize("name", IDS)
def test_autocast_around_a_function_transform_casts_nothing(name):
    z, y = batch(3)
    f, z = loss(name, y), z.float()
    wanted = torch.func.grad(f)(z)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = torch.func.grad(f)(z)
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)


def test_weights_of_a_classifier_are_seen_inside_vmap_and_refused_where_they_are_no_numbers():
    z, y = batch(3)
    weights = torch.randn(2, 3, z.shape[2], dtype=torch.float64)

    def f(w):
        return OBJECTIVES["cross_entropy"](z, y, tau=0.5, weights=w)

    wanted = torch.stack([f(w) for w in weights])
    torch.testing.assert_close(torch.func.vmap(f)(weights), wanted)
    with pytest.raises(ValueError, match="weights are NaN or infinite"):
        f(weights[0] * float("inf"))
    with pytest.raises(TypeError, match="int64; pass a float tensor"):
        f(weights[0].long())


def test_what_vmap_hides_is_said_in_a_sentence():
    z, y = batch(0)
    f = OBJECTIVES["nscl"]
    with pytest.raises(TypeError, match=r"tau is batched.*loop"):
        torch.func.vmap(lambda tau: f(z, y, tau=tau))(torch.ones(3))
    with pytest.raises(TypeError, match=r"y is batched.*loop"):
        torch.func.vmap(lambda y: f(z, y, tau=0.5))(y.repeat(3, 1))
    with pytest.raises(ValueError, match=r"norm 2"):
        torch.func.vmap(lambda z: f(z, y, tau=0.5))(torch.stack([z, 2 * z]))


@pytest.mark.parametrize("name", ["nscl", "supcon", "hscl", "dhel"])
def test_the_hessian_of_torch_func_is_that_of_autograd(name):
    z, y = batch(4, N=6, d=2)
    f = loss(name, y, unit=False)
    wanted = torch.autograd.functional.hessian(f, z)
    torch.testing.assert_close(torch.func.hessian(f)(z), wanted, rtol=0, atol=1e-12)
    chart = lambda v: f(normalize(z + v, dim=-1))  # noqa: E731
    first = torch.func.vmap(lambda t: torch.func.jvp(torch.func.grad(chart), (0 * z,), (t,))[1])
    assert first(torch.eye(24).view(24, 6, 2, 2).double()).isfinite().all()


@pytest.mark.parametrize("name", LOSSES)
def test_empty_sets_have_no_gradient_in_any_form(name):
    """A class of one sample among others: -inf and NaN stay out of every gradient."""
    z = batch(5, N=8, K=2)[0]
    y = torch.tensor([0, 0, 0, 1, 1, 2, 2, 3])
    f = loss(name, y)
    (wanted,) = gradient(f, z)
    torch.testing.assert_close(torch.func.grad(f)(z), wanted, rtol=0, atol=1e-12)
    assert wanted.isfinite().all()
