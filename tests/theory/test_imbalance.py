"""Losses of unequal classes: against embeddings, a second solver, and slow searches."""

import cvxpy as cp
import numpy as np
import pytest
import torch

from supcon_theory.audits.imbalance import solved
from supcon_theory.free.optimise import gaussian_starts, optimise
from supcon_theory.objectives import OBJECTIVES as LOSSES
from supcon_theory.theory import merging
from supcon_theory.theory.imbalance import (
    OBJECTIVES,
    Geometry,
    collapsed,
    instance_geometry,
    lower_bound,
    value,
)
from supcon_theory.theory.simplex import labels_of
from supcon_theory.theory.soft import (
    least_softness,
    regular_cosine,
    soft_floor,
    soft_supcon_minimum,
)

COUNTS = [5, 3, 2, 2]


def symmetric(counts, K, rng):
    """A Gram matrix of all rows with one cosine for each relation, and its geometry."""
    C, N = len(counts), sum(counts)
    y, sample = np.repeat(labels_of(counts), K), np.repeat(np.arange(N), K)
    means = rng.standard_normal((C, C)) * 0.4
    means /= np.maximum(1, 1.2 * np.linalg.norm(means, axis=1, keepdims=True))
    M = means @ means.T
    n = np.array(counts, float)
    left = 1 - M.diagonal()  # (n-1)/n e + (K-1)/K f
    f = left * K / (K - 1) * rng.uniform(0.1, 0.6, C) if K > 1 else np.zeros(C)
    e = (left - (K - 1) / K * f) * n / (n - 1)
    o, a = 1 - f, 1 - (K - 1) / K * f - e
    gram = np.where(y[:, None] == y, a[y][:, None], M[y][:, y])
    gram = np.where(sample[:, None] == sample, o[y][:, None], gram)
    np.fill_diagonal(gram, 1.0)
    return gram, Geometry(M, e, f)


@pytest.mark.parametrize("K", [1, 2, 3])
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_value_is_that_of_embeddings_with_such_cosines(objective, K):
    if objective == "nscl_coupled" and K == 1:
        return  # refused, below
    gram, at = symmetric(COUNTS, K, np.random.default_rng(K))
    values, vectors = np.linalg.eigh(gram)
    assert values[0] > -1e-12  # the three conditions are enough
    z = (vectors * np.sqrt(values.clip(0))).reshape(sum(COUNTS), K, -1)
    y = torch.from_numpy(labels_of(COUNTS))
    wanted = float(LOSSES[objective](torch.from_numpy(z), y, tau=0.4))
    assert value(objective, COUNTS, K, 0.4, at)[0] == pytest.approx(wanted, abs=1e-10)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_gradient_is_that_of_finite_differences(objective):
    _, at = symmetric(COUNTS, 2, np.random.default_rng(3))
    _, slope = value(objective, COUNTS, 2, 0.4, at, softness=0.3)
    rng, h = np.random.default_rng(0), 1e-6
    move = Geometry(*(rng.standard_normal(x.shape) for x in at))
    M = move.M + move.M.T - 2 * np.diag(move.M.diagonal())
    move = move._replace(M=M)
    there = [Geometry(*(x + s * h * v for x, v in zip(at, move, strict=True))) for s in (1, -1)]
    up, down = (value(objective, COUNTS, 2, 0.4, x, softness=0.3)[0] for x in there)
    assert (slope.M == slope.M.T).all()
    along = sum((g * v).sum() for g, v in zip(slope, move, strict=True))
    assert along == pytest.approx((up - down) / (2 * h), abs=1e-7)


def by_clarabel(objective, counts, K, tau, softness=0.15):
    """The programme in M, e and f, handed to a solver of cones."""
    n, C, N = np.array(counts, float), len(counts), sum(counts)
    M = cp.Variable((C, C), PSD=True)
    e, f = cp.Variable(C, nonneg=True), cp.Variable(C, nonneg=True)
    o, a = 1 - f, 1 - (K - 1) / K * f - e
    losses = []
    for c in range(C):
        others = [k for k in range(C) if k != c]
        inside = [M[c, k] / tau + np.log(K * n[k]) for k in others]
        wanted = (1 + (K - 1) * o[c]) / K
        mates = [np.log(K * (n[c] - 1)) + a[c] / tau] if n[c] > 1 else []
        if objective in ("supcon", "soft_supcon"):
            eps = softness if objective == "soft_supcon" else 0.0
            pulled = (K - 1) * o[c] + K * (n[c] - 1) * a[c]
            pulled += sum(eps * K * n[k] * M[c, k] for k in others)
            wanted = pulled / (K * n[c] - 1 + eps * K * (N - n[c]))
            inside += [np.log(K - 1) + o[c] / tau] if K > 1 else []
        inside += mates if objective != "nscl" else []
        losses.append(n[c] / N * (cp.log_sum_exp(cp.hstack(inside)) - wanted / tau))
    equations = cp.diag(M) + cp.multiply((n - 1) / n, e) + (K - 1) / K * f == 1
    problem = cp.Problem(cp.Minimize(sum(losses)), [equations])
    problem.solve(solver="CLARABEL")
    return float(problem.value)


