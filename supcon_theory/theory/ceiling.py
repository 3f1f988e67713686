"""The largest mean gap, classes collapsed onto a simplex, and for which settings it is a theorem.

Conjecture: over all unit embeddings of balanced classes, mean gap <= log(1 + kappa e^c), the value
at the class simplex, with kappa = (n-1)/(n(C-1)) and c = C/((C-1) tau). By a tangent line at q it
is a theorem wherever

    kl(p || q) >= c (p - q)^2 / (4 q)  for p in [sigma(log kappa), sigma(log kappa + 2/tau)]   (*)

with q = sigma(beta), beta = log kappa + c = c - l. The following replaces "for all p" by one p.

Lemma. g(p) = kl(p || q) / (p - q)^2 is strictly convex on (0, 1) with its minimum at 1 - q, where
it is beta coth(beta/2) (Kearns and Saul 1998). Proof: Taylor's remainder gives
g(p) = int_0^1 (1 - s) w(q + (p - q) s) ds with w(t) = 1 / (t (1 - t)) strictly convex, and g' has
the sign of (p - q)(logit p - logit q) - 2 kl(p || q) over (p - q)^3, which is 0 at p = 1 - q.

So (*) holds iff it holds at the point of the interval nearest to 1 - q:

    inside        4 q beta coth(beta/2) = 4 beta / (1 - e^{-beta}) >= c, that is
                  phi(beta) := 4 beta/(1 - e^{-beta}) - beta >= l
    lower end     p = sigma(-l),            if 1 - q lies below it (c > 2 l)
    upper end     p = sigma(beta + delta),  if 1 - q lies above it; delta = 2/tau - c = c (C-2)/C

`etf_ceiling_is_proved` decides this in float64 for whole arrays, with a bound on the rounding that
can only turn a barely true case into False; `condition` decides it in interval arithmetic, for a
single setting, and `open_temperatures` for all temperatures at once.

Corollaries, with l = log(n (C-1) / (n-1)):
  1. l <= min phi = 3.2186... gives (*) at every temperature: every n when C <= 13.
  2. w(t) >= 1/t gives g(p) >= G(log(p/q)) / (4 q), G(x) = 4 (x e^x - e^x + 1) / (e^x - 1)^2, which
     falls from 2. p/q <= e^delta, so G(1/tau) >= (14/13)/tau gives (*) for C >= 14 (delta <= 1/tau,
     c <= (14/13)/tau), and 1. covers C <= 13: every C and n when tau >= 0.86, so at tau = 1.
  3. q >= sigma(-l), g >= 2: (*) when c <= 8 sigma(-l). At the lower end softplus(beta) >= beta and
     q <= 1: (*) when c >= max(2 l, 4 log(1/p) / ((1-p)(3+p))), p = sigma(-l).
Between the two of 3. `open_temperatures` bisects c.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from mpmath.ctx_iv import MPIntervalContext
from numpy.typing import ArrayLike
from scipy.special import expit

from supcon_theory.theory.counts import (
    Floats,
    checked_balanced,
    checked_tau,
    checked_whole,
    kappa,
    log1p_exp,
    log_kappa,
    require,
)

iv: Any = MPIntervalContext()  # our own context: its precision is nobody else's
iv.prec = 100

Answer = Literal["proved", "fails", "undecided"]


def etf_ceiling(C: ArrayLike, n: ArrayLike, tau: ArrayLike) -> Floats:
    """log(1 + kappa e^{C / ((C - 1) tau)}): the gap of classes collapsed onto a simplex.

    No encoder has a larger mean gap where `etf_ceiling_is_proved`, and none was ever found
    elsewhere. Balanced classes.

    Args:
        C: number of classes.
        n: samples in each class; may be infinite.
        tau: temperature.

    Returns:
        The ceiling, of the broadcast shape.

    Example:
        >>> round(float(etf_ceiling(100, float("inf"), 1.0)), 4)
        0.0274
    """
    C, n, tau = *checked_balanced(C, n), checked_tau(tau)
    return log1p_exp(log_kappa(kappa(C, n)) + C / ((C - 1) * tau))


def etf_ceiling_is_proved(C: ArrayLike, n: ArrayLike, tau: ArrayLike) -> np.ndarray | bool:
    """Whether the mean gap of every encoder is known to be at most `etf_ceiling(C, n, tau)`.

    Rounding can only turn a barely true case into False. n = 1 is True: both sides are 0.

    Args:
        C: number of classes.
        n: samples in each class; may be infinite.
        tau: temperature.

    Returns:
        The decision, of the broadcast shape; a plain bool for plain numbers.

    Example:
        >>> etf_ceiling_is_proved(100, 64, 1.0), etf_ceiling_is_proved(100, 64, 0.5)
        (True, False)
    """
    C, n, tau = np.broadcast_arrays(*checked_balanced(C, n), checked_tau(tau))
    c = C / ((C - 1) * tau)
    lowest = log_kappa(np.where(n == 1, 1.0, kappa(C, n)))  # -l; n = 1 is decided below
    beta = lowest + c
    t = np.clip(-beta, lowest, lowest + 2 / tau)  # logit of the point of the interval nearest 1 - q
    p, q = expit(t), expit(beta)
    A = c / (4 * q)
    terms = [log1p_exp(beta), -log1p_exp(t), -p * (beta - t), -A * (p - q) ** 2]
    rounding = 64 * np.finfo(float).eps * sum(np.abs(x) for x in terms)
    with np.errstate(invalid="ignore", divide="ignore"):
        kearns_saul = np.where(beta == 0, 2.0, beta / np.tanh(beta / 2))
    proved = np.select(
        [n == 1, t == -beta, t == beta],  # t = beta for C = 2: g(q) = 1 / (2 q (1 - q))
        [True, kearns_saul > A * (1 + 1e-14), c * expit(-beta) < 2],
        sum(terms) > rounding,
    )
    return proved if proved.ndim else bool(proved)


def relaxed_ceiling(C: ArrayLike, n: ArrayLike, tau: ArrayLike) -> Floats:
    """Largest of h(S) over S in [0, 1]: no mean gap is above it, at any C, n and temperature.

        h(S) = (1 + S)/2 sp(beta - c S) + (1 - S)/2 sp(beta + c S),   sp = softplus,
        c = C / ((C - 1) tau), beta = log kappa + c

    Proof: with s the mean of all rows, S = |s| and e_a = <z_a, s>/S, the cosines of anchor a sum to
    N K S e_a, of which its class has at most n K; so the mean cosine x_a to other classes is at
    least (C S e_a - 1)/(C - 1), and by Jensen gap_a <= sp(beta - c S e_a). The e_a lie in [-1, 1]
    and have mean S; sp is convex, so the chord bounds the mean. h(0) is `etf_ceiling`, so where h
    falls from there on the two are equal.

    Args:
        C: number of classes.
        n: samples in each class, at least 2; may be infinite.
        tau: temperature.

    Returns:
        The bound, of the broadcast shape, to about 1e-12.

    Example:
        >>> round(float(relaxed_ceiling(100, 2, 0.25) / etf_ceiling(100, 2, 0.25)), 2)
        1.25
    """
    C, n, tau = np.broadcast_arrays(*checked_balanced(C, n), checked_tau(tau))
    require(n >= 2, "a class of one sample has no gap; pass n >= 2", n=n)
    c = C / ((C - 1) * tau)
    beta = log_kappa(kappa(C, n)) + c

    def h(S: Floats) -> Floats:
        return (1 + S) / 2 * log1p_exp(beta - c * S) + (1 - S) / 2 * log1p_exp(beta + c * S)

    grid = np.linspace(0, 1, 513).reshape(-1, *[1] * beta.ndim)
    heights = h(grid)
    best = heights.argmax(0) / 512
    low, high = np.maximum(best - 1 / 512, 0), np.minimum(best + 1 / 512, 1)
    for _ in range(100):  # thirds: h rises, then falls, within two cells of the grid
        a, b = low + (high - low) / 3, high - (high - low) / 3
        rising = h(a) < h(b)
        low, high = np.where(rising, a, low), np.where(rising, high, b)
    return np.maximum(heights.max(0), h((low + high) / 2))


@dataclass(frozen=True)
class Window:
    """Temperatures at which (*) fails: all of `inner`; proved outside `outer`."""

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


def _condition(C: int, ell, c) -> Answer:
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


def _log_inverse_kappa(C: int, n: int):
    return iv.log(iv.mpf(n) * (C - 1) / (n - 1))


def condition(C: int, n: int, tau: float) -> Answer:
    """Does (*) hold, rigorously, for this very float tau?

    Args:
        C: number of classes.
        n: samples in each class, at least 2.
        tau: temperature.

    Returns:
        "proved"; "fails", which only ends this proof: the ceiling itself may still hold; or
        "undecided", a tie to 1e-20 or so.

    Example:
        >>> condition(20, 2, 1.0), condition(20, 2, 0.5)
        ('proved', 'fails')
    """
    checked_whole(2, C=C, n=n)
    checked_tau(tau)
    return _condition(C, _log_inverse_kappa(C, n), iv.mpf(C) / ((C - 1) * iv.mpf(tau)))


def open_temperatures(C: int, n: int, resolution: float = 1e-3) -> list[Window]:
    """All temperatures at which (*) is not proved, as windows.

    Args:
        C: number of classes.
        n: samples in each class, at least 2.
        resolution: relative width in tau to which each edge is known.

    Returns:
        The windows, in order. Everything outside the outer ones is proved, everything inside the
        inner ones refutes (*); one whose inner part is empty (NaN) is undecided at this resolution.

    Example:
        >>> open_temperatures(13, 2)
        []
    """
    checked_whole(2, C=C, n=n)
    ask = "pass a relative width in tau between 0 and 1"
    require(0 < resolution < 1, ask, resolution=resolution)
    ell = _log_inverse_kappa(C, n)
    p = _sigma(-ell)
    least = (8 * p).a
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
