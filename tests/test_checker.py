"""The checker verifies its certificate, with no code of the suite, and refuses altered ones."""

import ast
import copy
import importlib.util
import json
import random
import sys
from pathlib import Path

import mpmath
import pytest

CHECKER = Path(__file__).parents[1] / "checker"
CERTIFICATES = sorted((CHECKER / "certificates").glob("*.json"))


def load():
    spec = importlib.util.spec_from_file_location("ceiling_checker", CHECKER / "ceiling.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


checker = load()


@pytest.mark.parametrize("path", CERTIFICATES, ids=lambda path: path.stem)
def test_the_certificate_is_verified(path):
    assert checker.verify(json.loads(path.read_text())) == ""


def test_the_checker_is_short_and_of_the_standard_library():
    text = (CHECKER / "ceiling.py").read_text()
    assert len(text.splitlines()) < 150
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module]
            assert all(name in sys.stdlib_module_names for name in names)
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
    (path, *_) = CERTIFICATES
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
                (checker._exp(x), mpmath.exp(exact)),
                (checker._softplus((x, x)), mpmath.log(1 + mpmath.exp(exact))),
                (checker._sigma((x, x)), 1 / (1 + mpmath.exp(-exact))),
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
    certificate = json.loads(CERTIFICATES[0].read_text())
    strip = certificate["strips"][0]
    one = certificate | {"c": certificate["c"][:2], "strips": [strip]}
    strip["convex"] = len(strip["S"]) - 2  # the last cell is far from S = 0, where F is large
    assert checker.verify(one) == ""
    strip["convex"] = 0  # near S = 0 it is too small for that
    assert "F is not shown" in checker.verify(one)
