"""Writes the certificates that `majorant.py` verifies: python checker/write_majorants.py.

One for each majorant that the package ships, in about five minutes. What it writes proves itself:
nothing here has to be trusted.
"""

import json
import sys
from pathlib import Path

import mpmath
import numpy as np
from majorant import FACTOR, verify

from supcon_theory.theory.few_shot.majorants import KEYS, Majorant, majorant

FOLDER = Path(__file__).parent / "certificates"
DIGITS = 60


def lowest(c) -> mpmath.mpf:
    """The least value of Re sum_k c_k e^{ikx}: Newton from the low points of a grid."""
    k = np.arange(len(c))
    x = 2 * np.pi * np.arange(4096) / 4096
    p = np.real(np.exp(1j * np.multiply.outer(x, k)) @ np.array([complex(a) for a in c]))
    dips = x[(p <= np.roll(p, 1)) & (p <= np.roll(p, -1))]
    values = [p.min()]
    for start in map(mpmath.mpf, dips):
        for _ in range(8):
            terms = [a * mpmath.expj(n * start) for n, a in enumerate(c)]
            slope = sum(mpmath.re(1j * n * a) for n, a in enumerate(terms))
            bend = sum(mpmath.re(-(n**2) * a) for n, a in enumerate(terms))
            start -= slope / bend if bend > 0 else 0
        values.append(mpmath.re(sum(a * mpmath.expj(n * start) for n, a in enumerate(c))))
    return min(values)


def factor(c) -> list[list[int]]:
    """Of q with p - |q|^2 half the least value of p: the roots of p inside the circle."""
    with mpmath.workdps(DIGITS):
        c = [mpmath.mpc(x) for x in c]
        while len(c) > 1 and c[-1] == 0:
            c.pop()
        middle = mpmath.re(c[0]) - lowest(c) / 2
        whole = [*(x / 2 for x in reversed(c[1:])), middle, *(mpmath.conj(x) / 2 for x in c[1:])]
        roots = mpmath.polyroots(whole, maxsteps=2000, extraprec=800) if len(c) > 1 else []
        q = [mpmath.mpc(1)]
        for root in sorted(roots, key=abs)[: len(c) - 1]:
            q = [x - root * y for x, y in zip([*q, 0], [0, *q], strict=True)]
        size = mpmath.sqrt(middle / sum(abs(x) ** 2 for x in q))
        return [[int(FACTOR * size * x.real), int(FACTOR * size * x.imag)] for x in reversed(q)]


def certificate(g: Majorant) -> dict[str, object]:
    """The certificate of a majorant."""

    def pairs(c) -> list[list[str]]:
        return [[float(x.real).hex(), float(x.imag).hex()] for x in c]

    return {
        "b": [float(b).hex() for b in g.shifts],
        "p0": pairs(g.p0),
        "p": [pairs(c) for c in g.p],
        "beta": float(g.beta).hex(),
        "alpha": float(g.alpha).hex(),
        "factors": [factor(c) for c in (g.p0, *g.p)],
    }


if __name__ == "__main__":
    for key in KEYS:
        found = certificate(majorant(*key))
        name = "majorant-" + "-".join(f"{x:g}" for x in key)
        if why := verify(found):
            sys.exit(f"{name}: {why}")
        text = json.dumps(found, separators=(",", ":")) + "\n"
        (FOLDER / f"{name}.json").write_text(text, encoding="utf-8")
        print(name, flush=True)
