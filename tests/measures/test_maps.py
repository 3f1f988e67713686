"""A map of one panel is its principal components; turned panels are mapped alike."""

import numpy as np
import pytest
from scipy.stats import ortho_group

from supcon_theory.measures.maps import joint_map


def test_panels_that_are_turned_fall_on_each_other():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20, 4)) * [4, 2, 1, 0.5]
    found = joint_map(np.stack([x @ ortho_group.rvs(4, random_state=1), x]), "pca", 0)
    assert found.shape == (2, 20, 2)
    np.testing.assert_allclose(found[0], found[1], atol=1e-9)
    _, _, axes = np.linalg.svd(x - x.mean(0))
    np.testing.assert_allclose(np.abs(found[1]), np.abs((x - x.mean(0)) @ axes[:2].T), atol=1e-9)


@pytest.mark.parametrize("panels", [np.ones((2, 5, 3)), np.eye(4), np.ones((1, 4, 1))])
def test_what_has_no_map_is_refused(panels):
    with pytest.raises(ValueError, match=r"constant|\(panels, images, d\)"):
        joint_map(panels, "pca", 0)
