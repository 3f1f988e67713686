"""Minima of losses over pairs: against grids over Gram matrices and free embeddings."""

import numpy as np
import pytest
import torch

from supcon_theory.free.optimise import gaussian_starts, optimise
from supcon_theory.theory.pairwise import (
    aligned_bias,
    kcl_minimum,
    kernel_at,
    other_view_cosine,
    own_cosine,
    sigmoid_minimum,
)

SETTINGS = [(6, 2, 0.5, 0.0), (6, 2, 0.1, -10.0), (5, 3, 0.3, -1.0), (4, 2, 1.0, 3.0)]


def gram(N, K, o, x, c):
    """One cosine for own views, for samples in a view, for samples in different views."""
    same_view = np.kron(np.eye(K), (1 - x) * np.eye(N) + x)
    return same_view + np.kron(1 - np.eye(K), (o - c) * np.eye(N) + c)


@pytest.mark.parametrize(("N", "K"), [(3, 2), (5, 2), (4, 3)])
@pytest.mark.parametrize("o", [-0.2, 0.3, 1.0])
def test_the_other_cosine_is_the_lowest_of_a_grid(N, K, o):
    c = other_view_cosine(N, K, o)
    possible = [
        (x, lower)
        for x in np.linspace(-1, 1, 201)
        for lower in np.linspace(-1, 1, 201)
        if np.linalg.eigvalsh(gram(N, K, o, x, lower))[0] >= -1e-9
    ]
    lowest = min(lower for _, lower in possible)
    assert c - 1e-9 <= lowest <= c + 0.02
    assert np.linalg.eigvalsh(gram(N, K, o, c + 1 - o, c))[0] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(("N", "K", "tau", "bias"), SETTINGS)
def test_free_embeddings_end_at_the_minimum_of_the_sigmoid_loss(N, K, tau, bias):
    z = gaussian_starts(3, N, K, N + K, 0)
    z, found = optimise("sigmoid", z, torch.arange(N), tau, 2000, bias=bias)
    best = int(found.value.argmin())
    assert float(found.value[best]) == pytest.approx(sigmoid_minimum(N, K, tau, bias), abs=1e-10)
    own = (z[best, :, 0] * z[best, :, 1]).sum(-1)
    assert own.numpy() == pytest.approx(own_cosine(N, K, tau, bias), abs=1e-5)


@pytest.mark.parametrize(("N", "tau"), [(6, 0.5), (8, 0.1), (20, 1.0), (8, 0.01)])
def test_views_part_above_a_bias_only(N, tau):
    bias = aligned_bias(N, 2, tau)
    assert own_cosine(N, 2, tau, bias - 1e-6) == 1 > own_cosine(N, 2, tau, bias + 1e-3)


@pytest.mark.parametrize("kernel_name", ["gaussian", "inverse_multiquadric"])
def test_free_embeddings_end_at_the_minimum_of_kernels(kernel_name):
    z, found = optimise(
        "kcl", gaussian_starts(2, 5, 2, 5, 0), torch.arange(5), 0.4, 1000, kernel_name=kernel_name
    )
    wanted = kcl_minimum(5, 0.4, kernel_name=kernel_name)
    assert float(found.value.min()) == pytest.approx(wanted, abs=1e-10)
    cosines = (z[0, :, 0] @ z[0, :, 1].T)[~torch.eye(5, dtype=torch.bool)]
    assert cosines.numpy() == pytest.approx(-0.25, abs=1e-5)


@pytest.mark.parametrize("kernel_name", ["gaussian", "inverse_multiquadric"])
def test_kernels_are_convex_in_the_cosine(kernel_name):
    cosines = np.linspace(-1, 1, 101)
    values = [kernel_at(c, 0.25, kernel_name) for c in cosines]
    assert values[-1] == 1 and (np.diff(values) > 0).all() and (np.diff(values, 2) > 0).all()


@pytest.mark.parametrize(
    ("call", "words"),
    [(lambda: kernel_at(0, 1, "log"), "choose one of"), (lambda: kcl_minimum(1, 1), "at least 2"),
     (lambda: own_cosine(5, 1, 1, 0), "at least 2"),
     (lambda: sigmoid_minimum(5, 2, 0, 0), "positive")],
)  # fmt: skip
def test_numbers_that_make_no_sense_are_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
