"""The labelings: what is merged with what, what is blind to what."""

import pytest
import torch

from supcon_theory import data
from supcon_theory.data.subsets import choose_classes
from supcon_theory.encoders.labelings import coarse_labels, labelings
from supcon_theory.encoders.recipe import Recipe

LABELINGS = ("true", "coarse", "random", "kmeans", "kmeans_equal")
RECIPE = Recipe("glyphs", 8, 6, 1, "dcl")
Y = torch.arange(8).repeat_interleave(6)


@pytest.fixture(scope="module")
def glyphs():
    return data.load("glyphs")


def test_coarse_classes_are_neighbours_in_code_point_order(glyphs):
    merged = coarse_labels(Y, RECIPE, glyphs, 4)
    chosen = choose_classes(len(glyphs.classes), RECIPE.C, RECIPE.seed)
    first, second = ({glyphs.classes[chosen[c]] for c in Y[merged == k]} for k in (0, 1))
    assert len(first) == len(second) == 4
    assert max(map(ord, first)) < min(map(ord, second))


def test_clusters_and_nothing_else_depend_on_z_and_are_blind_to_y(glyphs):
    z, other = torch.randn(2, len(Y), 2, 5, generator=torch.Generator().manual_seed(0))
    found = labelings(z, Y, RECIPE, glyphs, 4)
    assert tuple(found) == LABELINGS
    for name, labels in labelings(z, Y.flip(0), RECIPE, glyphs, 4).items():
        assert bool((labels == found[name]).all()) == name.startswith("kmeans")
    for name, labels in labelings(other, Y, RECIPE, glyphs, 4).items():
        assert bool((labels == found[name]).all()) != name.startswith("kmeans")


def test_all_but_k_means_are_balanced_and_random_labels_are_not_the_true_ones(glyphs):
    z = torch.randn(len(Y), 2, 5, generator=torch.Generator().manual_seed(0))
    found = labelings(z, Y, RECIPE, glyphs, 2)
    sizes = {name: labels.bincount().tolist() for name, labels in found.items()}
    assert sizes["coarse"] == [12] * 4 and len(sizes["kmeans"]) == 8
    assert sizes["true"] == sizes["random"] == sizes["kmeans_equal"] == [6] * 8
    assert (found["random"] == Y).float().mean() < 0.5


def test_constant_features_are_refused_in_a_sentence(glyphs):
    with pytest.raises(ValueError, match="constant encoder cannot be clustered"):
        labelings(torch.ones(len(Y), 2, 3), Y, RECIPE, glyphs, 4)
