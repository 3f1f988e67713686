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


@pytest.mark.parametrize("counts, K", [((4, 4, 4), 2), ((3, 5, 2), 1), ((2, 1, 4), 3)])
@pytest.mark.parametrize("degree", [1, 5])
def test_shapes_are_those_of_a_loop_over_pairs(counts, K, degree, monkeypatch):
    from supcon_theory.measures import cosines

    monkeypatch.setattr(cosines, "STRIP", 20)  # several strips
    y = np.repeat(np.arange(len(counts)), counts)
    z = torch.randn(len(y), K, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    z = torch.nn.functional.normalize(z, dim=-1)
    found = cosines.cosine_shapes(z, y, degree)
    for a in range(len(y)):
        for k in range(K):
            for shape, same in zip(found, (True, False), strict=True):
                s = [
                    float(z[a, k] @ z[b, l])
                    for b in range(len(y))
                    for l in range(K)
                    if a != b and (y[a] == y[b]) == same
                ]
                if not s:
                    assert np.isnan(shape.low[a, k]) and np.isnan(shape.moments[:, a, k]).all()
                    continue
                v = 2 * (np.array(s) - min(s)) / ((max(s) - min(s)) or 1) - 1
                assert shape.low[a, k] == pytest.approx(min(s), abs=1e-14)
                assert shape.high[a, k] == pytest.approx(max(s), abs=1e-14)
                angles = np.arccos(np.clip(v, -1, 1))
                moments = [np.mean(np.cos(j * angles)) for j in range(1, degree + 1)]
                np.testing.assert_allclose(shape.moments[:, a, k], moments, atol=1e-12)
