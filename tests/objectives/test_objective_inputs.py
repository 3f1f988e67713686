"""Anchors without a partner, and input that is refused."""

import inspect
import subprocess
import sys
import warnings

import pytest
import torch
from torch.nn import functional as F

from supcon_theory.objectives import OBJECTIVES, options_of
from supcon_theory.objectives.conventions import convention
from tests.objectives.batches import OPTIONS
from tests.objectives.test_loop_references import LOSSES

NEED_CLASSES = [
    "nscl",
    "nscl_coupled",
    "h_nscl",
    "n_pairs",
    "scl_jiang",
    "hscl",
    "n_dhel",
    "scl_ball",
    "triplet",
]
NEED_VIEWS = [name for name in LOSSES if convention(name)["views"] == "K >= 2"]
NO_LABELS = [name for name in LOSSES if convention(name)["labels"] == "no"]


def batch(dtype=torch.float64, N=40, K=2, d=8, seed=0, spread=1.0):
    g = torch.Generator().manual_seed(seed)
    z = torch.randn(N, 1, d, generator=g, dtype=torch.float64)
    z = z + spread * torch.randn(N, K, d, generator=g, dtype=torch.float64)
    return F.normalize(z, dim=-1).to(dtype), torch.arange(N) % 4


# ---- anchors without a partner ------------------------------------------------------------------
@pytest.mark.parametrize("name", ["supcon", "supcon_in", "scl_jiang", "hscl", "n_pairs", "triplet"])
def test_anchors_without_a_positive_have_no_loss_and_are_left_out_of_the_mean(name):
    z, _ = batch(N=7, K=1)
    y = torch.tensor([0, 0, 1, 2, 2, 2, 3])  # classes 1 and 3 have one row
    z.requires_grad_()
    losses = OBJECTIVES[name](z, y, tau=0.5, reduction="none")
    assert losses.isnan().flatten().tolist() == [False, False, True, False, False, False, True]
    loss = OBJECTIVES[name](z, y, tau=0.5)
    assert abs(loss - losses.nanmean()) < 1e-14
    gradients = [torch.autograd.grad(x, z)[0] for x in (loss, losses.nanmean())]
    for gradient in gradients:
        assert gradient.isfinite().all() and gradient[2].norm() > 0  # still a negative of others
    assert (gradients[0] - gradients[1]).abs().max() < 1e-15
    s = (z[:, 0] @ z[:, 0].T / 0.5).detach().exp()
    if name == "supcon":
        kept, terms = [0, 1, 3, 4, 5], []
        for a in kept:
            positives = [p for p in range(7) if y[p] == y[a] and p != a]
            below = sum(s[a, b] for b in range(7) if b != a)
            terms.append(sum(torch.log(below / s[a, p]) for p in positives) / len(positives))
        assert abs(loss - sum(terms) / 5) < 1e-12


@pytest.mark.parametrize(
    "name",
    ["supcon", "supcon_in", "scl_jiang", "hscl", "n_pairs", "ssem", "soft_supcon", "triplet"],
)
def test_a_batch_in_which_no_anchor_has_a_loss_is_refused(name):
    z, _ = batch(N=7, K=1)
    with pytest.raises(ValueError, match=r"7 of 7 samples have no .*two samples per class"):
        OBJECTIVES[name](z, torch.arange(7), tau=0.5)


@pytest.mark.parametrize("name", LOSSES)
def test_every_anchor_has_a_loss_where_nothing_is_missing(name):
    z, y = batch()
    losses = OBJECTIVES[name](z, y, tau=0.5, reduction="none")
    assert losses.shape == (40, 2) and losses.isfinite().all()


@pytest.mark.parametrize("reduction", ["mean", "none"])
@pytest.mark.parametrize("name", NEED_CLASSES)
def test_one_class_is_refused_where_other_classes_are_the_negatives(name, reduction):
    z, y = batch()
    with pytest.raises(ValueError, match="at least two classes"):
        OBJECTIVES[name](z, torch.zeros_like(y), tau=0.5, reduction=reduction)


