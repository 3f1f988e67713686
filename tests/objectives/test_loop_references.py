"""Every objective against explicit loops over anchors and positives, written from its definition.

`python tests/objectives/test_loop_references.py` prints the largest error of each id.
"""

from math import exp, log

import numpy as np
import pytest
import torch

from supcon_theory.objectives import IDS, OBJECTIVES

LOSSES = [id for id in IDS if id != "cross_entropy"]


class Rows:
    """The batch as a list of rows (i, l), the sets of the definitions as list comprehensions."""

    def __init__(self, z, y, tau):
        self.N, self.K, _ = z.shape
        self.all = [(i, l) for i in range(self.N) for l in range(self.K)]
        z = z.numpy()
        self.s = {(a, b): float(np.dot(z[a], z[b])) / tau for a in self.all for b in self.all}
        self.y, self.tau, self.Q = y.tolist(), tau, self.K * (self.N - 1)

    def own(self, a):
        return [b for b in self.all if b[0] == a[0] and b != a]

    def sis(self, a):
        return [b for b in self.all if b[0] != a[0] and self.y[b[0]] == self.y[a[0]]]

    def oth(self, a):
        return [b for b in self.all if self.y[b[0]] != self.y[a[0]]]

    def ins(self, a):
        return [b for b in self.all if b[0] != a[0]]

    def view(self, a):
        return [b for b in self.all if b[0] != a[0] and b[1] == a[1]]

    def P(self, a):
        return self.own(a) + self.sis(a)

    def E(self, a, rows):
        return sum(exp(self.s[a, b]) for b in rows)

    def M(self, a, rows, beta):
        high = sum(exp((1 + beta) * self.s[a, b]) for b in rows)
        return high / sum(exp(beta * self.s[a, b]) for b in rows)

    def next_in_class(self, a):
        """Same view of the next sample of the class, in index order, cyclically."""
        later = [(a[0] + step) % self.N for step in range(1, self.N)]
        return next((j, a[1]) for j in later if self.y[j] == self.y[a[0]])

    def first_positives(self, a, k):
        """Own views after a, then the views of the next samples of the class, all cyclically."""
        samples = [(a[0] + step) % self.N for step in range(self.N)]
        samples = [j for j in samples if self.y[j] == self.y[a[0]]]
        views = [(a[1] + step) % self.K for step in range(self.K)]
        return [(j, l) for j in samples for l in views][1 : k + 1]


def mean(values):
    values = list(values)
    return sum(values) / len(values)


def mean_mean(r, positives, denominator, scale=1.0):
    """mean over anchors of the mean over positives of log D - s."""
    return mean(
        mean(scale * log(denominator(a, p)) - r.s[a, p] for p in positives(a)) for a in r.all
    )


def mean_pairs(r, positives, denominator):
    """One mean over all pairs (anchor, positive)."""
    return mean(log(denominator(a, p)) - r.s[a, p] for a in r.all for p in positives(a))


def dcl(r, pairs="all"):
    positives = (lambda a: [*r.own(a), a]) if pairs == "all" else r.own
    return mean_mean(r, positives, lambda a, p: r.E(a, r.ins(a)))


def nscl(r, pairs="all"):
    positives = (lambda a: [*r.own(a), a]) if pairs == "all" else r.own
    return mean_mean(r, positives, lambda a, p: r.E(a, r.oth(a)))


def nt_xent(r):
    return mean_mean(r, r.own, lambda a, p: exp(r.s[a, p]) + r.E(a, r.ins(a)))


def nscl_coupled(r):
    return mean_mean(r, r.own, lambda a, p: exp(r.s[a, p]) + r.E(a, r.oth(a)))


def supcon(r, max_positives=None):
    if max_positives is None:
        return mean_mean(r, r.P, lambda a, p: r.E(a, [b for b in r.all if b != a]))
    some = lambda a: r.first_positives(a, max_positives)  # noqa: E731
    return mean_mean(r, some, lambda a, p: r.E(a, some(a)) + r.E(a, r.oth(a)))


def supcon_in(r):
    return mean(
        log(r.E(a, r.P(a)) + r.E(a, r.oth(a))) - log(r.E(a, r.P(a)) / len(r.P(a))) for a in r.all
    )


def n_pairs(r):
    return mean_mean(
        r, lambda a: [r.next_in_class(a)], lambda a, p: exp(r.s[a, p]) + r.E(a, r.oth(a))
    )


def hscl(r, beta=1.0, positives="class"):
    def denominator(a, p):
        return exp(r.s[a, p]) + r.Q * r.M(a, r.oth(a), beta)

    if positives == "own":
        return mean_mean(r, r.own, denominator)
    return mean_pairs(r, r.P, denominator)


