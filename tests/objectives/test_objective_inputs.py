"""Anchors without a partner, and input that is refused."""

import warnings

import pytest
import torch
from torch.nn import functional as F

from supcon_theory.objectives import OBJECTIVES, per_anchor
from supcon_theory.objectives.named import PER_ANCHOR

NEED_CLASSES = ["nscl", "nscl_coupled", "h_nscl", "n_pairs", "scl_jiang", "hscl", "n_dhel"]
NEED_VIEWS = ["nt_xent", "nscl_coupled", "hucl", "h_nscl", "hcl", "debiased", "dhel", "n_dhel"]
NO_LABELS = ["dcl", "nt_xent", "hucl", "hcl", "debiased", "dhel", "dhel_official"]


def batch(dtype=torch.float64, N=40, K=2, d=8, seed=0, spread=1.0):
    g = torch.Generator().manual_seed(seed)
    z = torch.randn(N, 1, d, generator=g, dtype=torch.float64)
    z = z + spread * torch.randn(N, K, d, generator=g, dtype=torch.float64)
    return F.normalize(z, dim=-1).to(dtype), torch.arange(N) % 4


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
