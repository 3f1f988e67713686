"""Verifies a certificate of a spurious minimum of NSCL, with nothing but integers.

    python checker/minimum.py checker/certificates/minimum-4-2-1.json

It says: for C balanced classes of n samples with K views in d >= C - 1 dimensions, tau = p/q, the
NSCL loss of unit rows has a local minimum at least `excess` above its least value
log(K n (C-1)) - C/((C-1) tau), near its `rows` divided by their lengths. With F = N K times the
loss, g its `gradient`, lambda its `curvature` (the Hessian's least, rotations left out) and
L = N K (2.178/tau^3 + 8.486/tau^2 + 5.657/tau) this follows from 2 g L < lambda^2, and F falls by
at most 2 g^2/lambda on the way (docs/proofs.md). Units: claims 2^-60, else those of intervals.py.
"""

import json
import sys
from fractions import Fraction
from itertools import combinations
from math import isqrt

from intervals import BITS, ONE, add, dot, exps, log, mul, neg, over, scaled, sub, up, whole

UNIT = 1 << 60
STIFF = 1 << 40  # curvature given to what is no motion on the spheres, or a rotation
THIRD = (Fraction(5657, 1000), Fraction(8486, 1000), Fraction(2178, 1000))  # of 1/tau^(1, 2, 3)
NAMES = ("C", "n", "K", "tau", "rows", "gradient", "curvature", "excess")


def unit(row):
    """A row of integers divided by its length."""
    length = isqrt(sum(x * x for x in row) << 2 * BITS)
    return [over((x * ONE, x * ONE), (length, length + 1)) for x in row]


