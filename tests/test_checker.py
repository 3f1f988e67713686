"""The checkers verify their certificates, with no code of the suite, and refuses altered ones."""

import ast
import copy
import importlib
import json
import random
import sys
from pathlib import Path

import mpmath
import pytest

CHECKER = Path(__file__).parents[1] / "checker"
CEILINGS = sorted((CHECKER / "certificates").glob("ceiling-*.json"))
MINIMA = sorted((CHECKER / "certificates").glob("minimum-*.json"))
MAJORANTS = sorted((CHECKER / "certificates").glob("majorant-*.json"))


def load(name):
    sys.path.insert(0, str(CHECKER))  # as `python checker/NAME.py` has it
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(CHECKER))


checker, minimum, intervals = load("ceiling"), load("minimum"), load("intervals")
majorant = load("majorant")


@pytest.mark.parametrize("path", [*CEILINGS, *MINIMA, *MAJORANTS], ids=lambda path: path.stem)
def test_the_certificate_is_verified(path):
    of = load(path.stem.split("-")[0])
    assert of.verify(json.loads(path.read_text())) == ""


@pytest.mark.parametrize("name", ["ceiling", "minimum", "majorant", "intervals"])
def test_a_checker_is_short_and_of_the_standard_library(name):
    text = (CHECKER / f"{name}.py").read_text()
    assert len(text.splitlines()) < 150
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module]
            assert {*names} <= {*sys.stdlib_module_names, "intervals"}
        assert not isinstance(node, ast.Constant) or not isinstance(node.value, float)


def altered(certificate, kind, rng):
    """The certificate with one thing changed so that it proves nothing any more."""
    new = copy.deepcopy(certificate)
    strip = new["strips"][rng.randrange(3)]
    if kind == "an edge is missing":  # the merged cell is too wide for its inequality, or the last
        strip["S"].pop(rng.choice([0, -1]))
    elif kind == "cells in disorder":
        k = rng.randrange(len(strip["S"]) - 1)
        strip["S"][k : k + 2] = strip["S"][k : k + 2][::-1]
    elif kind == "a strip is missing":
        new["strips"].remove(strip)
    elif kind == "c in disorder":
        k = rng.randrange(len(new["c"]) - 1)
        new["c"][k] = new["c"][k + 1]
    elif kind == "too many classes":  # false there: F is below 0
        new["C"] = rng.randrange(30, 400)
    elif kind == "convex too far":  # F is not convex up to S = 1
        strip["convex"] = len(strip["S"]) - 1 if strip["convex"] < len(strip["S"]) - 1 else -1
    elif kind == "cells too wide":
        strip["S"], strip["convex"] = [0, 1 << 20], 0
    elif kind == "not whole":
        strip["S"][1] = strip["S"][1] + 0.5
    elif kind == "reaches where nothing holds":
        new |= {"c": [new["c"][0], new["c"][0] + (1 << 22)], "strips": [strip]}
    else:
        del new[rng.choice(list(new))]
    return new


KINDS = [
    *("an edge is missing", "cells in disorder", "a strip is missing", "c in disorder"),
    *("too many classes", "convex too far", "cells too wide", "not whole"),
    *("reaches where nothing holds", "a key is missing"),
]


@pytest.mark.parametrize("kind", KINDS)
def test_each_of_a_hundred_altered_certificates_is_refused(kind):
    (path, *_) = CEILINGS
    certificate, rng = json.loads(path.read_text()), random.Random(KINDS.index(kind))
    for _ in range(10):
        assert checker.verify(altered(certificate, kind, rng)) != ""


@pytest.mark.parametrize("wrong", [None, [], {}, {"C": 3, "n": 2, "c": [1, 2], "strips": [None]}])
def test_what_is_no_certificate_is_refused_in_words(wrong):
    assert checker.verify(wrong).count("must") == 1


