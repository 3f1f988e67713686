"""What libraries compute: each row against loops over the batch, and the library where installed.

The loops are written from the published formula of each library, one anchor at a time. The calls
need the extra `bench`; without a library there is no test of it, rather than one that is skipped.
"""

import importlib.util
from math import exp, log

import numpy as np
import pytest
import torch

from supcon_theory.rulers.batches import mean_over_anchors
from supcon_theory.rulers.cosines import levels
from supcon_theory.rulers.libraries import LIBRARIES, row_of
from supcon_theory.rulers.ruler import ruler
from tests.objectives.test_loop_references import Rows, batch, mean
from tests.rulers.test_losses import embedded, seen_by

ROWS = [(library, id) for library, rows in LIBRARIES.items() for id in rows]
TAU = 0.3


# ---- loops --------------------------------------------------------------------------------------
def pml_nt_xent(r):
    return mean(log(1 + r.E(a, r.ins(a)) / exp(r.s[a, p])) for a in r.all for p in r.own(a))


def pml_nscl_coupled(r):
    return mean(log(1 + r.E(a, r.oth(a)) / exp(r.s[a, p])) for a in r.all for p in r.P(a))


def khosla(r, positives):
    rest = {a: log(sum(exp(r.s[a, b]) for b in r.all if b != a)) for a in r.all}
    return mean(mean(rest[a] - r.s[a, p] for p in positives(a)) for a in r.all)


def pml_supcon(r):
    return khosla(r, r.P)


def lightly_dcl(r):
    return mean(log(r.E(a, r.ins(a))) - r.s[a, p] for a in r.all for p in r.own(a))


def solo_learn_supcon_in(r):
    return mean(-log(r.E(a, r.P(a)) / (r.E(a, r.P(a)) + r.E(a, r.oth(a)))) for a in r.all)


def SupContrast_supcon(r):
    return r.tau / 0.07 * khosla(r, r.P)


def SupContrast_nt_xent(r):
    return r.tau / 0.07 * khosla(r, r.own)


def sentence_transformers_nt_xent(r):
    """Cross-entropy of the first views against all second views, the own one being the target."""
    scores = {(i, j): r.s[(i, 0), (j, 1)] for i in range(r.N) for j in range(r.N)}
    return mean(log(sum(exp(scores[i, j]) for j in range(r.N))) - scores[i, i] for i in range(r.N))


def simclr_nt_xent(r):
    """Mean over samples of the sum of the losses of both views."""
    return mean(sum(loss for loss in of_views(r, i)) for i in range(r.N))


def of_views(r, i):
    for a, p in (((i, 0), (i, 1)), ((i, 1), (i, 0))):
        others = [b for b in r.all if b[0] != i]
        yield log(exp(r.s[a, p]) + sum(exp(r.s[a, b]) for b in others)) - r.s[a, p]


LOOPS = {
    ("pml", "nt_xent"): pml_nt_xent,
    ("pml", "nscl_coupled"): pml_nscl_coupled,
    ("pml", "supcon"): pml_supcon,
    ("lightly", "nt_xent"): pml_nt_xent,
    ("lightly", "dcl"): lightly_dcl,
    ("solo-learn", "nt_xent"): pml_nt_xent,
    ("solo-learn", "supcon_in"): solo_learn_supcon_in,
    ("SupContrast", "supcon"): SupContrast_supcon,
    ("SupContrast", "nt_xent"): SupContrast_nt_xent,
    ("sentence-transformers", "nt_xent"): sentence_transformers_nt_xent,
    ("simclr", "nt_xent"): simclr_nt_xent,
}


def of_row(library, id, z, y, tau=TAU):
    """The row's loss of a batch: anchor by anchor, weighted, times the factor."""
    row, r = LIBRARIES[library][id], Rows(z, y, tau)
    anchors = [a for a in r.all if row.function != "MultipleNegativesRankingLoss" or a[1] == 0]
    n = [np.array([float(sum(label == r.y[i] for label in r.y))]) for i, _ in anchors]
    weights = [float(row.loss.weight(x, r.N, r.K, row.options)[0]) for x in n]
    losses = [float(row.loss(seen_of(row, r, a, tau), row.options)[0]) for a in anchors]
    return row.factor(tau) * float(np.dot(weights, losses)) / sum(weights)


def seen_of(row, r, a, tau):
    seen = seen_by(r, a, tau)
    if row.function != "MultipleNegativesRankingLoss":
        return seen
    other = [b for b in r.all if b[0] != a[0] and b[1] == 1]  # across the views, not within one
    cosines = np.array([[tau * r.s[a, b] for b in other]])
    across = type(seen.own)(cosines, np.ones_like(cosines))
    empty = type(seen.own)(np.empty((1, 0)), np.empty((1, 0)))
    return type(seen)(
        *(seen.N, seen.K, tau, seen.own, seen.sis, seen.oth, empty, across, seen.weights)
    )


@pytest.mark.parametrize("kind", ["balanced", "imbalanced"])
@pytest.mark.parametrize(("library", "id"), ROWS)
def test_a_row_is_its_loop(library, id, kind):
    K = LIBRARIES[library][id].views or 3
    z, y = batch(kind, K, 4)
    assert of_row(library, id, z, y) == pytest.approx(
        LOOPS[library, id](Rows(z, y, TAU)), abs=1e-10
    )


