"""Verifies a majorant of the trigonometric few-shot certificate, with nothing but integers.

    python checker/majorant.py checker/certificates/majorant-0.2--3-40.json

It says: with w = 2 pi/14, p(y) = Re sum_k c_k e^{ikwy}, the three numbers b > 0 and beta, alpha,

    p0(y) + sum_b p_b(y) (u - b)^2 + beta u^2 + alpha u^4 >= 1  where y + u <= 0 and y >= -4.5

and >= 0 everywhere. This follows (docs/proofs.md) from beta, alpha >= 0, 9.5^2 beta + 9.5^4 alpha
>= 1, p0 >= 0, p_b >= 0 and, for y in [-4.5, 9.5],

    p0(y) + sum_b p_b(y) (y + b)_+^2 + beta y_+^2 + alpha y_+^4 >= 1.

That p >= 0: `factors` holds a q for each p; p - |q|^2 has a constant term that is no less than the
moduli of its other coefficients together. The last line: on cells, halved as long as need be, the
Bernstein coefficients of a Taylor polynomial are at least 1 and the remainder. Coefficients are
floating-point numbers as they are used, in hexadecimal; those of factors are integers / 2^100.
"""

import json
import sys
from fractions import Fraction
from itertools import pairwise
from math import comb, factorial

from intervals import ONE, PI, add, dot, enclosed, mul, neg, scaled, times, turned

LEFT, RIGHT = Fraction(9, 2), Fraction(19, 2)
ORDER, SMALLEST = 10, ONE >> 24  # of the Taylor polynomials; width of a cell that is given up
FACTOR = 1 << 100
NAMES = ("b", "p0", "p", "beta", "alpha", "factors")


def exact(x):
    """The number that a floating-point one in hexadecimal is."""
    return Fraction(float.fromhex(x))


W = scaled(PI, 1, 7)  # 2 pi over the length of the window


def derivatives(c):
    """c_k (i k w)^j / j! for every j up to ORDER, and k: real part, minus the imaginary one, ..."""
    rows, power = [], (ONE, ONE)
    for j in range(ORDER + 1):
        rows.append([])
        for k, (re, im) in enumerate(c):
            size = mul(enclosed(Fraction(k**j, factorial(j))), power)
            re, im = [(re, im), (-im, re), (-re, -im), (im, -re)][j % 4]
            rows[-1] += [mul(enclosed(re), size), neg(mul(enclosed(im), size))]
        power = mul(power, W)
    return rows


class Part:
    """p(y) (y + b)_+^power, a summand of the cover."""

    def __init__(self, c, b, power):
        self.b, self.power, self.count = int(b * ONE), power, len(c)
        self.derivatives = derivatives(c)
        sizes = ((abs(x) + abs(y)) * k ** (ORDER + 1) for k, (x, y) in enumerate(c))
        self.bent = enclosed(sum(sizes))  # of derivative ORDER + 1, over w^(ORDER + 1)

    def taylor(self, a, width, waves):
        """Coefficients in t of the summand at a + width t, and what the rest is at most."""
        wave = [part for parts in waves[: self.count] for part in parts]
        step, powers = (width, width), [(ONE, ONE)]
        for _ in range(ORDER + 1):
            powers.append(mul(powers[-1], step))
        p = [mul(dot(row, wave), of) for row, of in zip(self.derivatives, powers, strict=False)]
        rest = scaled(mul(self.bent, powers[-1]), 1, factorial(ORDER + 1))
        for _ in range(ORDER + 1):
            rest = mul(rest, W)
        start = (a + self.b, a + self.b)
        for _ in range(self.power):
            both = zip([*p, (0, 0)], [(0, 0), *p], strict=True)
            p = [add(mul(x, start), mul(y, step)) for x, y in both]
            rest = mul(rest, add(start, step))
        return p, rest[1]


def holds(parts, a, width):
    """Is the cover at least 1 from a to a + width, with no kink inside?"""
    one, waves = turned(mul((a, a), W)), [((ONE, ONE), (0, 0))]
    for _ in range(1, max(part.count for part in parts)):
        waves.append(times(waves[-1], one))
    n, least = ORDER + max(part.power for part in parts), ONE
    total = [(0, 0)] * (n + 1)
    for part in parts:
        if a + part.b >= 0:  # right of its kink
            p, rest = part.taylor(a, width, waves)
            p += [(0, 0)] * (n + 1 - len(p))
            total = [add(*both) for both in zip(total, p, strict=True)]
            least += rest
    bernstein = (
        add(*(scaled(total[j], comb(i, j), comb(n, j)) for j in range(i + 1))) for i in range(n + 1)
    )
    return all(low >= least for low, _ in bernstein)


def positive(c, q):
    """Is p >= 0, by |q|^2?"""
    q = [(Fraction(x, FACTOR), Fraction(y, FACTOR)) for x, y in q]
    loose = []
    for k, (re, im) in enumerate(c):
        pairs = list(zip(q[k:], q, strict=False))
        products = [(a * x + b * y, b * x - a * y) for (a, b), (x, y) in pairs]
        real, imaginary = (sum(product[part] for product in products) for part in (0, 1))
        loose.append((re - real, im) if k == 0 else (re - 2 * real, im - 2 * imaginary))
    return len(q) <= len(c) and loose[0][0] >= sum(abs(x) + abs(y) for x, y in loose[1:])


def verify(certificate):
    """Why the certificate proves nothing, in words; "" if it does prove what it says."""
    if not isinstance(certificate, dict) or set(certificate) != set(NAMES):
        return f"it must have {', '.join(NAMES)}, and nothing else"
    b, p0, p, beta, alpha, factors = (certificate[name] for name in NAMES)
    try:
        beta, alpha, *b = (exact(x) for x in (beta, alpha, *b))
        p0, *p = [[(exact(x), exact(y)) for x, y in c] for c in (p0, *p)]
        factors = [[(x, y) for x, y in q] for q in factors]
    except (TypeError, ValueError, OverflowError):
        return "numbers must be hexadecimal, coefficients pairs of them"
    right = all(type(x) is int for q in factors for pair in q for x in pair)
    right = right and len(p) == len(b) == len(factors) - 1 and all(p0 and c for c in (p0, *p))
    if not right or any((x * ONE).denominator > 1 or x <= 0 for x in b):
        return "there must be a polynomial for each b > 0, a factor in integers for each polynomial"
    if min(beta, alpha) < 0 or beta * RIGHT**2 + alpha * RIGHT**4 < 1:
        return "beta and alpha must be at least 0 and enough beyond the window"
    if not all(positive(c, q) for c, q in zip((p0, *p), factors, strict=True)):
        return "a polynomial is not shown to be at least 0"
    parts = [Part(p0, LEFT, 0), Part([(beta, 0)], 0, 2), Part([(alpha, 0)], 0, 4)]
    parts += [Part(c, x, 2) for c, x in zip(p, b, strict=True)]
    kinks = sorted({-part.b for part in parts if part.b <= LEFT * ONE} | {int(RIGHT * ONE)})
    cells = list(pairwise(kinks))
    while cells:
        a, end = cells.pop()
        if end - a > ONE or not holds(parts, a, end - a):
            if end - a < SMALLEST:
                return f"the cover is not shown to be at least 1 at {a / ONE:.9g}"
            cells += [(a, (a + end) // 2), ((a + end) // 2, end)]
    return ""


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        sys.exit(verify(json.load(file)) or print("verified"))
