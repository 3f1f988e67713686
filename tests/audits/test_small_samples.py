"""What the audit says of few samples, of constant embeddings, and of two models."""

import numpy as np
import pytest
import torch

from supcon_theory.audits.comparison import comparison_table
from supcon_theory.audits.embeddings import audit
from supcon_theory.audits.estimates import estimates_audit
from supcon_theory.audits.small_samples import (
    dimension_row,
    finite_sample_rows,
    proved_bounds,
    small_samples_row,
)
from supcon_theory.theory.few_shot.finite_samples import moment_bounds


def blobs(n: int, C: int = 3, K: int = 1, d: int = 8, spread: float = 0.3, seed: int = 0):
    g = torch.Generator().manual_seed(seed)
    y = torch.arange(C).repeat(n)
    centres = torch.randn(C, 1, d, generator=g, dtype=torch.float64)[y]
    z = centres + spread * torch.randn(C * n, K, d, generator=g, dtype=torch.float64)
    return torch.nn.functional.normalize(z, dim=-1), y


def test_the_corrected_value_lies_in_its_interval_and_below_what_is_proved():
    z, y = blobs(1500)
    found = small_samples_row(z, y)
    for name in ("cdnv", "directional_cdnv", "nc1"):
        assert found[f"{name}_low"] < found[f"{name}_corrected"] < found[f"{name}_high"]
    for name in ("cdnv", "directional_cdnv"):
        assert found[f"{name}_high"] < found[f"{name}_upper"] < np.inf
    assert found["pairs_unresolved"] == 0 and found["smallest_class"] == 1500


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_few_samples_give_nan_and_infinity_and_never_an_exception(n):
    z, y = blobs(n)
    found = small_samples_row(z, y)
    assert np.isfinite(found["cdnv_corrected"]) == (n >= 2)
    assert np.isfinite(found["nc1_corrected"]) == (n >= 4)
    assert np.isfinite(found["nc1_low"]) == (n >= 5)
    assert found["cdnv_upper"] == np.inf and found["smallest_class"] == n
    assert np.isfinite(dimension_row(z)["participation_ratio_low"]) == (len(z) >= 5)
    rows = finite_sample_rows(z[:, 0], y, (1, np.inf), (2, 3))
    assert all(row["bound_sampled"] == 1 and row["says_nothing"] for row in rows)


def test_a_constant_embedding_is_nan_throughout_and_no_bound_speaks():
    z = torch.full((60, 1, 4), 0.5, dtype=torch.float64)
    y = torch.arange(3).repeat(20)
    found = small_samples_row(z, y) | dimension_row(z)
    values = [v for k, v in found.items() if k.endswith(("_corrected", "_low", "_high"))]
    assert len(values) == 12 and np.isnan(values).all()
    assert found["pairs_unresolved"] == 3 and found["cdnv_upper"] == np.inf
    assert finite_sample_rows(z[:, 0], y, (5,), (2,))[0]["bound_plug_in"] == 1


def test_proved_bounds_grow_as_less_failure_is_allowed_and_bound_the_plug_in_error_bound():
    z, y = blobs(1500)
    strict, loose = (proved_bounds(z[:, 0], y, delta) for delta in (1e-6, 0.5))
    off = ~np.eye(3, dtype=bool)
    assert (strict.V[off] > loose.V[off]).all() and (strict.V_dir[off] > loose.V_dir[off]).all()
    for row in finite_sample_rows(z[:, 0], y, (5, 100, np.inf), (2, 3)):
        assert row["bound_plug_in"] <= row["bound_sampled"] <= 1
        assert row["says_nothing"] == (row["bound_sampled"] >= 1 - 1 / row["ways"])


def test_proved_bounds_are_fed_with_the_moments_of_the_rows():
    z, y = blobs(3000, spread=0.1)
    x = z[:, 0].numpy()
    rows = np.stack([x[y.numpy() == c] for c in range(3)])
    means, S = rows.mean(1), [np.cov(of, rowvar=False) for of in rows]
    D = means[None] - means[:, None]
    v, top = [np.trace(of) for of in S], [np.linalg.eigvalsh(of)[-1] for of in S]
    along = [[D[i, j] @ S[i] @ D[i, j] for j in range(3)] for i in range(3)]
    lengths = np.linalg.norm(means, axis=1), np.linalg.norm(D, axis=2)
    expected, found = (
        moment_bounds([3000] * 3, v, top, *lengths, along, 0.05),
        proved_bounds(z[:, 0], y),
    )
    for of in zip(found, expected, strict=True):
        np.testing.assert_allclose(*of, rtol=1e-9)


def test_two_models_are_compared_with_intervals_beside_shuffled_rows():
    z, y = blobs(40, K=2)
    tables = audit(z, y, [1.0], shots=(), against=2 * z[:, 0, :5].numpy())
    table = tables["comparison"].set_index("measure")
    assert list(table.index) == ["cka_debiased", "cka", "rsa", "rsa_debiased"]
    assert ((table["low"] <= table["value"]) & (table["value"] <= table["high"])).all()
    assert (table["value"] > table["shuffled_high"]).all()
    assert abs(table.loc["cka_debiased", "shuffled"]) < 0.05 and (table["samples"] == 120).all()
    same = comparison_table(z, z)
    assert same["value"].tolist() == pytest.approx([1] * 4)


def test_another_number_of_samples_is_refused_before_any_work():
    z, y = blobs(20)
    with pytest.raises(ValueError, match="z has 60 samples and against 59"):
        audit(z, y, against=z[:-1])


def test_a_constant_second_model_is_nan_with_the_reason():
    z, y = blobs(20)
    table = audit(z, y, [1.0], shots=(), against=np.ones((60, 3)))["comparison"]
    assert table["value"].isna().all() and (table["reason"] != "").all()


def test_a_measure_without_a_range_is_never_outside_of_it():
    rows = estimates_audit("isotropic", 6, 2, seed=0)
    assert {row["measure"] for row in rows} >= {"cdnv", "directional_cdnv"}
    assert all(row["violation_range"] == -np.inf for row in rows)
