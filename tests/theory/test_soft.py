"""SupCon with soft positives: the regular arrangement that is best."""

import numpy as np
import pytest
import torch

from supcon_theory.objectives import OBJECTIVES
from supcon_theory.theory.soft import least_softness, regular_cosine


@pytest.mark.parametrize("softness", [0.01, 0.2, 0.7])
@pytest.mark.parametrize("C, tau", [(2, 0.5), (3, 0.4), (5, 1.0)])
def test_the_cosine_of_classes_is_the_best_of_a_grid(C, tau, softness):
    def loss(cosine):
        gram = np.full((C, C), cosine) + (1 - cosine) * np.eye(C)
        centres = torch.from_numpy(np.linalg.cholesky(gram + 1e-13 * np.eye(C)))
        z = centres[:, None].repeat(2, 2, 1)  # two samples of a class, two views of a sample
        return float(
            OBJECTIVES["soft_supcon"](z, torch.arange(C).repeat(2), tau=tau, softness=softness)
        )

    best = regular_cosine(C, tau, softness)
    grid = np.linspace(-1 / (C - 1), 0.999, 200)
    assert loss(best) <= min(loss(cosine) for cosine in grid) + 1e-9
    assert (best == -1 / (C - 1)) == (softness <= least_softness(C, tau))
