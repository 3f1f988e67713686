"""Every objective, on any embeddings: a finite value and gradient, or a refusal in one sentence."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from supcon_theory.objectives import OBJECTIVES, options_of
from tests.properties.embeddings import cases, embeddings, one_sentence, unit

FREE = [name for name in OBJECTIVES if "weights" not in options_of(name)]
UNORDERED = [name for name in FREE if name != "n_pairs"]  # whose positive is the next of the class


@cases(60)
@given(embeddings(), st.sampled_from(list(OBJECTIVES)), st.floats(1 / 650, 1e6))
def test_the_value_and_the_gradient_are_finite(given_, name, tau):
    x, y = given_
    z = unit(x).requires_grad_()
    leaves, more = [z], {}
    if name not in FREE:  # the vectors of the classes are trained, and numbered by the labels
        y = np.unique(y, return_inverse=True)[1]
        leaves.append(torch.ones(y.max() + 1, x.shape[-1], dtype=x.dtype, requires_grad=True))
        more = {"weights": leaves[1]}
    try:
        loss = OBJECTIVES[name](z, y, tau=tau, **more)
    except ValueError as error:
        assert one_sentence(error)
        return
    assert torch.isfinite(loss)
    loss.backward()
    assert all(torch.isfinite(leaf.grad).all() for leaf in leaves)


@cases(40)
@given(embeddings((torch.float64,)), st.sampled_from(UNORDERED), st.integers(0, 99))
def test_neither_the_order_of_samples_nor_the_names_of_classes_matter(given_, name, seed):
    x, y = given_
    z = unit(x)
    order = np.random.default_rng(seed).permutation(len(z))
    try:
        one = OBJECTIVES[name](z, y, tau=0.5)
    except ValueError:
        return
    renamed = np.array([f"class {np.flatnonzero(y == label)[0]}" for label in y])
    two = OBJECTIVES[name](z[order], renamed[order], tau=0.5)
    assert abs(one - two) <= 1e-9 * max(1, abs(one))
