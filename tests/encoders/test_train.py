"""Paired training: alone or together, in one go or interrupted, the weights have the same bits."""

import json

import pytest
import torch

from supcon_theory import data
from supcon_theory.encoders import train as paired
from supcon_theory.encoders.embed import Encoders, embed, encoder_at, evaluation_views
from supcon_theory.encoders.learner import arguments
from supcon_theory.encoders.recipe import DRAWS, Recipe
from supcon_theory.objectives import OBJECTIVES
from supcon_theory.runs.cells import Context
from supcon_theory.runs.exits import Broken, Refused

SMALL = dict(n=8, steps=6, batch=12, checkpoints=(0, 3, 6), d=16)


def recipes(*objectives, **changes):
    return [Recipe(C=4, objective=objective, **SMALL | changes) for objective in objectives]


def weights(recipe, entry, step):
    name = paired.checkpoint_name(step)
    return paired.from_bytes(entry.read(name), entry.folder / name)


def same(a, b) -> bool:
    return all(torch.equal(a[name], b[name]) for name in a) and a.keys() == b.keys()


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
    steps = []

    class Interrupted(Exception):
        pass

    def interrupt(part):
        steps.append(part)
        if len(steps) == 5:
            raise Interrupted

    with pytest.raises(Interrupted):
        paired.train(both, tmp_path / "parts", report=interrupt)
    steps.clear()
    parts = paired.train(both, tmp_path / "parts", report=steps.append)
    assert len(steps) == 3  # it went on from step 3
    for recipe in both:
        for step in recipe.checkpoints:
            assert same(
                weights(recipe, whole[recipe.objective], step),
                weights(recipe, parts[recipe.objective], step),
            )
        assert "resume.pt" not in parts[recipe.objective].files()


def test_what_is_trained_is_not_trained_again_unless_asked(tmp_path):
    both = recipes("dcl", "nscl")
    steps = []
    paired.train(both[:1], tmp_path, report=steps.append)
    paired.train(both, tmp_path, report=steps.append)
    assert len(steps) == 12
    paired.train(both, tmp_path, report=steps.append)
    assert len(steps) == 12
    paired.train(both, tmp_path, report=steps.append, retrain_before=float("inf"))
    assert len(steps) == 18


def test_a_damaged_checkpoint_is_trained_again_and_said(tmp_path):
    (recipe,) = recipes("dcl")
    entry = paired.train([recipe], tmp_path)["dcl"]
    before = weights(recipe, entry, 6)
    path = entry.folder / paired.checkpoint_name(6)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    said = []
    again = paired.train([recipe], tmp_path, say=said.append)["dcl"]
    assert same(before, weights(recipe, again, 6))
    assert len(said) == 1 and (tmp_path / f"{recipe.key}.damaged").is_dir()


def test_the_folder_of_another_encoder_is_not_taken_for_it(tmp_path):
    (one,), (other,) = recipes("dcl"), recipes("dcl", lr=0.1)
    right = weights(other, paired.train([other], tmp_path / "right")["dcl"], 6)
    paired.train([one], tmp_path)["dcl"].folder.rename(tmp_path / other.key)
    said = []
    found = paired.train([other], tmp_path, say=said.append)["dcl"]
    assert same(right, weights(other, found, 6)) and "another recipe" in said[0]


def test_an_encoder_of_another_version_is_trained_again(tmp_path, monkeypatch):
    (recipe,) = recipes("dcl")
    entry = paired.train([recipe], tmp_path)["dcl"]
    manifest = json.loads((entry.folder / "manifest.json").read_text())
    (entry.folder / "manifest.json").write_text(json.dumps(manifest | {"version": 0}))
    said = []
    paired.train([recipe], tmp_path, say=said.append)
    assert "another version" in said[0]


def test_a_half_trained_encoder_is_not_gone_on_with_by_another_recipe(tmp_path):
    class Interrupted(Exception):
        pass

    def interrupt(part):
        if part > 0.6:
            raise Interrupted

    (one,), (other,) = recipes("dcl"), recipes("dcl", lr=0.1)
    with pytest.raises(Interrupted):
        paired.train([one], tmp_path, report=interrupt)
    (tmp_path / one.key).rename(tmp_path / other.key)
    steps = []
    found = paired.train([other], tmp_path, report=steps.append)["dcl"]
    right = paired.train([other], tmp_path / "right")["dcl"]
    assert len(steps) == 6 and same(weights(other, right, 6), weights(other, found, 6))


