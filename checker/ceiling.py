"""Verifies a certificate of the ceiling of the gap, with nothing but integers.

    python checker/ceiling.py checker/certificates/ceiling-20-2.json

It says: for C balanced classes of n samples and all temperatures with c = C/((C-1) tau) from the
first to the last of its `c`, the mean gap of no embeddings is above log(1 + kappa e^c),
kappa = (n-1)/(n(C-1)). By step 1 of docs/proofs.md this follows from
    F(c, S) = sp(beta) - (1+S)/2 sp(beta - cS) - (1-S)/2 sp(beta + cS) >= 0 for 0 <= S <= 1,
beta = log kappa + c, sp(t) = log(1 + e^t). Each strip between two c partitions [0, 1]. On its first
`convex` cells F'' (in x = cS) >= 0, and F = F' = 0 at S = 0; on others F at the middle less what it
may change by (mean value theorem) is >= 0. Units: edges 2^-20, numbers 2^-80, rounded outward.
"""

import json
import sys
from itertools import pairwise

BITS, UNIT = 80, 20
ONE = 1 << BITS


def _up(a, b):
    return -((-a) // b)


def _add(*xs):
    return sum(x[0] for x in xs), sum(x[1] for x in xs)


def _sub(x, y):
    return x[0] - y[1], x[1] - y[0]


def _mul(x, y):
    ends = [a * b for a in x for b in y]
    return min(ends) >> BITS, _up(max(ends), ONE)


def _half(x):
    return x[0] >> 1, _up(x[1], 2)


def _exp(x):
    """Enclosure of e^x for one integer x: Taylor at x/256, then eight squarings."""
    if x < 0:
        low, high = _exp(-x)
        return ONE * ONE // high, _up(ONE * ONE, low)
    low = high = a = b = ONE
    for k in range(1, 20):
        a, b = a * x // (k * ONE << 8), _up(b * x, k * ONE << 8)
        low, high = low + a, high + b
    high += b + 1  # the rest is less than the last term, as x < 128
    for _ in range(8):
        low, high = low * low >> BITS, _up(high * high, ONE)
    return low, high


def _series(low, high):
    """Enclosure of 2 atanh(z) for z in [low, high], 0 <= z <= 1/3."""
    total_low = total_high = 0
    a, b = low, high
    for k in range(1, 56, 2):
        total_low, total_high = total_low + a // k, total_high + _up(b, k)
        a, b = (a * low >> BITS) * low >> BITS, _up(_up(b * high, ONE) * high, ONE)
    return 2 * total_low, 2 * (total_high + b + 1)


LOG2 = _series(ONE // 3, _up(ONE, 3))


def _log(v):
    """Enclosure of log v for one integer v >= ONE."""
    k = v.bit_length() - 1 - BITS
    low, high = v >> k, _up(v, 1 << k)
    found = _series((low - ONE) * ONE // (low + ONE), _up((high - ONE) * ONE, high + ONE))
    return k * LOG2[0] + found[0], k * LOG2[1] + found[1]


def _softplus(x):
    return _log(ONE + _exp(x[0])[0])[0], _log(ONE + _exp(x[1])[1])[1]


def _sigma(x):
    low, high = _exp(-x[0])[1], _exp(-x[1])[0]
    return ONE * ONE // (ONE + low), _up(ONE * ONE, ONE + high)


def log_inverse_kappa(C, n):
    """log(n (C-1)/(n-1))."""
    ratio = n * (C - 1) * ONE
    return _log(ratio // (n - 1))[0], _log(_up(ratio, n - 1))[1]


def parts(ell, c, S):
    """F, dF/dc, dF/dS and c F'' on intervals of c and S."""
    beta, x, one = _sub(c, ell), _mul(c, S), (ONE, ONE)
    plus, minus = _add(one, S), _sub(one, S)
    above, below = _add(beta, x), _sub(beta, x)
    s_up, s_down, high, low = _sigma(above), _sigma(below), _softplus(above), _softplus(below)
    value = _sub(_softplus(beta), _half(_add(_mul(plus, low), _mul(minus, high))))
    by_c = _sub(_sigma(beta), _half(_mul(_mul(minus, plus), _add(s_up, s_down))))
    by_S = _half(_add(_sub(high, low), _mul(c, _sub(_mul(plus, s_down), _mul(minus, s_up)))))
    at_up, at_down = (_mul(s, _sub(one, s)) for s in (s_up, s_down))
    turn = _sub(_mul(x, _sub(at_up, at_down)), _mul(c, _add(at_up, at_down)))
    return value, by_c, by_S, _add(s_up, s_down, _half(turn))


def holds(ell, c, S, convex):
    """Is F shown to be at least 0 on a cell?"""
    _, by_c, by_S, bend = parts(ell, c, S)
    if convex:
        return bend[0] >= 0
    middle, at = ((sum(x) // 2,) * 2 for x in (c, S))
    change = _add(_mul(by_c, _sub(c, middle)), _mul(by_S, _sub(S, at)))
    return parts(ell, middle, at)[0][0] + change[0] >= 0


def _whole(x, least):
    return type(x) is int and x >= least


def _rising(xs):
    whole = type(xs) is list and len(xs) > 1 and all(_whole(x, 0) for x in xs)
    return whole and all(a < b for a, b in pairwise(xs))


def verify(certificate):
    """Why the certificate proves nothing, in words; "" if it does prove what it says."""
    if not isinstance(certificate, dict) or set(certificate) != {"C", "n", "c", "strips"}:
        return "it must have C, n, c and strips, and nothing else"
    C, n, cs, strips = (certificate[name] for name in ("C", "n", "c", "strips"))
    right = _whole(C, 2) and _whole(n, 2) and _rising(cs) and cs[-1] < 20 << UNIT
    if not (right and isinstance(strips, list) and len(strips) == len(cs) - 1):
        return "C and n must be at least 2, c rise below 20, with a strip between each two of them"
    ell, shift = log_inverse_kappa(C, n), BITS - UNIT
    for i, strip in enumerate(strips):
        S, convex = (strip.get(x) for x in ("S", "convex")) if type(strip) is dict else (0, 0)
        if not (_rising(S) and (S[0], S[-1]) == (0, 1 << UNIT) and _whole(convex, 0)):
            return f"strip {i}: S must rise from 0 to 1, and convex count cells"
        c = cs[i] << shift, cs[i + 1] << shift
        for k in range(len(S) - 1):
            if not holds(ell, c, (S[k] << shift, S[k + 1] << shift), k < convex):
                return f"strip {i}, cell {k}: F is not shown to be at least 0"
    return ""


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        sys.exit(verify(json.load(file)) or print("verified"))
