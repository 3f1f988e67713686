"""Rows of errors and bounds: moments against loops, limits, and theorems on random populations."""

import numpy as np
import pandas as pd
import pytest
import torch

from supcon_theory.audits import columns
from supcon_theory.audits import few_shot as audit
from supcon_theory.theory.few_shot import averages as few_shot
from supcon_theory.theory.few_shot import gaussian
from supcon_theory.theory.few_shot import pairs as few_shot_pairs


def population(seed=0, C=3, n=9, d=4, heavy=False):
    rng = np.random.default_rng(seed)
    noise = rng.standard_t(3, (C * n, d)) if heavy else rng.standard_normal((C * n, d))
    y = np.repeat(np.arange(C), n)
    return torch.from_numpy(3 * rng.standard_normal((C, d))[y] + noise), torch.from_numpy(y)


def test_pair_moments_of_features_equal_loops():
    x, y = population(n=5)
    found = audit.feature_pairs(x, y)
    z, place = x.numpy(), 0
    for i in range(3):
        for j in set(range(3)) - {i}:
            a, b = z[y == i], z[y == j]
            gap = b.mean(0) - a.mean(0)
            wa, wb = a - a.mean(0), b - b.mean(0)
            expected = {
                "distance2": gap @ gap,
                "v_i": np.mean([w @ w for w in wa]),
                "v_j": np.mean([w @ w for w in wb]),
                "along_i": np.mean([(w @ gap) ** 2 for w in wa]),
                "along_j": np.mean([(w @ gap) ** 2 for w in wb]),
                "squared_i": np.mean([(u @ w) ** 2 for u in wa for w in wa]),
                "squared_j": np.mean([(u @ w) ** 2 for u in wb for w in wb]),
                "product": np.mean([(u @ w) ** 2 for u in wa for w in wb]),
                "third_j": np.mean([(w @ gap) * (w @ w) for w in wb]),
                "fourth_i": np.mean([(w @ w) ** 2 for w in wa]),
                "fourth_j": np.mean([(w @ w) ** 2 for w in wb]),
            }
            assert list(found) == list(expected)  # the order in which the bounds take them
            for name, value in expected.items():
                assert found[name][place] == pytest.approx(value, rel=1e-10), name
            place += 1


def test_gaussian_moments_are_those_of_many_samples():
    rng = np.random.default_rng(0)
    law = gaussian.GaussianClasses(2 * rng.standard_normal((3, 4)), rng.uniform(0.1, 1, (3, 4)))
    exact = gaussian.moments_of_pairs(law)
    z = gaussian.samples(law, 50_000, seed=1)
    sampled = audit.feature_pairs(
        torch.from_numpy(z.reshape(-1, 4)), torch.arange(3).repeat_interleave(50_000)
    )
    assert list(exact) == list(sampled)
    for name in set(exact) - {"third_j"}:
        np.testing.assert_allclose(sampled[name], exact[name], rtol=0.05, err_msg=name)
    assert np.abs(sampled["third_j"]).max() < 0.4


def test_bound_values_equal_the_named_bounds():
    pairs = audit.feature_pairs(*population())
    values = audit.bound_values(pairs, 7)
    V = np.mean(pairs["v_i"] / pairs["distance2"])
    V_root = np.mean(np.sqrt(pairs["v_i"] / pairs["distance2"]))
    V_dir = np.mean(pairs["along_i"] / pairs["distance2"] ** 2)
    assert values["neurips"] == pytest.approx(few_shot.neurips_bound(V, V_root, V_dir, 7))
    assert values["neurips_16"] == pytest.approx(few_shot.neurips_bound(V, V_root, V_dir, 7, a=16))
    assert values["older"] == pytest.approx(few_shot.older_bound(V, V_dir, 7))
    p = pairs
    expected = few_shot_pairs.theorem_4_1(
        p["distance2"], p["v_i"], p["v_j"], p["along_i"], p["fourth_i"], p["fourth_j"], 7
    )
    np.testing.assert_allclose(values["theorem_4_1"], expected)
    np.testing.assert_allclose(
        values["cantelli"], few_shot_pairs.cantelli_certificate(*pairs.values(), 7)
    )


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("heavy", [False, True])
def test_no_valid_bound_is_exceeded_on_a_resampled_population(seed, heavy):
    certified = seed == 0  # on a smaller population: these certificates take their time
    x, y = population(seed, C=3 if certified else 4, n=4 if certified else 7, d=3, heavy=heavy)
    shots = (1, 3) if certified else (1, 3, 20)
    table = pd.DataFrame(
        audit.feature_audit(
            x, y, shots, (2, 3), draws=60, seed=seed, certified=shots if certified else ()
        )
    )
    finite = table[np.isfinite(table["m"])]
    more = columns.CERTIFICATES if certified else ()
    for name in ("cantelli", "theorem_4_1", "theorem_c_2", "neurips", "tightened", *more):
        assert (finite[f"violation_{name}"] <= 1e-9).all(), name
    for name in (*columns.PAIRWISE, *more):
        assert (finite.loc[finite["ways"] == 2, f"violation_pair_{name}"] <= 1e-9).all(), name
    assert (table.loc[np.isinf(table["m"]), "violation_pair_known"] <= 1e-9).all()


