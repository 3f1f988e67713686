"""The two front doors: all tables, and a few floats, of anybody's embeddings."""

import numpy as np
import pandas as pd
import pytest
import torch

import supcon_theory
from supcon_theory.audits import columns
from supcon_theory.audits.embeddings import audit, scalars
from supcon_theory.audits.few_labels import CERTIFIED, FAR_SHOTS, SHOTS, probe_rows
from supcon_theory.measures import cdnv, directional_cdnv
from supcon_theory.objectives import OBJECTIVES
from supcon_theory.theory.simplex import class_simplex


def blobs(N=60, K=2, d=6, C=4):
    rng = np.random.default_rng(0)
    y = rng.integers(0, C, N)
    return 3 * rng.normal(size=(C, 1, d))[y] + rng.normal(size=(N, K, d)), y


def test_they_are_at_the_top_of_the_package():
    assert supcon_theory.audit is audit and supcon_theory.scalars is scalars
    assert {"audit", "scalars"} <= set(dir(supcon_theory))


def test_scalars_are_the_measures_of_the_scaled_rows():
    x, y = blobs()
    found = scalars(x, y, tau=0.3)
    z = torch.nn.functional.normalize(torch.from_numpy(x), dim=-1)
    of = torch.from_numpy(y)
    dcl, nscl = (OBJECTIVES[name](z, of, tau=0.3).item() for name in ("dcl", "nscl"))
    assert found["loss_dcl"] == pytest.approx(dcl, rel=1e-5)
    assert found["gap"] == pytest.approx(dcl - nscl, rel=1e-5)
    n = np.bincount(y) / len(y)
    equal = (n * np.log1p((np.bincount(y) - 1) / (len(y) - np.bincount(y)))).sum()
    assert found["r"] == pytest.approx(np.expm1(dcl - nscl) / np.expm1(equal), rel=1e-5)
    assert found["cdnv"] == pytest.approx(cdnv(z, of).mean, rel=1e-5)
    assert found["directional_cdnv"] == pytest.approx(directional_cdnv(z, of).mean, rel=1e-5)
    norms = np.linalg.norm(x, axis=-1)
    assert found["norm_mean"] == pytest.approx(norms.mean())
    assert (found["norm_min"], found["norm_max"]) == pytest.approx((norms.min(), norms.max()))


def test_scalars_are_floats_with_the_declared_names_only():
    x, y = blobs(K=1)
    found = scalars(x[:, 0], y, tau=0.1)
    assert list(found) and set(found) <= set(columns.EMBEDDINGS.names)
    assert set(columns.EMBEDDINGS.names) == set(found)
    assert all(type(value) is float for value in found.values())


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e9])
def test_only_the_norms_see_the_length_of_the_rows(scale):
    x, y = blobs()
    plain, scaled = scalars(x, y, tau=0.1), scalars(scale * x, y, tau=0.1)
    for name, value in plain.items():
        factor = scale if name.startswith("norm_") else 1
        assert scaled[name] == pytest.approx(factor * value, rel=1e-5), name


@pytest.mark.parametrize(
    "kind",
    [
        lambda x, y: (torch.from_numpy(x).requires_grad_(), y.tolist()),
        lambda x, y: (x.astype(">f4"), y.astype("u1")),
        lambda x, y: (np.asfortranarray(x), np.array(["a", "b", "c", "d"])[y]),
        lambda x, y: (torch.from_numpy(x).float(), pd.Series(y, index=range(5, 65))),
        lambda x, y: (x, y + 10**12),
    ],
)
def test_arrays_and_labels_of_any_kind_do(kind):
    x, y = blobs()
    expected, found = scalars(x, y, tau=0.5), scalars(*kind(x, y), tau=0.5)
    assert found == pytest.approx(expected, rel=1e-4, nan_ok=True)


def test_collapsed_classes_have_the_ceiling_and_no_cdnv():
    z, y = class_simplex([5, 5, 5], 2, 4)
    found = scalars(7 * z, y, tau=0.5)
    tables = audit(7 * z, y, [0.5])
    assert found["cdnv"] == pytest.approx(0, abs=1e-12) and found["norm_mean"] == pytest.approx(7)
    assert found["r"] == pytest.approx(np.exp(1.5 / 0.5), rel=1e-5)
    assert tables["gap"]["violation_ceiling"][0] == pytest.approx(0, abs=1e-12)
    assert tables["few_shot"]["error"].max() == 0


