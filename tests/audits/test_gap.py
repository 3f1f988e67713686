"""The audit of the gap against loops over anchors, balanced and not."""

import math

import numpy as np
import pytest
import torch

from supcon_theory.audits import columns
from supcon_theory.audits import gap as module
from supcon_theory.audits.earlier_bounds import earlier_bounds_audit
from supcon_theory.audits.gap import cosine_range, drawn_anchors, floor_audit, gap_audit
from supcon_theory.measures.losses import LEAST_TAU
from supcon_theory.objectives import OBJECTIVES
from supcon_theory.theory.minima import nscl_coupled_minimum, nscl_minimum
from supcon_theory.theory.simplex import class_simplex

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
    assert row["violation_upper"] == pytest.approx((gaps - upper).max(), abs=1e-12)
    assert row["violation_lower"] == pytest.approx((lower - gaps).max(), abs=1e-12)
    assert max(row["identity_error"], row["distance_error"], row["rounding_error"]) < 1e-12
    assert row["violation_interval"] <= 0
    about_balanced = [name for name in columns.GAP.names if np.isnan(row[name])]
    if case == "unbalanced":
        assert about_balanced == [
            "bound_ceiling",
            "bound_relaxed",
            "bound_published",
            "violation_ceiling",
            "violation_relaxed",
            "violation_published",
            "violation_centred",
            "ceiling_proved",
        ]
    else:
        assert about_balanced == []
        assert row["violation_centred"] == pytest.approx((gaps - centred).max(), abs=1e-12)
        assert row["r"] == pytest.approx(math.expm1(gaps.mean()) * 4 * 2 / 3, abs=1e-12)


@pytest.mark.parametrize("many", [0, 10**6])
def test_anchors_close_to_a_bound_are_redone_in_float64(monkeypatch, many):
    z, y = embeddings(CASES["balanced"], torch.float32)
    monkeypatch.setattr(module, "CLOSE", 1e9)  # every anchor counts as close
    monkeypatch.setattr(module, "MANY", many)
    (row,) = gap_audit(z, y, [1.0])
    unit = torch.nn.functional.normalize(z.double(), dim=-1)
    assert row["gap"] == pytest.approx(loops(unit, y, 1.0)[0].mean(), abs=1e-13)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16])
@pytest.mark.parametrize("noise", [0.1, 0.7])
def test_the_identity_holds_at_every_temperature_and_precision(dtype, noise):
    """Rows as they come, rounded to their type: no path may see others than the next."""
    generator = torch.Generator().manual_seed(0)
    y = torch.arange(10).repeat_interleave(32)
    z = torch.randn(10, 128, generator=generator)[y][:, None]
    z = z + noise * torch.randn(320, 2, 128, generator=generator)
    z = torch.nn.functional.normalize(z, dim=-1).to(dtype)
    taus = [1.0, 0.07, 0.05, 0.04, 0.02, 0.0125, 0.01, 0.005, 0.002]
    for row in gap_audit(z, y, taus):
        assert row["rounding_error"] <= 1e-5, row["tau"]
        assert max(row["identity_error"], row["distance_error"]) <= 1e-10, row["tau"]
        for name in ("lower", "upper", "centred", "ceiling", "n_max", "interval"):
            assert row[f"violation_{name}"] <= 1e-9, (name, row["tau"])


def test_at_the_lowest_temperature_collapsed_classes_have_a_gap_and_every_bound():
    """S / D is beyond float64 there; the gap, its logarithm, is not."""
    z = torch.nn.functional.normalize(torch.eye(5, dtype=torch.float64) - 1 / 5, dim=-1)
    y = torch.arange(5).repeat(4)
    (row,) = gap_audit(z[y][:, None].repeat(1, 2, 1), y, [LEAST_TAU])
    exact = 5 / 4 / LEAST_TAU + np.log(3 / 16)  # log kappa + 1/tau + 1/((C-1) tau)
    assert row["gap"] == pytest.approx(exact, rel=1e-12)
    assert max(value for name, value in row.items() if name.endswith("_error")) <= 1e-9
    assert max(value for name, value in row.items() if name.startswith("violation")) <= 1e-9


def test_a_temperature_below_the_lowest_is_refused_by_the_audits_in_one_sentence():
    z = torch.nn.functional.normalize(torch.randn(6, 1, 3), dim=-1)
    y = torch.arange(2).repeat(3)
    for audit in (gap_audit, lambda z, y, taus: earlier_bounds_audit(z, y, taus, [2])):
        with pytest.raises(ValueError, match=r"tau is 1e-08; it must lie in \[0\.00153"):
            audit(z, y, [1e-8])


def test_a_row_does_not_depend_on_the_length_of_the_embeddings_within_the_tolerance():
    z, y = embeddings(CASES["balanced"], torch.float32)
    (short,), (long,) = (gap_audit(z * (1 + at), y, [0.1]) for at in (-9e-4, 9e-4))
    for name in columns.GAP.names[:5]:
        assert short[name] == pytest.approx(long[name], rel=1e-5)


def test_the_range_of_cosines_leaves_out_the_anchors_own_sample():
    z, _ = embeddings(CASES["unbalanced"])
    anchors = drawn_anchors(*z.shape[:2], 7)
    for (i, l), width in zip(anchors, cosine_range(z, anchors), strict=True):
        others = [float(z[j, k] @ z[i, l]) for j in range(len(z)) if j != i for k in range(2)]
        assert width == pytest.approx(max(others) - min(others), abs=1e-12)


def test_drawn_anchors_do_not_alias_with_classes_in_turn():
    anchors = drawn_anchors(2000, 2, 256)
    assert len(np.unique(anchors, axis=0)) == 256
    for period in (2, 5, 10, 100):  # the class of sample i is i mod period
        seen = np.bincount(anchors[:, 0] % period, minlength=period)
        expected = 256 / period
        assert (np.abs(seen - expected) < 5 * np.sqrt(expected)).all()
    assert len(drawn_anchors(5, 2, 256)) == 10


@pytest.mark.parametrize("K, tau", [(2, 1.0), (3, 0.2)])
def test_above_floor_is_the_objective_less_its_minimum(K, tau):
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(12, K, 5, dtype=torch.float64, generator=generator)
    z, y = torch.nn.functional.normalize(z, dim=-1), torch.arange(4).repeat(3)
    (found,) = floor_audit(z, y, [tau])
    for name, floor in (("nscl", nscl_minimum), ("nscl_coupled", nscl_coupled_minimum)):
        expected = OBJECTIVES[name](z, y, tau=tau).item() - float(floor(4, 3, K, tau))
        assert found[f"{name}_above_floor"] == pytest.approx(expected, abs=1e-12)
        assert found[f"violation_{name}_floor"] == pytest.approx(-expected, abs=1e-12)
        assert expected > 0


def test_at_the_class_simplex_it_is_zero():
    z, y = (torch.as_tensor(x) for x in class_simplex([3, 3, 3], 2, 4))
    (found,) = floor_audit(z, y, [0.5])
    assert found["nscl_above_floor"] == pytest.approx(0, abs=1e-12)
    assert found["nscl_coupled_above_floor"] == pytest.approx(0, abs=1e-12)


def test_one_sample_a_class_has_no_r():
    z, _ = embeddings([1, 1, 1, 1])
    (row,) = gap_audit(z, torch.arange(4), [1.0])
    assert np.isnan(row["r"]) and np.isnan(row["violation_interval"]) and row["gap"] == 0
