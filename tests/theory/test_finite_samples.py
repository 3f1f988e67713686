"""Bounds that hold for the law behind a sample: against the law, and their parts one by one."""

import numpy as np
import pytest

from supcon_theory.theory.few_shot.averages import known_centroid_bound, tightened_bound
from supcon_theory.theory.few_shot.finite_samples import (
    MomentBounds,
    mean_radius,
    moment_bounds,
    sampled_error_bound,
    variance_bound,
)


def statistics(rows: np.ndarray) -> tuple:
    """The arguments of `moment_bounds` of (C, n, d) rows, by loops."""
    C, n, _ = rows.shape
    means = rows.mean(1)
    S = [np.cov(of, rowvar=False) for of in rows]
    D = means[None] - means[:, None]
    return (
        [n] * C,
        [np.trace(of) for of in S],
        [np.linalg.eigvalsh(of)[-1] for of in S],
        np.linalg.norm(means, axis=1),
        np.linalg.norm(D, axis=2),
        np.array([[D[i, j] @ S[i] @ D[i, j] for j in range(C)] for i in range(C)]),
    )


def truth(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """V and V_dir of the uniform law on the rows of each class."""
    C, means = len(rows), rows.mean(1)
    V, along = np.full((2, C, C), np.nan)
    for i, j in ((i, j) for i in range(C) for j in range(C) if i != j):
        D = means[j] - means[i]
        V[i, j] = rows[i].var(0).sum() / (D @ D)
        along[i, j] = np.var(rows[i] @ D) / (D @ D) ** 2
    return V, along


def atoms(C: int = 3, count: int = 50, d: int = 6, spread: float = 0.2) -> np.ndarray:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(C, 1, d)) + spread * rng.normal(size=(C, count, d))
    return rows / np.linalg.norm(rows, axis=2, keepdims=True)


@pytest.mark.parametrize("spread", [0.05, 0.2, 0.6])
@pytest.mark.parametrize("n", [40, 400, 4000])
def test_the_bounds_hold_for_the_law_and_close_in_on_it(spread, n):
    law = atoms(spread=spread)
    V, along = truth(law)
    off, rng = ~np.eye(3, dtype=bool), np.random.default_rng(n)
    for _ in range(20):
        chosen = rng.integers(50, size=(3, n, 1))
        found = moment_bounds(*statistics(np.take_along_axis(law, chosen, 1)), 0.05)
        assert (found.V[off] >= V[off]).all() and (found.V_dir[off] >= along[off]).all()
        assert np.isnan(np.diag(found.V)).all() and (found.V_dir[off] <= found.V[off]).all()
    exact = statistics(law)
    near = moment_bounds([10**12] * 3, *exact[1:], 0.05)
    assert near.V[off] == pytest.approx(V[off], rel=1e-3)
    S = np.minimum(along * 50 / 49, V)  # along the line 1/(n-1) counts
    assert near.V_dir[off] == pytest.approx(S[off], rel=2e-3)


@pytest.mark.parametrize("n", [2, 3, 10, 100])
@pytest.mark.parametrize("p", [0.02, 0.1, 0.5])
def test_variance_and_radius_fail_no_oftener_than_they_say(n, p):
    """Rows at the two ends of the ball, which vary the most: exact binomial probabilities."""
    t = np.log(1 / 0.05)
    k = np.arange(n + 1)
    from scipy.stats import binom

    weight = binom.pmf(k, n, p)
    v = 4 * p * (1 - p)
    empirical = 4 * (k / n) * (1 - k / n) * n / (n - 1)
    assert weight[variance_bound(empirical, n, t) < v].sum() <= 0.05
    assert weight[np.abs(2 * k / n - 2 * p) > mean_radius(v, n, t)].sum() <= 0.05


def test_unit_rows_know_their_variance_from_the_length_of_their_mean():
    law = statistics(atoms(count=20, spread=0.3))
    known, unknown = (
        moment_bounds([3000] * 3, *law[1:3], length, *law[4:], 0.05)
        for length in (law[3], 0 * law[3])
    )
    off = ~np.eye(3, dtype=bool)
    assert (known.V[off] < unknown.V[off]).all()


def test_one_pair_is_what_the_docstring_says():
    n, v, largest, length = [900, 2500], [0.1, 0.3], [0.04, 0.1], [0.9, 0.7]
    d, along, t = 1.1, [0.02, 0.05], np.log(2 * 3 / 0.1)
    R, above = [], []
    for k in range(2):
        most = min(1, (v[k] ** 0.5 + 2 * (2 * t / (n[k] - 1)) ** 0.5) ** 2)
        s = (most / n[k]) ** 0.5
        R.append(s + (2 * t * (most + 4 * s) / n[k]) ** 0.5 + 2 * t / (3 * n[k]))
        above.append(min(most, 1 - (length[k] - R[k]) ** 2))
    low = d - sum(R)
    pairs = [[0, d], [d, 0]], [[0, along[0]], [along[1], 0]]
    found = moment_bounds(n, v, largest, length, *pairs, 0.1)
    for i, j in ((0, 1), (1, 0)):
        assert found.V[i, j] == pytest.approx(above[i] / low**2)
        line = (along[i] ** 0.5 + largest[i] ** 0.5 * sum(R)) / low**2
        line += 2 * (2 * t / (n[i] - 1)) ** 0.5 / low
        assert found.V_dir[i, j] == pytest.approx(min(line**2, above[i] / low**2))
    assert found.V_dir[1, 0] < found.V[1, 0]


def test_where_the_means_cannot_be_told_apart_nothing_is_known_and_the_error_bound_is_1():
    law = statistics(atoms())
    found = moment_bounds([5] * 3, *law[1:], 0.05)
    off = ~np.eye(3, dtype=bool)
    assert np.isinf(found.V[off]).all() and np.isinf(found.V_dir[off]).all()
    assert sampled_error_bound(found, 10) == 1 and sampled_error_bound(found, np.inf) == 1


def test_the_error_bound_is_the_mean_over_pairs_of_what_each_says():
    V = np.array([[np.nan, 0.3, np.inf], [0.1, np.nan, 0.2], [np.inf, 0.4, np.nan]])
    found = MomentBounds(V, V / 10)
    for m in (3, 50, 5000):
        pairs = [
            min(1, tightened_bound((a + b) / 2, (a**0.5 + b**0.5) / 2, (a + b) / 20, m))
            for a, b in ((0.3, 0.1), (0.2, 0.4))
        ]
        assert sampled_error_bound(found, m) == pytest.approx((sum(pairs) + 1) / 3)
    known = [known_centroid_bound(x).mean() for x in ([0.03, 0.01], [0.02, 0.04])]
    assert sampled_error_bound(found, np.inf) == pytest.approx((sum(known) + 1) / 3)


@pytest.mark.parametrize("delta", [0.0, 1.0, -0.1])
def test_a_probability_that_is_none_is_refused(delta):
    with pytest.raises(ValueError, match="between 0 and 1"):
        moment_bounds(*statistics(atoms()), delta)
    with pytest.raises(ValueError, match="at least 2"):
        moment_bounds([1] * 3, *statistics(atoms())[1:], 0.05)
