"""Hard negatives on a batch: against loops over anchors, and where a crossing can be."""

import math

import numpy as np
import pytest
import torch

from supcon_theory.audits.hard_negatives import crossing_row, error_row, order_rows
from supcon_theory.theory.hardening import hardened_bounds
from supcon_theory.theory.simplex import class_simplex
from tests.audits.instances import embeddings

TAU, BETA = 0.5, 1.5


def slow(z, y):
    """For each anchor: UCL, SCL, H-UCL, H-SCL, and the hardened means of its class and others."""
    rows = [(i, l) for i in range(len(z)) for l in range(2)]
    Q, found = 2 * (len(z) - 1), []
    for i, l in rows:
        s = {(j, m): float(z[i, l] @ z[j, m]) / TAU for j, m in rows}
        sisters = [b for b in rows if b[0] != i and y[b[0]] == y[i]]
        others = [b for b in rows if y[b[0]] != y[i]]

        def mean(of, beta, s=s):
            high = sum(math.exp((1 + beta) * s[b]) for b in of)
            return high / sum(math.exp(beta * s[b]) for b in of)

        def loss(of, beta, own=s[i, 1 - l], mean=mean):
            return math.log(1 + Q * mean(of, beta) / math.exp(own))

        every = sisters + others
        means = (mean(sisters, BETA), mean(others, BETA))
        found.append(
            (loss(every, 0), loss(others, 0), loss(every, BETA), loss(others, BETA), *means)
        )
    return np.array(found)


@pytest.mark.parametrize("seed", [0, 3])
def test_losses_and_assumption_are_those_of_loops_over_anchors(seed):
    z, y = embeddings([5, 4, 6], seed)
    (row, *others) = order_rows(z, y, TAU, (BETA,))
    ucl, scl, hucl, hscl, same, other = slow(z, y).T
    names = ("loss_ucl", "loss_scl", "loss_hucl", "loss_hscl")
    for name, wanted in zip(names, (ucl, scl, hucl, hscl), strict=True):
        assert row[name] == pytest.approx(wanted.mean(), abs=1e-12)
    assert row["premise"] == pytest.approx((same >= other).mean())
    assert ((same >= other) == (hscl <= hucl)).all() and row["violation_equivalence"] == 0
    assert row["violation_order"] == pytest.approx(max((ucl - hucl).max(), (scl - hscl).max()))
    assert row["over"] == pytest.approx((hscl - hucl).mean(), abs=1e-12)
    assert [of["hardening"] for of in others] == ["threshold", "top-k"]
    assert all(of["loss_hucl"] > row["loss_ucl"] for of in others)


def test_order_and_assumption_agree_where_all_embeddings_are_nearly_one():
    """Differences of 1e-9: single precision anywhere would turn some around."""
    z, y = embeddings([9, 7, 8])
    y = y.roll(5)  # of other rows
    near = torch.ones_like(z) / z.shape[-1] ** 0.5 + 1e-5 * z
    for row in order_rows(near, y, TAU, (BETA,)):
        assert row["violation_equivalence"] == 0 and 0 < row["premise"] < 1


@pytest.mark.parametrize("tilt", [0.0, 1.0, 4.0])
def test_opposite_classes_attain_the_bound_of_the_hardened_means(tilt):
    same, other = math.e**tilt, math.e**-tilt  # weights of cosines 1 and -1
    rho, up, down = 2 / 3, math.exp(1 / TAU), math.exp(-1 / TAU)
    every = (rho * same * up + other * down) / (rho * same + other)
    _, counted, equal_q = hardened_bounds(3, 6, TAU, tilt)
    assert equal_q == pytest.approx(math.log(every / down))
    assert counted == pytest.approx(math.log1p(rho * same * up / (other * down)))
    y = torch.tensor([0, 0, 0, 1, 1, 1])
    z = torch.where(y == 0, 1.0, -1.0).double()[:, None, None].expand(6, 2, 1)
    (row, *rest) = order_rows(z, y, TAU, (tilt * TAU,))
    assert row["violation_gap"] <= 1e-12 and row["violation_equal_q"] <= 1e-12
    assert row["premise"] == 1 and not rest  # nothing of another class is among the hardest


