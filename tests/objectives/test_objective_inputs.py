"""Extreme temperatures, short dtypes, anchors without a partner, and input that is refused."""

import gc
import math
import warnings

import pytest
import torch
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from supcon_theory.objectives import OBJECTIVES, log_sums, per_anchor
from supcon_theory.objectives.batch import Batch, quick_softplus
from supcon_theory.objectives.named import PER_ANCHOR

NEED_CLASSES = ["nscl", "nscl_coupled", "h_nscl", "n_pairs", "scl_jiang", "hscl", "n_dhel"]
NEED_VIEWS = ["nt_xent", "nscl_coupled", "hucl", "h_nscl", "hcl", "debiased", "dhel", "n_dhel"]
NO_LABELS = ["dcl", "nt_xent", "hucl", "hcl", "debiased", "dhel", "dhel_official"]


def batch(dtype=torch.float64, N=40, K=2, d=8, seed=0, spread=1.0):
    g = torch.Generator().manual_seed(seed)
    z = torch.randn(N, 1, d, generator=g, dtype=torch.float64)
    z = z + spread * torch.randn(N, K, d, generator=g, dtype=torch.float64)
    return F.normalize(z, dim=-1).to(dtype), torch.arange(N) % 4


# ---- numerics -----------------------------------------------------------------------------------
@pytest.mark.parametrize("tau", [0.005, 0.01, 0.016, 0.017, 0.1, 1.0, 100.0])
@pytest.mark.parametrize("name", PER_ANCHOR)
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


@pytest.mark.parametrize("name", PER_ANCHOR)
def test_logits_of_ten_thousand_stay_finite(name):
    z, y = batch(torch.float32)
    z = torch.cat([z, z[:4], -z[:4]])  # identical and opposite rows
    y = torch.cat([y, y[:4], y[:4]])
    z.requires_grad_()
    loss = OBJECTIVES[name](z, y, tau=1e-4)
    (gradient,) = torch.autograd.grad(loss, z)
    assert loss.isfinite() and gradient.isfinite().all()


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
@pytest.mark.parametrize("name", PER_ANCHOR)
def test_short_dtypes_are_accumulated_in_float32(name, dtype):
    z, y = batch(dtype)
    short, wide = z.clone().requires_grad_(), z.double().requires_grad_()  # the same rounded rows
    loss = OBJECTIVES[name](short, y, tau=0.1)
    (gradient,) = torch.autograd.grad(loss, short)
    assert loss.dtype == torch.float32 and gradient.dtype == dtype
    exact = PER_ANCHOR[name](Batch(wide, y, name, "error"), tau=0.1)
    exact = (exact[0] / exact[1]).mean() if isinstance(exact, tuple) else exact.mean()  # balanced
    (wanted,) = torch.autograd.grad(exact, wide)
    assert abs(loss - exact) < 1e-5 * exact.abs()
    assert (gradient - wanted).abs().max() < torch.finfo(dtype).eps * wanted.abs().max()


@pytest.mark.parametrize("name", ["dcl", "supcon", "hscl"])
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
    monkeypatch.setitem(log_sums.TILE, "cpu", 64)
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
        tensors = (x for x in gc.get_objects() if isinstance(x, torch.Tensor))
        return {x.data_ptr() for x in tensors if x.numel() > 30_000}

    z, y = batch(torch.float32, N=200)
    before = large()
    loss = OBJECTIVES[name](z.requires_grad_(), y, tau=0.5)
    loss.backward()
    assert loss.isfinite() and large() <= before


