"""Other losses of free embeddings: their minima, and debiased losses in loops over anchors."""

import math
from itertools import product

import numpy as np
import pytest
import torch

from supcon_theory.audits.loss_families import (
    INSTANCES,
    _of_samples,
    debiased_audit,
    polytope_audit,
    simplex_audit,
)
from supcon_theory.free.lbfgs import Minimised
from supcon_theory.free.optimise import gaussian_starts


def test_twice_as_many_samples_as_dimensions_go_to_both_ends_of_every_axis():
    rows = polytope_audit(2, 0.5, 2)
    for objective in INSTANCES:
        mine = [row for row in rows if row["objective"] == objective]
        best = min(mine, key=lambda row: row["loss"])  # KCL has another critical point
        assert best["cosine_error"] < 1e-6 and best["own_error"] < 1e-6, objective
        assert best["excess"] == pytest.approx(0, abs=1e-9)


def test_cosines_of_samples_are_those_of_first_with_second_views():
    z, values = gaussian_starts(2, 3, 2, 4, seed=0), torch.tensor([1.0, 2.0])
    ended = Minimised(z.flatten(1), values, values, values.long(), values > 1)
    rows = _of_samples(3, 0.5, z, ended, 0.25, 0.75)
    assert [row["loss"] for row in rows] == [1, 2]
    for row, at in zip(rows, z, strict=True):
        own = [float(at[i, 0] @ at[i, 1]) for i in range(3)]
        others = [float(at[i, 0] @ at[j, 1]) for i, j in product(range(3), repeat=2) if i != j]
        assert row["own_cosine"] == pytest.approx(np.mean(own))
        assert row["own_error"] == pytest.approx(np.abs(np.array(own) - 0.75).max())
        assert row["cosine_error"] == pytest.approx(np.abs(np.array(others) - 0.25).max())


def anchors_of(z, y, tau):
    """Of every anchor e^s to its own view, to its class, and to other classes."""
    similar = torch.einsum("nkd,mld->nkml", z, z).div(tau).exp().numpy()
    for i, k in product(range(len(y)), range(2)):
        mates = [similar[i, k, j] for j in range(len(y)) if j != i and y[j] == y[i]]
        others = [similar[i, k, j] for j in range(len(y)) if y[j] != y[i]]
        yield similar[i, k, i, 1 - k], np.concatenate(mates), np.concatenate(others)


@pytest.mark.parametrize(("spread", "clamped"), [(0.3, True), (1.0, False)])
def test_debiased_losses_are_compared_where_the_premise_holds_and_no_clamp_decides(spread, clamped):
    C, n, d, tau = 2, 4, 2, 0.4
    (row,) = debiased_audit(C, n, d, tau, (spread,), seed=0)
    y = np.repeat(np.arange(C), n)
    centre = gaussian_starts(1, C, 1, d, 0)[0][y]
    samples, views = (gaussian_starts(1, C * n, K, d, K)[0] for K in (1, 2))
    z = torch.nn.functional.normalize(centre + spread * (samples + 0.5 * views), dim=-1)
    premise, broken, worst = [], [], []
    for own, mates, others in anchors_of(z, y, tau):
        every = np.concatenate([mates, others])
        tau_plus = len(mates) / len(every)
        unbiased = (every.mean() - tau_plus * own) / (1 - tau_plus)
        negative = max(unbiased, np.exp(-1 / tau))
        coded, matched = (np.log1p(Q * negative / own) for Q in (len(every), len(others)))
        nscl, cl = np.log1p(others.sum() / own), np.log1p(every.sum() / own)
        premise.append(own >= mates.mean())
        if premise[-1]:
            broken.append(coded > nscl)
            worst += [max(matched - nscl, nscl - cl)] if negative == unbiased else []
    assert 0 < np.mean(premise) < 1 and clamped == (not worst)
    assert (row["premise"], row["broken"]) == pytest.approx((np.mean(premise), np.mean(broken)))
    assert row["violation_matched"] == pytest.approx(max(worst, default=np.nan), nan_ok=True)
    assert max(worst, default=0) <= 0


def test_losses_of_instances_end_at_the_simplex_of_samples():
    rows = simplex_audit(4, 0.5, 2)
    for objective, kernel in {(row["objective"], row["method"]) for row in rows}:
        mine = [row for row in rows if (row["objective"], row["method"]) == (objective, kernel)]
        best = min(mine, key=lambda row: row["loss"])  # KCL has another critical point
        assert best["cosine_error"] < 1e-6 and best["own_error"] < 1e-6, objective
        assert best["excess"] == pytest.approx(0, abs=1e-9), objective
    assert {row["objective"] for row in rows} == set(INSTANCES)


def test_at_a_high_temperature_all_rows_are_alike_and_no_clamp_of_the_debiased_loss_decides():
    """Of 6 negatives 4 are of the other class; e^(-1/tau) is below every mean of e^s, if barely."""
    tau = 1e4
    (row,) = debiased_audit(2, 2, 3, tau, (0.5,), seed=0)
    assert row["premise"] > 0
    assert (
        row["violation_matched"] == pytest.approx(0, abs=4 / tau) and row["violation_matched"] < 0
    )
    assert row["loss"] == pytest.approx(math.log1p(4), abs=4 / tau)
    assert row["gap"] == pytest.approx(math.log(7 / 5), abs=4 / tau)
