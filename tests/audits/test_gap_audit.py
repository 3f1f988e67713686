"""The audit of the gap against loops over anchors, balanced and not."""

import math

import numpy as np
import pytest
import torch

from supcon_theory.audits import gap as module
from supcon_theory.audits.gap import gap_audit

CASES = {"balanced": [4, 4, 4], "unbalanced": [6, 3, 2]}


def embeddings(counts, dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(sum(counts), 2, 5, generator=generator, dtype=torch.float64) + 0.3
    y = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
    return torch.nn.functional.normalize(z, dim=-1).to(dtype), y


def loops(z, y, tau):
    """Gaps and per-anchor bounds, one anchor at a time."""
    z, N, C = z.double(), len(y), len(y.unique())
    mean = z.mean((0, 1))
    gaps, upper, lower, centred = [], [], [], []
    for i in range(N):
        own = int((y == y[i]).sum())
        k = (own - 1) / (N - own)
        for anchor in z[i]:
            S = sum(
                math.exp(anchor @ w / tau)
                for j in range(N)
                for w in z[j]
                if j != i and y[j] == y[i]
            )
            D = sum(math.exp(anchor @ w / tau) for j in range(N) for w in z[j] if y[j] != y[i])
            gaps.append(math.log(1 + S / D))
            upper.append(math.log(1 + k * math.exp(2 / tau)))
            lower.append(math.log(1 + k * math.exp(-2 / tau)))
            centred.append(
                math.log(1 + k * math.exp(C / ((C - 1) * tau) * (1 - float(anchor @ mean))))
            )
    return tuple(np.array(values) for values in (gaps, upper, lower, centred))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("tau", [1.0, 0.3])
def test_a_row_is_what_the_loops_give(case, tau):
    counts = CASES[case]
    z, y = embeddings(counts)
    (row,) = gap_audit(z, y, [tau])
    gaps, upper, lower, centred = loops(z, y, tau)
    N = sum(counts)
    equal = sum(n / N * math.log(1 + (n - 1) / (N - n)) for n in counts)
    assert row["gap"] == pytest.approx(gaps.mean(), abs=1e-12)
    assert row["loss_dcl"] - row["loss_nscl"] == pytest.approx(gaps.mean(), abs=1e-12)
    assert row["r"] == pytest.approx(math.expm1(gaps.mean()) / math.expm1(equal), abs=1e-12)
    assert row["excess_upper"] == pytest.approx((gaps - upper).max(), abs=1e-12)
    assert row["excess_lower"] == pytest.approx((lower - gaps).max(), abs=1e-12)
    assert max(row["identity_error"], row["distance_error"], row["rounding_error"]) < 1e-12
    assert row["excess_interval"] <= 0
    assert ("excess_centred" in row) == (case == "balanced")
    if case == "balanced":
        assert row["excess_centred"] == pytest.approx((gaps - centred).max(), abs=1e-12)
        assert row["r"] == pytest.approx(math.expm1(gaps.mean()) * 4 * 2 / 3, abs=1e-12)


@pytest.mark.parametrize("many", [0, 10**6])
def test_anchors_close_to_a_bound_are_redone_in_float64(monkeypatch, many):
    z, y = embeddings(CASES["balanced"], torch.float32)
    monkeypatch.setattr(module, "CLOSE", 1e9)  # every anchor counts as close
    monkeypatch.setattr(module, "MANY", many)
    (row,) = gap_audit(z, y, [1.0])
    unit = torch.nn.functional.normalize(z.double(), dim=-1)
    assert row["gap"] == pytest.approx(loops(unit, y, 1.0)[0].mean(), abs=1e-13)
