"""Arithmetic of intervals in integers: a number x stands for x / 2^BITS, ends are rounded outward.

What the checkers of this folder have in common; the standard library is not even needed.
"""

BITS = 128
ONE = 1 << BITS


def up(a, b):
    """Quotient of integers, rounded up."""
    return -((-a) // b)


def add(*xs):
    """Sum of intervals."""
    return sum(x[0] for x in xs), sum(x[1] for x in xs)


def neg(x):
    """Minus an interval."""
    return -x[1], -x[0]


def sub(x, y):
    """Difference of intervals."""
    return x[0] - y[1], x[1] - y[0]


def mul(x, y):
    """Product of intervals."""
    a, b, c, d = x[0] * y[0], x[0] * y[1], x[1] * y[0], x[1] * y[1]
    return min(a, b, c, d) >> BITS, up(max(a, b, c, d), ONE)


def scaled(x, p, q):
    """An interval times p/q, integers with q > 0."""
    a, b = sorted((x[0] * p, x[1] * p))
    return a // q, up(b, q)


def enclosed(x):
    """The interval of a fraction."""
    return x.numerator * ONE // x.denominator, up(x.numerator * ONE, x.denominator)


def over(x, y):
    """Quotient of intervals, the second positive."""
    low, high = x[0] << BITS, x[1] << BITS
    return low // y[low >= 0], up(high, y[high < 0])


def times(u, v):
    """Product of two complex intervals."""
    return sub(mul(u[0], v[0]), mul(u[1], v[1])), add(mul(u[0], v[1]), mul(u[1], v[0]))


def dot(u, v):
    """Sum of the products of two sequences of intervals."""
    return add(*map(mul, u, v))


def exp(x):
    """Enclosure of e^x for one integer x: Taylor at x/2^16, then sixteen squarings."""
    if x < 0:
        low, high = exp(-x)
        return ONE * ONE // high, up(ONE * ONE, low)
    low = high = a = b = ONE
    for k in range(1, 16):
        a, b = a * x // (k * ONE << 16), up(b * x, k * ONE << 16)
        low, high = low + a, high + b
    high += b + 1  # the rest is less than the last term, as x < 2^16
    for _ in range(16):
        low, high = low * low >> BITS, up(high * high, ONE)
    return low, high


def exps(x):
    """Enclosure of e^x on an interval."""
    return exp(x[0])[0], exp(x[1])[1]


def _series(low, high):
    """Enclosure of 2 atanh(z) for z in [low, high], 0 <= z <= 1/3."""
    total_low = total_high = 0
    a, b = low, high
    for k in range(1, 86, 2):
        total_low, total_high = total_low + a // k, total_high + up(b, k)
        a, b = (a * low >> BITS) * low >> BITS, up(up(b * high, ONE) * high, ONE)
    return 2 * total_low, 2 * (total_high + b + 1)


LOG2 = _series(ONE // 3, up(ONE, 3))


def log(v):
    """Enclosure of log v for one integer v > 0."""
    k = v.bit_length() - 1 - BITS
    low, high = (v >> k, up(v, 1 << k)) if k >= 0 else (v << -k, v << -k)
    found = _series((low - ONE) * ONE // (low + ONE), up((high - ONE) * ONE, high + ONE))
    ends = sorted((k * LOG2[0], k * LOG2[1]))
    return ends[0] + found[0], ends[1] + found[1]


def arctangent(n):
    """Enclosure of atan(1/n), n > 1: terms alternate and fall, each is off by less than 1."""
    term, total, k = ONE // n, 0, 1
    while term:
        total += (term // k) * (1 if k % 4 == 1 else -1)
        term, k = term // (n * n), k + 2
    return total - 2 * k, total + 2 * k


PI = sub(scaled(arctangent(5), 16, 1), scaled(arctangent(239), 4, 1))


def turned(angle):
    """Enclosures of cos and sin on an interval within [-5, 5], by 64 terms."""
    found, term = [[], []], (ONE, ONE)
    for k in range(64):
        found[k % 2].append(term if k % 4 < 2 else neg(term))
        term = scaled(mul(term, angle), 1, k + 1)
    return [add(*terms, (-1, 1)) for terms in found]  # the rest is below 5^64/64! < 2^-128


def whole(x, least):
    """Is x an integer, at least so large?"""
    return type(x) is int and x >= least
