"""Paired training: alone or together, in one go or interrupted, the weights have the same bits."""

import json

import pytest

from supcon_theory import data
from supcon_theory.encoders import train as paired
from supcon_theory.encoders.embed import embed, encoder_at, evaluation_views
from supcon_theory.encoders.learner import arguments
from supcon_theory.encoders.recipe import DRAWS
from supcon_theory.objectives import OBJECTIVES
from supcon_theory.runs import machine
from supcon_theory.runs.exits import Refused
from tests.encoders.trained import begin, recipes, same, weights


def test_an_objective_trained_alone_equals_it_trained_beside_others(tmp_path):
    dcl, nscl, supcon, ce = recipes("dcl", "nscl", "supcon", "cross_entropy")
    together = paired.train([dcl, nscl, supcon, ce], tmp_path / "together")
    alone = paired.train([nscl], tmp_path / "alone")
    for step in nscl.checkpoints:
        assert same(weights(nscl, together["nscl"], step), weights(nscl, alone["nscl"], step))
    starts = [weights(r, together[r.objective], 0) for r in (dcl, nscl, supcon, ce)]
    assert all(same(starts[0], other) for other in starts[1:])
    ends = [weights(r, together[r.objective], 6) for r in (dcl, nscl, supcon, ce)]
    assert not any(same(ends[0], other) for other in ends[1:])


def test_an_interrupted_training_goes_on_to_the_same_bits(tmp_path, monkeypatch):
    both = recipes("dcl", "nscl")
    whole = paired.train(both, tmp_path / "whole")
    begin(both, tmp_path / "parts", 5)
    steps = []
    parts = paired.train(both, tmp_path / "parts", report=steps.append)
    assert len(steps) == 3  # it went on from step 3
    for recipe in both:
        for step in recipe.checkpoints:
            assert same(
                weights(recipe, whole[recipe.objective], step),
                weights(recipe, parts[recipe.objective], step),
            )
        assert "resume.pt" not in parts[recipe.objective].files()


def test_the_manifest_names_every_device_that_an_encoder_was_trained_on(tmp_path, monkeypatch):
    (recipe,) = recipes("dcl")
    here = machine.processor()
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(machine, "device_name", lambda device: f"another {device}")
        begin([recipe], tmp_path / "moved", 5)
    for folder, devices in (("moved", ["another cpu", here]), ("stayed", [here])):
        entry = paired.train([recipe], tmp_path / folder)["dcl"]
        assert json.loads(entry.read("manifest.json"))["devices"] == devices


def test_what_an_objective_is_called_with_follows_from_its_signature():
    (hard,) = recipes("hucl", options={"beta": 2.0})
    assert arguments(hard) == {"beta": 2.0}
    (distinct,), (every,) = recipes("dcl"), recipes("dcl", options={"pairs": "all"})
    assert arguments(distinct) == {"pairs": "distinct"}
    assert arguments(every) == {"pairs": "all"}
    (classifier,) = recipes("cross_entropy")
    assert arguments(classifier)["weights"].shape == (4, 16)


def test_options_reach_the_objective_and_change_the_key_only_when_there_are_any(tmp_path):
    (plain,), (optional,) = recipes("dcl"), recipes("dcl", options={"pairs": "all"})
    assert plain.key != optional.key
    ends = [paired.train([r], tmp_path)["dcl"] for r in (plain, optional)]
    assert not same(weights(plain, ends[0], 6), weights(optional, ends[1], 6))


def test_a_control_draws_anew_what_it_names_and_nothing_else(tmp_path, monkeypatch):
    """Weights at the start, order of the batches, views of the same images."""
    drawn = []

    def looked_at(images, index, **of):
        drawn.append((index.tolist(), of["seed"]))
        return views(images, index, **of)

    views = paired.views
    monkeypatch.setattr(paired, "views", looked_at)
    found = {}
    for redrawn in ({}, *({name: 1} for name in DRAWS)):
        (recipe,) = recipes("dcl", redrawn=redrawn, batch=16)
        drawn.clear()
        entry = paired.train([recipe], tmp_path)["dcl"]
        same_images = sorted({i for index, _ in drawn for i in index})
        order, seed = [index for index, _ in drawn], drawn[0][1]
        found["".join(redrawn)] = weights(recipe, entry, 0), same_images, order, seed
        assert same(encoder_at(recipe, entry, 0, 1).state_dict(), weights(recipe, entry, 0))
    base = found.pop("")
    for name, (start, images, order, seed) in found.items():
        assert same(start, base[0]) == (name != "weights")
        assert (order == base[2]) == (name != "batches")
        assert (seed == base[3]) == (name != "views")
        assert images == base[1]
    with pytest.raises(Refused, match="labels is not drawn in training"):
        recipes("dcl", redrawn={"labels": 1})


def test_a_loss_that_is_not_finite_says_where(tmp_path, monkeypatch):
    broken = lambda z, y, *, tau, pairs: z.sum() * float("nan")  # noqa: E731
    monkeypatch.setitem(OBJECTIVES, "dcl", broken)
    with pytest.raises(FloatingPointError, match="epoch 0, step 0"):
        paired.train(recipes("dcl"), tmp_path)


def test_only_the_objective_may_differ(tmp_path):
    with pytest.raises(ValueError, match="objective only"):
        paired.train([*recipes("dcl"), *recipes("nscl", tau=0.1)], tmp_path)


def test_training_lowers_the_loss_it_trains(tmp_path):
    (recipe,) = recipes("nscl", steps=40, checkpoints=(0, 40))
    entry = paired.train([recipe], tmp_path)["nscl"]
    dataset = data.load("glyphs")
    rows, y = paired.training_rows(recipe, dataset)
    seen = evaluation_views(dataset, dataset.train, rows)
    losses = []
    for step in recipe.checkpoints:
        _, z = embed(encoder_at(recipe, entry, step, 1), seen)
        losses.append(OBJECTIVES["nscl"](z, y, tau=recipe.tau).item())
    assert losses[1] < losses[0] - 0.2


GOLDEN = {"dcl": 3.975679, "nscl": 3.652163}


def test_the_recipe_gives_the_numbers_of_its_version(tmp_path):
    """Raise `recipe.VERSION` when this changes: stored encoders of the old recipe are then left."""
    both = recipes("dcl", "nscl")
    trained = paired.train(both, tmp_path)
    dataset = data.load("glyphs")
    rows, y = paired.training_rows(both[0], dataset)
    seen = evaluation_views(dataset, dataset.train, rows)
    for recipe in both:
        _, z = embed(encoder_at(recipe, trained[recipe.objective], 6, 1), seen)
        found = OBJECTIVES[recipe.objective](z, y, tau=1.0).item()
        assert found == pytest.approx(GOLDEN[recipe.objective], abs=2e-5)
