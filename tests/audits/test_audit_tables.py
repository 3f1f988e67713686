"""The tables of `audit`: exact and sampled agree, intervals hold, one view and lone classes."""

import numpy as np
import pytest
import torch

from supcon_theory.audits import columns
from supcon_theory.audits.collapse import pairs_table
from supcon_theory.audits.columns import SMALL_SAMPLES
from supcon_theory.audits.embeddings import audit
from supcon_theory.audits.labels_needed import halves, held_out_rows, needed, proved_error
from supcon_theory.audits.losses import drawn_anchors, gap_rows
from supcon_theory.audits.opened import opened
from supcon_theory.audits.small_samples import DIMENSION
from supcon_theory.objectives import OBJECTIVES
from supcon_theory.theory.simplex import class_simplex


def blobs(N=80, K=2, d=6, C=4, spread=1.0):
    rng = np.random.default_rng(0)
    y = np.concatenate([np.arange(C).repeat(5), rng.integers(0, C, N - 5 * C)])
    return 2 * rng.normal(size=(C, 1, d))[y] + spread * rng.normal(size=(N, K, d)), y


@pytest.fixture(scope="module")
def whole():
    return audit(*blobs(), (1.0, 0.2), shots=(1, 5))


@pytest.fixture(scope="module")
def sampled():
    return audit(*blobs(), (1.0, 0.2), shots=(1, 5), exact=10, anchors=600)


IN_MEMORY = ("lidar", *SMALL_SAMPLES.names, *DIMENSION)


def test_sampled_and_exact_tables_are_about_the_same_numbers(whole, sampled):
    assert [name for name in whole if name != "anatomy"] == list(sampled)
    for name in ("geometry", "pairs", "spectrum", "ranks", "held_out", "few_shot", "labels_needed"):
        same = [c for c in whole[name].select_dtypes("number") if c not in IN_MEMORY]
        left, right = (t[name][same].to_numpy(float) for t in (whole, sampled))
        np.testing.assert_allclose(left, right, rtol=1e-4, atol=1e-6, err_msg=name)
        assert sampled[name][[c for c in IN_MEMORY if c in sampled[name]]].isna().all(axis=None)
    assert np.isfinite(whole["ranks"]["lidar"][0])
    assert (whole["gap"]["confidence"] == 1).all() and (sampled["gap"]["confidence"] == 0.95).all()
    for name in ("loss_dcl", "loss_nscl", "loss_supcon", "gap"):
        exact, low, high = (
            whole["gap"][name],
            *(sampled["gap"][f"{name}_{e}"] for e in ("low", "high")),
        )
        assert ((low <= exact) & (exact <= high)).all() and (low < sampled["gap"][name]).all()
        assert whole["gap"][f"{name}_low"].to_numpy() == pytest.approx(exact.to_numpy(), rel=1e-6)


def test_intervals_of_sampled_anchors_hold_as_often_as_they_say():
    """Twenty keys at 95 %, three losses and the gap: 80 intervals, 4 may miss, 11 never."""
    x, y = blobs(N=40, K=1)
    missed, exact = 0, audit(x, y, (0.2,), shots=())["gap"].iloc[0]
    for seed in range(20):
        found = opened(x, y, exact=0, seed=seed)
        row = gap_rows(found, drawn_anchors(found, [0.2], 100, lambda share: None))[0]
        for name in ("loss_dcl", "loss_nscl", "loss_supcon", "gap"):
            missed += not row[f"{name}_low"] <= exact[name] <= row[f"{name}_high"]
    assert missed <= 10


