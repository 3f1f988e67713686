"""Where embeddings lie, the pull to prototypes, and stripes: what a recipe adds to training."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from supcon_theory.encoders.learner import Learner, arguments, away, prototypes
from supcon_theory.encoders.networks import network_of
from supcon_theory.encoders.recipe import SURFACES, Recipe
from supcon_theory.encoders.train import labels_trained_on, load, train
from supcon_theory.runs.exits import Refused

SMALL = Recipe(C=3, n=8, steps=3, batch=12, d=8, checkpoints=(0, 3))


def weights(recipe, folder):
    (entry,) = train([recipe], folder).values()
    return entry.read("step-000003.pt")


@pytest.mark.parametrize("surface", SURFACES)
def test_every_surface_holds_what_it_says_of_the_same_projection(surface):
    images = torch.rand(20, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    network = network_of(replace(SMALL, surface=surface), 1)
    with torch.no_grad():
        h, z = network(images)
        raw = network.projector(h)
        doubled = network.projector[-1]
        doubled.weight.mul_(40), doubled.bias.mul_(40)  # beyond the ball
        long = network(images)[1]
    wanted = {
        "sphere": F.normalize(raw, dim=1),
        "positive": F.normalize(raw.relu(), dim=1),
        "ball": raw / raw.norm(dim=1, keepdim=True).clamp(min=1),
        "none": raw,
    }[surface]
    torch.testing.assert_close(z, wanted)
    norms = long.norm(dim=1)
    assert (norms > 1.5).all() if surface == "none" else (norms <= 1 + 1e-5).all()
    if surface == "ball":
        torch.testing.assert_close(norms, torch.ones_like(norms))


def test_losses_are_told_of_rows_that_are_not_unit():
    assert "unit" not in arguments(SMALL)
    assert arguments(replace(SMALL, surface="ball"))["unit"] is False


def test_prototypes_are_orthonormal_and_the_pull_is_a_mean_over_named_samples():
    recipe = replace(SMALL, pull=1.0)
    of = prototypes(recipe)
    torch.testing.assert_close(of @ of.T, torch.eye(3))
    assert not torch.allclose(of, prototypes(replace(recipe, seed=1)))
    z = F.normalize(torch.randn(4, 2, 8, generator=torch.Generator().manual_seed(0)), dim=-1)
    y, named = torch.tensor([0, 2, 1, 2]), torch.tensor([True, False, True, True])
    slow = [1 - float(z[i, l] @ of[y[i]]) for i in (0, 2, 3) for l in range(2)]
    assert float(away(z, y, named, of)) == pytest.approx(sum(slow) / 6, abs=1e-6)
    assert float(away(z, y, torch.zeros(4, dtype=torch.bool), of)) == 0
    learner = Learner(replace(recipe, pull=2.0), 1, "cpu")
    base = Learner(SMALL, 1, "cpu")
    both = [of.loss(0, 0, z, y, named) for of in (learner, base)]
    assert float(both[0] - both[1]) == pytest.approx(2 * sum(slow) / 6, abs=1e-5)


def test_a_pull_of_which_no_label_is_known_trains_as_none_and_one_of_all_does_not(tmp_path):
    plain = weights(SMALL, tmp_path)
    assert weights(replace(SMALL, pull=1.0, named=0.0), tmp_path) == plain
    pulled = weights(replace(SMALL, pull=1.0), tmp_path)
    assert pulled != plain and pulled != weights(replace(SMALL, pull=1.0, named=0.5), tmp_path)


def test_stripes_are_trained_on_and_read_back():
    plain, striped = load(SMALL), load(replace(SMALL, stripes=0.5))
    rows = torch.tensor([3, 170])
    difference = striped.train.images(rows) - plain.train.images(rows)
    assert difference.abs().mean() > 0.05
    assert replace(SMALL, stripes=0.5).key != SMALL.key


def test_wrong_labels_are_other_classes_as_many_as_asked_for_and_each_as_likely():
    y, index = torch.arange(5).repeat_interleave(4000), torch.arange(20_000)
    recipe = replace(SMALL, C=5)
    few, many = (labels_trained_on(replace(recipe, wrong=share), y, index) for share in (0.2, 0.6))
    assert torch.equal(labels_trained_on(recipe, y, index), y)
    assert float((few != y).float().mean()) == pytest.approx(0.2, abs=0.01)
    assert float((many != y).float().mean()) == pytest.approx(0.6, abs=0.01)
    assert torch.equal(many[few != y], few[few != y])  # those of the smaller share are kept
    seen = torch.stack([(few[few != y] - y[few != y]) % 5 == step for step in range(1, 5)])
    assert seen.float().mean(1).tolist() == pytest.approx([0.25] * 4, abs=0.03)
    other = labels_trained_on(replace(recipe, wrong=0.2, seed=1), y, index)
    assert not torch.equal(other, few)


def test_wrong_labels_are_trained_on(tmp_path):
    base = replace(SMALL, objective="supcon")
    assert weights(replace(base, wrong=0.5), tmp_path) != weights(base, tmp_path)
    unsupervised = replace(SMALL, wrong=0.5)  # CL sees no labels
    assert weights(unsupervised, tmp_path) == weights(SMALL, tmp_path)


@pytest.mark.parametrize("hidden", [0, 1, 2])
def test_a_projector_has_so_many_hidden_layers(hidden):
    network = network_of(replace(SMALL, hidden=hidden), 1)
    layers = [m for m in network.projector if isinstance(m, torch.nn.Linear)]
    assert len(layers) == hidden + 1
    assert layers[0].in_features == 256 and layers[-1].out_features == 8
    assert network(torch.rand(2, 1, 32, 32))[1].shape == (2, 8)


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"surface": "cube"}, "one of sphere, ball"), ({"pull": -1.0}, "0 or a number above"),
     ({"named": 1.5}, r"in \[0, 1\]"), ({"stripes": 1.0}, r"in \[0, 1\)"),
     ({"pull": 1.0, "d": 2}, "d is 2 but orthonormal prototypes"),
     ({"wrong": 1.5}, r"in \[0, 1\]"), ({"hidden": 4}, "0 to 3 for plain"),
     ({"hidden": 2, "encoder": "resnet18"}, "hidden is 2")],
)  # fmt: skip
def test_what_cannot_be_trained_is_refused(changes, words):
    with pytest.raises(Refused, match=words):
        replace(SMALL, **changes)
