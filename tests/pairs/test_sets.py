"""Sets, tiles and sums: the fast forms against list comprehensions over rows."""

import math
from itertools import pairwise

import pytest
import torch
from torch.nn.functional import normalize

from supcon_theory.pairs import class_sums, dense, log_sums, strips, tiles
from supcon_theory.pairs.batch import Batch
from supcon_theory.pairs.sets import SETS

LABELS = [7, -3, 7, 7, 100, -3, 7, 100, 7, 7, -3]  # classes interleaved and of three sizes
MEMBER = {  # whether row (j, m) is in the set of the anchor (i, l), by the words of the legend
    "own": lambda i, l, j, m: i == j and l != m,
    "ins": lambda i, l, j, m: i != j,
    "sis": lambda i, l, j, m: i != j and LABELS[i] == LABELS[j],
    "oth": lambda i, l, j, m: LABELS[i] != LABELS[j],
    "P": lambda i, l, j, m: (i, l) != (j, m) and LABELS[i] == LABELS[j],
    "rest": lambda i, l, j, m: (i, l) != (j, m),
    "view": lambda i, l, j, m: i != j and l == m,
    "view_oth": lambda i, l, j, m: LABELS[i] != LABELS[j] and l == m,
}


def batch(K, tau=0.5, seed=0):
    g = torch.Generator().manual_seed(seed)
    z = normalize(torch.randn(len(LABELS), K, 4, generator=g, dtype=torch.float64), dim=-1)
    return z, Batch(z, LABELS, tau)


def members(name, K):
    rows = [(i, l) for i in range(len(LABELS)) for l in range(K)]
    return rows, {a: [b for b in rows if MEMBER[name](*a, *b)] for a in rows}


def test_every_set_has_its_words():
    assert set(MEMBER) == set(SETS)


@pytest.mark.parametrize("K", [1, 2, 3])
@pytest.mark.parametrize("name", SETS)
def test_sizes_are_counts_of_the_rows(name, K):
    _, b = batch(K)
    found = torch.as_tensor(b.size(name)).expand(len(LABELS))
    rows, sets = members(name, K)
    assert all(found[a[0]] == len(sets[a]) for a in rows)


