"""Verifies a certificate of the ceiling of the gap, with nothing but integers.

    python checker/ceiling.py checker/certificates/ceiling-20-2.json

It says: for C balanced classes of n samples and all temperatures with c = C/((C-1) tau) from the
first to the last of its `c`, the mean gap of no embeddings is above log(1 + kappa e^c),
kappa = (n-1)/(n(C-1)). By step 1 of docs/proofs.md this follows from
    F(c, S) = sp(beta) - (1+S)/2 sp(beta - cS) - (1-S)/2 sp(beta + cS) >= 0 for 0 <= S <= 1,
beta = log kappa + c, sp(t) = log(1 + e^t). Each strip between two c partitions [0, 1]. On its first
`convex` cells F'' (in x = cS) >= 0, and F = F' = 0 at S = 0; on others F at the middle less what it
may change by (mean value theorem) is >= 0. Units: edges 2^-20, numbers those of intervals.py.
"""

import json
import sys
from itertools import pairwise

from intervals import BITS, ONE, add, exp, log, mul, sub, up, whole

UNIT = 20


def half(x):
    """Half an interval."""
    return x[0] >> 1, up(x[1], 2)


def softplus(x):
    """log(1 + e^x) on an interval."""
    return log(ONE + exp(x[0])[0])[0], log(ONE + exp(x[1])[1])[1]


def sigma(x):
    """1/(1 + e^-x) on an interval."""
    low, high = exp(-x[0])[1], exp(-x[1])[0]
    return ONE * ONE // (ONE + low), up(ONE * ONE, ONE + high)


def log_inverse_kappa(C, n):
    """log(n (C-1)/(n-1))."""
    ratio = n * (C - 1) * ONE
    return log(ratio // (n - 1))[0], log(up(ratio, n - 1))[1]


def parts(ell, c, S):
    """F, dF/dc, dF/dS and c F'' on intervals of c and S."""
    beta, x, one = sub(c, ell), mul(c, S), (ONE, ONE)
    plus, minus = add(one, S), sub(one, S)
    above, below = add(beta, x), sub(beta, x)
    s_up, s_down, high, low = sigma(above), sigma(below), softplus(above), softplus(below)
    value = sub(softplus(beta), half(add(mul(plus, low), mul(minus, high))))
    by_c = sub(sigma(beta), half(mul(mul(minus, plus), add(s_up, s_down))))
    by_S = half(add(sub(high, low), mul(c, sub(mul(plus, s_down), mul(minus, s_up)))))
    at_up, at_down = (mul(s, sub(one, s)) for s in (s_up, s_down))
    turn = sub(mul(x, sub(at_up, at_down)), mul(c, add(at_up, at_down)))
    return value, by_c, by_S, add(s_up, s_down, half(turn))


def holds(ell, c, S, convex):
    """Is F shown to be at least 0 on a cell?"""
    _, by_c, by_S, bend = parts(ell, c, S)
    if convex:
        return bend[0] >= 0
    middle, at = ((sum(x) // 2,) * 2 for x in (c, S))
    change = add(mul(by_c, sub(c, middle)), mul(by_S, sub(S, at)))
    return parts(ell, middle, at)[0][0] + change[0] >= 0


def _rising(xs):
    right = type(xs) is list and len(xs) > 1 and all(whole(x, 0) for x in xs)
    return right and all(a < b for a, b in pairwise(xs))


def verify(certificate):
    """Why the certificate proves nothing, in words; "" if it does prove what it says."""
    if not isinstance(certificate, dict) or set(certificate) != {"C", "n", "c", "strips"}:
        return "it must have C, n, c and strips, and nothing else"
    C, n, cs, strips = (certificate[name] for name in ("C", "n", "c", "strips"))
    right = whole(C, 2) and whole(n, 2) and _rising(cs) and cs[-1] < 20 << UNIT
    if not (right and isinstance(strips, list) and len(strips) == len(cs) - 1):
        return "C and n must be at least 2, c rise below 20, with a strip between each two of them"
    ell, shift = log_inverse_kappa(C, n), BITS - UNIT
    for i, strip in enumerate(strips):
        S, convex = (strip.get(x) for x in ("S", "convex")) if type(strip) is dict else (0, 0)
        if not (_rising(S) and (S[0], S[-1]) == (0, 1 << UNIT) and whole(convex, 0)):
            return f"strip {i}: S must rise from 0 to 1, and convex count cells"
        c = cs[i] << shift, cs[i + 1] << shift
        for k in range(len(S) - 1):
            if not holds(ell, c, (S[k] << shift, S[k + 1] << shift), k < convex):
                return f"strip {i}, cell {k}: F is not shown to be at least 0"
    return ""


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        sys.exit(verify(json.load(file)) or print("verified"))