def test_an_interrupted_training_with_a_damaged_checkpoint_starts_again(tmp_path):
    class Interrupted(Exception):
        pass

    def interrupt(part):
        if part > 0.6:
            raise Interrupted

    (recipe,) = recipes("dcl")
    with pytest.raises(Interrupted):
        paired.train([recipe], tmp_path, report=interrupt)
    path = tmp_path / recipe.key / paired.checkpoint_name(0)
    path.write_bytes(path.read_bytes()[:-9])
    steps = []
    entry = paired.train([recipe], tmp_path, report=steps.append)["dcl"]
    assert len(steps) == 6 and entry.finished()


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


def test_a_compiled_encoder_is_trained_to_the_same_weights(tmp_path, monkeypatch):
    """Up to rounding, a hundredth of what training moves; and through the compiler, not past it."""
    calls = []
    compile_ = torch.compile

    def counted(network):
        calls.append(network)
        return compile_(network)

    monkeypatch.setattr(torch, "compile", counted)
    (plain,), (fast,) = recipes("nscl"), recipes("nscl", compile=True)
    entries = [paired.train([recipe], tmp_path)["nscl"] for recipe in (plain, fast)]
    start, end = weights(plain, entries[0], 0), weights(plain, entries[0], 3)
    compiled = weights(fast, entries[1], 3)
    assert len(calls) == 1 and end.keys() == compiled.keys()
    for name, values in end.items():
        moved = float((values - start[name]).abs().max())
        torch.testing.assert_close(compiled[name], values, rtol=0, atol=0.01 * moved)


def test_a_compiler_that_fails_is_a_sentence(tmp_path, monkeypatch):
    (recipe,) = recipes("nscl", steps=3, checkpoints=(3,), compile=True, hidden=2)
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "kernels"))
    monkeypatch.setattr("torch._inductor.config.cpp.cxx", ("/bin/false",))
    with pytest.raises(Broken, match=r"torch.compile failed \(.+\): repair the C\+\+ compiler"):
        paired.train([recipe], tmp_path)


def test_strength_and_what_is_left_out_reach_the_views_trained_on(tmp_path, monkeypatch):
    policies = []
    views = paired.views

    def looked_at(*of, policy, **more):
        policies.append((policy.degrees, policy.veil))
        return views(*of, policy=policy, **more)

    monkeypatch.setattr(paired, "views", looked_at)
    paired.train(recipes("dcl", strength=0.5, without="veil"), tmp_path)
    assert set(policies) == {(5.0, 0.0)}


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


def test_imbalanced_recipes_train_on_geometric_subsets(tmp_path):
    (recipe,) = recipes("dcl", imbalance=4.0)
    _, y = paired.training_rows(recipe, data.load("glyphs"))
    assert y.bincount().tolist() == [8, 5, 3, 2]


def test_evaluation_embeddings_do_not_depend_on_the_chunk(tmp_path, monkeypatch):
    (recipe,) = recipes("dcl")
    entry = paired.train([recipe], tmp_path)["dcl"]
    dataset = data.load("glyphs")
    rows, _ = paired.training_rows(recipe, dataset)
    seen = evaluation_views(dataset, dataset.train, rows)
    assert torch.equal(seen[3:9], evaluation_views(dataset, dataset.train, rows[3:9]))
    network = encoder_at(recipe, entry, 6, 1)
    h, z = embed(network, seen)
    _, part = embed(network, seen[3:9])
    torch.testing.assert_close(z[3:9], part, rtol=0, atol=1e-6)
    assert h.shape[:2] == z.shape[:2] == (32, 2)
    torch.testing.assert_close(z.norm(dim=-1), torch.ones(32, 2))


def test_images_that_stay_on_the_disk_train_to_the_same_bits(tmp_path, monkeypatch):
    (recipe,) = recipes("nscl")
    inside = weights(recipe, paired.train([recipe], tmp_path / "inside")["nscl"], 6)
    monkeypatch.setattr("supcon_theory.data.kept.SHARE", 0.0)
    assert same(inside, weights(recipe, paired.train([recipe], tmp_path / "disk")["nscl"], 6))