@pytest.mark.parametrize("objective", ["dcl", "nscl", "supcon", "soft_supcon"])
def test_a_second_solver_without_any_assumption_finds_the_same_least_value(objective):
    for counts, tau in (([6, 3, 2], 0.5), ([40, 40, 2, 2], 1.0)):
        _, least, bound = solved(objective, counts, 2, tau)
        assert by_clarabel(objective, counts, 2, tau) == pytest.approx(least, abs=1e-5)
        assert 0 <= least - bound + 1e-12 < 1e-6


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_bound_is_below_every_embedding_whatever_point_it_is_made_from(objective):
    y = torch.from_numpy(labels_of(COUNTS))
    _, found = optimise(objective, gaussian_starts(3, 12, 2, 12, 0), y, 0.5, 400, 1e-8)
    for seed in range(5):
        _, at = symmetric(COUNTS, 2, np.random.default_rng(seed))
        loss, slope = value(objective, COUNTS, 2, 0.5, at)
        assert lower_bound(COUNTS, 2, at, loss, slope) <= float(found.value.min()) + 1e-9
    _, least, bound = solved(objective, COUNTS, 2, 0.5)
    assert float(found.value.min()) == pytest.approx(least, abs=1e-6)
    assert bound == pytest.approx(least, abs=1e-6)


def test_instances_of_unequal_classes_are_a_simplex():
    at = instance_geometry(COUNTS, 2)
    z = np.eye(12) - 1 / 12
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    means = np.stack([z[labels_of(COUNTS) == c].mean(0) for c in range(4)])
    assert at.M == pytest.approx(means @ means.T, abs=1e-12)


@pytest.mark.parametrize("tau", [0.1, 0.5, 1.0])
def test_small_classes_part_below_the_threshold_and_not_above_it(tau):
    ratio = merging.merging_ratio("nscl", (2, 3), 2, tau)
    for times, merged in ((0.8, False), (1.2, True)):
        counts = [round(500 * ratio * times)] * 2 + [500] * 3
        M = solved("nscl", counts, 2, tau)[0].M
        assert (M[2, 3] > 1 - 1e-6) == merged
    assert merging.limit_cosine(2, tau) == 1


def test_merged_classes_have_the_gram_matrix_of_points():
    M = merging.merged_gram(3, 2, -0.4)
    values = np.linalg.eigvalsh(M)
    assert values[0] > -1e-12 and (values > 1e-9).sum() <= 3
    assert M[3, 4] == 1 and M[0, 4] == -0.4 and (np.diag(M) == 1).all()


def test_the_limit_is_that_of_the_programme():
    for large, tau in ((5, 1.0), (3, 0.5)):
        M = solved("nscl", [20_000] * large + [2] * 2, 2, tau)[0].M
        assert M[-1, -2] == pytest.approx(merging.limit_cosine(large, tau), abs=1e-3)


def test_negatives_change_the_coupled_loss_and_all_of_them_are_the_default():
    at = collapsed(merging.merged_gram(2, 2, -0.3))
    by_hand = np.log1p(7 * np.exp((-0.3 - 1) / 0.5))  # of a small class: all others at -.3
    counts = [4, 4, 4, 4]
    n, K, tau = 4, 2, 0.5
    M = at.M
    mean = (K * n * np.exp(M[0, [1, 2, 3]] / tau)).sum() / (K * 12)
    of_large = np.log1p(7 * mean * np.exp(-1 / tau))
    mean = (K * n * np.exp(M[2, [0, 1, 3]] / tau)).sum() / (K * 12)
    of_small = np.log1p(7 * mean * np.exp(-1 / tau))
    assert of_small > by_hand  # the other small class is at cosine 1
    found = value("nscl_coupled", counts, K, tau, at, negatives=7.0)[0]
    assert found == pytest.approx((of_large + of_small) / 2, abs=1e-12)
    everyone = value("nscl_coupled", counts, K, tau, at, negatives=24.0)[0]
    assert everyone == pytest.approx(value("nscl_coupled", counts, K, tau, at)[0], abs=1e-12)


