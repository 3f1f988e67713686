"""The mixture of own views and class mates: its threshold and minimum, against slow searches."""

import numpy as np
import pytest
import torch

from supcon_theory.free.optimise import gaussian_starts, optimise
from supcon_theory.objectives import OBJECTIVES
from supcon_theory.theory.mixture import collapse_threshold, ssem_minimum, within_cosine

SETTINGS = [(2, 2, 0.3), (3, 4, 0.2), (4, 5, 0.5), (10, 50, 1.0)]


def value(m, n, tau, alpha, a):
    """The loss of a simplex of simplices, term by term, one view."""
    b = -(1 + (n - 1) * a) / (n * (m - 1))
    terms = [1.0] + [a] * (n - 1) + [b] * (n * (m - 1))
    return np.log(sum(np.exp(t / tau) for t in terms)) - (alpha + (1 - alpha) * a) / tau


@pytest.mark.parametrize(("m", "n", "tau"), SETTINGS)
@pytest.mark.parametrize("alpha", [0.0, 0.2, 0.5, 0.9, 1.0])
def test_the_cosine_is_that_of_a_fine_grid(m, n, tau, alpha):
    grid = np.linspace(-1 / (m * n - 1), 1, 4001)
    values = [value(m, n, tau, alpha, a) for a in grid]
    a = within_cosine(m, n, tau, alpha)
    assert a == pytest.approx(grid[int(np.argmin(values))], abs=5e-4)
    assert ssem_minimum(m, n, 1, tau, alpha) == pytest.approx(value(m, n, tau, alpha, a), abs=1e-12)
    assert ssem_minimum(m, n, 1, tau, alpha) <= min(values) + 1e-13


@pytest.mark.parametrize(("m", "n", "tau"), SETTINGS)
def test_classes_collapse_just_up_to_the_threshold(m, n, tau):
    alpha = collapse_threshold(m, n, tau)
    assert within_cosine(m, n, tau, alpha - 1e-9) == 1 > within_cosine(m, n, tau, alpha + 1e-6)
    assert 1 / n < alpha < 1  # SupCon, whose own views weigh about 1 / n, collapses


@pytest.mark.parametrize(("K", "alpha"), [(1, 0.2), (2, 0.2), (2, 0.7), (3, 1.0)])
def test_free_embeddings_end_at_the_minimum(K, alpha):
    m, n, tau = 3, 3, 0.5
    y = torch.arange(m).repeat_interleave(n)
    z = gaussian_starts(2, m * n, K, m * n, 0)
    z, found = optimise("ssem", z, y, tau, 400, 1e-8, alpha=alpha)
    assert float(found.value.min()) == pytest.approx(ssem_minimum(m, n, K, tau, alpha), abs=1e-10)
    z = z[int(found.value.argmin())]
    assert float((z[0] @ z[1].T).mean()) == pytest.approx(within_cosine(m, n, tau, alpha), abs=1e-4)
    assert (z[:, :1] * z).sum(-1).min() > 1 - 1e-6  # views together


def test_no_embedding_of_unequal_classes_is_below_its_floor():
    from supcon_theory.theory.floors import class_floor, mixed

    rng = np.random.default_rng(0)
    for counts in ([4, 4, 4], [9, 2, 2], [5, 3]):
        y = np.repeat(np.arange(len(counts)), counts)
        for alpha in (0.0, 0.3, 1.0):
            floor = class_floor(mixed(alpha), counts, np.ones(len(counts)), 2, 0.5)
            for noise in (0.0, 0.1, 1.0):
                z = rng.standard_normal((len(counts), 5))
                z = (z - z.mean(0))[y][:, None] + noise * rng.standard_normal((len(y), 2, 5))
                z = torch.from_numpy(z / np.linalg.norm(z, axis=-1, keepdims=True))
                loss = float(OBJECTIVES["ssem"](z, torch.from_numpy(y), tau=0.5, alpha=alpha))
                assert loss >= floor - 1e-9


@pytest.mark.parametrize(
    ("arguments", "words"),
    [((1, 2, 1.0, 0.5), "at least 2"), ((2, 1, 1.0, 0.5), "at least 2"),
     ((2, 2, -1.0, 0.5), "positive"), ((2, 2, 1.0, 1.1), "in \\[0, 1\\]")],
)  # fmt: skip
def test_numbers_that_make_no_sense_are_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        within_cosine(*arguments)