def test_its_numbers_enclose_those_of_mpmath():
    rng = random.Random(0)
    with mpmath.workdps(40):
        for _ in range(60):
            x = rng.randrange(-30 * checker.ONE, 30 * checker.ONE)
            exact = mpmath.mpf(x) / checker.ONE
            for enclosure, value in (
                (checker.exp(x), mpmath.exp(exact)),
                (checker.softplus((x, x)), mpmath.log(1 + mpmath.exp(exact))),
                (checker.sigma((x, x)), 1 / (1 + mpmath.exp(-exact))),
            ):
                low, high = (mpmath.mpf(end) / checker.ONE for end in enclosure)
                assert low <= value <= high and high - low <= (1 + value) * mpmath.mpf(2) ** -55


def test_its_function_and_derivatives_enclose_differences():
    rng = random.Random(1)
    C, n = 20, 2
    ell = checker.log_inverse_kappa(C, n)
    with mpmath.workdps(40):
        kappa = mpmath.mpf(n - 1) / (n * (C - 1))

        def F(c, S):
            b = mpmath.log(kappa) + c
            sp = lambda t: mpmath.log(1 + mpmath.exp(t))  # noqa: E731
            return sp(b) - (1 + S) / 2 * sp(b - c * S) - (1 - S) / 2 * sp(b + c * S)

        for _ in range(20):
            c, S = mpmath.mpf(rng.uniform(2, 4)), mpmath.mpf(rng.uniform(0, 1))
            point = [(int(v * checker.ONE),) * 2 for v in (c, S)]
            exact = F(c, S), mpmath.diff(F, (c, S), (1, 0)), mpmath.diff(F, (c, S), (0, 1))
            bend = mpmath.diff(F, (c, S), (0, 2)) / c  # d2/dx2 = d2/dS2 / c^2, times c
            for enclosure, value in zip(checker.parts(ell, *point), (*exact, bend), strict=True):
                low, high = (float(end / checker.ONE) for end in enclosure)
                assert low - 1e-9 <= value <= high + 1e-9 and high - low < 1e-9


def test_cells_beyond_the_convex_ones_stand_by_the_mean_value_theorem():
    certificate = json.loads(CEILINGS[0].read_text())
    strip = certificate["strips"][0]
    one = certificate | {"c": certificate["c"][:2], "strips": [strip]}
    strip["convex"] = len(strip["S"]) - 2  # the last cell is far from S = 0, where F is large
    assert checker.verify(one) == ""
    strip["convex"] = 0  # near S = 0 it is too small for that
    assert "F is not shown" in checker.verify(one)


# ---- local minima --------------------------------------------------------------------------------


def small():
    return json.loads((CHECKER / "certificates" / "minimum-4-2-1-3-1.json").read_text())


