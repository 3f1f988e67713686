"""Measures with lengths kept: those of unit rows where rows are unit, else by slow loops."""

import numpy as np
import pytest

from supcon_theory.audits.columns import RAW
from supcon_theory.audits.embeddings import audit

RNG = np.random.default_rng(0)
Y = np.repeat([0, 1, 2], 8)
Z = RNG.normal(size=(24, 5)) + 3 * np.eye(5)[Y]


def raw(z):
    return audit(z, Y, [1.0], shots=(), raw=True)["raw"].iloc[0]


def test_unit_rows_have_the_measures_of_the_audit():
    unit = Z / np.linalg.norm(Z, axis=1, keepdims=True)
    tables = audit(unit, Y, [1.0], shots=(), raw=True)
    both = {**tables["geometry"].iloc[0], **tables["ranks"].iloc[0]}
    found = raw(unit)
    for name in RAW.names:
        assert found[name] == pytest.approx(both[name], rel=1e-6)


def test_lengths_count():
    z = Z * np.linspace(0.2, 5, 24)[:, None]
    means = [z[Y == c].mean(0) for c in range(3)]
    spread = [np.mean([np.sum((x - means[c]) ** 2) for x in z[Y == c]]) for c in range(3)]
    pairs = [(i, j) for i in range(3) for j in range(3) if i != j]
    slow = np.mean([spread[i] / np.sum((means[i] - means[j]) ** 2) for i, j in pairs])
    found = raw(z)
    assert found["cdnv"] == pytest.approx(slow)
    assert found["cdnv"] != pytest.approx(raw(Z)["cdnv"], rel=0.05)
    assert raw(7 * z)["cdnv"] == pytest.approx(found["cdnv"])
    sigma = np.linalg.svd(z - z.mean(0), compute_uv=False) ** 2
    assert found["participation_ratio"] == pytest.approx(sigma.sum() ** 2 / (sigma**2).sum())


def test_nobody_gets_them_unasked():
    assert "raw" not in audit(Z, Y, [1.0], shots=())