def test_a_value_that_is_no_bound_is_found_out(monkeypatch):
    """The excess columns see a bound that is a tenth of the truth."""
    x, y = population(1, C=4, n=7, d=3)
    monkeypatch.setattr(
        audit, "bound_values", lambda pairs, m: {n: np.full(12, 1e-4) for n in columns.BOUNDS}
    )
    monkeypatch.setattr(audit, "limit_row", lambda pairs, known: {"m": np.inf})
    table = pd.DataFrame(audit.feature_audit(x, y, (1,), (2, 4), draws=200, seed=0))
    row = table[(table["m"] == 1) & (table["ways"] == 2)].iloc[0]
    assert row["violation_cantelli"] > 0 and row["violation_pair_cantelli"] > 0


def test_episodes_are_bounded_by_ways_less_one_times_the_two_way_bound():
    x, y = population()
    table = pd.DataFrame(audit.feature_audit(x, y, (2,), (2, 3), draws=50, seed=0, certified=(2,)))
    two, three = (table[(table["m"] == 2) & (table["ways"] == w)].iloc[0] for w in (2, 3))
    for name in columns.BOUNDS:
        assert three[f"bound_{name}"] == pytest.approx(2 * two[f"bound_{name}"])
    assert three["bound_conditional_cantelli"] <= 2 * two["bound_conditional_cantelli"] + 1e-12


def test_terms_sum_to_their_bound_and_the_directional_one_takes_over():
    law = gaussian.simplex_classes(3, 20, 0.05, 1.5)
    pairs = gaussian.moments_of_pairs(law)
    for m in (1, 30, 1e4):
        for name, terms in audit.bound_terms(pairs, m).items():
            np.testing.assert_allclose(sum(terms), audit.bound_values(pairs, m)[name])
    row = audit.limit_row(pairs, gaussian.pair_errors(law, law.means[None])[0])
    start = row["directional_from_theorem_4_1"]
    for m, directional_is_larger in ((0.99 * start, False), (1.01 * start, True)):
        directional, dispersion = (t.mean() for t in audit.bound_terms(pairs, m)["theorem_4_1"])
        assert (directional > dispersion) == directional_is_larger


def test_known_crossings_and_limits_of_a_published_case():
    """V~ = .05, V = 1.5 (single class): Theorem 4.1 is .906 at m = 100 and .333 at 500."""
    law = gaussian.simplex_classes(2, 64, 0.05, 1.5)
    table = pd.DataFrame(
        gaussian_rows := audit.gaussian_audit(
            law, (10, 100, 500), (2,), draws=50, queries=1, seed=0
        )
    )
    assert len(gaussian_rows) == 4
    found = table.set_index("m")
    np.testing.assert_allclose(
        found.loc[[10, 100, 500], "bound_theorem_4_1"], [8.79, 0.906, 0.333], rtol=2e-3
    )
    np.testing.assert_allclose(
        found.loc[[10, 100, 500], "bound_neurips"], [4.813, 1.920, 1.171], rtol=2e-3
    )
    end = found.loc[np.inf]
    assert 100 < end["half_theorem_4_1"] < 500 and 10 < end["crossing"] < 100
    assert end["half_cantelli"] == 1 and end["V_dir"] == pytest.approx(0.05)
    assert end["limit_neurips"] < 0.02 and end["limit_theorem_4_1"] < 1e-6


def test_gaussian_episodes_agree_with_pairs_and_are_not_below_them():
    law = gaussian.simplex_classes(4, 12, 0.1, 1.0)
    table = pd.DataFrame(audit.gaussian_audit(law, (3,), (2, 4), draws=60, queries=100, seed=0))
    two, four = (table[(table["m"] == 3) & (table["ways"] == w)].iloc[0] for w in (2, 4))
    assert two["error"] < four["error"] < 3 * two["error"] + 5 * four["error_se"]


def test_progress_is_the_share_of_shots_that_is_done():
    x, y = population(n=4)
    shares = []
    audit.feature_audit(x, y, (1, 2, 5, 7), (2,), draws=2, seed=0, progress=shares.append)
    assert shares == [0.25, 0.5, 0.75, 1]


def test_smallest_m_finds_the_edge_the_start_and_never():
    assert audit.smallest_m(lambda m: m > 137.0) == pytest.approx(137, rel=1e-6)
    assert audit.smallest_m(lambda m: True) == 1
    assert audit.smallest_m(lambda m: False) == np.inf


def test_the_declared_names_are_those_that_theory_has():
    pairs = audit.feature_pairs(*population())
    assert list(audit.bound_values(pairs, 3)) == list(columns.BOUNDS)
    assert list(columns.CERTIFICATES) == [f"conditional_{kind}" for kind in audit.KINDS]
    averaged = {n for n, value in audit.bound_values(pairs, 3).items() if value.ndim == 0}
    assert averaged == set(columns.BOUNDS) - set(columns.PAIRWISE)


def test_labels_of_any_kind_give_the_same_rows():
    x, y = population(n=5)
    names = np.array(["b", "c", "d"])[y.numpy()]
    kinds = (y, names, (y + 10**12).numpy(), y.to(torch.uint8))
    rows = [audit.feature_audit(x, of, (2,), (2, 3), draws=9, seed=0) for of in kinds]
    assert all(np.array_equal(str(rows[0]), str(found)) for found in rows[1:])