def test_without_hardness_the_gap_has_the_bound_of_cl_and_nscl():
    low, high, _ = hardened_bounds(64, 640, 1.0, 0.0)
    assert high == pytest.approx(math.log1p(63 / 576 * math.e**2))
    assert low == pytest.approx(-math.log1p(63 / 576))
    assert hardened_bounds(1, 10, 1.0, 2.0)[1] == 0  # nobody else of the class


def test_at_class_collapse_no_hardness_raises_the_supervised_loss_above_the_other():
    z, y = map(torch.from_numpy, class_simplex([4] * 5, 2, 6))
    row = crossing_row(z, y, TAU, (0.0, 1.0, 5.0))
    assert row["beta_crossing"] == np.inf and row["violation_crossing"] == 0


def test_random_directions_cross_at_once_and_loose_classes_later():
    g = torch.Generator().manual_seed(0)
    z = torch.nn.functional.normalize(torch.randn(60, 2, 8, generator=g).double(), dim=-1)
    y = torch.arange(60) % 6
    random = crossing_row(z, y, TAU, (0.0, 1.0))["beta_crossing"]
    z, y = embeddings([9, 7, 8])
    clustered = crossing_row(z, y, TAU, (0.0, 1.0))
    assert random < 0.2 < clustered["beta_crossing"] < np.inf
    beta = clustered["beta_crossing"]
    (row, *_) = order_rows(z, y, TAU, (beta,))
    assert row["loss_hscl"] == pytest.approx(row["loss_ucl"], abs=1e-6)


@pytest.mark.parametrize(
    ("call", "words"),
    [(lambda: hardened_bounds(0, 5, 1.0, 0.0), "needs samples"),
     (lambda: hardened_bounds(5, 5, 1.0, 0.0), "others besides"),
     (lambda: hardened_bounds(2, 5, 0.0, 0.0), "positive"),
     (lambda: hardened_bounds(2, 5, 1.0, -1.0), "at least 0")],
)  # fmt: skip
def test_numbers_that_make_no_sense_are_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_few_opposite_samples_at_a_high_temperature_have_no_crossing_either():
    """Two classes of two at opposite points: H-SCL is the same at every hardness, below UCL."""
    z, y = map(torch.from_numpy, class_simplex([2, 2], 2, 3))
    row = crossing_row(z, y, 2.0, (0.0, 1.0))
    opposite = math.exp(-2 / 2.0)  # a negative beside the own view; a sister is at that view
    assert row["loss_ucl"] == pytest.approx(math.log(1 + 2 + 4 * opposite))
    assert 0.75 * row["loss_ucl"] < math.log(1 + 6 * opposite) < row["loss_ucl"]  # H-SCL, not far
    assert row["beta_crossing"] == np.inf and row["violation_crossing"] == 0


@pytest.mark.parametrize("counts", [[5, 5, 5], [3, 3]])
def test_ten_neighbours_or_all_that_there_are_vote_on_new_images(counts):
    """By the cosines of first views, each vote with the inverse of a squared distance."""
    (h, y), (queries, of_queries) = (embeddings(counts, seed) for seed in (0, 1))
    wrong = {label: [] for label in range(len(counts))}
    for row, label in zip(queries[:, 0], of_queries.tolist(), strict=True):
        squares = (2 - 2 * h[:, 0] @ row).tolist()
        votes = [0.0] * len(counts)
        for k in np.argsort(squares)[:10]:
            votes[y[k]] += 1 / squares[k]
        wrong[label].append(np.argmax(votes) != label)
    wanted = np.mean([np.mean(of) for of in wrong.values()])
    assert 0 < wanted < 1
    assert error_row(h, y, queries, of_queries) == {
        "part": "encoders",
        "error": pytest.approx(wanted),
    }