# ---- anchors without a partner ------------------------------------------------------------------
@pytest.mark.parametrize("name", ["supcon", "supcon_in", "scl_jiang", "hscl", "n_pairs"])
def test_anchors_without_a_positive_are_an_error_or_skipped_and_counted(name):
    z, _ = batch(N=7, K=1)
    y = torch.tensor([0, 0, 1, 2, 2, 2, 3])  # classes 1 and 3 have one row
    with pytest.raises(ValueError, match=r"2 of 7 samples have no .*invalid='skip'"):
        OBJECTIVES[name](z, y, tau=0.5)
    z.requires_grad_()
    loss, skipped = OBJECTIVES[name](z, y, tau=0.5, invalid="skip")
    assert skipped == 2 and loss.isfinite()
    (gradient,) = torch.autograd.grad(loss, z)
    assert gradient.isfinite().all() and gradient[2].norm() > 0  # still a negative of the others
    s = (z[:, 0] @ z[:, 0].T / 0.5).detach().exp()
    if name == "supcon":
        kept, terms = [0, 1, 3, 4, 5], []
        for a in kept:
            positives = [p for p in range(7) if y[p] == y[a] and p != a]
            below = sum(s[a, b] for b in range(7) if b != a)
            terms.append(sum(torch.log(below / s[a, p]) for p in positives) / len(positives))
        assert abs(loss - sum(terms) / 5) < 1e-12


@pytest.mark.parametrize("name", PER_ANCHOR)
def test_skip_returns_the_plain_value_and_zero_when_every_anchor_is_valid(name):
    z, y = batch()
    loss, skipped = OBJECTIVES[name](z, y, tau=0.5, invalid="skip")
    assert skipped == 0 and loss == OBJECTIVES[name](z, y, tau=0.5)


@pytest.mark.parametrize("invalid", ["error", "skip"])
@pytest.mark.parametrize("name", NEED_CLASSES)
def test_one_class_is_refused_where_other_classes_are_the_negatives(name, invalid):
    z, y = batch()
    with pytest.raises(ValueError, match="at least two classes"):
        OBJECTIVES[name](z, torch.zeros_like(y), tau=0.5, invalid=invalid)


def test_one_class_is_fine_where_positives_are_in_the_denominator():
    z, y = batch()
    assert OBJECTIVES["supcon"](z, torch.zeros_like(y), tau=0.5).isfinite()


@pytest.mark.parametrize("name", NEED_VIEWS)
def test_one_view_is_refused_where_the_other_view_is_the_positive(name):
    z, y = batch(K=1)
    with pytest.raises(ValueError, match="K >= 2"):
        OBJECTIVES[name](z, y, tau=0.5)


@pytest.mark.parametrize("name", [n for n in PER_ANCHOR if n not in NO_LABELS])
def test_missing_labels_are_named(name):
    with pytest.raises(ValueError, match="y is None"):
        OBJECTIVES[name](batch()[0], None, tau=0.5)


@pytest.mark.parametrize("name", NO_LABELS)
def test_labels_may_be_left_out_where_none_are_used(name):
    z, y = batch()
    assert OBJECTIVES[name](z, None, tau=0.5) == OBJECTIVES[name](z, y, tau=0.5)