def test_audit_returns_every_table_with_names_of_the_classes():
    x, y = blobs()
    names = np.array(["ant", "bee", "cat", "dog"])[y]
    tables = audit(x, names, (1.0, 0.2), shots=(1, 3))
    assert {name: len(table) for name, table in tables.items()} == {
        "gap": 2,
        "anatomy": 2,
        "per_class": 2 * 4,
        "geometry": 1,
        "pairs": 12,
        "spectrum": 6,
        "ranks": 1,
        "neighbours": 1,
        "mislabelled": 0,
        "few_shot": 1 + 2 * 2,
        "finite_samples": 2 * 3,
        "held_out": 2 * (2 + 1),
        "labels_needed": 3 * (2 + 1 + 2 * 2),
        "probes": 4,
        "nulls": 2 * 5 + 8 + 4 + 3 + 1 + 2 * 2,
        "subsets": 3,
    }
    assert set(tables["pairs"]["class_i"]) == {"ant", "bee", "cat", "dog"}
    assert tables["pairs"]["cdnv"].mean() == pytest.approx(tables["geometry"]["cdnv"][0])
    first = tables["pairs"].iloc[0]
    unit = torch.nn.functional.normalize(torch.from_numpy(x), dim=-1)
    means = [unit[torch.from_numpy(names == name)].mean((0, 1)) for name in ("ant", "bee")]
    assert first[["class_i", "class_j"]].tolist() == ["ant", "bee"]
    assert first["distance"] == pytest.approx((means[0] - means[1]).norm().item())
    assert tables["gap"]["gap"][1] == pytest.approx(scalars(x, y, tau=0.2)["gap"], rel=1e-5)


def test_few_shots_are_left_out_where_they_would_take_minutes_and_no_shots_are_named():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(303, 5)), np.arange(303) % 101
    assert "few_shot" not in audit(x, y, [1.0])
    assert len(audit(x, y, [1.0], shots=(1,))["few_shot"]) == 1 + 3


def test_a_zero_row_and_a_single_class_are_refused_in_words():
    x, y = blobs()
    for call in (lambda x, y: audit(x, y), lambda x, y: scalars(x, y, tau=1.0)):
        with pytest.raises(ValueError, match="zeros, row"):
            call(np.where(np.arange(60)[:, None, None] == 7, 0, x), y)
        with pytest.raises(ValueError, match="class"):
            call(x, np.zeros(60, int))
        with pytest.raises(ValueError, match="shape"):
            call(x, y[:-1])


def test_probes_are_fitted_to_one_half_and_tried_on_the_other():
    """Separated classes have no error; without any signal it is chance; both halves are used."""
    rng, y = np.random.default_rng(0), torch.arange(4).repeat(60)
    noise = torch.from_numpy(rng.normal(size=(240, 8)))
    clear = {row["probe"]: row for row in probe_rows(noise + 20 * torch.eye(4, 8)[y], y)}
    assert len(clear) == 4 and all(row["m"] == 15 * 2 for row in clear.values())
    assert all(row["error"] == 0 for row in clear.values())
    lost = [row["error"] for row in probe_rows(noise, y)]
    assert all(abs(error - 3 / 4) < 0.12 for error in lost)
    assert probe_rows(noise[:4], y[:4]) == []


def test_five_neighbours_vote_by_their_inverse_distance_in_the_probe_of_neighbours():
    rng, y = np.random.default_rng(1), np.arange(3).repeat(16)
    x = rng.normal(size=(48, 4)) + 0.8 * np.eye(3, 4)[y]
    rows = {row["probe"]: row for row in probe_rows(torch.from_numpy(x), torch.from_numpy(y))}
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    fit, held, of = unit[::2], unit[1::2], y[::2]  # 8 of each class
    wrong = []
    for row, c in zip(held, y[1::2], strict=True):
        squares = ((fit - row) ** 2).sum(1)
        votes = np.zeros(3)
        for k in np.argsort(squares)[:5]:
            votes[of[k]] += 1 / squares[k]
        wrong.append(votes.argmax() != c)
    assert 0.1 < np.mean(wrong) < 0.6
    assert rows["nearest neighbours"]["error"] == pytest.approx(np.mean(wrong))


def test_ranks_of_embeddings_whose_directions_are_known():
    """Points on d axes, both signs: every rank is d, and the spectrum is flat."""
    axes, y = torch.cat([torch.eye(6), -torch.eye(6)]).double(), np.arange(12) % 2
    one, two = (audit(axes[:, None].expand(-1, K, -1), y, shots=())["ranks"] for K in (1, 2))
    ranks = one[["rankme", "participation_ratio", "stable_rank"]].to_numpy()
    assert ranks == pytest.approx(6) and one["power_law"][0] == pytest.approx(0, abs=1e-9)
    assert np.isnan(one["lidar"][0]) and two["lidar"][0] > 5


def test_certificates_are_found_at_shots_that_are_tried():
    assert set(CERTIFIED) <= {*SHOTS, *FAR_SHOTS}  # else they are left out without a word
