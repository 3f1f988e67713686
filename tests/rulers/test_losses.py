"""The losses read off cosines are the objectives, anchor by anchor, whatever the embeddings."""

import numpy as np
import pytest
import torch

from supcon_theory.objectives import IDS, OBJECTIVES
from supcon_theory.objectives.conventions import convention
from supcon_theory.rulers.cosines import Rows as Cosines
from supcon_theory.rulers.cosines import Seen, levels
from supcon_theory.rulers.losses import LOSSES, read_options
from tests.objectives.test_loop_references import CASES, Rows, batch

CLASSES = [(name, options) for name, options in CASES if "clamp" not in options]


def seen_by(r: Rows, a: tuple, tau: float) -> Seen:
    """What one anchor sees, set by set, from the explicit lists of rows."""
    ordered, view = r.first_positives(a, 10**6), r.view(a)  # own views, then samples as they follow
    own, sis = ordered[: r.K - 1], ordered[r.K - 1 :]
    assert set(own) == set(r.own(a)) and set(sis) == set(r.sis(a))

    def rows(found):
        cosines = np.array([[tau * r.s[a, b] for b in found]])
        return Cosines(cosines, np.ones_like(cosines))

    same = [b for b in view if r.y[b[0]] == r.y[a[0]]]
    other = [b for b in view if r.y[b[0]] != r.y[a[0]]]
    return Seen(
        *(r.N, r.K, tau, rows(own), rows(sis), rows(r.oth(a)), rows(same), rows(other), rows([]))
    )


@pytest.mark.parametrize(("kind", "K"), [("balanced", 2), ("imbalanced", 3)])
@pytest.mark.parametrize(("name", "options"), CLASSES)
def test_every_anchor_has_the_loss_of_the_objective(name, options, K, kind):
    for seed, tau in enumerate((0.1, 1.0)):
        z, y = batch(kind, K, seed)
        wanted = OBJECTIVES[name](z, y, tau=tau, reduction="none", **options)
        loss, read = LOSSES[name], read_options(name, options)
        r = Rows(z, y, tau)
        n = {i: sum(label == r.y[i] for label in r.y) for i in range(r.N)}
        weights = np.array(
            [loss.weight(np.array([float(n[i])]), r.N, K, read)[0] for i, _ in r.all]
        )
        found = np.array([loss(seen_by(r, a, tau), read)[0] for a in r.all])
        scale = np.where(weights > 0, weights / weights[weights > 0].mean(), np.nan)
        ours = (found * scale).reshape(r.N, K)
        if options == {"anchors": "first_view"}:
            ours[:, 1:] = np.nan
        np.testing.assert_allclose(ours, wanted.numpy(), rtol=1e-11, atol=1e-11, equal_nan=True)


def embedded(counts, K, own, same, other):
    """Unit rows (N, K, N K) with these cosines, and labels."""
    y = np.repeat(np.arange(len(counts)), counts)
    rows, sample = np.repeat(y, K), np.repeat(np.arange(len(y)), K)
    gram = np.where(rows[:, None] == rows, same, other)
    gram = np.where(sample[:, None] == sample, own, gram) + (1.0 - own) * np.eye(len(rows))
    values, vectors = np.linalg.eigh(gram)
    assert values.min() > -1e-12
    z = vectors * np.sqrt(values.clip(0))
    return torch.from_numpy(z.reshape(len(y), K, -1)), torch.from_numpy(y)


@pytest.mark.parametrize("cosines", [(1, 1, 1), (1, 1, -1 / 3), (0.9, 0.4, 0.1), (0.6, 0.6, 0)])
@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize(("name", "options"), CLASSES)
def test_levels_are_the_mean_loss_of_such_embeddings(name, options, K, cosines):
    counts, tau = [4, 3, 2, 1], 0.3
    z, y = embedded(counts, K, *cosines)
    n, loss, read = np.array(counts, float), LOSSES[name], read_options(name, options)
    weight = n * loss.weight(n, 10, K, read)
    losses = np.zeros(4)
    has = weight > 0
    losses[has] = loss(levels(n[has], 10, K, tau, 4, *cosines), read)
    wanted = float(OBJECTIVES[name](z, y, tau=tau, **options))
    assert weight @ losses / weight.sum() == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize("margin", [0.0, 0.5])
def test_cross_entropy_is_that_of_unit_weights(margin):
    z, y = embedded([3, 2, 2], 1, 1.0, 1.0, -0.2)
    weights = torch.stack([z[0, 0], z[3, 0], z[5, 0]])
    wanted = float(OBJECTIVES["cross_entropy"](z, y, tau=0.4, weights=weights, margin=margin))
    seen = levels(np.array([2.0]), 7, 1, 0.4, 3, 1.0, 1.0, -0.2)
    found = LOSSES["cross_entropy"](seen, {"margin": margin})
    assert found[0] == pytest.approx(wanted, abs=1e-9)


def test_every_id_has_a_loss_and_asks_the_labels_where_its_convention_says_so():
    assert tuple(LOSSES) == IDS
    for id in IDS:
        assert LOSSES[id].labelled == (convention(id)["labels"] == "yes"), id


@pytest.mark.parametrize("tau", [0.001, 0.005, 1000.0])
@pytest.mark.parametrize("name", LOSSES)
def test_no_temperature_makes_a_level_infinite(name, tau):
    n = np.array([1.0, 2.0, 500.0])
    loss, read = LOSSES[name], read_options(name, {})
    n = n[loss.weight(n, 1000, 2, read) > 0]
    for cosines in ((1, 1, 1), (1, 1, -1 / 9), (-1, -1, 1), (1, -1, -1)):
        assert np.isfinite(loss(levels(n, 1000, 2, tau, 10, *cosines), read)).all()
