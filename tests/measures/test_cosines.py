"""Moments of the cosines of each anchor against loops over pairs."""

import numpy as np
import pytest
import torch

from supcon_theory.measures.cosines import anchor_cosines


@pytest.mark.parametrize("counts", [[3, 3, 3], [4, 1, 2]])
def test_the_moments_are_those_of_the_pairs(counts):
    generator = torch.Generator().manual_seed(0)
    y = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
    y = y[torch.randperm(len(y), generator=generator)]
    z = torch.randn(len(y), 2, 4, generator=generator, dtype=torch.float64) + 0.5
    z = torch.nn.functional.normalize(z, dim=-1)
    found = anchor_cosines(z, y)
    for i in range(len(y)):
        for k in range(2):
            s = (z @ z[i, k]).numpy()
            own = s[[j for j in range(len(y)) if j != i and y[j] == y[i]]].ravel()
            others = s[[j for j in range(len(y)) if y[j] != y[i]]].ravel()
            expected = (
                [own.mean(), own.var()] if len(own) else [np.nan] * 2,
                [others.mean(), others.var()],
            )
            np.testing.assert_allclose(
                [moment[i, k] for moment in found], np.concatenate(expected), atol=1e-14
            )
