"""Statistics over tables that claims and figures share: known right values on made-up tables."""

import numpy as np
import pandas as pd
import pytest

from supcon_theory.audits import few_shot_curves, geometry_curves, loss_curves, sweeps
from supcon_theory.audits.rows import last_step, lowest, select


def sweep(labels="true", factor=2.0, seeds=(0, 1), classes=(2, 4, 16)) -> pd.DataFrame:
    """Encoders whose gap is log(1 + factor / (C - 1)), untrained ones with factor 1."""
    rows = [
        {"seed": s, "C": C, "step": step, "objective": name, "labels": labels, "data": "glyphs"}
        | {"gap": np.log1p(f / (C - 1)), "r": f * (1 + s / 100), "level": f"C={C}", "tau": 1.0}
        for s in seeds
        for C in classes
        for name in ("dcl", "nscl")
        for step, f in ((0, 1.0), (9, factor))
    ]
    return pd.DataFrame(rows)


def test_rows_are_chosen_by_value_by_any_of_several_and_not_by_an_absent_column():
    table = sweep()
    assert len(select(table, {"C": 4, "seed": (0, 1), "objective": "dcl"})) == 4
    assert len(select(table, {"C": (2, 4), "objective": "dcl"})) == 8
    assert len(select(table, {"probe": "linear"})) == 0
    assert set(last_step(table)["step"]) == {9}


def test_the_gap_of_a_constant_ratio_falls_as_one_over_c_less_one():
    slopes = sweeps.gap_slope(sweep(), {"data": "glyphs", "labels": "true"})
    assert slopes.to_dict() == pytest.approx({0: -1.0, 1: -1.0})
    assert sweeps.gap_slope(sweep(classes=(4,)), {}).isna().all()


def test_the_furthest_from_one_is_that_of_the_untrained():
    found = sweeps.furthest_from_one(sweep())
    assert found.to_dict() == pytest.approx({0: 0.0, 1: 0.01})
    assert sweeps.furthest_from_one(sweep(classes=(4,))).isna().all()


def test_what_is_learned_is_the_least_over_c_of_true_less_shuffled():
    shuffled = sweep("shuffled", 1.0)
    found = sweeps.least_learned(pd.concat([sweep(), shuffled]))
    assert found.to_dict() == pytest.approx({0: 1.0, 1: 1.01})
    lacking = pd.concat([sweep(), shuffled[shuffled["C"] > 2]])
    assert sweeps.least_learned(lacking).isna().all()


def test_what_was_published_is_compared_at_its_own_numbers_of_classes():
    at = {"data": "cifar10", "imbalance": 1, "trained_imbalance": 1, "epoch": 0.0}
    table = sweep(classes=(2, 3, 10)).assign(**at)
    found = sweeps.furthest_from_published(table)  # log(2) is .693, log(1 + 1/9) is .10536
    assert found.to_dict() == pytest.approx(dict.fromkeys((0, 1), 1 - np.log(10 / 9) / 0.106))
    beside = sweeps.beside_published(table)
    assert beside[["C", "step"]].to_numpy().tolist() == [[2, 0], [2, 9], [10, 0], [10, 9]]
    assert beside["published_0"].tolist() == [0.693, 0.693, 0.106, 0.106]
    assert beside["published_300"].tolist() == [0.82, 0.82, 0.148, 0.148]
    assert beside["gap"].iloc[:2].tolist() == pytest.approx([np.log(2), np.log(3)])
    other = sweep().assign(**at | {"data": "glyphs"})
    assert sweeps.furthest_from_published(other).isna().all()
    assert sweeps.beside_published(other).empty


def grid(table: pd.DataFrame) -> pd.DataFrame:
    rows = select(table, {"labels": "true", "tau": 1.0})
    return rows.set_index(["seed", "level"])["r"].unstack()