# ---- soft supcon --------------------------------------------------------------------------------
@pytest.mark.parametrize("counts", [[3, 3, 3], [7, 2, 2], [20, 2, 1]])
def test_soft_enough_every_class_size_ends_at_the_regular_simplex(counts):
    tau, softness = 0.5, 1.5 * least_softness(3, 0.5)
    M, e, _ = solved("soft_supcon", counts, 2, tau, softness=softness)[0]
    assert M[~np.eye(3, dtype=bool)] == pytest.approx(regular_cosine(3, tau, softness), abs=1e-5)
    loss = value("soft_supcon", counts, 2, tau, Geometry(M, e, e), softness=softness)[0]
    assert loss == pytest.approx(soft_floor(counts, 2, softness), abs=1e-9)


@pytest.mark.parametrize("times", [0.0, 0.3, 1.0, 2.0])
def test_the_minimum_of_balanced_classes_is_that_of_the_programme(times):
    softness = times * least_softness(3, 0.4)
    _, least, bound = solved("soft_supcon", [4, 4, 4], 2, 0.4, softness=softness)
    assert float(soft_supcon_minimum(3, 4, 2, 0.4, softness)) == pytest.approx(least, abs=1e-9)
    assert least - bound < 1e-7


def test_too_little_softness_leaves_unequal_classes_unequal():
    M = solved("soft_supcon", [20, 20, 2, 2], 2, 0.5, softness=0.3 * least_softness(4, 0.5))[0].M
    assert M[2, 3] - M[0, 1] > 0.05


@pytest.mark.parametrize(
    ("call", "words"),
    [(lambda: value("nscl_coupled", [2, 2], 1, 0.5, collapsed(np.eye(2))), "another view"),
     (lambda: value("hcl", [2, 2], 2, 0.5, collapsed(np.eye(2))), "choose one of"),
     (lambda: value("nscl", [2, 0], 2, 0.5, collapsed(np.eye(2))), "at least 1"),
     (lambda: value("soft_supcon", [2, 2], 2, 0.5, collapsed(np.eye(2)), softness=2), "softness"),
     (lambda: value("supcon", [2, 1], 1, 0.5, collapsed(np.eye(2))), "another row"),
     (lambda: value("nscl_coupled", [2, 2], 2, 0.5, collapsed(np.eye(2)), negatives=0), "positive"),
     (lambda: merging.merging_ratio("nscl", (1, 2), 2, 0.5), "at least 2"),
     (lambda: merging.limit_cosine(3, 1e-4), "overflow"),
     (lambda: regular_cosine(3, 0.5, -1), "softness")],
)  # fmt: skip
def test_numbers_that_make_no_sense_are_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize("tau", [0.2, 1.0])
@pytest.mark.parametrize("classes", [(5, 5), (2, 3), (5, 2)])
@pytest.mark.parametrize("ratio", [1, 2, 8, 64, 10_000])
def test_two_class_sizes_have_their_certified_minimum_in_two_numbers(ratio, classes, tau):
    M, counts = merging.least_gram(ratio, classes, 2, tau), np.repeat([2 * ratio, 2], classes)
    at = collapsed(M)
    least, slope = value("nscl", counts, 2, tau, at)
    assert least - lower_bound(counts, 2, at, least, slope) < 1e-13
    values = np.linalg.eigvalsh(M)
    assert values[0] == pytest.approx(0, abs=1e-12) and (M.diagonal() == 1).all()
    if ratio == 1:
        off = M[~np.eye(len(M), dtype=bool)]
        np.testing.assert_allclose(off, -1 / (sum(classes) - 1), atol=1e-9)
    if ratio <= 8:  # where a search over all means is exact enough
        found, loss, _ = solved("nscl", counts.tolist(), 2, tau)
        assert loss >= least - 1e-13
        np.testing.assert_allclose(found.M, M, atol=1e-5)


@pytest.mark.parametrize("tau", [0.2, 0.5, 1.0])
def test_the_cosine_of_small_classes_nears_its_limit_as_one_over_the_ratio(tau):
    limit = merging.limit_cosine(5, tau)
    off = [limit - merging.least_gram(R, (5, 5), 2, tau)[-1, -2] for R in (10**3, 10**4, 10**5)]
    assert off[0] / off[1] == pytest.approx(10, rel=0.02)
    assert off[1] / off[2] == pytest.approx(10, rel=0.01) and 0 < off[1] < 3e-4
