"""Certificates: their moments against enumeration, their validity, the majorants, an attack."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from supcon_theory.theory.few_shot import majorants as mj
from supcon_theory.theory.few_shot import margin as cm
from supcon_theory.theory.few_shot import programmes as lp
from supcon_theory.theory.few_shot import trigonometric as tr
from supcon_theory.theory.few_shot.certificates import (
    KINDS,
    certificate,
    split_bound,
)
from tests.theory.attack import attack, exact_error

KEYS = [(0.35, -1.5, 4.0), (0.1, 0.0, 40.0)]


def features(C=3, n=30, D=8, apart=2.5, seed=0):
    rng = np.random.default_rng(seed)
    scale = np.arange(1, D + 1) ** -0.5
    return [rng.normal(size=(n, D)) * scale + apart * rng.normal(size=D) / D**0.5 for _ in range(C)]


def supports(x, m):
    """Every ordered draw of m rows of x, by loops."""
    return [x[list(draw)] for draw in product(range(len(x)), repeat=m)]


def remainder(x, draw, m):
    """U of one draw, by loops."""
    mu = x.mean(0)
    return sum((draw[k] - mu) @ (draw[r] - mu) for k in range(m) for r in range(m) if k != r) / m**2


def monte_carlo(classes, m, draws=1500, seed=1):
    """Two-way and all-way error, slow: (pairs, all_way, standard error of the mean all-way one)."""
    rng = np.random.default_rng(seed)
    C = len(classes)
    pairs, runs = np.zeros((C, C)), []
    for _ in range(draws):
        centres = [x[rng.integers(0, len(x), m)].mean(0) for x in classes]
        wrong_any = []
        for i, x in enumerate(classes):
            d = np.stack([np.sum((x - c) ** 2, 1) for c in centres], 1)
            wrong = d <= d[:, [i]]
            pairs[i] += wrong.mean(0) / draws
            wrong[:, i] = False
            wrong_any.append(wrong.any(1).mean())
        runs.append(np.mean(wrong_any))
    np.fill_diagonal(pairs, np.nan)
    return pairs, float(np.mean(runs)), float(np.std(runs) / draws**0.5)


@pytest.mark.parametrize("m", [1, 2, 3, 4, 5])
def test_moments_of_the_remainder_equal_an_enumeration(m):
    x = np.random.default_rng(m).normal(size=(3, 2)) ** 3
    law = cm.class_law(x)
    u = np.array([remainder(x, draw, m) for draw in supports(x, m)])
    assert cm.remainder_variance(law, m) == pytest.approx(np.mean(u**2), rel=1e-9, abs=1e-14)
    assert cm.remainder_fourth(law, m) == pytest.approx(np.mean(u**4), rel=1e-9, abs=1e-14)


@pytest.mark.parametrize("m", [2, 3, 4])
def test_the_margin_and_its_joint_moments_equal_an_enumeration(m):
    rng = np.random.default_rng(10 + m)
    i, j, z = rng.normal(size=(2, 3)), rng.normal(size=(3, 3)) + 0.5, rng.normal(size=3)
    law_i, law_j = cm.class_law(i), cm.class_law(j)
    t = cm.margin(law_i, law_j, z[None], m)
    draws = [(a, b) for a in supports(i, m) for b in supports(j, m)]
    T = np.array([np.sum((z - b.mean(0)) ** 2) - np.sum((z - a.mean(0)) ** 2) for a, b in draws])
    U = np.array([remainder(j, b, m) - remainder(i, a, m) for a, b in draws])
    L = T - t.mean[0] - U
    assert t.mean[0] == pytest.approx(T.mean()) and t.variance[0] == pytest.approx(T.var())
    assert t.remainder_fourth == pytest.approx(np.mean(U**4))
    assert t.log_mgf(np.array([0.7]))[0] == pytest.approx(np.log(np.mean(np.exp(-0.7 * L))))
    s = np.sqrt(t.linear_variance)
    for r, moment in enumerate(tr.joint_moments(law_i, law_j, t, s)):
        k = np.arange(moment.shape[1])
        slow = np.mean((U[:, None] / s) ** r * np.exp(1j * mj.FREQUENCY * np.outer(L / s, k)), 0)
        assert np.allclose(moment[0], slow, atol=1e-12)


@pytest.mark.parametrize("key", KEYS)
def test_the_mean_of_a_majorant_from_moments_is_the_mean_of_its_values(key):
    g, rng = mj.majorant(*key), np.random.default_rng(5)
    x, u, place = rng.normal(size=40), 0.3 * rng.normal(size=40) ** 3, -0.7
    k = np.arange(mj.K0 + 1)
    waves = np.exp(1j * mj.FREQUENCY * np.outer(x, k))
    moments = [(u**r) @ waves[:, : (mj.K0 if r == 0 else mj.K2) + 1] / 40 for r in range(3)]
    turn = np.exp(-1j * mj.FREQUENCY * place * k)
    args = [moment[None] for moment in moments], turn[None], np.mean(u**2), np.mean(u**4)
    assert tr._expectation(g, *args)[0] == pytest.approx(np.mean(g(x - place, u)), rel=1e-9)


@pytest.mark.parametrize("key", KEYS)
def test_a_majorant_is_above_the_indicator_everywhere(key):
    g = mj.majorant(*key)
    rng = np.random.default_rng(0)
    y = np.concatenate(
        [
            rng.uniform(-mj.LEFT, mj.RIGHT, 20000),
            rng.normal(0, 0.2, 20000),
            rng.uniform(mj.RIGHT, 100, 2000),
        ]
    )
    at_the_edge = -y  # the least convenient u, and some beyond
    for u in (
        at_the_edge,
        at_the_edge - rng.exponential(0.3, y.shape),
        at_the_edge - rng.exponential(5, y.shape),
    ):
        assert g(y, u).min() >= 1
    assert g(rng.uniform(-50, 50, 20000), rng.normal(0, 3, 20000)).min() >= 0


def test_a_lowered_majorant_is_noticed_and_repaired():
    g = mj.majorant(*KEYS[0])
    lowered = replace(g, p0=g.p0 - 0.2 * (np.arange(len(g.p0)) == 0))
    assert len(lp.violated(lowered)) > 0 and not mj.is_majorant(lowered)
    y = np.linspace(-mj.LEFT, mj.RIGHT, 5000)
    assert mj.is_majorant(lp.repaired(lowered)) and lp.repaired(lowered)(y, -y).min() >= 1


@pytest.mark.parametrize(
    "wrong",
    [
        lambda g: {"beta": -1e-9},
        lambda g: {"alpha": 0.5 * g.alpha},
        lambda g: {"p0": g.p0 * np.nan},
        lambda g: {"p": g.p - 1e-6},
        lambda g: {"p0": g.p0 - 1e-4 * (np.arange(len(g.p0)) == 0)},
    ],
)
def test_a_little_less_than_a_majorant_is_none(wrong):
    g = mj.majorant(*KEYS[0])
    assert mj.is_majorant(g) and not mj.is_majorant(replace(g, **wrong(g)))


def expectation(g, spread, place, kurtosis):
    """E[G] by summation over x; u has mean 0 and the moments of the key."""
    x = np.linspace(-20, 20, 40001)
    density = sum(
        w * np.exp(-((x / sd) ** 2) / 2) / sd / (2 * np.pi) ** 0.5
        for w, sd in ((0.97, 1.0), (0.03, 1.5))
    )
    value = mj.polynomial(g.p0, x - place) + g.beta * spread**2 + g.alpha * kurtosis * spread**4
    for c, b in zip(g.p, g.shifts, strict=True):
        value = value + mj.polynomial(c, x - place) * (spread**2 + b**2)
    return np.sum(density * value) * (x[1] - x[0])


@pytest.mark.parametrize("key", [(0.1, -1.5, 40.0), (0.6, 0.0, 4.0)])
def test_the_file_holds_what_the_linear_programmes_give(key):
    found, again = mj.majorant(*key), lp.solve(*key)
    assert expectation(again, *key) == pytest.approx(expectation(found, *key), rel=1e-5)
    y = np.linspace(-3, 3, 200)
    assert again(y, -y) == pytest.approx(found(y, -y), rel=1e-2, abs=1e-2)


@pytest.fixture
def table(tmp_path, monkeypatch):
    """A copy of the file, and a function that has a changed one in its place."""

    def put(content):
        path = tmp_path / "majorants.npz"
        path.write_bytes(content) if isinstance(content, bytes) else np.savez(path, **content)
        monkeypatch.setattr(mj, "FILE", path)
        mj._tabulated.cache_clear()
        mj.majorant.cache_clear()

    yield put
    mj._tabulated.cache_clear()
    mj.majorant.cache_clear()


def test_a_damaged_file_is_refused_in_one_sentence(table):
    whole = mj.FILE.read_bytes()
    arrays = dict(np.load(mj.FILE))
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    for content in (
        bytes(flipped),
        whole[: len(whole) // 2],
        b"",
        {name: x for name, x in arrays.items() if name != "p"},
        arrays | {"p0": arrays["p0"][:-1]},
        arrays | {"p0": arrays["p0"] - 1e-3},
        {"p0": np.array([None])},
    ):
        table(content)
        with pytest.raises(ValueError, match=r"programmes") as error:
            mj.majorant(*KEYS[0])
        assert "\n" not in str(error.value)
    table(arrays)
    assert mj.is_majorant(mj.majorant(*KEYS[0]))


@pytest.mark.parametrize("m", [1, 3, 20])
def test_certificates_hold_on_features_and_sharpen_in_order(m):
    classes = features()
    pairs, error, se = monte_carlo(classes, m)
    found = [certificate(classes, m, kind) for kind in KINDS]
    for sharper, looser in zip(found[1:], found, strict=False):
        assert (sharper.all_way <= looser.all_way + 1e-12).all()
    assert found[-1].error >= error - 4 * se
    off = ~np.eye(len(classes), dtype=bool)
    assert (found[-1].pairs[off] >= pairs[off] - 5 * np.sqrt(pairs[off] / 1500) - 1e-3).all()
    assert found[-1].two_way_error < 3 * np.nanmean(pairs) + 1e-3
    if m == 1:  # exact, up to the sampling of the reference
        assert np.allclose(found[0].pairs[off], pairs[off], atol=0.03)


@pytest.mark.parametrize("kind", KINDS)
def test_the_unit_of_length_changes_no_certificate(kind):
    classes = features(n=12)
    found = certificate(classes, 4, kind)
    for unit in (2.0**-7, 2.0**5):
        again = certificate([unit * x for x in classes], 4, kind)
        assert np.allclose(again.pairs, found.pairs, rtol=1e-9, equal_nan=True)


def test_the_conditional_bound_beats_the_unconditional_one():
    from supcon_theory.theory.few_shot.pairs import cantelli_certificate

    i, j = features(C=2, n=40)
    D = j.mean(0) - i.mean(0)
    wi, wj = i - i.mean(0), j - j.mean(0)
    Si, Sj = wi.T @ wi / len(i), wj.T @ wj / len(j)
    for m in (2, 10, 100):
        plain = cantelli_certificate(
            D @ D,
            np.trace(Si),
            np.trace(Sj),
            D @ Si @ D,
            D @ Sj @ D,
            np.sum(Si**2),
            np.sum(Sj**2),
            np.sum(Si * Sj),
            np.mean(wj @ D * np.sum(wj**2, 1)),
            np.mean(np.sum(wi**2, 1) ** 2),
            np.mean(np.sum(wj**2, 1) ** 2),
            m,
        )
        assert certificate([i, j], m, "cantelli").pairs[0, 1] <= plain


@pytest.mark.parametrize(
    "kind, classes, m",
    [("cantelli", 2, 3), ("cantelli", 3, 5), ("chernoff", 2, 10), ("chernoff", 3, 4)],
)
def test_no_law_of_six_atoms_breaks_a_certificate(kind, classes, m):
    found = attack(kind, m, np.random.default_rng([m, classes]), 150, classes)
    assert 0.05 < found.ratio <= 1 + 1e-9


def test_no_law_of_six_atoms_breaks_the_trigonometric_bound_alone():
    found = attack("trigonometric", 12, np.random.default_rng(3), 6)
    assert 0.05 < found.ratio <= 1 + 1e-9


def test_exact_error_of_one_draw_by_hand():
    i, j = np.array([[0.0], [2.0]]), np.array([[3.0]])
    pairs, _ = exact_error([i, j], 1)  # z = 2 is nearer to 3 than to 0; z = 0 is not nearer to 3
    assert pairs[0, 1] == pytest.approx(1 / 4)
    assert certificate([i, j], 1).pairs[0, 1] == pytest.approx(1 / 4)
    assert exact_error([i, np.array([[4.0]])], 1)[0][0, 1] == pytest.approx(1 / 4)  # a tie


# ---- ties ---------------------------------------------------------------------------------------
def collapsed(rng):
    """All classes in one point, with unequal numbers of rows."""
    D = int(rng.choice([1, 2, 3, 17, 128, 2048]))
    point = rng.normal(size=D) * 10.0 ** rng.uniform(-3, 3)
    point += rng.choice([0, 1e6]) * rng.normal(size=D)
    return [np.tile(point, (k, 1)) for k in rng.integers(1, 60, rng.integers(2, 5))]


@pytest.mark.parametrize("seed", range(40))
def test_classes_in_one_point_are_never_told_apart(seed):
    rng = np.random.default_rng([7, seed])
    for _ in range(5):
        classes, m = collapsed(rng), int(rng.choice([1, 2, 3, 5, 20, 100]))
        for kind in KINDS:
            found = certificate(classes, m, kind)
            assert found.error == found.two_way_error == 1


def test_the_unit_vectors_of_the_report():
    p = np.random.default_rng(0).normal(size=64)
    p /= np.linalg.norm(p)
    found = certificate([np.tile(p, (k, 1)) for k in (40, 37, 33)], 5)
    assert np.nanmin(found.pairs) == 1 and (found.all_way == 1).all()


@pytest.mark.parametrize("seed", range(40))
def test_exact_ties_of_points_without_variance_are_errors(seed):
    """Each class in one point, the test point as far from one as from the other."""
    rng = np.random.default_rng([8, seed])
    for _ in range(5):
        D = int(rng.choice([1, 2, 3, 17, 128, 2048]))
        z = rng.normal(size=D) * 10.0 ** rng.uniform(-3, 3) * rng.choice([1, 1e4])
        w = rng.normal(size=D) * 10.0 ** rng.uniform(-3, 3)
        other = rng.choice([-1, 1], D) * rng.permutation(w)  # of the length of w
        counts, m = rng.integers(1, 60, 2), int(rng.choice([1, 2, 3, 5, 20, 100]))
        classes = [np.tile(z + x, (k, 1)) for x, k in zip((w, other), counts, strict=True)]
        for kind in KINDS:
            assert certificate(classes, m, kind, [z[None], z[None]]).error == 1


@pytest.mark.parametrize("m", [2, 3, 10])
def test_ties_of_some_outcomes_are_errors(m):
    """Class j in z: a tie, hence an error, exactly where all m draws of class i are z as well."""
    z, other = np.array([0.1, 0.7]), np.array([1.3, 0.4])
    classes = [np.array([z, z, other]), np.tile(z, (7, 1))]
    for kind in KINDS:
        assert certificate(classes, m, kind, [z[None], z[None]]).pairs[0, 1] == 1
    pairs, _ = exact_error(classes, m)
    for kind in KINDS:
        found = certificate(classes, m, kind).pairs
        off = ~np.eye(2, dtype=bool)
        assert (found[off] >= pairs[off] * (1 - 1e-12)).all()


def test_classes_apart_by_more_than_rounding_keep_a_certificate_of_zero():
    rng = np.random.default_rng(9)
    for D in (1, 3, 128):
        points = rng.normal(size=(3, D)) + 1e3 * rng.normal(size=D)
        classes = [np.tile(p, (k, 1)) for p, k in zip(points, (40, 37, 33), strict=True)]
        assert certificate(classes, 5).error == 0


@pytest.mark.parametrize("kind", KINDS)
def test_the_error_is_not_monotone_and_no_other_m_is_asked(kind):
    """{0} and {-10, 10}: one draw is wrong for a quarter, two for five eighths."""
    classes = [np.array([[0.0]]), np.array([[-10.0], [10.0]])]
    for m, truth in ((1, 0.25), (2, 0.625)):
        assert np.nanmean(exact_error(classes, m)[0]) == pytest.approx(truth, abs=1e-15)
        assert certificate(classes, m, kind).two_way_error >= truth * (1 - 1e-12)
    assert certificate(classes, 1, kind).two_way_error == 0.25


def test_held_out_queries_are_bounded_too():
    classes, queries = features(seed=3), features(seed=4)
    wide = certificate(classes, 10, "chernoff", queries=[q + 5 for q in queries])
    assert wide.error > certificate(classes, 10, "chernoff").error


def test_what_is_left_unrefined_keeps_the_looser_bound():
    classes = features(C=4)
    none = certificate(classes, 10, closest=0)
    assert np.allclose(none.all_way, certificate(classes, 10, "chernoff").all_way)


def test_one_row_per_class_has_no_error_and_identical_classes_a_certain_one():
    apart = [np.zeros((1, 2)), np.ones((1, 2))]
    assert certificate(apart, 5).error == 0
    same = [np.zeros((3, 2)), np.zeros((3, 2))]
    assert certificate(same, 5).error == 1


@pytest.mark.parametrize(
    "classes, m, kind, word",
    [
        ([np.zeros((3, 2))], 5, "cantelli", "at least 2"),
        ([np.zeros((3, 2)), np.full((3, 2), np.nan)], 5, "cantelli", "NaN"),
        ([np.zeros((3, 2)), np.zeros((3, 3))], 5, "cantelli", "shape"),
        ([np.zeros((3, 2)), np.zeros((0, 2))], 5, "cantelli", "shape"),
        ([np.zeros((3, 2))] * 2, 0, "cantelli", "at least 1"),
        ([np.zeros((3, 2))] * 2, 2.5, "cantelli", "whole"),
        ([np.zeros((3, 2))] * 2, 5, "normal", "one of"),
    ],
)
def test_bad_input_is_one_sentence(classes, m, kind, word):
    with pytest.raises(ValueError, match=word) as error:
        certificate(classes, m, kind)
    assert "\n" not in str(error.value)


def test_the_split_bound_is_at_most_one_and_one_without_margin():
    law_i, law_j = (cm.class_law(x) for x in features(C=2))
    assert (split_bound(cm.margin(law_i, law_j, law_j.mean + law_j.rows, 5)) <= 1).all()
