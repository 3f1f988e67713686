"""The published few-shot bounds: values, minimisers, conditions, limits, refused input."""

import numpy as np
import pytest

from supcon_theory.theory.few_shot import averages as fs
from supcon_theory.theory.few_shot import pairs

SHOTS = np.array([1, 5, 10, 20, 50, 100, 200, 500])
NOTEBOOK = np.array([29.1144, 8.1961, 5.6664, 4.1667, 2.9454, 2.3345, 1.8864, 1.4592])


def random_moments(seed: int, size: int = 300) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    V = 10 ** rng.uniform(-2, 2, size)
    return {
        "V": V,
        "V_root": np.sqrt(V) * rng.uniform(0.3, 1, size),
        "V_dir": V * rng.uniform(0.001, 1, size),
        "m": 10 ** rng.uniform(0, 4, size),
    }


def law_moments(law_i, law_j):
    """All pair moments of two finite uniform laws, by loops over their atoms."""
    mu_i, mu_j = law_i.mean(0), law_j.mean(0)
    D = mu_j - mu_i
    wi, wj = law_i - mu_i, law_j - mu_j
    Si, Sj = sum(np.outer(w, w) for w in wi) / len(wi), sum(np.outer(w, w) for w in wj) / len(wj)
    third = sum((D @ w) * (w @ w) for w in wj) / len(wj)
    fourth = [sum((w @ w) ** 2 for w in ws) / len(ws) for ws in (wi, wj)]
    return (
        D @ D,
        np.trace(Si),
        np.trace(Sj),
        D @ Si @ D,
        D @ Sj @ D,
        np.trace(Si @ Si),
        np.trace(Sj @ Sj),
        np.trace(Si @ Sj),
        third,
        *fourth,
    )


def test_the_eight_values_of_the_released_notebook():
    exact = fs.neurips_bound(1.672125, np.sqrt(1.672125), 0.072864, SHOTS)
    assert np.abs(exact - NOTEBOOK).max() < 1e-4
    rounded = fs.neurips_bound(1.6721, np.sqrt(1.6721), 0.07286, SHOTS)
    assert np.abs(rounded - NOTEBOOK).max() < 1e-3


@pytest.mark.parametrize("name", ["older", "neurips", "tightened"])
def test_the_best_a_is_the_minimum_of_the_formula(name):
    x = random_moments(1, 60)
    for V, V_root, V_dir, m in zip(*x.values(), strict=False):
        A = 2.0 if name == "tightened" else 2 + 2**1.5 / m
        slope = {
            "older": 2**1.5 * V / m,
            "neurips": (2 / np.sqrt(m) * (V_root + V) + V / m) / 4,
            "tightened": ((2**0.5 * V + V_root) / np.sqrt(m) + V / m) / 4,
        }[name]
        least = 5 if name == "neurips" else 0

        a = np.maximum(least, 2 * A + np.exp(np.linspace(-15, 15, 100_001)))
        slow = np.min(V_dir * (0.5 - A / a) ** -2 + slope * a)
        moments = (V, V_dir, m) if name == "older" else (V, V_root, V_dir, m)
        assert getattr(fs, f"{name}_bound")(*moments) == pytest.approx(slow, rel=1e-6)


def test_the_best_a_solves_its_cubic():
    rng = np.random.default_rng(2)
    F, A = 10 ** rng.uniform(-3, 3, 2000), 2 + 2**1.5 / rng.integers(1, 100, 2000)
    y = fs.best_a(F, A, 2 * A) - 2 * A
    assert np.allclose(y**3, 8 * F * y + 16 * F * A, rtol=1e-9)


def test_the_tightened_form_is_never_above_the_published_ones():
    x = random_moments(4, 2000)
    tight = fs.tightened_bound(**x)
    assert (tight <= fs.neurips_bound(**x) * (1 + 1e-12)).all()
    assert (tight <= fs.neurips_bound_rounded(**x)).all()
    assert (fs.neurips_bound(**x) <= fs.neurips_bound(**x, a=16) * (1 + 1e-12)).all()


def test_terms_add_up_and_classes_scale():
    x = random_moments(5)
    for name in ("older", "neurips"):
        moments = {k: v for k, v in x.items() if name != "older" or k != "V_root"}
        directional, dispersion = getattr(fs, f"{name}_terms")(**moments, ways=5)
        assert (directional > 0).all() and (dispersion > 0).all()
        assert np.allclose(directional + dispersion, 4 * getattr(fs, f"{name}_bound")(**moments))


def test_limits_for_many_supports():
    V, V_dir = 1.5, 0.05
    root, at = np.sqrt(V), 1e14
    assert fs.neurips_bound(V, root, V_dir, 1e12, ways=3) == pytest.approx(8 * V_dir, rel=0.02)
    for value in (
        fs.older_bound(V, V_dir, at),
        fs.tightened_bound(V, root, V_dir, 1e16),
        pairs.theorem_4_1(1, V / 2, V / 2, V_dir, 3, 3, at),
        pairs.theorem_c_2(1, V / 2, V / 2, V_dir, 3, 3, at),
    ):
        assert value == pytest.approx(0.2, rel=0.01)
    assert fs.neurips_bound_rounded(V, root, V_dir, at) == pytest.approx(0.4, rel=1e-4)
    certificate = pairs.cantelli_certificate(1, 1, 1, V_dir, 0.1, 0.2, 0.2, 0.1, 0, 3, 3, at)
    assert certificate == pytest.approx(float(fs.known_centroid_bound(V_dir)), rel=1e-6)


