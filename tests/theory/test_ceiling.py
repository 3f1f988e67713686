"""The ceiling of the mean gap: each step of its proof, on embeddings and on grids."""

import math

import numpy as np
import pytest
from scipy.special import expit, rel_entr, xlogy

from supcon_theory.theory.ceiling import etf_ceiling, relaxed_ceiling


def softplus(t):
    return np.logaddexp(0, t)


def coin(p, q):
    """kl(p || q) of two coins."""
    return rel_entr(p, q) + rel_entr(1 - p, 1 - q)


# ---- steps 2 and 3: few classes, and from temperature one half on --------------------------------
def test_the_tangent_holds_for_up_to_thirteen_classes_at_every_temperature():
    low = min(4 * b / -math.expm1(-b) - b for b in [k / 1000 for k in range(-4000, 0)])
    assert 3.2186 < low < 3.2188 and math.log(2 * 12) <= low
    p = expit(np.linspace(-30, 30, 601))
    for C, n in ((2, 2), (5, 3), (13, 2), (13, np.inf)):
        for tau in np.geomspace(0.05, 20, 60):
            c = C / ((C - 1) * tau)
            q = expit(np.log((1 - 1 / n) / (C - 1)) + c)
            assert (coin(p, q) >= c * (p - q) ** 2 / (4 * q) * (1 - 1e-9) - 1e-14).all()


@pytest.mark.parametrize("C", [2, 3, 5, 14, 100, 10**4, 10**8])
def test_the_steps_of_the_proof_from_temperature_one_half_on(C):
    """beta >= 0: 4 q beta coth(beta/2) >= c. beta < 0: c F'' >= 0 for every x."""
    x = np.linspace(0, 4, 801)
    for n in (2, 3, 10, np.inf):
        for tau in np.geomspace(0.5, 20, 40):
            c = C / ((C - 1) * tau)
            beta = np.log((1 - 1 / n) / (C - 1)) + c
            up, down = 1 / (1 + np.exp(-beta - x)), 1 / (1 + np.exp(x - beta))
            if beta >= 0:
                assert 4 * up[0] * (beta / np.tanh(beta / 2) if beta else 2) >= c - 1e-12
            else:
                slopes = up * (1 - up), down * (1 - down)
                bend = up + down + x / 2 * (slopes[0] - slopes[1]) - c / 2 * sum(slopes)
                assert (bend[x <= c] >= up[0] ** 2).all()


# ---- step 4: weights that follow the gap ---------------------------------------------------------
def setting(C, n, tau):
    """log kappa, c, beta, xi and zeta."""
    kappa, c = (1 - 1 / n) / (C - 1), C / ((C - 1) * tau)
    xi = 1 / c
    return np.log(kappa), c, np.log(kappa) + c, xi, xi / (1 - xi) * (C - 1) / C


def f(r, T, C, n, tau):
    """The summand of the bound that the weights give."""
    log_kappa, c, _, _, zeta = setting(C, n, tau)
    p = T * r * (1 + zeta - r)
    entropy = -xlogy(p, p) - xlogy(1 - p, 1 - p)
    kl = xlogy(r * (1 - r), (C - 1) * r) - xlogy(r * (1 - r), 1 - r)
    rest = kl + r**2 / tau + zeta * c * r / C + zeta / 2 * xlogy(r, C * r)
    return p * (log_kappa + 1 / tau) + entropy + T * rest


def solved(p, zeta):
    """T and r with p = T r (1 + zeta - r), sum r = 1, by bisection as in the proof."""
    least, b = 4 * p.max() / (1 + zeta) ** 2, 1 + zeta

    def roots(T, larger):
        r = (b - np.sqrt(np.maximum(b**2 - 4 * p / T, 0))) / 2
        r[p.argmax()] = b - r[p.argmax()] if larger else r[p.argmax()]
        return r

    larger = roots(least, False).sum() < 1
    low, high = least, 2 * least
    while (roots(high, larger).sum() < 1) == larger:
        high *= 2
    for _ in range(200):
        T = (low + high) / 2
        low, high = (T, high) if (roots(T, larger).sum() < 1) == larger else (low, T)
    return low, roots(low, larger)


def embeddings(rng, C, n, K, kind):
    d = int(rng.integers(2, C + 2))
    centres = rng.standard_normal((C, d)) + rng.choice([0, 0.5, 2]) * np.eye(d)[0]
    if kind == "two poles":
        centres = np.where(rng.random(C) < 0.8, 1.0, -1.0)[:, None] * np.eye(d)[0] + centres / 9
    if kind == "one class apart":
        centres = np.eye(d)[0] * np.where(np.arange(C) == 0, -1.0, 1.0)[:, None] + centres / 9
    spread = rng.choice([0.01, 0.3, 2.0])
    if kind == "near the simplex":
        centres, spread = np.eye(C) - 1 / C + 0.02 * rng.standard_normal((C, C)), 0.003
        d = C
    z = np.repeat(centres, n * K, axis=0) + spread * rng.standard_normal((C * n * K, d))
    return z / np.linalg.norm(z, axis=1, keepdims=True)