def test_over_a_grid_one_missing_point_decides_nothing():
    table = last_step(select(sweep(), {"objective": "dcl"}))
    r = grid(table)
    assert sweeps.largest_over_grid(r).to_dict() == pytest.approx({0: 2.0, 1: 2.02})
    assert sweeps.smallest_over_grid(r).to_dict() == pytest.approx({0: 2.0, 1: 2.02})
    r = grid(table.iloc[1:])
    assert sweeps.smallest_over_grid(r).isna().to_dict() == {0: True, 1: False}


def shots(bound=lambda m: 3 / m, error=lambda m: 0.5 / np.sqrt(m)) -> pd.DataFrame:
    m = np.array([1.0, 4, 16, 64, np.inf])
    return pd.DataFrame(
        {"protocol": "resampled", "classes": "seen", "objective": "dcl", "C": 4, "split": "test"}
        | {
            "ways": 2,
            "seed": 0,
            "m": m,
            "error": error(m),
            "bound_older": bound(m),
            "crossing": 7.0,
        }
    )


def test_few_shot_statistics_of_powers_of_m():
    table = shots()
    slopes = few_shot_curves.by_seed(table, "bound_older", few_shot_curves.slope_difference)
    assert slopes.to_dict() == pytest.approx({0: -0.5})
    flat = few_shot_curves.by_seed(table, None, few_shot_curves.correlation)
    assert flat.to_dict() == pytest.approx({0: 1.0})
    assert few_shot_curves.at_limit(table, "crossing").to_dict() == {0: 7.0}
    found = few_shot_curves.correlations(table, ["older"]).set_index("bound")
    assert found["slope_error"].tolist() == pytest.approx([-0.5, -0.5])
    assert found["slope_bound"].to_dict() == pytest.approx({"older": -1.0, "flat": -0.5})
    assert found["spearman"].tolist() == pytest.approx([1.0, 1.0])
    m = np.array([1.0, 4, 16, 64])
    assert found["pearson"]["older"] == pytest.approx(np.corrcoef(m**-0.5, 1 / m)[0, 1])
    assert set(found["points"]) == {4}


def test_spearman_is_that_of_ranks_with_ties():
    from scipy.stats import spearmanr

    a, b = np.array([1.0, 2, 2, 5, 3]), np.array([9.0, 1, 4, 4, 4])
    assert few_shot_curves.spearman(a, b) == pytest.approx(spearmanr(a, b).statistic)
    assert np.isnan(few_shot_curves.spearman(a, np.ones(5)))
    assert np.isnan(few_shot_curves.pearson(a[:2], b[:2]))


def geometry(tau_rows=True) -> pd.DataFrame:
    rows = [
        {"seed": s, "objective": "dcl", "labels": labels, "step": step, "C": 4, "tau": np.nan}
        | {"directional_cdnv": value * (1 + s)}
        for s in (0, 1)
        for labels, end in (("true", 0.1), ("shuffled", 0.4))
        for step, value in ((0, 1.0), (5, end))
    ]
    rows += [row | {"tau": 1.0, "directional_cdnv": np.nan} for row in rows if tau_rows]
    return pd.DataFrame(rows)


def test_falls_and_their_control_do_not_see_rows_of_losses():
    for table in (geometry(), geometry(tau_rows=False).drop(columns="tau")):
        where = {"labels": "true", "C": 4}
        fall = geometry_curves.fall(table, where, "dcl", "directional_cdnv")
        assert fall.to_dict() == pytest.approx({0: np.log(0.1), 1: np.log(0.1)})
        ratio = geometry_curves.shuffled_ratio(table, where)
        assert ratio.to_dict() == pytest.approx({0: np.log(4), 1: np.log(4)})


