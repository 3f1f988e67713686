"""Which images and views an encoder is trained on, and which it is measured on."""

import pytest
import torch

from supcon_theory import data
from supcon_theory.encoders import train as paired
from supcon_theory.encoders.embed import Encoders, embed, encoder_at, evaluation_views
from supcon_theory.runs.cells import Context
from tests.encoders.trained import recipes, same, weights


def test_strength_and_what_is_left_out_reach_the_views_trained_on(tmp_path, monkeypatch):
    policies = []
    views = paired.views

    def looked_at(*of, policy, **more):
        policies.append((policy.degrees, policy.veil))
        return views(*of, policy=policy, **more)

    monkeypatch.setattr(paired, "views", looked_at)
    paired.train(recipes("dcl", strength=0.5, without="veil"), tmp_path)
    assert set(policies) == {(5.0, 0.0)}


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
