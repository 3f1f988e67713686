"""Extreme temperatures, short dtypes, autocast, memory."""

import gc
import math

import pytest
import torch
from torch._subclasses import FakeTensor
from torch.utils._python_dispatch import TorchDispatchMode

from supcon_theory.inputs import rows
from supcon_theory.objectives import OBJECTIVES
from supcon_theory.pairs import log_sums, tiles
from supcon_theory.pairs.batch import quick_softplus
from tests.objectives.test_loop_references import LOSSES
from tests.objectives.test_objective_inputs import batch


@pytest.mark.parametrize("tau", [0.005, 0.01, 0.016, 0.017, 0.1, 1.0, 100.0])
@pytest.mark.parametrize("name", LOSSES)
def test_float32_agrees_with_float64_at_every_temperature(name, tau):
    z, y = batch(torch.float32)
    x = z.clone().requires_grad_()
    loss = OBJECTIVES[name](x, y, tau=tau)
    (found,) = torch.autograd.grad(loss, x)
    x = z.double().requires_grad_()
    exact = OBJECTIVES[name](x, y, tau=tau)
    (wanted,) = torch.autograd.grad(exact, x)
    assert abs(loss.item() - exact.item()) < 1e-5 / tau + 1e-5 * abs(exact.item())
    # float32 cosines are off by about 1e-7, so logits by 1e-7 / tau, and so are softmax weights
    assert (found - wanted).abs().max() < (1e-5 + 2e-6 / tau) * wanted.abs().max()


@pytest.mark.parametrize("name", LOSSES)
def test_logits_of_ten_thousand_stay_finite(name):
    z, y = batch(torch.float32)
    z = torch.cat([z, z[:4], -z[:4]])  # identical and opposite rows
    y = torch.cat([y, y[:4], y[:4]])
    z.requires_grad_()
    loss = OBJECTIVES[name](z, y, tau=1e-4)
    (gradient,) = torch.autograd.grad(loss, z)
    assert loss.isfinite() and gradient.isfinite().all()


@pytest.mark.parametrize("name", ["nt_xent", "dcl", "nscl", "supcon", "hucl", "dhel"])
def test_long_rows_in_many_dimensions_do_not_overflow(name):
    """Entries of one in 144 dimensions: logits are the squared length, far above an entry's."""
    g = torch.Generator().manual_seed(0)
    z = torch.ones(6, 2, 144) + 0.01 * torch.randn(6, 2, 144, generator=g)
    y = torch.arange(6) % 3
    found = OBJECTIVES[name](z, y, tau=1.0, unit=False)
    wanted = OBJECTIVES[name](z.double(), y, tau=1.0, unit=False)
    assert abs(found.item() - wanted.item()) < 1e-3


@pytest.mark.parametrize("dtype, allowed", [(torch.float32, 3e-7), (torch.float64, 6e-16)])
def test_the_quick_softplus_is_exact_to_rounding_at_every_size(dtype, allowed):
    x = torch.cat([torch.linspace(-85, 85, 2001), torch.tensor([-1e-9, 0, 1e-9, 1e4])]).to(dtype)
    exact = [max(v, 0) + math.log1p(math.exp(-abs(v))) for v in x.tolist()]
    exact = torch.tensor(exact, dtype=torch.float64)
    error = (quick_softplus(x).double() - exact).abs() / exact
    assert error.max() < allowed
    ends = torch.tensor([-torch.inf, torch.inf], dtype=dtype)
    assert quick_softplus(ends).tolist() == [0, torch.inf]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", LOSSES)
def test_short_dtypes_are_accumulated_in_float32(name, dtype, monkeypatch):
    z, y = batch(dtype)
    short, wide = z.clone().requires_grad_(), z.double().requires_grad_()  # the same rounded rows
    loss = OBJECTIVES[name](short, y, tau=0.1)
    (gradient,) = torch.autograd.grad(loss, short)
    assert loss.dtype == torch.float32 and gradient.dtype == dtype
    monkeypatch.setattr(rows, "UNIT_TOLERANCE_ELSE", 2e-2)  # rows rounded, but in float64
    exact = OBJECTIVES[name](wide, y, tau=0.1)
    (wanted,) = torch.autograd.grad(exact, wide)
    assert abs(loss - exact) < 1e-5 * exact.abs()
    assert (gradient - wanted).abs().max() < torch.finfo(dtype).eps * wanted.abs().max()


@pytest.mark.parametrize("name", LOSSES)
def test_autocast_does_not_shorten_the_sums(name):
    z, y = batch(torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        inside = OBJECTIVES[name](z, y, tau=0.1)
    assert torch.equal(inside, OBJECTIVES[name](z, y, tau=0.1))


class Largest(TorchDispatchMode):
    """Cells of the largest tensor that any operation makes."""

    cells = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        for tensor in out if isinstance(out, (tuple, list)) else [out]:
            if isinstance(tensor, torch.Tensor):
                self.cells = max(self.cells, tensor.numel())
        return out


@pytest.mark.parametrize("name", ["dcl", "nscl", "nt_xent", "nscl_coupled", "supcon"])
def test_memory_does_not_grow_with_the_square_of_the_batch(name, monkeypatch):
    """Some tiles at most, never the matrix of all pairs."""
    monkeypatch.setitem(tiles.TILE, "cpu", 64)
    monkeypatch.setattr(log_sums, "CACHE_BYTES", 4 * 64 * 64 * 8)
    z, y = batch(torch.float32, N=1000)
    with Largest() as largest:
        OBJECTIVES[name](z.requires_grad_(), y, tau=0.5).backward()
    assert 64 * 64 <= largest.cells <= 40_000 < 2000**2 / 50
    with Largest() as unneeded, torch.no_grad():
        OBJECTIVES[name](z, y, tau=0.5)
    assert unneeded.cells < largest.cells


@pytest.mark.parametrize("name", ["dcl", "hscl", "supcon_in"])
def test_a_loss_that_is_kept_after_backward_holds_no_tiles(name):
    def large() -> set[int]:
        gc.collect()
        # An encoder that was compiled in this process leaves shapes without memory.
        tensors = (
            x
            for x in gc.get_objects()
            if isinstance(x, torch.Tensor) and not isinstance(x, FakeTensor)
        )
        return {x.data_ptr() for x in tensors if x.numel() > 30_000}

    z, y = batch(torch.float32, N=200)
    before = large()
    loss = OBJECTIVES[name](z.requires_grad_(), y, tau=0.5)
    loss.backward()
    assert loss.isfinite() and large() <= before