def test_purity_of_maps():
    table = pd.DataFrame(
        [
            {"seed": 0, "C": C, "objective": name, "labels": "true", "step": step}
            | {"purity": purity, "purity_map": purity - 0.1 * (step == 3)}
            for C, end in ((4, 0.9), (8, 0.6))
            for name, extra in (("dcl", 0.0), ("nscl", 0.05 * C / 4))
            for step, purity in ((0, 0.3), (3, end + extra))
        ]
    )
    assert geometry_curves.purity_rise(table, "dcl", "true")[0] == pytest.approx(0.3)
    assert geometry_curves.purity_above(table, "nscl", "true")[0] == pytest.approx(0.05)
    assert geometry_curves.map_distortion(table)[0] == pytest.approx(0.1)


def test_a_curve_of_two_losses_and_its_batches():
    losses = np.array([3.0, 2.5, 1.0])
    table = pd.DataFrame(
        {"C": 4, "split": "train", "objective": "dcl", "labels": "true", "tau": 1.0, "seed": 0}
        | {"protocol": "exact", "step": [0, 1, 2], "loss_nscl": losses, "loss_dcl": 2 * losses}
        | {"gap": losses, "bound_centred": losses + 1, "bound_n_max": 0.5}
    )
    (curve,) = loss_curves.curves(table).to_dict("records")
    assert (curve["pearson"], curve["slope"], curve["pearson_gap"]) == pytest.approx((1, 2, 1))
    assert curve["forced"] == pytest.approx(np.sqrt(1 - (0.25 / losses.std()) ** 2))
    assert curve["violation_forced"] == pytest.approx(curve["forced"] - 1)
    assert curve["range_nscl"] == 2.0 and curve["points"] == 3
    assert loss_curves.least(table, {"objective": "dcl"}, "slope").to_dict() == pytest.approx(
        {0: 2}
    )
    partner = table.assign(objective="nscl", loss_nscl=losses - 1, loss_dcl=9.0, gap=0.25)
    pairs = loss_curves.premise(pd.concat([table, partner]))
    assert len(pairs) == 4  # two checkpoints after the start of each
    assert pairs["violation_transfer"].max() == pytest.approx(2.5 - (1.0 - 1) - 0.25)
    start = loss_curves.untrained_excess(pd.concat([table, partner]))
    assert start.to_dict() == pytest.approx({0: 3.0 - 0.0})
    batches = pd.DataFrame(
        {"protocol": "batch", "tau": 1.0, "C": 4, "split": ["train", "test"] * 2, "seed": 0}
        | {"batch": [8, 8, 16, 16], "bias_gap": [0.1, 0.3, -0.2, 0.05]}
    )
    assert loss_curves.batch_bias(batches, 1.0, "bias_gap", "min")[0] == pytest.approx(0.3)
    assert loss_curves.batch_bias(batches, 1.0, "bias_gap", "max")[0] == pytest.approx(0.2)


def test_the_lowest_of_each_setting_are_kept_and_a_loss_that_is_none_is_never_lost():
    starts = pd.DataFrame(
        {
            "setting": ["a", "a", "b", "b", None, None, "c", "c"],
            "loss": [2.0, 1.0, 3.0, 3.0, 5.0, 4.0, 0.0, np.nan],
            "start": range(8),
        }
    )
    found = lowest(starts, ["setting"])
    assert sorted(found["start"]) == [1, 2, 5, 7]
    with pytest.raises(KeyError, match="absent"):
        lowest(starts, ["setting", "absent"])


def test_a_column_at_the_end_is_joined_over_classes_and_unknown_if_one_is():
    end = {(0, 2): 0.5, (0, 4): 0.1, (1, 2): np.nan, (1, 4): 0.2}
    rows = [
        {"protocol": "exact", "objective": "dcl", "seed": seed, "C": C, "step": step}
        | {"difference_dcl": 9.0 if step < 7 else value}
        for (seed, C), value in end.items()
        for step in (0, 3, 7)
    ]
    for over, wanted in (("mean", 0.3), ("max", 0.5)):
        found = loss_curves.at_end(pd.DataFrame(rows), "difference_dcl", over)
        assert found.to_dict() == pytest.approx({0: wanted, 1: np.nan}, nan_ok=True)