def weakened(certificate, kind, rng):
    """The certificate with one thing changed so that it proves nothing any more."""
    new = copy.deepcopy(certificate)
    a, i = rng.randrange(len(new["rows"])), rng.randrange(3)
    if kind == "a row moves":
        new["rows"][a][i] += rng.choice([-1, 1]) * rng.randrange(1 << 26, 1 << 40)
    elif kind == "two rows of different classes change places":
        b = next(b for b in range(8) if b // 2 != a // 2)
        new["rows"][a], new["rows"][b] = new["rows"][b], new["rows"][a]
    elif kind == "more excess":
        new["excess"] += rng.randrange(1 << 32, 1 << 62)
    elif kind == "more curvature":
        new["curvature"] += rng.randrange(1 << 42, 1 << 62)
    elif kind == "a shorter gradient":
        new["gradient"] = rng.randrange(1, 1 << 7)
    elif kind == "a longer gradient":
        new["gradient"] = rng.randrange(1 << 52, 1 << 60)
    elif kind == "a row is missing":
        new["rows"][a] = [0, 0, 0] if i else []
    elif kind == "another shape":
        new |= rng.choice([{"C": 2, "n": 4}, {"n": 1, "K": 2}, {"C": 8, "n": 1}])
    elif kind == "not whole":
        new["rows"][a][i] = rng.choice([0.5, True, None, "1"])
    else:
        del new[rng.choice(list(new))]
    return new


WEAKER = [
    *("a row moves", "two rows of different classes change places", "more excess"),
    *("more curvature", "a shorter gradient", "a longer gradient", "a row is missing"),
    *("another shape", "not whole", "a key is missing"),
]


@pytest.mark.parametrize("kind", WEAKER)
def test_each_of_a_hundred_weakened_certificates_of_a_minimum_is_refused(kind):
    certificate, rng = small(), random.Random(WEAKER.index(kind))
    for _ in range(10):
        assert minimum.verify(weakened(certificate, kind, rng)) != ""


def test_its_gradient_hessian_and_excess_are_those_of_the_suite(monkeypatch):
    import numpy as np
    import torch

    from supcon_theory.free.curvature import hessian
    from supcon_theory.objectives import OBJECTIVES
    from supcon_theory.theory.minima import MINIMA

    rng = np.random.default_rng(0)
    C, n, K, d, (p, q) = 3, 2, 2, 3, (2, 5)
    rows = rng.integers(-1000, 1000, (C * n * K, d))
    of = minimum.State(rows.tolist(), n, K, p, q)
    z = torch.tensor(rows / np.linalg.norm(rows, axis=1, keepdims=True)).view(C * n, K, d)
    y, tau = torch.arange(C * n) // n, p / q
    gradient, second, basis = hessian("nscl", z, y, tau)
    assert float(minimum.gradient_squared(of, p, q)) == pytest.approx(float(gradient.norm()) ** 2)
    stiff = minimum.hessian(of, p, q)
    monkeypatch.setattr(minimum, "STIFF", 0)
    lower = minimum.hessian(of, p, q)
    monkeypatch.undo()
    whole = np.zeros((len(lower),) * 2)
    for k, row in enumerate(lower):
        whole[k, : k + 1] = whole[: k + 1, k] = [sum(x) / 2 / intervals.ONE for x in row]
    tangent = torch.zeros(len(lower), len(second), dtype=torch.float64)
    for a in range(C * n * K):
        tangent[a * d : (a + 1) * d, a * (d - 1) : (a + 1) * (d - 1)] = basis[a]
    turned = np.stack([(z.view(-1, d) @ A).flatten() for A in antisymmetric(d)])
    on = tangent.numpy() @ np.linalg.svd(turned @ tangent.numpy())[2][len(turned) :].T
    flat = tangent.numpy().T @ on  # orthogonal to the rotations
    found, expected = on.T @ whole @ on, flat.T @ second.numpy() @ flat
    np.testing.assert_allclose(found / tau**2, expected, atol=1e-9)
    least = np.linalg.eigvalsh(expected)[0] * tau**2
    assert minimum.positive(stiff, int((least - 1e-6) * intervals.ONE))
    assert not minimum.positive(stiff, int((least + 1e-6) * intervals.ONE))
    loss = OBJECTIVES["nscl"](z, y, tau=tau).item() - float(MINIMA["nscl"](C, n, K, tau))
    assert minimum.least_excess(of, C, K, p, q) == pytest.approx(loss, abs=1e-12)


def antisymmetric(d):
    import torch

    for i in range(d):
        for j in range(i):
            A = torch.zeros(d, d, dtype=torch.float64)
            A[i, j], A[j, i] = 1.0, -1.0
            yield A


def test_logarithms_and_quotients_are_enclosed():
    rng = random.Random(3)
    with mpmath.workdps(60):
        for _ in range(100):
            v = rng.randrange(1, 1 << rng.randrange(100, 160))
            low, high = intervals.log(v)
            exact = mpmath.log(mpmath.mpf(v) / intervals.ONE) * intervals.ONE
            assert low <= exact <= high and high - low < 2**20
            x = sorted(rng.randrange(-(1 << 140), 1 << 140) for _ in range(2))
            y = sorted(rng.randrange(1, 1 << 140) for _ in range(2))
            low, high = intervals.over(tuple(x), tuple(y))
            ends = [mpmath.mpf(a) / b * intervals.ONE for a in x for b in y]
            assert low <= min(ends) <= low + 1 and high - 1 <= max(ends) <= high


def test_the_condition_is_two_g_L_below_lambda_squared_with_L_that_of_the_suite():
    from supcon_theory.theory.local_minima import third_derivative_bound

    certificate = small()
    bent, L = certificate["curvature"] / minimum.UNIT, 8 * third_derivative_bound(1.0)
    for share, refused in ((1.001, True), (0.999, False)):
        long = certificate | {"gradient": int(share * bent**2 / (2 * L) * minimum.UNIT)}
        assert (minimum.verify(long) == "2 g L must be below lambda^2") == refused


def test_every_majorant_that_the_package_ships_has_its_certificate():
    from supcon_theory.theory.few_shot.majorants import KEYS
    from supcon_theory.theory.few_shot.majorants import majorant as shipped

    names = ["majorant-" + "-".join(f"{x:g}" for x in key) for key in KEYS]
    assert [path.stem for path in MAJORANTS] == sorted(names)
    for key, name in zip(KEYS, names, strict=True):
        written, of = (
            json.loads((CHECKER / "certificates" / f"{name}.json").read_text()),
            shipped(*key),
        )
        assert [float.fromhex(x) for x in (written["beta"], written["alpha"])] == [
            of.beta,
            of.alpha,
        ]
        assert [float.fromhex(x) for x in written["b"]] == [*of.shifts]
        for c, coefficients in zip((written["p0"], *written["p"]), (of.p0, *of.p), strict=True):
            exact = [complex(float.fromhex(x), float.fromhex(y)) for x, y in c]
            assert exact == [*coefficients]


def spoiled(certificate, kind, rng):
    """The certificate of a majorant with one thing changed so that it proves nothing any more."""
    new = copy.deepcopy(certificate)
    which = rng.randrange(4)
    if kind == "factor":  # |q|^2 is another polynomial then
        pair = rng.choice(new["factors"][which])
        pair[rng.randrange(2)] += rng.choice([-1, 1]) * (majorant.FACTOR >> 4)
    elif kind == "p0":  # no longer above 1 everywhere, or not shown to be at least 0
        new["p0"][0][0] = (float.fromhex(new["p0"][0][0]) - rng.uniform(0.01, 1)).hex()
    elif kind == "wave":
        new["p0"][rng.randrange(1, 9)][rng.randrange(2)] = rng.choice([-1, 1]) * 0.9
        new["p0"] = [[float(x).hex() if type(x) is float else x for x in c] for c in new["p0"]]
    elif kind == "beyond":
        new["beta"] = new["alpha"] = (0.0).hex()
    else:
        name = rng.choice(["b", "p0", "p", "beta", "alpha", "factors"])
        new[name] = rng.choice([None, [], "nan", "inf", 3, {}, [["x", "y"]]])
    return new


def test_a_hundred_altered_majorants_are_refused():
    certificates = [json.loads(path.read_text()) for path in MAJORANTS[::20]]
    rng = random.Random(0)
    for k in range(100):
        kind = ("factor", "p0", "wave", "beyond", "rubbish")[k % 5]
        why = majorant.verify(spoiled(rng.choice(certificates), kind, rng))
        assert why and "\n" not in why, kind


def test_what_is_barely_no_majorant_is_refused():
    """Without the slack of p0, the cover is not shown; no cell is passed over."""
    certificate = json.loads((CHECKER / "certificates" / "majorant-0.05--4.5-4.json").read_text())
    low = certificate["p0"][0][0]
    certificate["p0"][0][0] = (float.fromhex(low) - 1e-6).hex()
    assert "the cover is not shown to be at least 1 at" in majorant.verify(certificate)


def test_pi_cosine_and_sine_are_enclosed():
    one = intervals.ONE
    with mpmath.workdps(60):
        assert intervals.PI[0] <= mpmath.pi * one <= intervals.PI[1]
        for k in range(-500, 501, 7):
            angle = one * k // 100
            exact = mpmath.mpf(angle) / one
            for (low, high), f in zip(
                intervals.turned((angle, angle)), (mpmath.cos, mpmath.sin), strict=True
            ):
                assert low <= f(exact) * one <= high and high - low < 1000