def test_the_loss_is_in_single_precision_whatever_the_encoder_is_in(tmp_path, monkeypatch):
    seen = []
    plain = OBJECTIVES["nscl"]
    monkeypatch.setitem(
        OBJECTIVES, "nscl", lambda z, y, **about: seen.append(z.dtype) or plain(z, y, **about)
    )
    ends = {}
    for precision in ("float32", "bfloat16", "float16"):
        (recipe,) = recipes("nscl", precision=precision)
        ends[precision] = weights(recipe, paired.train([recipe], tmp_path)["nscl"], 6)
    assert set(seen) == {torch.float32}
    apart = {
        name: max(float((end[key] - ends["float32"][key]).abs().max()) for key in end)
        for name, end in ends.items()
    }
    assert 0 < apart["bfloat16"] < 0.05 and 0 < apart["float16"] < 0.05


def test_updates_left_out_by_the_scale_of_float16_are_said(tmp_path, monkeypatch):
    (recipe,) = recipes("nscl", precision="float16")
    plain = OBJECTIVES["nscl"]
    monkeypatch.setitem(OBJECTIVES, "nscl", lambda z, y, **about: 1e6 * plain(z, y, **about))
    said = []
    paired.train([recipe], tmp_path, say=said.append)
    assert len(said) == 1 and "updates of the nscl encoder were left out" in said[0]


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


@pytest.mark.parametrize("mix", ["mixup", "cutmix"])
def test_images_mixed_in_pairs_are_trained_on_with_shares_of_both_labels(
    mix, tmp_path, monkeypatch
):
    """A batch in which every image is its own partner is the batch without mixing."""
    seen = []
    step = paired.Learner.step

    def note(self, number, epoch, views, y, named):
        seen.append((views, y))
        return step(self, number, epoch, views, y, named)

    monkeypatch.setattr(paired.Learner, "step", note)
    plain, mixed = (recipes("supcon", mix=of, steps=1, checkpoints=(0, 1)) for of in (None, mix))
    paired.train(plain, tmp_path / "plain")
    paired.train(mixed, tmp_path / "mixed")
    (views, y), (of_both, shares) = seen
    permutation = paired.permutation
    alone = lambda seed, stream, *of: (  # noqa: E731
        permutation(seed, stream, *of) if stream != "partners" else list(range(of[1]))
    )
    monkeypatch.setattr(paired, "permutation", alone)
    paired.train(mixed, tmp_path / "alone")
    torch.testing.assert_close(seen[-1][0], views)
    torch.testing.assert_close(seen[-1][1], torch.nn.functional.one_hot(y, 4).float())

    partner = torch.as_tensor(permutation(0, "partners", 0, len(y)))
    own = shares.gather(1, y[:, None])[:, 0]
    apart = y != y[partner]
    assert apart.any() and ((0 < own) & (own < 1))[apart].all()
    torch.testing.assert_close(own[~apart], torch.ones_like(own[~apart]))
    torch.testing.assert_close(shares.sum(1), torch.ones(len(y)))
    if mix == "mixup":
        share = own[:, None, None, None, None]
        both = share * views + (1 - share) * views[partner]
        torch.testing.assert_close(of_both[apart], both[apart])
    else:
        kept = (of_both == views).all(dim=(1, 2))
        either = (of_both == views) | (of_both == views[partner])
        assert either.all()
        assert (kept.float().mean((1, 2))[apart] >= own[apart] - 1e-6).all()


def test_images_are_seen_in_views_of_ours_unless_those_trained_on_are_asked_for(tmp_path):
    context = Context(tmp_path, "cpu", 0.0, lambda part: None, lambda sentence: None)

    def seen(**changes):
        (recipe,) = recipes("dcl", steps=1, checkpoints=(0, 1), **changes)
        of = Encoders(recipe, ["dcl"], context, share=1.0)
        return {name: of.images("test", **how)[0] for name, how in ASKED.items()}

    ours, none, part = seen(), seen(strength=0.0), seen(without="veil")
    for other in (none, part):
        assert torch.equal(other["ours"], ours["ours"]) and torch.equal(other["it"], ours["it"])
        assert not torch.equal(other["own"], ours["own"])
    assert torch.equal(ours["own"], ours["ours"])
    assert ours["it"].shape[1] == 1
    torch.testing.assert_close(none["own"], none["it"].expand_as(none["own"]), atol=1e-5, rtol=0)


ASKED = {"ours": {}, "own": {"own": True}, "it": {"K": 0}}