def scl_jiang(r, positives="class"):
    return hscl(r, 0.0, positives)


def hucl(r, beta=1.0):
    return mean_mean(r, r.own, lambda a, p: exp(r.s[a, p]) + r.Q * r.M(a, r.ins(a), beta))


def h_nscl(r, beta=1.0):
    return mean_mean(r, r.own, lambda a, p: exp(r.s[a, p]) + len(r.oth(a)) * r.M(a, r.oth(a), beta))


def hcl(r, beta=1.0, tau_plus=0.1, clamp=True):
    def denominator(a, p):
        unbiased = (r.M(a, r.ins(a), beta) - tau_plus * exp(r.s[a, p])) / (1 - tau_plus)
        return exp(r.s[a, p]) + r.Q * (max(exp(-1 / r.tau), unbiased) if clamp else unbiased)

    return mean_mean(r, r.own, denominator)


def debiased(r, tau_plus=0.1, clamp=True):
    return hcl(r, 0.0, tau_plus, clamp)


def dhel(r, anchors="all"):
    values = {
        a: log(r.E(a, r.view(a))) - mean(r.s[a, p] for p in r.own(a))
        for a in r.all
        if anchors == "all" or a[1] == 0
    }
    return mean(values.values())


def dhel_official(r):
    """Mean over unordered pairs of views of log S_l + log S_l' - s: alignment counted once."""
    return mean(
        log(r.E((i, l), r.view((i, l)))) + log(r.E((i, m), r.view((i, m)))) - r.s[(i, l), (i, m)]
        for i in range(r.N)
        for l in range(r.K)
        for m in range(l + 1, r.K)
    )


def n_dhel(r):
    def denominator(a, p):
        return r.E(a, [b for b in r.view(a) if r.y[b[0]] != r.y[a[0]]])

    return mean_mean(r, r.own, denominator)


def scl_ball(r, beta=0.0):
    return mean_pairs(
        r, lambda a: [a, *r.P(a)], lambda a, p: exp(r.s[a, p]) + r.M(a, r.oth(a), beta)
    )


def ucl_ball(r, beta=0.0):
    return mean_pairs(r, lambda a: [a, *r.P(a)], lambda a, p: exp(r.s[a, p]) + r.M(a, r.all, beta))


def ssem(r, alpha=0.5):
    def anchor(a):
        own = mean(r.s[a, p] for p in [a, *r.own(a)])
        sis = mean(r.s[a, p] for p in r.sis(a)) if alpha < 1 else 0.0
        return log(r.E(a, r.all)) - alpha * own - (1 - alpha) * sis

    return mean(anchor(a) for a in r.all)


def kcl(r, gamma=16.0, kernel_name="gaussian"):
    def k(a, b):
        apart = (r.s[a, a] + r.s[b, b]) / 2 - r.s[a, b]  # |z_a - z_b|^2 / (2 tau)
        return exp(-apart) if kernel_name == "gaussian" else (1 + apart) ** -0.5

    far = mean(mean(k(a, b) for b in r.view(a)) for a in r.all)
    return 2 * gamma * far - 2 * mean(mean(k(a, p) for p in r.own(a)) for a in r.all)


def sigmoid(r, bias=-10.0):
    def pair(i, l, m):
        """One anchor against one other view: its own pair, and those of other samples."""
        others = sum(log(1 + exp(r.s[(i, l), (j, m)] + bias)) for j in range(r.N) if j != i)
        return log(1 + exp(-r.s[(i, l), (i, m)] - bias)) + others

    views = [(l, m) for l in range(r.K) for m in range(r.K) if l != m]
    return mean(pair(i, l, m) for i in range(r.N) for l, m in views)


def triplet(r, margin=0.1):
    def hinge(a, p, n):
        return max(0.0, margin / r.tau + r.s[a, n] - r.s[a, p])

    return mean(mean(hinge(a, p, n) for p in r.P(a) for n in r.oth(a)) for a in r.all)


def soft_supcon(r, softness=0.15):
    def anchor(a):
        weights = {b: 1.0 for b in r.P(a)} | {b: softness for b in r.oth(a)}
        total = sum(weights.values())
        return log(r.E(a, list(weights))) - sum(w * r.s[a, b] for b, w in weights.items()) / total

    return mean(anchor(a) for a in r.all)


