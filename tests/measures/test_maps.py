"""Maps: principal components, t-SNE, turned panels mapped alike; what neighbours they keep."""

import numpy as np
import pytest
from scipy.stats import ortho_group
from sklearn.manifold import TSNE

from supcon_theory.measures.maps import joint_map
from supcon_theory.measures.neighbours import purity, trustworthiness


def test_panels_that_are_turned_fall_on_each_other():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20, 4)) * [4, 2, 1, 0.5]
    found = joint_map(np.stack([x @ ortho_group.rvs(4, random_state=1), x]), "pca", 0)
    assert found.shape == (2, 20, 2)
    np.testing.assert_allclose(found[0], found[1], atol=1e-9)
    _, _, axes = np.linalg.svd(x - x.mean(0))
    np.testing.assert_allclose(np.abs(found[1]), np.abs((x - x.mean(0)) @ axes[:2].T), atol=1e-9)


def test_t_sne_has_a_third_of_the_points_as_perplexity_up_to_30():
    for n, perplexity in ((20, 19 / 3), (100, 30)):
        x = np.random.default_rng(0).normal(size=(1, n, 4))
        wanted = TSNE(2, perplexity=perplexity, init="pca", random_state=3).fit_transform(x[0])
        assert np.array_equal(joint_map(x, "tsne", 3)[0], wanted)


@pytest.mark.parametrize("neighbours", [1, 4, 29])
def test_purity_is_the_share_of_neighbours_of_the_same_class(neighbours):
    rng = np.random.default_rng(0)
    y = rng.permutation(np.repeat([0, 1, 2], 10))
    x = rng.normal(size=(30, 3)) + y[:, None] - 50.0
    same = []
    for i in range(30):
        others = sorted((j for j in range(30) if j != i), key=lambda j: np.linalg.norm(x[i] - x[j]))
        same += [y[j] == y[i] for j in others[:neighbours]]
    assert purity(x, y, neighbours) == pytest.approx(np.mean(same), abs=1e-12)


def test_a_map_that_keeps_all_neighbours_is_trustworthy_and_a_shuffled_one_is_not():
    x = np.random.default_rng(0).normal(size=(21, 2))
    assert trustworthiness(x, 3 * x[:, ::-1] + 1) == 1
    assert trustworthiness(x, np.random.default_rng(1).permutation(x)) < 0.7
    assert trustworthiness(x, x, neighbours=500) == 1  # 10: half of the others


@pytest.mark.parametrize("panels", [np.ones((2, 5, 3)), np.eye(4), np.ones((1, 4, 1))])
def test_what_has_no_map_is_refused(panels):
    with pytest.raises(ValueError, match=r"constant|\(panels, images, d\)"):
        joint_map(panels, "pca", 0)