def gap_and_mean_others(z, C, n, K, tau):
    """Each anchor's gap, and the mean of e^{s/tau} over the rows of other classes."""
    y, sample = np.repeat(np.arange(C), n * K), np.arange(C * n * K) // K
    e = np.exp(z @ z.T / tau)
    other = y[:, None] != y
    own = ~other & (sample[:, None] != sample)
    return np.log1p((e * own).sum(1) / (e * other).sum(1)), (e * other).sum(1) / other.sum(1)


KINDS = ("any", "two poles", "one class apart", "near the simplex")


@pytest.mark.parametrize("kind", KINDS)
def test_the_weights_bound_the_gap_of_all_kinds_of_embeddings(kind):
    rng = np.random.default_rng(len(kind))
    ratios = []
    for _ in range(100):
        C, n, K = (int(rng.integers(*x)) for x in ((2, 24), (2, 5), (1, 3)))
        tau = rng.uniform(0.06, 0.6) * (C - 1) / C
        gap, others = gap_and_mean_others(embeddings(rng, C, n, K, kind), C, n, K, tau)
        log_kappa, _, beta, _, zeta = setting(C, n, tau)
        p = expit(log_kappa + 1 / tau - np.log(others)).reshape(C, -1).mean(1)
        T, r = solved(p, zeta)
        assert r.sum() == pytest.approx(1, abs=1e-6)
        np.testing.assert_allclose(T * r * (1 + zeta - r), p, rtol=1e-6)
        bound = f(r, T, C, n, tau).mean()
        assert gap.mean() <= bound + 1e-9
        ratios.append(bound / gap.mean())
        assert gap.mean() <= softplus(beta) + 1e-9
    assert min(ratios) < (1.001 if kind == "near the simplex" else 2)


def delta(r, T, C, n, tau):
    """F(r) - f(1/C) - f'(1/C) (r - 1/C), the slope by central differences."""
    at, h = 1 / C, 1e-6 / C
    slope = (f(at + h, T, C, n, tau) - f(at - h, T, C, n, tau)) / (2 * h)
    return f(r, T, C, n, tau) - f(at, T, C, n, tau) - slope * (r - at)


def G_and_limit(xi, u, X, r):
    """Both sides of inequality (5), the left over d^2, with h as in the checker."""
    zeta, d = (1 - u) * xi / (1 - xi), r - u
    m = 1 + zeta - r - u
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        pull = 3 * X * m**2 / (2 * (3 - d * m * X))
        G = np.log(2 * X / (1 - xi)) + 1 - (1 - xi / 2) * r - pull - 3 * zeta / (4 * (2 * u + r))
        p = u * X / (1 - xi + u * X)
        log_z = 1 / xi + np.log((1 - xi) / (2 * X))
        inner = np.where(log_z > 500, log_z + np.log(p), np.log1p(p * np.expm1(log_z)))
        L = np.where(log_z > 0, inner / p - log_z, 0)
    return G, (1 - u) / (1 - xi) * L * (r + u) / 2, d * m * X < 1


def test_at_equal_r_the_bound_is_the_ceiling_less_a_divergence():
    for C, n, tau in ((14, 2, 0.3), (100, np.inf, 0.1), (1000, 5, 0.45)):
        _, _, beta, xi, zeta = setting(C, n, tau)
        for p in (1e-3, 0.2, 0.9):
            T = p * C / (1 + zeta - 1 / C)
            found = f(1 / C, T, C, n, tau)
            assert found == pytest.approx(softplus(beta) - coin(p, expit(beta)), rel=1e-10)
            z = expit(beta) / (1 - expit(beta)) / (p / (1 - p))
            L = math.log1p(p * (z - 1)) / p - math.log(z)
            expected = C * coin(p, expit(beta)) / T
            assert (1 - 1 / C) / (1 - xi) * L == pytest.approx(expected, rel=1e-9)


