"""Rows of collapse and maps on configurations whose values are known."""

import numpy as np
import pandas as pd
import pytest
import torch

from supcon_theory.audits.collapse import (
    collapse_audit,
    gram_table,
    instance_simplex_row,
    spectrum_table,
)
from supcon_theory.audits.maps import map_audit
from supcon_theory.theory.simplex import class_simplex


def collapsed():
    z, y = class_simplex([4, 4, 4], 2, 5)
    return torch.from_numpy(z), torch.from_numpy(y)


def test_collapsed_classes_are_an_etf_at_their_floor_under_true_labels_only():
    z, y = collapsed()
    shuffled = y[torch.randperm(12, generator=torch.Generator().manual_seed(0))]
    table = pd.DataFrame(collapse_audit(z, y, shuffled, [1.0, 0.2]))
    assert table["labels"].tolist() == ["true", "shuffled", "true", "true"]
    assert table["tau"].fillna(0).tolist() == [0, 0, 1.0, 0.2]
    true, mixed = table.iloc[0], table.iloc[1]
    for name in ("cdnv", "directional_cdnv", "within_class_variance", "etf_deviation", "nc1"):
        assert true[name] == pytest.approx(0, abs=1e-10), name
    assert mixed["cdnv"] > 0.5 and np.isnan(mixed["rankme"])
    floors = table.iloc[2:][["violation_nscl_floor", "violation_nscl_coupled_floor"]]
    np.testing.assert_allclose(floors, 0, atol=1e-12)


def test_features_of_any_length_have_geometry_but_no_losses():
    z, y = collapsed()
    assert len(collapse_audit(30 * z, y, y)) == 2


@pytest.mark.parametrize("C, n", [(3, 4), (2, 9)])
def test_at_the_instance_simplex_cdnv_is_half_of_n_less_one(C, n):
    row = instance_simplex_row(C, n)
    assert row["cdnv"] == pytest.approx((n - 1) / 2)
    assert row["directional_cdnv"] == pytest.approx(0, abs=1e-12)
    assert np.isnan(instance_simplex_row(21, 100)["cdnv"])


def test_gram_and_spectrum_of_a_simplex():
    z, y = collapsed()
    gram = gram_table(z, y, "abc").pivot(index="i", columns="j", values="cosine").to_numpy()
    np.testing.assert_allclose(gram, np.where(np.eye(3), 1, -0.5), atol=1e-12)
    spectrum = spectrum_table(z)
    assert spectrum["rank"].tolist() == [1, 2, 3, 4, 5]
    np.testing.assert_allclose(spectrum["singular_value"], [1, 1, 0, 0, 0], atol=1e-7)


def test_a_map_of_separate_classes_is_pure_under_true_labels_only():
    rng, y = np.random.default_rng(0), np.repeat([0, 1], 20)
    z = np.eye(2)[y] + 0.01 * rng.normal(size=(40, 2))
    panels = {("dcl", 0): z, ("nscl", 0): z + 0.25, ("dcl", 9): z, ("nscl", 9): z}
    rows, maps = map_audit(panels, y, rng.permutation(y), "pca", 0)
    table = pd.DataFrame(rows)
    assert maps["nscl", 9].shape == (40, 2) and len(table) == 8
    true = table["labels"] == "true"
    assert (table.loc[true, ["purity", "purity_map"]] == 1).all(axis=None)
    assert (table.loc[~true, "purity"] < 0.8).all()
    start = table["start_difference"]
    np.testing.assert_allclose(start[table["step"] == 0], 0.25)
    assert start[table["step"] == 9].isna().all()