@pytest.mark.parametrize("tau", [0.5, 0.0011])  # 0.0011: 1 / tau beyond the unshifted range
@pytest.mark.parametrize("tile", [1, 4, 6, 384])
@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("name", [name for name in SETS if name != "own"])
def test_log_sums_of_every_set_equal_a_loop(name, K, tile, tau, monkeypatch):
    monkeypatch.setitem(tiles.TILE, "cpu", tile)
    monkeypatch.setattr(strips, "STRIP_CELLS", 40)
    z, b = batch(K, tau)
    rows, sets = members(name, K)
    by_dense = Batch(z, LABELS, tau)
    by_dense.dense = True
    for found in (b.log_sums(name, 0.5, 1.0), by_dense.log_sums(name, 0.5, 1.0)):
        for k, scale in enumerate((0.5, 1.0)):
            for a in rows:
                terms = [scale * float(z[a] @ z[c]) / tau for c in sets[a]]
                top = max(terms, default=-math.inf)
                wanted = top + math.log(sum(math.exp(t - top) for t in terms)) if terms else top
                assert found[k][a] == pytest.approx(wanted, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("kept", [0, 48 * 2**20])  # bytes of tiles that backward finds again
@pytest.mark.parametrize("scales", [(1.0,), (0.5, 1.0), (0.25, 0.5, 1.0), (0.3, 0.7, 1.0, 2.1)])
def test_gradients_of_log_sums_at_several_scales_are_those_of_all_logits(scales, kept, monkeypatch):
    monkeypatch.setitem(tiles.TILE, "cpu", 4)
    monkeypatch.setattr(log_sums, "CACHE_BYTES", kept)
    z, _ = batch(2, 0.5)
    weights = torch.linspace(-1, 1, len(scales), dtype=torch.float64)[:, None, None]
    gradients = []
    for all_logits in (False, True):
        x = z.clone().requires_grad_()
        b = Batch(x, LABELS, 0.5)
        b.dense = all_logits
        (gradient,) = torch.autograd.grad((weights * b.log_sums("oth", *scales)).sum(), x)
        gradients.append(gradient)
    assert (gradients[0] - gradients[1]).abs().max() < 1e-12
    assert gradients[1].abs().max() > 0.1


@pytest.mark.parametrize("tile", [1, 4, 384])
def test_class_sums_equal_loops_and_their_own_log_sums(tile, monkeypatch):
    monkeypatch.setitem(tiles.TILE, "cpu", tile)
    z, b = batch(3)
    (S, D), (S2, _) = class_sums.class_sums(z, b.classes.of_sample, [0.5, 0.25]).values()
    for name, found in (("sis", S), ("oth", D)):
        rows, sets = members(name, 3)
        for a in rows:
            wanted = math.fsum(math.exp(float(z[a] @ z[c]) / 0.5) for c in sets[a])
            assert found[a] == pytest.approx(wanted, rel=1e-13)
    torch.testing.assert_close(S.log(), b.log_sum("sis"), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(S2.log(), b.log_sums("sis", 2.0)[0], rtol=1e-12, atol=1e-12)


def test_class_sums_of_float32_rows_are_those_of_float64_to_its_rounding():
    """From 1 / tau = 80 on exponentials of float32 would overflow: all is in float64 there."""
    z, b = batch(3)
    single, taus = z.float(), [1.0, 0.1, 0.0125, 0.0124, 0.005]
    wanted = class_sums.class_sums(single.double(), b.classes.of_sample, taus)
    for tau, sums in class_sums.class_sums(single, b.classes.of_sample, taus).items():
        for found, exact in zip(sums, wanted[tau], strict=True):
            assert found.dtype == torch.float64
            room = 2e-6 / tau if 1 / tau <= 80 else 1e-12
            torch.testing.assert_close(found, exact, rtol=room, atol=0)


@pytest.mark.parametrize("dense_form", [False, True])
def test_log_sums_far_out_do_not_overflow(dense_form):
    """Logits to 60 at 20 and 21 times their size, as of a large hardness at a small temperature."""
    z, b = batch(2, 1 / 60)
    b.dense = dense_form
    rows, sets = members("ins", 2)
    for scale, found in zip((20.0, 21.0), b.log_sums("ins", 20.0, 21.0), strict=True):
        for a in rows:
            terms = sorted(scale * float(z[a] @ z[c]) * 60 for c in sets[a])
            wanted = terms[-1] + math.log(math.fsum(math.exp(t - terms[-1]) for t in terms))
            assert found[a] == pytest.approx(wanted, rel=1e-12)


def test_sums_over_hundreds_of_classes_are_those_of_all_logits():
    y = torch.arange(300).repeat_interleave(torch.arange(300) % 3 + 1)
    g = torch.Generator().manual_seed(0)
    z = normalize(torch.randn(len(y), 2, 4, generator=g, dtype=torch.float64), dim=-1)
    found = []
    for all_logits in (False, True):
        b = Batch(z, y, 0.5)
        b.dense = all_logits
        found.append(b.log_sum("P"))
    torch.testing.assert_close(*found, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("tile", [2, 4, 6, 8])
@pytest.mark.parametrize("names", [("sis", "oth"), ("oth",), ("P",), ("ins",), ("rest",)])
def test_tiles_hold_every_pair_of_a_set_once_and_mask_only_where_they_must(
    names, tile, monkeypatch
):
    monkeypatch.setitem(tiles.TILE, "cpu", tile)
    _, b = batch(2)
    M = 2 * len(LABELS)
    order, sets, plan = tiles.schedule(b.x.flatten(0, 1), [b._groups(name) for name in names])
    assert order is None or sorted(order.tolist()) == list(range(M))
    assert all(p.rows.start <= q.rows.start for p, q in pairwise(plan))
    for k, groups in enumerate(sets):
        wanted = dense.inside(M, groups, torch.device("cpu"))
        found = torch.zeros(M, M, dtype=torch.int64)
        for t in plan:
            if t.partial[k] is None:
                continue
            part = torch.ones(1, t.rows.stop - t.rows.start, t.columns.stop - t.columns.start)
            if t.partial[k]:
                part = tiles.mask_out(part, t, groups)
            assert not t.diagonal or torch.equal(part[0], part[0].T)
            found[t.rows, t.columns] += part[0].long()
            if not t.diagonal:
                found[t.columns, t.rows] += part[0].long().T
        assert torch.equal(found, wanted.long())


def test_kept_and_recomputed_tiles_give_one_gradient(monkeypatch):
    monkeypatch.setitem(tiles.TILE, "cpu", 4)
    z, _ = batch(2)
    gradients = []
    for cache in (0, 500, 10**6):
        monkeypatch.setattr(log_sums, "CACHE_BYTES", cache)
        x = z.clone().requires_grad_()
        (g,) = torch.autograd.grad(Batch(x, LABELS, 0.5).log_sums("oth", 1.0, 2.0).sum(), x)
        gradients.append(g)
    for other in gradients[1:]:
        torch.testing.assert_close(other, gradients[0], rtol=0, atol=1e-13)


def test_an_empty_set_has_no_gradient_in_tiles_strips_or_the_dense_form(monkeypatch):
    """Classes of one sample among others: their sum over siblings is 0, its logarithm -inf."""
    monkeypatch.setitem(tiles.TILE, "cpu", 4)
    z, _ = batch(2)
    y = [0, 1, 0, 2, 2, 3, 4, 0, 2, 5, 4]
    alone = torch.tensor([y.count(label) == 1 for label in y])
    for tau in (0.5, 0.001):  # 0.001: strips
        gradients = []
        for by_dense in (False, True):
            x = z.clone().requires_grad_()
            b = Batch(x, y, tau)
            b.dense = by_dense
            log_S = b.log_sum("sis")
            assert torch.equal(log_S.isneginf().all(1), alone)
            # as where the anchors without a loss are left out: their gradient is 0
            (g,) = torch.autograd.grad(log_S[~alone].sum(), x)
            assert g.isfinite().all() and (g[alone] == 0).all()
            gradients.append(g)
        torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-10, atol=1e-12 / tau)


@pytest.mark.parametrize("beta", [1e-310, 1e-42, 1e-8, 0.2, 0.25, 0.5, 0.7, 1.0, 3.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_two_scales_at_once_equal_one_at_a_time_however_far_apart(beta, dtype):
    z, _ = batch(2)
    b = Batch(z.to(dtype), LABELS, 0.5)
    together = b.log_sums("oth", beta, 1 + beta)
    alone = torch.cat([b.log_sums("oth", scale) for scale in (beta, 1 + beta)])
    torch.testing.assert_close(
        together, alone, rtol=0, atol=2e-6 if dtype == torch.float32 else 1e-14
    )