@pytest.mark.parametrize(("library", "id"), ROWS)
def test_the_floor_of_a_row_is_its_loss_at_the_simplex_and_below_others(library, id):
    row = row_of(library, id)
    labels = {"classes": 3, "balanced": True} if row.loss.labelled else {}
    found = ruler(None, id, batch=6, tau=TAU, library=library, **labels)
    assert found.lines[0].status == "exact minimum"
    other = -1 / 2 if row.loss.labelled else -1 / 5
    counts = [2, 2, 2] if row.loss.labelled else [1] * 6
    z, y = embedded(counts, 2, 1.0, 1.0, other)
    assert LOOPS[library, id](Rows(z, y, TAU)) == pytest.approx(found["least"], abs=1e-9)
    for seed in range(20):
        generator = torch.Generator().manual_seed(seed)
        noise = torch.randn(z.shape, generator=generator, dtype=torch.float64)
        moved = torch.nn.functional.normalize(z + (0.05, 1.0)[seed % 2] * noise, dim=-1)
        value = LOOPS[library, id](Rows(moved, y, TAU))
        assert found["least"] - 1e-9 <= value <= found["most"] + 1e-9
    same, y = embedded(counts, 2, 1.0, 1.0, 1.0)
    assert LOOPS[library, id](Rows(same, y, TAU)) == pytest.approx(found["equal"], abs=1e-9)


# ---- calls (extra bench) ------------------------------------------------------------------------
def call_pml(id, z, y):
    from pytorch_metric_learning import losses

    K, images = z.shape[1], torch.arange(len(z))
    loss = {"supcon": losses.SupConLoss}.get(id, losses.NTXentLoss)(TAU)
    return loss(z.flatten(0, 1), (images if id == "nt_xent" else y).repeat_interleave(K))


def call_lightly(id, z, y):
    from lightly.loss import DCLLoss, NTXentLoss

    return {"nt_xent": NTXentLoss, "dcl": DCLLoss}[id](TAU)(z[:, 0], z[:, 1])


def call_sentence_transformers(id, z, y):
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    loss = MultipleNegativesRankingLoss(model=None, scale=1 / TAU)
    return loss.compute_loss_from_embeddings([z[:, 0], z[:, 1]], None)


CALLS = {
    "pml": ("pytorch_metric_learning", call_pml),
    "lightly": ("lightly", call_lightly),
    "sentence-transformers": ("sentence_transformers", call_sentence_transformers),
}
INSTALLED = [
    (library, id)
    for library, (package, _) in CALLS.items()
    if importlib.util.find_spec(package)
    for id in LIBRARIES[library]
]


if INSTALLED:  # CI counts them where the extra "bench" is installed

    @pytest.mark.parametrize(("library", "id"), INSTALLED)
    def test_a_row_is_what_the_library_returns(library, id):
        for kind in ("balanced", "imbalanced"):
            z, y = batch(kind, 2, 6)
            found = float(CALLS[library][1](id, z, y))
            assert found == pytest.approx(of_row(library, id, z, y), abs=1e-9), kind


def test_the_default_temperature_of_a_row_is_the_librarys():
    defaults = {}
    if importlib.util.find_spec("pytorch_metric_learning"):
        from pytorch_metric_learning import losses

        defaults |= {("pml", "nt_xent"): losses.NTXentLoss().temperature}
        defaults |= {("pml", "supcon"): losses.SupConLoss().temperature}
    if importlib.util.find_spec("lightly"):
        from lightly.loss import DCLLoss, NTXentLoss

        defaults |= {("lightly", "nt_xent"): NTXentLoss().temperature}
        defaults |= {("lightly", "dcl"): DCLLoss().temperature}
    if importlib.util.find_spec("sentence_transformers"):
        from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

        loss = MultipleNegativesRankingLoss(model=None)
        defaults |= {("sentence-transformers", "nt_xent"): 1 / loss.scale}
    for key, value in defaults.items():
        assert row_of(*key).tau == pytest.approx(value), key


def test_rows_that_are_said_to_be_called_are_those_with_a_call():
    for library, id in ROWS:
        called = LIBRARIES[library][id].checked == "by calling it"
        assert called == (library in CALLS), (library, id)


def test_the_mean_of_pairs_over_random_batches_weighs_large_classes_more():
    row = row_of("pml", "nscl_coupled")
    counts = np.array([[1, 5], [3, 3]])

    def loss(n):
        return row.loss(levels(n, 6, 2, TAU, 2, 1.0, 1.0, -1.0), {})

    def weight(n):
        return row.loss.weight(n, 6, 2, {})

    found = mean_over_anchors(loss, weight, counts)
    by_hand = [loss(np.array([n]))[0] for n in (1.0, 5.0, 3.0)]
    first = (1 * 1 * by_hand[0] + 5 * 9 * by_hand[1]) / (1 * 1 + 5 * 9)
    assert found.mean == pytest.approx((first + by_hand[2]) / 2, abs=1e-12)
