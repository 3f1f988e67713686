"""Labels to judge the same embeddings by: classes, merged, shuffled, or made adversarially."""

import numpy as np
import torch
from torch import Tensor

from supcon_theory import data
from supcon_theory.data.random import shuffled_labels
from supcon_theory.data.subsets import choose_classes
from supcon_theory.encoders.recipe import Recipe
from supcon_theory.measures.clusters import clusters, equal_clusters


def labelings(
    z: Tensor, y: Tensor, recipe: Recipe, dataset: data.DataSet, merged: int
) -> dict[str, Tensor]:
    """Five labelings of the recipe's training samples, z (N, K, d) and y (N,) in its order.

        true          y
        coarse        the classes in the order of their names (code points), `merged` at a time
        random        y, shuffled
        kmeans        k-means clusters of the first views, as many as classes, of whatever size
        kmeans_equal  the same, all of the same size

    The last two see no labels.

    Args:
        z: (N, K, d) embeddings of the recipe's training samples, in its order.
        y: (N,) their labels 0 .. C-1.
        recipe: gives C and the seed.
        dataset: gives the classes' names.
        merged: classes in a coarse one.

    Returns:
        (N,) labels for each name.

    Raises:
        ValueError: the features have no clusters (constant ones).

    """
    first = z[:, 0]
    return {
        "true": y,
        "coarse": coarse_labels(y, recipe, dataset, merged),
        "random": shuffled_labels(recipe.seed, y),
        "kmeans": clusters(first, recipe.C, recipe.seed),
        "kmeans_equal": equal_clusters(first, recipe.C, recipe.seed),
    }


def coarse_labels(y: Tensor, recipe: Recipe, dataset: data.DataSet, merged: int) -> Tensor:
    """The recipe's classes in the order of their names, `merged` at a time."""
    place = np.argsort(np.argsort(class_names(recipe, dataset)))
    return torch.as_tensor(place)[y] // merged


def class_names(recipe: Recipe, dataset: data.DataSet) -> list[str]:
    """What the recipe's classes 0 .. C-1 are called in the data."""
    chosen = choose_classes(len(dataset.classes), recipe.C, recipe.seed)
    return [dataset.classes[c] for c in chosen]