class State:
    """Unit rows z, cosines s, means D of e^(s/tau) over other classes, weights w, pairs' forces."""

    def __init__(self, rows, n, K, p, q):
        every = self.every = range(len(rows))
        self.z = z = [unit(row) for row in rows]
        self.s = [[dot(z[a], z[b]) for b in every] for a in every]
        self.own = [[a // K == b // K for b in every] for a in every]
        apart = [[a // (n * K) != b // (n * K) for b in every] for a in every]
        e = [
            [exps(scaled(self.s[a][b], q, p)) if apart[a][b] else (0, 0) for b in every]
            for a in every
        ]
        sums = [add(*row) for row in e]
        self.D = [scaled(x, 1, sum(far)) for x, far in zip(sums, apart, strict=True)]
        self.w = [[over(x, sums[a]) for x in e[a]] for a in every]
        pull = scaled((ONE, ONE), -2, K)
        self.both = [[add(self.w[a][b], self.w[b][a]) for b in every] for a in every]
        self.force = [[pull if self.own[a][b] else self.both[a][b] for b in every] for a in every]


def gradient_squared(of, p, q):
    """Upper end of |grad F|^2 along the spheres."""
    total = 0
    for a in of.every:
        towards = [dot(of.force[a], column) for column in zip(*of.z, strict=True)]
        along = dot(towards, of.z[a])
        on = (sub(t, mul(along, c)) for t, c in zip(towards, of.z[a], strict=True))
        total += sum(max(x[0] ** 2, x[1] ** 2) for x in on)
    return Fraction(total * q * q, p * p * ONE * ONE)


def hessian(of, p, q):
    """tau^2 times the Hessian of F, lower triangle, stiff against all that is no motion there."""
    z, d, slots = of.z, len(of.z[0]), [(a, i) for a in of.every for i in range(len(of.z[0]))]
    tau = scaled((ONE, ONE), p, q)
    mean = [[dot(of.w[a], column) for column in zip(*z, strict=True)] for a in of.every]
    # the cosine of a row with itself is constant: it has no part in the sum of forces
    held = [sub(dot(of.force[a], of.s[a]), mul(of.force[a][a], of.s[a][a])) for a in of.every]
    slope = [  # of the mean of s' of each anchor, by each slot
        [mean[c][i] if c == a else mul(of.w[c][a], z[c][i]) for a, i in slots] for c in of.every
    ]
    stiff = [[z[a][i] if a == c else (0, 0) for a, i in slots] for c in of.every]
    for i, j in combinations(range(d), 2):
        turned = {i: lambda a, j=j: z[a][j], j: lambda a, i=i: neg(z[a][i])}
        stiff.append([turned[k](a) if k in turned else (0, 0) for a, k in slots])
    columns, rigid = list(zip(*slope, strict=True)), list(zip(*stiff, strict=True))

    def entry(k, m):
        (a, i), (b, j) = slots[k], slots[m]
        held_still = dot(rigid[k], rigid[m])
        parts = [(STIFF * held_still[0], STIFF * held_still[1]), neg(dot(columns[k], columns[m]))]
        if a != b:
            parts.append(mul(of.both[a][b], mul(z[b][i], z[a][j])))
        else:
            parts += [mul(of.both[a][c], mul(z[c][i], z[c][j])) for c in of.every]
        if i == j:
            parts.append(mul(tau, of.force[a][b] if a != b else neg(held[a])))
        return add(*parts)

    return [[entry(k, m) for m in range(k + 1)] for k in range(len(slots))]


def least_excess(of, C, K, p, q):
    """Lower end of the loss less its least value."""
    # log D and C/((C-1) tau) - mean own cosine/tau of each anchor; D is divided by K n (C-1)
    own = add(*(of.s[a][b] for a in of.every for b in of.every if of.own[a][b]))
    rest = scaled(sub(scaled((ONE, ONE), len(of.every) * C * K, C - 1), own), q, p * K)
    return Fraction(sum(log(D[0])[0] for D in of.D) + rest[0], len(of.every) * ONE)


def positive(lower, least):
    """By Cholesky: is a symmetric matrix, lower triangle in intervals, above `least` times 1?"""
    size, factor = len(lower), []
    width = size * max(high - low for row in lower for low, high in row)
    shift = least + width + size * (STIFF << 20)  # the last: more than all remainders below
    for i, row in enumerate(lower):
        line = []
        for j in range(i + 1):
            rest = ((row[j][0] + row[j][1]) // 2 - (shift if i == j else 0)) * ONE
            rest -= sum(x * y for x, y in zip(line, factor[j] if j < i else line, strict=False))
            if i == j and rest < 1:
                return False
            line.append(rest // factor[j][j] if j < i else isqrt(rest))
        factor.append(line)
    return max(row[-1] for row in factor) < ONE * (STIFF >> 8)  # a remainder is below 2 units of it


def verify(certificate):
    """Why the certificate proves nothing, in words; "" if it does prove what it says."""
    if not isinstance(certificate, dict) or set(certificate) != set(NAMES):
        return f"it must have {', '.join(NAMES)}, and nothing else"
    C, n, K, tau, rows, g, curvature, excess = (certificate[name] for name in NAMES)
    right = whole(C, 3) and all(whole(x, 1) for x in (n, K, g, curvature, excess))
    right = right and type(tau) is list and [whole(x, 1) for x in tau] == [True, True]
    right = right and tau[1] <= 64 * tau[0] and type(rows) is list and len(rows) == C * n * K
    right = right and all(type(r) is list and len(r) == len(rows[0]) >= C - 1 for r in rows)
    if not (right and all(type(x) is int for r in rows for x in r) and all(map(any, rows))):
        return "counts, claims, tau = [p, q] must be positive, rows C n K of d >= C - 1 integers"
    (p, q), M, t = tau, len(rows), Fraction(*tau)
    L = M * sum(of / t ** (k + 1) for k, of in enumerate(THIRD))
    short, bent = Fraction(g, UNIT), Fraction(curvature, UNIT)
    if not 2 * short * L < bent**2:
        return "2 g L must be below lambda^2"
    of = State(rows, n, K, p, q)
    if gradient_squared(of, p, q) > short**2:
        return "the gradient is not shown to be that short"
    if least_excess(of, C, K, p, q) < Fraction(excess, UNIT) + 2 * short**2 / bent / M:
        return "the excess is not shown to be that large"
    if not positive(hessian(of, p, q), up(curvature * p * p * ONE, q * q * UNIT)):
        return "the curvature is not shown to be that large"
    return ""


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        sys.exit(verify(json.load(file)) or print("verified"))