def test_the_curve_lies_below_its_tangent_and_the_bound_on_what_is_between():
    rng = np.random.default_rng(0)
    asked = 0
    for _ in range(2000):
        C, n = int(rng.choice([14, 15, 20, 40, 300, 5000])), rng.choice([2, 3, 50, np.inf])
        tau = rng.uniform(0.08, 0.5)
        _, _, beta, xi, zeta = setting(C, n, tau)
        p = expit(rng.uniform(-8, 4))
        T = p * C / (1 + zeta - 1 / C)
        r = rng.choice([rng.uniform(0, 0.5), 10 ** rng.uniform(-3, 0.5) / C])
        if r > 0.5 or T * r * (1 + zeta - r) >= 1:
            continue
        found = delta(r, T, C, n, tau) / T
        G, limit, _ = G_and_limit(xi, 1 / C, T / (1 - p), r)
        assert found <= G * (r - 1 / C) ** 2 + 1e-7
        exact = C * coin(p, expit(beta)) / T
        assert limit <= exact * (r + 1 / C) / 2 * (1 + 1e-9) + 1e-12
        asked += 1
    assert asked > 900


def test_the_inequality_in_four_variables_holds_with_room_on_many_points():
    rng, N = np.random.default_rng(1), 200_000
    xi, u = rng.uniform(0.01, 0.5, N), rng.uniform(1e-6, 1 / 14, N)
    u[::2] = 10 ** rng.uniform(-9, math.log10(1 / 14), N // 2)
    X, r = 10 ** rng.uniform(-3, 1.7, N), rng.uniform(0, 0.5, N)
    r[1::3] = np.minimum(0.5, u[1::3] * 10 ** rng.uniform(-2, 3, len(u[1::3])))
    G, limit, meant = G_and_limit(xi, u, X, r)
    assert (G * (r - u) ** 2 < limit)[meant & (r != u)].all()
    worst = (G - limit / (r - u) ** 2)[meant].max()
    assert -0.5 < worst < -0.1


def test_beyond_the_box_the_left_side_is_negative():
    rng = np.random.default_rng(2)
    xi, u = rng.uniform(0.01, 0.5, 10**5), 10 ** rng.uniform(-9, math.log10(1 / 14), 10**5)
    X, r = 50 * 10 ** rng.uniform(0, 12, 10**5), u * rng.uniform(0, 1, 10**5)  # below 1/C
    m = 1 + (1 - u) * xi / (1 - xi) - r - u
    s = (u - r) * m * X
    G = np.log(2 * X / (1 - xi)) + 1 - X * m**2 * ((1 + s) * np.log1p(s) - s) / s**2
    assert (G[s > 1e-3] < 0).all()
    r = u + rng.uniform(0, 1, 10**5) * np.minimum(0.5 - u, 1 / (0.4 * X))  # above
    G, _, meant = G_and_limit(xi, u, X, r)
    assert meant.sum() > 10**4 and (G[meant] < 0).all()


def test_one_class_that_stands_out_leaves_little_gap():
    for C in (*range(14, 40), 100, 1000, 10**6):
        for n in (2, 3, np.inf):
            tau = np.geomspace(0.005, 0.5, 200)
            log_kappa = np.log((1 - 1 / n) / (C - 1))
            assert (3 * softplus(log_kappa + 2 / tau) <= C * etf_ceiling(C, n, tau)).all()
            if C == 14:  # it is the step with the least room
                assert (3 * softplus(log_kappa + 2 / tau) > 8 * etf_ceiling(C, n, tau)).any()


# ---- the relaxed ceiling, step 1 -----------------------------------------------------------------
def test_the_relaxed_ceiling_is_the_largest_value_on_a_fine_grid():
    S = np.linspace(0, 1, 200_001)
    for C, n, tau in ((2, 2, 1.0), (40, 2, 0.3), (100, 10, 0.25), (1000, 2, 0.2), (1000, 50, 0.01)):
        kappa, c = (n - 1) / (n * (C - 1)), C / ((C - 1) * tau)
        beta = np.log(kappa) + c
        up, down = np.logaddexp(0, beta - c * S), np.logaddexp(0, beta + c * S)
        grid = ((1 + S) / 2 * up + (1 - S) / 2 * down).max()
        found = float(relaxed_ceiling(C, n, tau))
        assert grid - 1e-12 <= found == pytest.approx(grid, rel=1e-8)


def test_the_relaxed_ceiling_is_the_ceiling_from_tau_a_half_on():
    C, n, tau = np.meshgrid([2, 3, 13, 50, 1000], [2, 10, np.inf], np.geomspace(0.05, 5, 60))
    ceiling, relaxed = etf_ceiling(C, n, tau), relaxed_ceiling(C, n, tau)
    assert (relaxed >= ceiling).all()
    equal = relaxed <= ceiling * (1 + 1e-10)
    assert equal[tau >= 0.5].all() and not equal.all()


def test_classes_of_one_sample_have_no_gap():
    assert relaxed_ceiling(5, 1, 1.0) == 0
