"""At which temperatures the ceiling of the mean gap is proved, in interval arithmetic.

With l = -log kappa, beta = c - l and q = sigma(beta), condition (*) of `ceiling` is decided by one
p, the point of the interval nearest to 1 - q (docs/proofs.md, step 2 of the ceiling):

    inside        phi(beta) := 4 beta/(1 - e^{-beta}) - beta >= l
    lower end     p = sigma(-l),            if 1 - q lies below it (c > 2 l)
    upper end     p = sigma(beta + delta),  if 1 - q lies above it; delta = 2/tau - c = c (C-2)/C

It holds for c <= 8 sigma(-l), as g >= 2 and q >= sigma(-l); and for
c >= max(2 l, 4 log(1/p) / ((1-p)(3+p))), p = sigma(-l), where the lower end decides, as
sp(beta) >= beta and q <= 1. Up to c = 2C/(C-1), tau = 1/2, the ceiling is a theorem without it.
`open_temperatures` bisects c between; where (*) is not decided to hold it asks (**), bisecting S.
"""

from dataclasses import dataclass
from typing import Any, Literal

from mpmath.ctx_iv import MPIntervalContext

from supcon_theory.theory.ceiling import FROM
from supcon_theory.theory.counts import checked_tau, checked_whole, require

iv: Any = MPIntervalContext()  # our own context: its precision is nobody else's
iv.prec = 100

Answer = Literal["proved", "fails", "undecided"]
FINEST = 2.0**-9  # width in S down to which (**) is bisected


@dataclass(frozen=True)
class Window:
    """Temperatures at which (*) and (**) fail: all of `inner`; proved outside `outer`."""

    outer: tuple[float, float]
    inner: tuple[float, float]


def _softplus(x):
    """log(1 + e^x) for an interval x; increasing, so its ends are images of the ends of x."""
    return iv.log(1 + iv.exp(x))


def _sigma(x):
    return 1 / (1 + iv.exp(-x))


def _excess(ell, rate, c):
    """F = kl(p || q) - c (p - q)^2 / (4 q) and dF/dc; p = sigma(rate c - l), q = sigma(c - l)."""
    p, q, x = _sigma(rate * c - ell), _sigma(c - ell), (rate - 1) * c  # x = logit p - logit q
    kl = p * x + _softplus(c - ell) - _softplus(rate * c - ell)
    value = kl - c * (p - q) ** 2 / (4 * q)
    dp, dq = rate * p * (1 - p), q * (1 - q)
    slope = (
        x * dp + q - p - ((p - q) ** 2 * (1 - c * (1 - q)) + 2 * c * (p - q) * (dp - dq)) / (4 * q)
    )
    return value, slope


def _enclose(ell, rate, c):
    """F on an interval of c, by the mean value theorem: far tighter than `_excess` on all of it."""
    middle = iv.mpf(c.mid)
    return _excess(ell, rate, middle)[0] + _excess(ell, rate, c)[1] * (c - middle)


def _phi(beta):
    """4 beta / (1 - e^{-beta}) - beta on an interval; the first term increases, so its ends do."""

    def increasing(x):
        if x == 0:
            return iv.mpf(4)
        return 4 * x / (1 - iv.exp(-x))

    low, high = increasing(iv.mpf(beta.a)), increasing(iv.mpf(beta.b))
    return iv.mpf([low.a, high.b]) - beta


def _tangent(C: int, ell, c) -> Answer:
    """(*) for every c of the interval at once."""
    rate = 2 - iv.mpf(2) / C  # the interval of logit p is [-ell, rate c - ell]
    inside = _phi(c - ell) - ell
    at_low, at_high = _enclose(ell, iv.mpf(0), c), _enclose(ell, rate, c)
    below, above = c - 2 * ell, 2 * ell - (1 + rate) * c  # > 0: 1 - q is below, above that interval
    if inside.a >= 0 or (below.a >= 0 and at_low.a >= 0) or (above.a >= 0 and at_high.a >= 0):
        return "proved"
    if at_low.b < 0 or at_high.b < 0 or (below.b <= 0 and above.b <= 0 and inside.b < 0):
        return "fails"
    return "undecided"


def _chord_slopes(ell, c, S):
    """F = h(0) - h(S), dF/dc, dF/dS and c F'' (in x = c S) on intervals of c and S."""
    beta, x = c - ell, c * S
    up, down = _sigma(beta + x), _sigma(beta - x)
    high, low = _softplus(beta + x), _softplus(beta - x)
    value = _softplus(beta) - ((1 + S) * low + (1 - S) * high) / 2
    by_c = _sigma(beta) - (1 - S) * (1 + S) * (up + down) / 2
    by_S = (high - low) / 2 + c * ((1 + S) * down - (1 - S) * up) / 2
    at_up, at_down = up * (1 - up), down * (1 - down)
    bend = up + down + x * (at_up - at_down) / 2 - c * (at_up + at_down) / 2
    return value, by_c, by_S, bend