# ---- refused ------------------------------------------------------------------------------------
Z, Y = batch()
NAN, LONG, SHORT = Z.clone(), Z.clone(), Z.clone()
NAN[3, 1, 2] = torch.nan
LONG[5, 0] *= 1.01
SHORT[5, 0] *= 0.99
BAD = {
    "a list": (Z.tolist(), Y, {}, TypeError, "list"),
    "integers": ((Z * 3).long(), Y, {}, TypeError, "int64"),
    "two axes": (Z[:, 0], Y, {}, ValueError, r"\(40, 8\)"),
    "no samples": (Z[:0], Y[:0], {}, ValueError, "none of them 0"),
    "NaN": (NAN, Y, {}, ValueError, "nan"),
    "infinite": (Z / 0, Y, {}, ValueError, "inf|nan"),
    "a long row": (LONG, Y, {}, ValueError, "normalize"),
    "a short row": (SHORT, Y, {}, ValueError, "normalize"),
    "labels per view": (Z, Y.repeat_interleave(2), {}, ValueError, r"must be \(40,\)"),
    "float labels": (Z, Y.float(), {}, TypeError, "integers"),
    "bool labels": (Z, Y > 1, {}, TypeError, "integers"),
    "list of labels": (Z, Y.tolist(), {}, TypeError, "list"),
    "zero tau": (Z, Y, {"tau": 0}, ValueError, "tau is 0"),
    "negative tau": (Z, Y, {"tau": -0.5}, ValueError, "tau is -0.5"),
    "NaN tau": (Z, Y, {"tau": float("nan")}, ValueError, "tau is nan"),
    "infinite tau": (Z, Y, {"tau": float("inf")}, ValueError, "tau is inf"),
    "text tau": (Z, Y, {"tau": "0.5"}, TypeError, "tau is '0.5'"),
    "unknown rule": (Z, Y, {"invalid": "zero"}, ValueError, "invalid is 'zero'"),
    "unknown knob": (Z, Y, {"margin": 1}, TypeError, "margin"),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("name", PER_ANCHOR)
def test_bad_input_is_refused_in_one_sentence(name, case):
    z, y, options, error, words = BAD[case]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(error, match=words) as caught:
            OBJECTIVES[name](z, y, **{"tau": 0.5, **options})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("hucl", {"beta": -0.1}, "beta is -0.1"),
        ("hscl", {"beta": float("inf")}, "beta is inf"),
        ("hcl", {"tau_plus": 1.0}, "tau_plus is 1.0"),
        ("debiased", {"tau_plus": -0.1}, "tau_plus is -0.1"),
        ("hcl", {"clamp": False, "tau_plus": 0.9}, "lower tau_plus or pass clamp=True"),
        ("dcl", {"pairs": "some"}, "pairs is 'some'"),
        ("nscl", {"pairs": None}, "pairs is None"),
        ("hscl", {"positives": "all"}, "positives is 'all'"),
        ("dhel", {"anchors": 0}, "anchors is 0"),
        ("supcon", {"max_positives": 0}, "max_positives is 0"),
        ("supcon", {"max_positives": -2}, "max_positives is -2"),
    ],
)
def test_knobs_out_of_range_are_refused(name, options, words):
    with pytest.raises(ValueError, match=words):
        OBJECTIVES[name](Z, Y, tau=0.5, **options)


def test_a_number_of_positives_is_an_integer():
    with pytest.raises(TypeError, match="max_positives is 1.5"):
        OBJECTIVES["supcon"](Z, Y, tau=0.5, max_positives=1.5)


def test_a_missing_tau_and_an_unknown_name_are_errors():
    with pytest.raises(TypeError, match="tau"):
        OBJECTIVES["dcl"](Z, Y)
    with pytest.raises(ValueError, match="name is 'simclr'"):
        per_anchor("simclr", Z, Y, tau=0.5)


# ---- cross-entropy ------------------------------------------------------------------------------
def test_cross_entropy_equals_its_loops():
    z, y = batch(N=6, d=3)
    w = torch.randn(4, 3, dtype=torch.float64)
    total = 0.0
    for i in range(6):
        for l in range(2):
            logits = [(z[i, l] @ w[c]).item() / 0.3 for c in range(4)]
            total -= torch.tensor(logits, dtype=torch.float64).log_softmax(0)[y[i]].item() / 12
    assert abs(OBJECTIVES["cross_entropy"](z, y, tau=0.3, weights=w) - total) < 1e-13


@pytest.mark.parametrize(
    ("y", "weights", "error", "words"),
    [
        (Y, torch.randn(4, 7), ValueError, r"\(C, 8\)"),
        (Y, torch.randn(3, 8), ValueError, r"\[0, 3\].*\[0, 2\]"),
        (Y - 1, torch.randn(4, 8), ValueError, r"\[-1, 2\]"),
        (Y, [[1.0]], TypeError, "list"),
        (None, torch.randn(4, 8), ValueError, "y is None"),
    ],
)
def test_cross_entropy_refuses_weights_and_labels_that_do_not_fit(y, weights, error, words):
    with pytest.raises(error, match=words):
        OBJECTIVES["cross_entropy"](Z, y, tau=0.5, weights=weights)
