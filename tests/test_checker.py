"""The checkers verify their certificates, with no code of the suite, and refuses altered ones."""

import ast
import copy
import functools
import importlib
import json
import random
import sys
from pathlib import Path

import mpmath
import pytest

CHECKER = Path(__file__).parents[1] / "checker"
CEILING = CHECKER / "certificates" / "ceiling.json"
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


@pytest.mark.parametrize("path", [CEILING, *MINIMA, *MAJORANTS], ids=lambda path: path.stem)
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


def end_of(certificate, i):
    """Where the part of the certificate ends that is about the box of character i."""
    open_ = 1
    while open_:
        open_ += -1 if certificate[i] == "." else 1
        i += 1
    return i


def altered(certificate, kind, rng):
    """The certificate with one thing changed so that it proves nothing any more."""
    i = rng.randrange(len(certificate))
    if kind == "a box is not halved":
        i = rng.choice([i for i, step in enumerate(certificate) if step != "."])
        return certificate[:i] + "." + certificate[end_of(certificate, i) :]
    if kind == "it ends early":
        return certificate[:i]
    if kind == "it goes on":
        return certificate + rng.choice([".", "1.."])
    if kind == "a box is missing":
        return certificate[:i] + certificate[end_of(certificate, i) :]
    if kind == "a box is there twice":
        return certificate[:i] + certificate[i : end_of(certificate, i)] + certificate[i:]
    if kind == "another variable is halved":  # only ever X, and as often as X was
        return certificate.replace(rng.choice("013"), "2")
    if kind == "a letter":
        return certificate[:i] + rng.choice("456789x ") + certificate[i + 1 :]
    return rng.choice([None, [], {}, 3, [certificate], certificate.encode()])


EXCESS = functools.cache(checker.excess)  # most boxes are those of the certificate
KINDS = [
    *("a box is not halved", "it ends early", "it goes on", "a box is missing"),
    *("a box is there twice", "another variable is halved", "a letter", "no string"),
]


@pytest.mark.parametrize("kind", KINDS)
def test_each_of_a_hundred_altered_certificates_is_refused(monkeypatch, kind):
    monkeypatch.setattr(checker, "excess", EXCESS)
    certificate, rng = json.loads(CEILING.read_text()), random.Random(KINDS.index(kind))
    for _ in range(13):
        why = checker.verify(altered(certificate, kind, rng))
        assert why.count("must") + why.count("is not shown") == 1


@pytest.mark.parametrize("k, end", [(0, 0.7), (1, 1 / 9), (3, 0.8)])
def test_a_larger_box_needs_another_certificate(monkeypatch, k, end):
    wider = [*checker.WHOLE]
    wider[k] = (0, int(end * intervals.ONE))
    monkeypatch.setattr(checker, "WHOLE", tuple(wider))
    assert "is not shown" in checker.verify(json.loads(CEILING.read_text()))


def test_the_halves_of_a_box_are_all_of_it():
    for k in range(4):
        lower, upper = checker.halves(checker.WHOLE, k)
        assert (lower[k][0], lower[k][1], upper[k][1]) == (0, upper[k][0], checker.WHOLE[k][1])
        assert all(lower[i] == upper[i] == checker.WHOLE[i] for i in range(4) if i != k)


def left_less_right(xi, u, X, r):
    """G less its limit by the formulas of the docstring; None where d m X >= 1."""
    d, zeta = r - u, (1 - u) * xi / (1 - xi)
    m = 1 + zeta - r - u
    if d * m * X >= 1:
        return None
    G = mpmath.log(2 * X / (1 - xi)) + 1 - (1 - xi / 2) * r
    G -= 3 * X * m**2 / (2 * (3 - d * m * X)) + 3 * zeta / (4 * (2 * u + r))
    p, z = u * X / (1 - xi + u * X), mpmath.exp(1 / xi) * (1 - xi) / (2 * X)
    L = mpmath.log(1 + p * (z - 1)) / p - mpmath.log(z) if z > 1 else 0
    return G - (1 - u) / (1 - xi) * L * (r + u) / (2 * d * d)


def test_no_point_of_a_box_exceeds_its_bound():
    rng, asked, close = random.Random(0), 0, 0
    with mpmath.workdps(40):
        for _ in range(500):
            box, scale = [], 2.0 ** -rng.randrange(1, 12)
            for low, high in checker.WHOLE:
                width = int((high - low) * scale * rng.random()) + 1
                start = low + int((high - low - width) * rng.random() ** 3)
                box.append((start, start + width))
            bound = mpmath.mpf(checker.excess(tuple(box))) / intervals.ONE
            for _ in range(5):
                point = [rng.choice([*x, rng.randint(*x)]) or 1 for x in box]
                if point[1] == point[3]:
                    continue
                value = left_less_right(*(mpmath.mpf(x) / intervals.ONE for x in point))
                if value is not None:
                    assert value <= bound + mpmath.mpf(2) ** -100
                    asked, close = asked + 1, close + (0 != bound < value + (1 + abs(value)) / 9)
    assert asked > 1000 and close > 5


def test_exponentials_are_enclosed():
    rng = random.Random(0)
    with mpmath.workdps(40):
        for _ in range(60):
            x = rng.randrange(-30 * intervals.ONE, 30 * intervals.ONE)
            exact = mpmath.exp(mpmath.mpf(x) / intervals.ONE)
            low, high = (mpmath.mpf(end) / intervals.ONE for end in intervals.exp(x))
            assert low <= exact <= high and high - low <= (1 + exact) * mpmath.mpf(2) ** -55


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