OPTIONS = {
    "kcl": [{}, {"gamma": 2.0}, {"kernel_name": "inverse_multiquadric"}],
    "sigmoid": [{}, {"bias": 0.5}],
    "triplet": [{}, {"margin": 0.0}, {"margin": 0.7}, {"margin": 2.5}],
    "soft_supcon": [{}, {"softness": 0.0}, {"softness": 1.0}],
    "scl_ball": [{}, {"beta": 2.0}],
    "ucl_ball": [{}, {"beta": 2.0}],
    "ssem": [{}, {"alpha": 0.0}, {"alpha": 0.9}, {"alpha": 1.0}],
    "dcl": [{}, {"pairs": "distinct"}],
    "nscl": [{}, {"pairs": "distinct"}],
    "supcon": [{}] + [{"max_positives": k} for k in (1, 2, 3, 5, 50)],
    "hscl": [{}, {"beta": 0.5}, {"beta": 2.0, "positives": "own"}],
    "scl_jiang": [{}, {"positives": "own"}],
    "hucl": [{}, {"beta": 3.0}],
    "h_nscl": [{}, {"beta": 0.3}],
    "hcl": [{}, {"beta": 0.5, "tau_plus": 0.3}, {"tau_plus": 0.0, "clamp": False}],
    "debiased": [{}, {"tau_plus": 0.4}],
    "dhel": [{}, {"anchors": "first_view"}],
}
CASES = [(name, options) for name in LOSSES for options in OPTIONS.get(name, [{}])]
LABELS = {  # classes interleaved, so that sorting is needed; imbalanced, non-contiguous numbers
    "balanced": [0, 1, 2, 0, 1, 2, 0, 1, 2],
    "imbalanced": [7, -3, 7, 7, 100, -3, 7, 100, 7, 7, -3],
}


def batch(kind, K, seed, d=4):
    generator = torch.Generator().manual_seed(seed)
    y = torch.tensor(LABELS[kind])
    z = torch.randn(len(y), K, d, generator=generator, dtype=torch.float64)
    return torch.nn.functional.normalize(z, dim=-1), y


def error(name, options, kind, K, tau, seed):
    z, y = batch(kind, K, seed)
    found = OBJECTIVES[name](z, y, tau=tau, **options).item()
    wanted = globals()[name](Rows(z, y, tau), **options)
    return abs(found - wanted) / max(1.0, abs(wanted))


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize(("name", "options"), CASES)
def test_an_objective_equals_its_loops(name, options, K, kind):
    for seed, tau in enumerate((0.1, 0.5, 2.0)):
        assert error(name, options, kind, K, tau, seed) < 1e-12


SINGLE_VIEW = ["nscl", "dcl", "supcon", "supcon_in", "n_pairs", "scl_jiang", "hscl"]
SINGLE_VIEW += ["scl_ball", "ucl_ball", "ssem", "soft_supcon", "triplet"]


@pytest.mark.parametrize("name", SINGLE_VIEW)
def test_one_view_is_enough_where_the_definition_allows_it(name):
    assert error(name, {}, "imbalanced", 1, 0.5, 3) < 1e-12


@pytest.mark.parametrize("name", LOSSES)
def test_several_tiles_give_what_one_gives(name, monkeypatch):
    """Tiles and strips of a few rows: every branch of the tiling, tiles kept and recomputed."""
    from supcon_theory.objectives import pairwise
    from supcon_theory.pairs import batch as rows
    from supcon_theory.pairs import log_sums, strips, tiles

    z, y = batch("imbalanced", 2, 5)
    z.requires_grad_()
    (one,) = torch.autograd.grad(OBJECTIVES[name](z, y, tau=0.5), z)
    value = OBJECTIVES[name](z, y, tau=0.5).item()
    for tile, cache, limit in ((4, 0, 600.0), (6, 300, 600.0), (3, 10**6, 600.0), (4, 0, 0.0)):
        monkeypatch.setitem(tiles.TILE, "cpu", tile)
        monkeypatch.setattr(log_sums, "CACHE_BYTES", cache)
        monkeypatch.setitem(tiles.DIFFERENTIATED, torch.float64, limit)
        monkeypatch.setattr(strips, "STRIP_CELLS", 70)
        monkeypatch.setattr(pairwise, "STRIP_CELLS", 70)
        monkeypatch.setattr(rows, "MOST_PAIRS", 0)
        loss = OBJECTIVES[name](z, y, tau=0.5)
        (many,) = torch.autograd.grad(loss, z)
        assert abs(loss.item() - value) < 1e-12
        assert (many - one).abs().max() < 1e-12


if __name__ == "__main__":
    print(f"{'id':15}{'configurations':>15}{'largest relative error':>24}")
    for name in LOSSES:
        errors = [
            error(name, options, kind, K, tau, seed)
            for options in OPTIONS.get(name, [{}])
            for kind in LABELS
            for K in (2, 3)
            for seed in range(3)
            for tau in (0.1, 0.5, 2.0)
        ]
        print(f"{name:15}{len(errors):15}{max(errors):24.1e}")