def _chord(ell, c) -> Answer:
    """(**) for every c of the interval at once: F >= 0 on [0, 1], bisecting S."""
    middle = iv.mpf(c.mid)
    rising, waiting, answer = iv.mpf(0).b, [iv.mpf([0, 1])], "proved"
    while waiting:
        S = waiting.pop()  # from left to right
        _, by_c, by_S, bend = _chord_slopes(ell, c, S)
        if S.a <= rising and bend.a >= 0:  # F = dF/dS = 0 at S = 0, convex from there to here
            rising = S.b
            continue
        at = iv.mpf(S.mid)
        value = _chord_slopes(ell, middle, at)[0]
        if (value + by_c * (c - middle) + by_S * (S - at)).a >= 0:
            continue
        if (value + _chord_slopes(ell, c, at)[1] * (c - middle)).b < 0:
            return "fails"
        if S.delta <= FINEST:
            answer = "undecided"
            break
        waiting += [iv.mpf([S.mid, S.b]), iv.mpf([S.a, S.mid])]
    return answer


def _condition(C: int, ell, c) -> Answer:
    """Whether the ceiling is proved for every c of the interval at once."""
    if c.b <= (iv.mpf(C) / ((C - 1) * iv.mpf(FROM))).a:
        return "proved"
    tangent = _tangent(C, ell, c)
    if tangent == "proved":
        return "proved"
    chord = _chord(ell, c)
    return "undecided" if "undecided" in (tangent, chord) and chord != "proved" else chord


def _log_inverse_kappa(C: int, n: int):
    return iv.log(iv.mpf(n) * (C - 1) / (n - 1))


def condition(C: int, n: int, tau: float) -> Answer:
    """Is the ceiling proved, rigorously, for this very float tau?

    Args:
        C: number of classes.
        n: samples in each class, at least 2.
        tau: temperature.

    Returns:
        "proved"; "fails", which only ends these proofs: the ceiling itself may still hold; or
        "undecided", too close to call.

    Example:
        >>> condition(40, 2, 0.5), condition(40, 2, 0.3)
        ('proved', 'fails')
    """
    checked_whole(2, C=C, n=n)
    checked_tau(tau)
    if tau >= FROM:
        return "proved"
    return _condition(C, _log_inverse_kappa(C, n), iv.mpf(C) / ((C - 1) * iv.mpf(tau)))


def open_temperatures(C: int, n: int, resolution: float = 1e-3) -> list[Window]:
    """All temperatures at which the ceiling is not proved, as windows.

    Args:
        C: number of classes.
        n: samples in each class, at least 2.
        resolution: relative width in tau to which each edge is known.

    Returns:
        The windows, in order. Everything outside the outer ones is proved, everything inside the
        inner ones refutes (*) and (**); one whose inner part is empty (NaN) is undecided at this
        resolution.

    Example:
        >>> open_temperatures(13, 2)
        []
    """
    checked_whole(2, C=C, n=n)
    ask = "pass a relative width in tau between 0 and 1"
    require(0 < resolution < 1, ask, resolution=resolution)
    ell = _log_inverse_kappa(C, n)
    p = _sigma(-ell)
    least = max((8 * p).a, (iv.mpf(C) / ((C - 1) * iv.mpf(FROM))).a)
    most = max((2 * ell).b, (4 * _softplus(ell) / ((1 - p) * (3 + p))).b)
    if least >= most:
        return []
    found: list[tuple[float, float, Answer]] = []
    waiting = [iv.mpf([least, most])]
    while waiting:
        c = waiting.pop()
        answer = _condition(C, ell, c)
        if answer == "undecided" and c.delta > resolution * c.a:
            waiting += [iv.mpf([c.mid, c.b]), iv.mpf([c.a, c.mid])]
        elif answer != "proved":
            found.append((c.a, c.b, answer))
    return _windows(C, found)


def _windows(C: int, found: list) -> list[Window]:
    """Adjacent pieces of c, in order, joined and turned into temperatures, rounded outward."""

    def tau(c, upward: bool) -> float:
        exact = iv.mpf(C) / ((C - 1) * iv.mpf(c))
        nearest = float(exact.mid)  # within an ulp; the resolution is far coarser
        return nearest * (1 + 1e-15 if upward else 1 - 1e-15)

    groups: list[list] = []
    for piece in found:
        if groups and groups[-1][-1][1] == piece[0]:
            groups[-1].append(piece)
        else:
            groups.append([piece])
    windows = []
    for group in groups:
        failing = [piece for piece in group if piece[2] == "fails"]
        inner = (float("nan"), float("nan"))
        if failing:
            inner = (tau(failing[-1][1], True), tau(failing[0][0], False))
        windows.append(Window((tau(group[-1][1], False), tau(group[0][0], True)), inner))
    return windows[::-1]