def test_known_centres_are_attained_by_a_two_point_law():
    for V_dir in (0.01, 0.05, 0.25, 1.0):
        p = float(fs.known_centroid_bound(V_dir))
        atoms, weight = np.array([0.5, -0.5 * p / (1 - p)]), np.array([p, 1 - p])
        assert weight @ atoms == pytest.approx(0) and weight @ atoms**2 == pytest.approx(V_dir)


def test_theorem_4_1_by_hand_and_below_c_2():
    V, theta, m = 3.0, 14.0, 4
    E = [4 / m * (V**2 + V / 4), V / m, (theta + 2 * (m - 1) * V**2) / m**3]
    by_hand = (4 * 0.5 + sum(e**0.5 for e in E) ** 2) / (1 + (2 - 1) / m) ** 2
    # d^2 = 4: v = (4, 8), D' Sigma D = .5 * 16, fourth moments 6 * 16 and 8 * 16
    got = pairs.theorem_4_1(4, 4, 8, 0.5 * 16, 6 * 16, 8 * 16, m)
    assert got == pytest.approx(by_hand)
    assert pairs.theorem_c_2(4, 4, 8, 8, 96, 128, m) >= got


def test_theorem_4_1_is_infinite_where_its_margin_fails():
    value = pairs.theorem_4_1(1, 5, 1, 0.1, 30, 30, np.array([1, 3, 4, 5, 100]))
    assert np.isinf(value[:3]).all() and np.isfinite(value[3:]).all()


@pytest.mark.parametrize("m", [1, 2, 3])
def test_margin_moments_equal_an_enumeration_of_all_supports(m):
    rng = np.random.default_rng(6)
    i, j = rng.normal(size=(2, 2)), rng.normal(size=(3, 2)) + 1  # j skewed: 2 atoms never are
    grid = np.indices((len(i),) * m + (len(j),) * m + (len(i),)).reshape(2 * m + 1, -1)
    own, other = i[grid[:m]].mean(0), j[grid[m : 2 * m]].mean(0)
    T = np.sum((i[grid[-1]] - other) ** 2, 1) - np.sum((i[grid[-1]] - own) ** 2, 1)
    mean, staying, vanishing = pairs.margin_moments(*law_moments(i, j), m)
    assert mean == pytest.approx(T.mean()) and staying + vanishing == pytest.approx(T.var())
    certificate = pairs.cantelli_certificate(*law_moments(i, j), m)
    assert np.mean(T <= 0) <= certificate <= 1
    assert sum(pairs.cantelli_terms(*law_moments(i, j), m)) == pytest.approx(certificate)


def test_classes_that_are_points_are_told_apart_for_certain():
    points = law_moments(np.zeros((1, 2)), np.ones((1, 2)))
    assert np.array_equal(pairs.cantelli_terms(*points, [1, 5]), np.zeros((2, 2)))


def test_cantelli_is_below_theorem_4_1():
    rng = np.random.default_rng(7)
    for _ in range(50):
        i, j = rng.normal(size=(4, 3)), rng.normal(size=(4, 3)) + 2
        d2, vi, vj, ai, _aj, _si, _sj, _p, _t, fi, fj = law_moments(i, j)
        m = rng.integers(1, 100)
        assert (
            pairs.cantelli_certificate(*law_moments(i, j), m)
            <= min(1, pairs.theorem_4_1(d2, vi, vj, ai, fi, fj, m)) + 1e-12
        )


def test_edges_give_limits_and_not_nan():
    assert fs.neurips_bound(0, 0, 0, [1, 10]).tolist() == [0, 0]
    A, slope = 2 + 2**1.5, (2 * 2 + 1) / 4
    assert fs.neurips_bound(1, 1, 0, 1) == pytest.approx(2 * A * slope)
    assert fs.neurips_bound(1, 1, 0.1, 1, a=5) == np.inf
    assert fs.older_bound(0, 0, 5) == 0 and np.isfinite(fs.older_bound(1e-12, 1.0, 3))


@pytest.mark.parametrize(
    "call, word",
    [
        (lambda: fs.neurips_bound(-1, 1, 0.1, 5), "negative"),
        (lambda: fs.neurips_bound(1, np.nan, 0.1, 5), "NaN"),
        (lambda: fs.older_bound(1, 0.1, 0.5), "at least 1"),
        (lambda: fs.tightened_bound(1, 1, 0.1, 5, ways=1), "at least 2"),
        (lambda: pairs.theorem_4_1(0, 1, 1, 0.1, 1, 1, 5), "coincide"),
    ],
)
def test_bad_input_is_one_sentence(call, word):
    with pytest.raises(ValueError, match=word) as error:
        call()
    assert "\n" not in str(error.value)
