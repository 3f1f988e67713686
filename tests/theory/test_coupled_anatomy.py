"""The excess of SupCon and NT-Xent as four terms: loops over anchors, extremes, an attack."""

import numpy as np
import pytest
from scipy.optimize import minimize

from supcon_theory.theory.anatomy import collapse_worth
from supcon_theory.theory.coupled_anatomy import (
    coupled_collapse_worth,
    coupled_excess_terms,
    log_candidates,
    most_within,
)
from supcon_theory.theory.minima import nt_xent_minimum, supcon_minimum
from supcon_theory.theory.simplex import class_simplex, instance_simplex


def unit(z):
    return z / np.linalg.norm(z, axis=-1, keepdims=True)


def scattered(seed):
    """Rows (C, M, d) with all four terms above 0."""
    rng = np.random.default_rng(seed)
    C, M, d = int(rng.integers(2, 6)), int(rng.integers(2, 7)), int(rng.integers(2, 7))
    centres, rows = rng.normal(size=(C, 1, d)), rng.normal(size=(C, M, d))
    return unit(centres + rng.uniform(0, 2) * rows + rng.uniform(0, 1))


def measured(z, tau):
    """The loss, and what its terms are made of, an anchor at a time."""
    C, M, _ = z.shape
    flat = [(c, i, z[c, i]) for c in range(C) for i in range(M)]
    own, others, log_sums, losses = [], [], [], []
    for c, i, a in flat:
        positives = [a @ b for e, j, b in flat if e == c and j != i]
        negatives = [a @ b for e, _, b in flat if e != c]
        total = sum(np.exp(s / tau) for s in positives + negatives)
        losses.append(np.mean([-np.log(np.exp(s / tau) / total) for s in positives]))
        own.append(np.mean(positives))
        others.append(np.mean(negatives))
        log_sums.append(np.log(total))
    within = np.mean([np.sum((a - z[c].mean(0)) ** 2) for c, _, a in flat])
    centre = np.sum(np.mean([a for *_, a in flat], 0) ** 2)
    return np.mean(losses), (own, others, log_sums, within, centre, C, M, tau)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("tau", [1.0, 0.2])
def test_the_terms_add_up_to_the_excess_and_bound_the_collapse(seed, tau):
    z = scattered(seed)
    loss, parts = measured(z, tau)
    terms = coupled_excess_terms(*parts)
    excess = loss - supcon_minimum(len(z), z.shape[1], 1, tau)
    assert min(terms) >= -1e-14
    assert sum(terms) == pytest.approx(excess, abs=1e-12)
    assert parts[3] <= most_within(excess, *parts[5:]) + 1e-12
    # the first term alone attains it
    assert parts[3] == pytest.approx(most_within(terms.collapse, *parts[5:]), rel=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_nt_xent_is_the_case_of_a_class_for_every_sample(seed):
    rng = np.random.default_rng(seed)
    z = unit(rng.normal(size=(7, 1, 3)) + 0.5 * rng.normal(size=(7, 2, 3)))
    rows, tau = z.reshape(-1, 3), 0.3
    losses = []
    for a in range(14):
        s = np.exp(np.delete(rows @ rows[a], a) / tau)
        losses.append(-np.log(np.exp(rows[a] @ rows[a ^ 1] / tau) / s.sum()))
    _, parts = measured(z, tau)
    excess = np.mean(losses) - nt_xent_minimum(7, 1, 2, tau)
    assert sum(coupled_excess_terms(*parts)) == pytest.approx(excess, abs=1e-12)


def test_at_the_collapsed_etf_every_term_is_zero_and_at_cls_minimiser_only_collapse_is_left():
    C, n, tau = 5, 4, 0.5
    z, _ = class_simplex([n] * C, 1, C - 1)
    _, parts = measured(z.reshape(C, n, -1), tau)
    assert np.abs(coupled_excess_terms(*parts)).max() < 1e-12
    z, _ = instance_simplex([n] * C, 1, n * C - 1)
    _, parts = measured(z.reshape(C, n, -1), tau)
    terms = coupled_excess_terms(*parts)
    assert terms.collapse > 0.5 * coupled_collapse_worth(C, n, tau)
    assert np.abs(terms[1:]).max() < 1e-12


def test_of_a_simplex_off_the_origin_the_whole_excess_is_centring():
    C, n, tau = 4, 3, 0.5
    z, _ = class_simplex([n] * C, 1, C - 1)
    off = np.full((C, n, 1), 0.6)
    _, parts = measured(np.concatenate([0.8 * z.reshape(C, n, -1), off], 2), tau)
    collapse, centring, *others = coupled_excess_terms(*parts)
    assert centring > 0.1
    assert np.abs([collapse, *others]).max() < 1e-12


@pytest.mark.parametrize("M", [2, 128])
@pytest.mark.parametrize("tau", [1.0, 0.1])
def test_what_collapse_is_worth_stays_with_many_classes_where_for_nscl_it_goes(M, tau):
    C = np.array([10**2, 10**4, 10**9])
    worth = coupled_collapse_worth(C, M, tau)
    assert worth[-1] == pytest.approx(M / ((M - 1) * tau), rel=1e-3)
    assert np.all(np.diff(worth / collapse_worth(C, tau)) > 0)
    scattered = log_candidates(-1 / (C - 1) + 1 / (C - 1) + 1 / (M - 1), C, M, tau)
    assert worth == pytest.approx(scattered - supcon_minimum(C, M, 1, tau), abs=1e-9)


def test_a_descent_to_little_excess_with_much_variance_does_not_get_below_the_bound():
    """The least excess at which some W is left: a constrained search in free embeddings."""
    C, M, d, tau, W = 3, 3, 4, 0.5, 0.2

    def parts_of(x):
        return measured(unit(x.reshape(C, M, d)), tau)

    def penalised(x):
        loss, parts = parts_of(x)
        return loss + 30 * (parts[3] - W) ** 2

    least = np.inf
    for seed in range(1):
        start = np.random.default_rng(seed).normal(size=C * M * d)
        found = minimize(penalised, start, method="L-BFGS-B", options={"maxiter": 40})
        loss, parts = parts_of(found.x)
        excess = loss - supcon_minimum(C, M, 1, tau)
        assert parts[3] <= most_within(excess, C, M, tau) + 1e-9
        least = min(least, excess / coupled_excess_terms(*parts).collapse)
    assert 1 <= least < 1.5  # near it: the bound is no idle one


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: log_candidates(0, 1, 4, 1.0), "C = 1"),
        (lambda: log_candidates(0, 3, 1, 1.0), "M = 1"),
        (lambda: coupled_collapse_worth(3, 4, 0.0), "tau = 0"),
        (lambda: most_within(-0.1, 3, 4, 1.0), "excess = -0.1"),
        (lambda: coupled_excess_terms([0], [0], [0], -1.0, 0, 3, 4, 1.0), "within = -1"),
    ],
)
def test_bad_numbers_get_one_sentence(call, words):
    with pytest.raises(ValueError, match=words) as caught:
        call()
    assert "\n" not in str(caught.value)