def test_one_class_is_fine_where_positives_are_in_the_denominator():
    z, y = batch()
    assert OBJECTIVES["supcon"](z, torch.zeros_like(y), tau=0.5).isfinite()


@pytest.mark.parametrize("name", NEED_VIEWS)
def test_one_view_is_refused_where_the_other_view_is_the_positive(name):
    z, y = batch(K=1)
    with pytest.raises(ValueError, match="K >= 2"):
        OBJECTIVES[name](z, y, tau=0.5)


@pytest.mark.parametrize("name", [n for n in LOSSES if n not in NO_LABELS])
def test_missing_labels_are_said(name):
    with pytest.raises(ValueError, match="y is None"):
        OBJECTIVES[name](batch()[0], None, tau=0.5)


@pytest.mark.parametrize("name", NO_LABELS)
def test_labels_may_be_left_out_where_none_are_used(name):
    z, y = batch()
    assert OBJECTIVES[name](z, None, tau=0.5) == OBJECTIVES[name](z, y, tau=0.5)


# ---- refused ------------------------------------------------------------------------------------
Z, Y = batch()
NAN, LONG, SHORT, ZERO = (Z.clone() for _ in range(4))
NAN[3, 1, 2] = torch.nan
LONG[5, 0] *= 1.01
SHORT[5, 0] *= 0.99
ZERO[7, 1] = 0
BAD = {
    "a list": (Z.tolist(), Y, {}, TypeError, "list"),
    "integers": ((Z * 3).long(), Y, {}, ValueError, "zeros|norm"),
    "complex": (Z.cfloat(), Y, {}, TypeError, "complex64"),
    "two axes": (Z[:, 0], Y, {}, ValueError, r"\(40, 8\)"),
    "no samples": (Z[:0], Y[:0], {}, ValueError, "none of them 0"),
    "NaN": (NAN, Y, {}, ValueError, r"NaN.*\[3, 1\]"),
    "infinite": (Z / 0, Y, {}, ValueError, "infinite"),
    "a zero row": (ZERO, Y, {}, ValueError, r"zeros.*\[7, 1\]"),
    "a long row": (LONG, Y, {}, ValueError, "normalize"),
    "a short row": (SHORT, Y, {}, ValueError, "normalize"),
    "labels per view": (Z, Y.repeat_interleave(2), {}, ValueError, r"must be \(40,\)"),
    "fractions as labels": (Z, Y + 0.5, {}, ValueError, r"y is 0\.5 in row 0.*integers"),
    "a missing label": (Z, [*"abcd" * 9, "a", "b", "c", None], {}, ValueError, "None in row 39"),
    "zero tau": (Z, Y, {"tau": 0}, ValueError, "tau is 0"),
    "negative tau": (Z, Y, {"tau": -0.5}, ValueError, "tau is -0.5"),
    "NaN tau": (Z, Y, {"tau": float("nan")}, ValueError, "tau is nan"),
    "infinite tau": (Z, Y, {"tau": float("inf")}, ValueError, "tau is inf"),
    "text tau": (Z, Y, {"tau": "0.5"}, TypeError, "tau is '0.5'"),
    "unknown reduction": (Z, Y, {"reduction": "sum"}, ValueError, "reduction is 'sum'"),
    "vector tau": (Z, Y, {"tau": torch.ones(2)}, TypeError, r"tau has shape \(2,\)"),
    "unknown knob": (Z, Y, {"colour": 1}, TypeError, "colour"),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("name", LOSSES)
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
        ("ucl_ball", {"beta": -1}, "beta is -1"),
        ("soft_supcon", {"softness": 1.1}, "softness is 1.1"),
        ("kcl", {"gamma": -1.0}, "gamma is -1"),
        ("kcl", {"kernel_name": "log"}, "kernel_name is 'log'"),
        ("sigmoid", {"bias": float("nan")}, "bias is nan"),
        ("triplet", {"margin": -0.1}, "margin is -0.1"),
        ("triplet", {"margin": float("inf")}, "margin is inf"),
        ("ssem", {"alpha": -0.1}, "alpha is -0.1"),
        ("ssem", {"alpha": 1.1}, "alpha is 1.1"),
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


def test_a_log_that_is_not_there_says_for_how_many_pairs():
    z = torch.eye(4, dtype=torch.float64)[:, None].repeat(1, 2, 1)
    z[0, 1] *= -1  # M - tau_plus e^s is 1 - .2 e^-2 for the pairs of sample 0, else 1 - .2 e^2
    with pytest.raises(ValueError, match="not positive for 6 pairs"):
        OBJECTIVES["debiased"](z, None, tau=0.5, tau_plus=0.2, clamp=False)


def test_a_number_of_positives_is_an_integer():
    with pytest.raises(TypeError, match=r"max_positives is 1\.5"):
        OBJECTIVES["supcon"](Z, Y, tau=0.5, max_positives=1.5)


def test_a_missing_tau_and_an_unknown_name_are_errors():
    with pytest.raises(TypeError, match="tau"):
        OBJECTIVES["dcl"](Z, Y)
    with pytest.raises(ValueError, match="objective is 'simclr'"):
        options_of("simclr")


@pytest.mark.parametrize("name", LOSSES)
def test_labels_of_every_kind_and_arrays_give_the_same_loss(name):
    z, y = batch()
    wanted = OBJECTIVES[name](z, y, tau=0.5)
    names = [["ant", "bee", "cat", "dog"][label] for label in y]
    unsigned = y.numpy().astype("uint16")
    for labels in (names, unsigned, torch.from_numpy(unsigned), y * 10**12, y.float(), y.int()):
        assert OBJECTIVES[name](z, labels, tau=0.5) == wanted
    assert OBJECTIVES[name](z.numpy().astype(">f8"), y, tau=0.5) == wanted


GIVEN = [(name, options_of(name)) for name in LOSSES] + OPTIONS
WORDS = {(n, key, word) for n, o in GIVEN for key, word in o.items() if isinstance(word, str)}


@pytest.mark.parametrize(("name", "option", "word"), sorted(WORDS))
def test_a_word_of_a_file_or_a_command_line_is_the_same_word(name, option, word):
    word, copy = sys.intern(word), "".join(list(word))  # as it stands in a program, and read
    assert copy is not word
    for K in (1, 2):  # one view can be too few for one of the words only
        z, y = batch(K=K)
        found = []
        for given in (word, copy):
            try:
                found.append(OBJECTIVES[name](z, y, tau=0.5, **{option: given}))
            except ValueError as error:
                found.append(str(error))
        assert found[0] == found[1]


def test_options_come_from_the_signature():
    assert options_of("dcl") == {"pairs": "all"}
    assert options_of("nt_xent") == {}
    assert options_of("supcon") == {"max_positives": None}
    assert options_of("cross_entropy") == {"weights": ..., "margin": 0.0}
    for name, function in OBJECTIVES.items():
        known = inspect.signature(function).parameters.values()
        known = {p.name: p.default for p in known if p.kind is p.KEYWORD_ONLY}
        shared = {"tau", "reduction", "unit"}
        options = {key: ... if default is inspect.Parameter.empty else default
                   for key, default in known.items() if key not in shared}  # fmt: skip
        assert options_of(name) == options


def test_the_ids_and_their_options_need_no_torch():
    code = (
        "import sys; from supcon_theory.objectives import IDS, options_of; "
        "[options_of(id) for id in IDS]; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


# ---- cross-entropy ------------------------------------------------------------------------------
def test_cross_entropy_equals_its_loops():
    z, y = batch(N=6, d=3)
    w = torch.randn(4, 3, dtype=torch.float64)
    total = 0.0
    for i in range(6):
        for l in range(2):
            logits = [(z[i, l] @ w[c]).item() / 0.3 for c in range(4)]
            total -= torch.tensor(logits, dtype=torch.float64).log_softmax(0)[y[i]].item() / 12
    loss = OBJECTIVES["cross_entropy"]
    assert abs(loss(z, y, tau=0.3, weights=w) - total) < 1e-13
    assert abs(loss(z, y, tau=0.3, weights=w, reduction="none").mean() - total) < 1e-13
    some = torch.tensor([0, 3, 3, 1, 3, 0])  # class 2 is absent: labels number the weights' rows
    logits = (z @ w.T / 0.3).log_softmax(-1)
    wanted = -torch.stack([logits[i, :, c] for i, c in enumerate(some)])
    assert (loss(z, some, tau=0.3, weights=w, reduction="none") - wanted).abs().max() < 1e-14


@pytest.mark.parametrize(
    ("y", "weights", "error", "words"),
    [
        (Y, torch.randn(4, 7), ValueError, r"\(C, 8\)"),
        (Y, torch.randn(8), ValueError, r"\(8,\).*\(C, 8\)"),
        (Y, torch.randn(3, 8), ValueError, r"\[0, 3\].*\[0, 2\]"),
        (Y, torch.randn(2, 8), ValueError, r"\[0, 3\].*\[0, 1\]"),
        (Y - 1, torch.randn(4, 8), ValueError, r"\[-1, 2\]"),
        (["a", "b"] * 20, torch.randn(4, 8), ValueError, "integers"),
        (Y, [[1.0]], TypeError, "list"),
        (None, torch.randn(4, 8), ValueError, "y is None"),
    ],
)
def test_cross_entropy_refuses_weights_and_labels_that_do_not_fit(y, weights, error, words):
    with pytest.raises(error, match=words):
        OBJECTIVES["cross_entropy"](Z, y, tau=0.5, weights=weights)


def test_a_margin_is_what_the_true_class_has_to_win_by():
    z, y = batch(N=6, d=3)
    w = F.normalize(torch.randn(4, 3, generator=torch.Generator().manual_seed(1)).double(), dim=-1)
    total = 0.0
    for i in range(6):
        for l in range(2):
            logits = [(z[i, l] @ w[c] - 0.4 * int(c == y[i])).item() / 0.3 for c in range(4)]
            total -= torch.tensor(logits, dtype=torch.float64).log_softmax(0)[y[i]].item() / 12
    loss = OBJECTIVES["cross_entropy"]
    assert abs(loss(z, y, tau=0.3, weights=w, margin=0.4) - total) < 1e-13
    none = loss(z, y, tau=0.3, weights=w, margin=0.4, reduction="none")
    assert none.shape == (6, 2) and abs(none.mean() - total) < 1e-13
    some = torch.tensor([3, 3, 1, 1, 3, 1])  # classes 0 and 2 absent: the margin is of rows 1 and 3
    logits = z @ w.T - 0.4 * F.one_hot(some, 4).double()[:, None]
    wanted = -torch.stack([(logits[i] / 0.3).log_softmax(-1)[:, c] for i, c in enumerate(some)])
    found = loss(z, some, tau=0.3, weights=w, margin=0.4, reduction="none")
    assert (found - wanted).abs().max() < 1e-14


@pytest.mark.parametrize(("dtype", "d"), [(torch.float32, 8), (torch.float64, 300)])
def test_no_margin_changes_no_digit(dtype, d):
    z, y = batch(dtype, d=d)
    w = torch.randn(4, d, dtype=dtype, requires_grad=True)
    plain = F.cross_entropy((z @ w.T / 0.3).movedim(-1, 1), y[:, None].expand(40, 2))
    for margin in ({}, {"margin": 0}, {"margin": 0.0}):
        found = OBJECTIVES["cross_entropy"](z, y, tau=0.3, weights=w, **margin)
        assert torch.equal(found, plain)
        gradients = (torch.autograd.grad(x, w, retain_graph=True)[0] for x in (found, plain))
        assert torch.equal(*gradients)


@pytest.mark.parametrize(
    ("margin", "error"),
    [(-0.1, ValueError), (float("nan"), ValueError), (float("inf"), ValueError), ("1", TypeError)],
)
def test_a_margin_out_of_range_is_refused_in_a_sentence(margin, error):
    with pytest.raises(error, match=f"margin is {margin!r}; it must") as caught:
        OBJECTIVES["cross_entropy"](Z, Y, tau=0.5, weights=torch.randn(4, 8), margin=margin)
    assert "\n" not in str(caught.value)