@pytest.mark.parametrize("K", [1, 2, 3])
def test_drawn_anchors_are_aligned_with_the_mean_of_all_rows(K):
    x, y = blobs(K=K)
    found = opened(x, y, exact=0, seed=0)
    anchors = drawn_anchors(found, [0.5], 30, lambda share: None)
    z = (x / np.linalg.norm(x, axis=-1, keepdims=True)).reshape(len(y) * K, -1)
    drawn = found.drawn(30)
    assert anchors.alignment == pytest.approx([z[row] @ z.mean(0) for row in drawn], abs=1e-6)
    assert anchors.owners.tolist() == [y[row // K] for row in drawn]


def test_class_rows_average_to_the_whole_and_are_those_of_their_anchors(whole):
    x, y = blobs()
    z, of = torch.nn.functional.normalize(torch.from_numpy(x), dim=-1), torch.from_numpy(y)
    classes = whole["per_class"]
    for tau, mine in classes.groupby("tau"):
        total = whole["gap"].set_index("tau").loc[tau]
        for name in ("dcl", "nscl", "supcon"):
            values = OBJECTIVES[name](z, of, tau=tau, reduction="none").mean(1).numpy()
            by_class = [values[y == c].mean() for c in mine["class"]]
            assert mine[f"loss_{name}"].to_numpy() == pytest.approx(by_class, rel=1e-5)
            weighted = (mine[f"loss_{name}"] * mine["n"]).sum() / len(y)
            assert weighted == pytest.approx(total[f"loss_{name}"], rel=1e-6)
        assert (mine["gap"] * mine["n"]).sum() / len(y) == pytest.approx(total["gap"])
        assert (mine["gap_min"] <= mine["gap"]).all() and (mine["gap"] <= mine["gap_max"]).all()
        assert (mine["bound_lower"] <= mine["gap_min"]).all()
        assert (mine["gap"] <= mine["bound_centred"]).all()
        assert (mine["bound_centred"] <= mine["bound_upper"] + 1e-12).all()


def test_no_statement_is_broken_by_exact_or_sampled_tables(whole, sampled):
    for tables in (whole, sampled):
        for name in ("gap", "per_class"):
            for column in tables[name].filter(regex="^violation_"):
                assert not (tables[name][column] > 1e-6).any(), (name, column)


def test_collapsed_classes_stand_at_the_floors_and_the_ceiling():
    z, y = class_simplex([5] * 4, 2, 3)
    row = audit(z, y, (0.5,), shots=())["gap"].iloc[0]
    assert row["floor_attained"] == 1 and row["learned"] == pytest.approx(1)
    for name in ("nscl", "supcon"):
        assert row[f"loss_{name}"] == pytest.approx(row[f"floor_{name}"], abs=1e-6)
    assert row["bound_centred"] == pytest.approx(row["gap"])
    constant = audit(np.ones((20, 2, 3)) + 1e-9, y, (0.5,), shots=())["gap"].iloc[0]
    for name in ("dcl", "nscl", "supcon"):
        assert constant[f"loss_{name}"] == pytest.approx(constant[f"equal_{name}"], rel=1e-6)
    assert constant["learned"] == pytest.approx(0, abs=1e-6)


def test_every_measure_stands_beside_its_nulls(whole):
    table = whole["nulls"].set_index(["measure", "tau"])
    gap, geometry = whole["gap"].set_index("tau"), whole["geometry"].iloc[0]
    for tau in (1.0, 0.2):
        row = table.loc[("gap", tau)]
        assert row["measured"] == gap.loc[tau, "gap"]
        assert row["shuffled_low"] <= row["shuffled_mean"] <= row["shuffled_high"]
        assert row["shuffled_mean"] < 0.7 * row["measured"]  # of classes that are apart
        assert row["isotropic"] == pytest.approx(gap.loc[tau, "bound_equal"], rel=0.35)
    plain = whole["nulls"].loc[whole["nulls"]["tau"].isna()].set_index("measure")
    directional = plain.loc["directional_cdnv"]
    assert directional["isotropic"] == pytest.approx(geometry["cdnv"] / 6)
    assert directional["shuffled_low"] > 5 * directional["measured"]
    assert np.isnan(plain.loc["rankme", "shuffled_mean"])
    assert plain.loc["rankme", "isotropic"] == pytest.approx(6, abs=0.1)
    views = plain.loc[["alignment", "augmentation_variance"], "isotropic"]
    assert views.tolist() == [2, 1 / 2]
    assert plain.loc["uniformity", "isotropic"] == pytest.approx(-3, abs=0.8)  # -4 as d grows
    assert plain.loc["neighbour_error", "isotropic"] == pytest.approx(3 / 4, abs=0.1)
    assert set(whole["nulls"]["better"]) == {"low", "high", "neither"}


def test_shuffled_labels_stand_near_their_own_null():
    x, y = blobs(N=400, K=1)
    y = np.random.default_rng(5).permutation(y)
    nulls = audit(x, y, (0.5,), shots=(1,))["nulls"]
    for name in ("gap", "cdnv", "directional_cdnv", "neighbour_error", "held_out_error_2_way"):
        row = nulls.loc[nulls["measure"] == name].iloc[0]
        width = max(row["shuffled_high"] - row["shuffled_low"], 0.05 * abs(row["shuffled_mean"]))
        assert abs(row["measured"] - row["shuffled_mean"]) < 3 * width, name


def test_one_view_has_no_loss_that_needs_two():
    x, y = blobs(K=1)
    tables = audit(x[:, 0], y, (0.5,), shots=())
    assert tables["gap"].filter(like="nscl_coupled").isna().all(axis=None)
    assert np.isnan(tables["geometry"]["alignment"][0])
    assert np.isnan(tables["geometry"]["augmentation_variance"][0])
    assert np.isfinite(tables["gap"][["gap", "loss_supcon", "learned"]]).all(axis=None)


def test_a_class_of_one_sample_is_left_out_by_name_of_what_needs_two():
    x, y = blobs(K=1)
    names = np.where(np.arange(len(y)) == 7, "lonely", np.array(list("abcd"))[y])
    tables = audit(x, names, (0.5,), shots=(1, 2))
    assert np.isnan(tables["gap"]["loss_supcon"][0]) and np.isfinite(tables["gap"]["gap"][0])
    assert "lonely" in tables["subsets"]["why"][0]
    assert tables["few_shot"]["ways"].max() == 4
    lone = tables["per_class"].set_index("class").loc["lonely"]
    assert lone["gap"] == 0 and np.isnan(lone["r"]) and lone["anchors"] == 1


def test_the_subset_has_as_many_of_every_class_and_progress_ends_at_one():
    x, y = blobs(N=80, K=1)
    seen = []
    tables = audit(x, y, (1.0,), shots=(1,), budget=40, progress=lambda *at: seen.append(at))
    shares = [share for _, share in seen]
    assert shares == sorted(shares) and shares[-1] == 1 and len({what for what, _ in seen}) > 4
    rows = tables["subsets"].set_index("tables").loc["few_shot held_out labels_needed probes"]
    assert 36 <= rows["rows"] <= 40 and rows["of"] == 80 and rows["why"] == "budget"
    chosen, _ = opened(x, y, exact=100, seed=0).chosen(40)
    counts, found = np.bincount(y), np.bincount(y[chosen])
    caps = [cap for cap in range(2, 81) if np.minimum(counts, cap).sum() <= 40]
    assert (found == np.minimum(counts, max(caps))).all()
    everyone, _ = opened(x, y, exact=100, seed=0).chosen(80)
    assert (everyone == np.arange(80)).all()
    few, _ = opened(x, y, exact=100, seed=0).chosen(4)
    assert (np.bincount(y[few]) == 2).all()
    assert (chosen != opened(x, y, exact=100, seed=1).chosen(40)[0]).any()


def test_held_out_errors_use_both_halves_and_only_those():
    x, y = blobs(K=1, spread=1.5)
    first = halves(y, 0)
    counts = np.bincount(y)
    assert (np.bincount(y[first]) == counts // 2).all()
    rows = held_out_rows(torch.from_numpy(x[:, 0]), torch.from_numpy(y), (1, 2, 99), draws=50,
                         linear=True, seed=0)  # fmt: skip
    assert {row["m"] for row in rows} == {1, 2} and {row["ways"] for row in rows} == {2, 4}
    centre = {(row["m"], row["ways"]): row["error"] for row in rows if row["probe"] != "linear"}
    rng, oracle = np.random.default_rng(0), []
    for _ in range(300):
        means = [
            x[rng.choice(np.flatnonzero(first & (y == c)), 2, False), 0].mean(0) for c in range(4)
        ]
        away = np.linalg.norm(x[~first, 0][:, None] - np.array(means), axis=2)
        wrong = away.argmin(1) != y[~first]
        oracle.append(np.mean([wrong[y[~first] == c].mean() for c in range(4)]))
    assert centre[2, 4] == pytest.approx(np.mean(oracle), abs=0.04)
    assert (
        held_out_rows(torch.randn(4, 3), torch.arange(4), (1,), draws=5, linear=True, seed=0) == []
    )


def test_labels_needed_is_where_the_curve_goes_below_for_good():
    curve = [(1, 0.3), (2, 0.08), (5, 0.12), (10, 0.09), (20, 0.04)]
    assert needed(curve, 0.9) == {
        "accuracy": 0.9, "most_tried": 20, "m": 10, "error": 0.09, "reason": ""
    }  # fmt: skip
    assert needed(curve, 0.95)["m"] == 20
    lost = needed(curve, 0.99)
    assert np.isnan(lost["m"]) and lost["reason"] == "not reached with m = 20 (4.0% wrong)"
    assert np.isnan(needed([(1, np.nan)], 0.9)["m"])


def test_what_is_certified_is_above_the_error_and_leaves_the_refuted_bound_out(whole):
    few = whole["few_shot"]
    for row in few.loc[np.isfinite(few["m"])].to_dict("records"):
        assert proved_error(row) >= row["error"] - 5 * row["error_se"]
    assert proved_error({"cut_older": 0.01, "cut_cantelli": 0.4, "cut_neurips": 3.0}) == 0.4
    table = whole["labels_needed"]
    assert set(table["protocol"]) == {"held-out", "population", "certified"}
    assert (table["m"].isna() == (table["reason"] != "")).all()


def test_arguments_are_refused_before_any_work():
    x, y = blobs()
    for bad, said in (
        ({"budget": 1}, "budget"),
        ({"anchors": 0}, "anchors"),
        ({"seed": -1}, "seed"),
        ({"shots": (0,)}, "shots"),
        ({"taus": ()}, "no temperature"),
    ):
        with pytest.raises(ValueError, match=said):
            audit(x, y, **bad)
    with pytest.raises(ValueError, match="one class"):
        audit(x, np.zeros(80, int))


def test_worst_pairs_are_named_at_a_thousand_classes():
    rng = np.random.default_rng(0)
    y = np.arange(3000) % 1000
    x = np.repeat(rng.normal(size=(1000, 8)), 1, axis=0)[y] + 0.01 * rng.normal(size=(3000, 8))
    x[y == 17] = x[y == 4] + 0.01 * rng.normal(size=(3, 8))
    found = opened(x, [f"class {c}" for c in y], exact=10**6, seed=0)
    worst = pairs_table(found.moments, found.names).nlargest(2, "cdnv")
    assert {*worst["class_i"], *worst["class_j"]} == {"class 17", "class 4"}


def test_declared_tables_name_what_they_are_made_of():
    assert set(columns.LOSSES.names).isdisjoint(columns.GAP.names)


@pytest.mark.parametrize("K", [1, 2, 3])
def test_the_most_extreme_embeddings_stay_within_the_limits_of_their_terms(K):
    """Views opposite to each other, and two opposite classes, either way round."""
    signs = np.where(np.arange(K) % 2, -1.0, 1.0)
    opposite = np.tile(signs[None, :, None], (12, 1, 1)) * np.eye(1, 4)
    y = np.arange(12) % 2
    poles = np.where(y == 0, 1.0, -1.0)[:, None, None] * np.eye(1, 4).repeat(K, 0)[None]
    for z in (opposite, poles, np.ones((12, K, 4))):
        row = audit(z, y, (0.1,), shots=(), exact=0, anchors=40)["gap"].iloc[0]
        for name in ("loss_dcl", "loss_nscl", "loss_supcon", "gap"):
            assert row[f"{name}_low"] <= row[name] + 1e-6 <= row[f"{name}_high"] + 2e-6


def test_the_gap_of_a_class_is_that_of_its_losses_and_lies_inside_its_interval(whole, sampled):
    for tables in (whole, sampled):
        of = tables["per_class"]
        assert of["gap"].to_numpy() == pytest.approx((of["loss_dcl"] - of["loss_nscl"]).to_numpy())
        assert (of["gap_low"] <= of["gap"]).all() and (of["gap"] <= of["gap_high"]).all()
    assert (of["gap_low"] < of["gap"]).all() and (of["gap"] < of["gap_high"]).all()
