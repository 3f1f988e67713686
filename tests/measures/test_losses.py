"""`global_losses` and `anchor_losses` against triple loops, the theory, and each other."""

import math

import numpy as np
import pytest
import torch

from supcon_theory.measures.losses import anchor_losses, global_losses
from supcon_theory.pairs import tiles
from supcon_theory.theory import gap as theory
from supcon_theory.theory.ceiling import etf_ceiling

FIELDS = ("dcl", "nscl", "gap", "log_S", "log_D")


def embeddings(N, K, d, seed=0, dtype=torch.float64):
    z = torch.randn(N, K, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return torch.nn.functional.normalize(z, dim=-1).to(dtype)


def shuffled(counts, seed=0, names=None):
    y = torch.repeat_interleave(torch.tensor(names or range(len(counts))), torch.tensor(counts))
    return y[torch.randperm(len(y), generator=torch.Generator().manual_seed(seed))]


def loops(z, y, tau, pairs):
    """Every anchor's values, straight from the definition."""
    N, K, _ = z.shape
    rows, labels = z.tolist(), y.tolist()

    def cosine(a, b):
        return math.fsum(p * q for p, q in zip(a, b, strict=False))

    out = {name: np.zeros((N, K)) for name in FIELDS}
    for i in range(N):
        for l in range(K):
            S = D = 0.0
            for j in range(N):
                for m in range(K):
                    e = math.exp(cosine(rows[i][l], rows[j][m]) / tau)
                    S += e if j != i and labels[j] == labels[i] else 0.0
                    D += e if labels[j] != labels[i] else 0.0
            partners = [m for m in range(K) if pairs == "all" or m != l]
            pull = sum(cosine(rows[i][l], rows[i][m]) / tau for m in partners) / len(partners)
            out["dcl"][i, l] = -pull + math.log(S + D)
            out["nscl"][i, l] = -pull + math.log(D)
            out["gap"][i, l] = math.log((S + D) / D)
            out["log_S"][i, l] = math.log(S) if S else -math.inf
            out["log_D"][i, l] = math.log(D)
    return out


INSTANCES = [  # counts, names of the classes, K, d
    ([4, 4, 4], None, 2, 3),
    ([2, 2], None, 1, 2),
    ([9, 1, 3], [7, -2, 4], 2, 5),
    ([1, 1, 1, 1, 1], None, 3, 2),
    ([1, 12], None, 3, 4),
    ([2, 5, 3, 1, 6], [3, 30, 5, 2, 1], 2, 8),
]


@pytest.mark.parametrize("tile", [1, 4, 7, 384])
@pytest.mark.parametrize("counts, names, K, d", INSTANCES)
def test_global_losses_equal_a_triple_loop(counts, names, K, d, tile, monkeypatch):
    monkeypatch.setitem(tiles.TILE, "cpu", tile)
    z, y = embeddings(sum(counts), K, d, seed=K), shuffled(counts, names=names)
    for pairs in ("all", "distinct") if K > 1 else ("all",):
        found = global_losses(z, y, [1.0, 0.25, 0.1], pairs=pairs)
        for tau in (1.0, 0.25, 0.1):
            expected = loops(z, y, tau, pairs)
            for name in FIELDS:
                value = getattr(found[tau], name)
                assert value.dtype == np.float64 and value.shape == (sum(counts), K)
                np.testing.assert_allclose(value, expected[name], rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("counts, names, K, d", INSTANCES)
@pytest.mark.parametrize("tau", [1.0, 0.07, 0.005])
def test_the_dense_path_equals_a_triple_loop(counts, names, K, d, tau):
    z, y = embeddings(sum(counts), K, d, seed=d), shuffled(counts, names=names)
    anchors = torch.cartesian_prod(torch.arange(sum(counts)), torch.arange(K)).flip(0)
    for pairs in ("all", "distinct") if K > 1 else ("all",):
        found, expected = anchor_losses(z, y, anchors, tau, pairs=pairs), loops(z, y, tau, pairs)
        for name in FIELDS:
            oracle = expected[name][tuple(anchors.T)]
            np.testing.assert_allclose(getattr(found, name), oracle, rtol=1e-12, atol=2e-13)


def test_the_softmax_distance_equals_a_loop_and_two_minus_two_exp_minus_gap():
    z, y, tau = embeddings(9, 2, 3), shuffled([4, 3, 2]), 0.3
    found = anchor_losses(z, y, [[5, 1], [0, 0]], tau)
    for (i, l), distance in zip([(5, 1), (0, 0)], found.l1, strict=False):
        e = {
            (j, m): math.exp(float(z[i, l] @ z[j, m]) / tau)
            for j in range(9)
            for m in range(2)
            if j != i
        }
        D = sum(v for (j, _), v in e.items() if y[j] != y[i])
        total = sum(
            abs(v / sum(e.values()) - (v / D if y[j] != y[i] else 0.0)) for (j, _), v in e.items()
        )
        assert distance == pytest.approx(total, abs=1e-13)
    np.testing.assert_allclose(found.l1, -2 * np.expm1(-found.gap), atol=1e-13)


@pytest.mark.parametrize("tau", [2.0, 1.0, 0.1, 0.0125, 0.005])
def test_the_identity_of_the_gap_holds_between_the_two_paths(tau):
    z, y = embeddings(60, 2, 8), shuffled([30, 20, 10])
    anchors = np.stack([np.arange(60), np.arange(60) % 2], axis=1)
    dense, tiled = anchor_losses(z, y, anchors, tau), global_losses(z, y, [tau])[tau]
    places = tuple(anchors.T)
    np.testing.assert_allclose(dense.gap, tiled.gap[places], atol=1e-10, rtol=0)
    np.testing.assert_allclose(
        dense.gap, np.log1p(np.exp(dense.log_S - dense.log_D)), atol=1e-10, rtol=0
    )
    np.testing.assert_allclose(tiled.dcl - tiled.nscl, tiled.gap, atol=1e-10, rtol=0)


@pytest.mark.parametrize("inverse_tau, tolerance", [(1, 1e-6), (79.9, 5e-5), (80.1, 1e-11)])
@pytest.mark.parametrize("shape", ["random", "collapsed", "antipodal"])
def test_float32_rows_are_exact_enough_on_both_sides_of_the_change_to_float64(
    inverse_tau, tolerance, shape
):
    z, y = embeddings(450, 2, 6, dtype=torch.float32), shuffled([225, 225])
    if shape != "random":
        z = z[:1, :1].expand(450, 2, 6).clone()
    if shape == "antipodal":
        z[y == 1] *= -1
    tau = 1 / inverse_tau
    single, double = (global_losses(x, y, [tau])[tau] for x in (z, z.double()))
    for name in FIELDS:
        a, b = getattr(single, name), getattr(double, name)
        assert np.isfinite(a).all()
        np.testing.assert_allclose(a, b, atol=tolerance, rtol=0)
    if shape == "random":
        in_float32 = np.abs(single.dcl - double.dcl).max() > 1e-9
        assert in_float32 == (inverse_tau <= 80)


def test_reduced_precision_products_allowed_elsewhere_do_not_reach_the_losses():
    z, y = embeddings(300, 2, 64, dtype=torch.float32), shuffled([100, 200])
    exact = global_losses(z.double(), y, [0.1])[0.1]
    before = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("medium")
        found = global_losses(z, y, [0.1])[0.1]
    finally:
        torch.set_float32_matmul_precision(before)
    np.testing.assert_allclose(found.dcl, exact.dcl, atol=1e-11)


@pytest.mark.parametrize("dtype, tolerance", [(torch.float64, 1e-12), (torch.float32, 3e-5)])
def test_many_temperatures_in_one_pass_equal_one_at_a_time(dtype, tolerance):
    z, y = embeddings(210, 2, 5, dtype=dtype), shuffled([70, 100, 40])
    taus = [0.3, 1.2, 0.6, 0.2, 0.1, 0.05, 0.01, 0.7, 1.2]
    together = global_losses(z, y, taus)
    assert list(together) == [0.3, 1.2, 0.6, 0.2, 0.1, 0.05, 0.01, 0.7]
    for tau in taus:
        alone = global_losses(z, y, [tau])[tau]
        for name in FIELDS:
            a, b = getattr(together[tau], name), getattr(alone, name)
            np.testing.assert_allclose(a, b, atol=tolerance, rtol=0)


def test_only_integer_multiples_of_a_scale_are_taken_as_powers():
    scales = tuple(1 / tau for tau in (1.2, 0.6, 0.3, 0.1, 0.07, 0.0699999))
    assert tiles.powers(scales) == [(0, 0), (0, 2), (1, 2), (2, 3), (0, 0), (0, 0)]
    x = torch.tensor([0.0, 0.5, 3.0], dtype=torch.float64)
    for m in range(2, 12):
        out = torch.empty(3, dtype=torch.float64)
        tiles.integer_power(x, m, out=out)
        np.testing.assert_allclose(out, x**m, rtol=1e-14)


@pytest.mark.parametrize("tau", [1.0, 0.1, 0.005])
def test_equal_similarities_give_the_value_of_counting_alone(tau):
    counts = [7, 2, 11]
    z = embeddings(1, 1, 4).expand(20, 3, 4)
    found = global_losses(z, shuffled(counts), [tau])[tau]
    assert found.mean_gap == pytest.approx(theory.equal_similarity_gap(counts), abs=1e-12)


@pytest.mark.parametrize("C, n, tau", [(2, 3, 1.0), (5, 4, 0.5), (10, 2, 0.1), (4, 6, 0.005)])
def test_classes_collapsed_onto_a_simplex_reach_the_ceiling_and_the_centred_bound(C, n, tau):
    corners = torch.eye(C, dtype=torch.float64) - 1 / C
    z = torch.nn.functional.normalize(corners, dim=1).repeat_interleave(n, 0)[:, None]
    z = z.expand(C * n, 2, C)
    found = global_losses(z, torch.arange(C).repeat_interleave(n), [tau])[tau]
    ceiling = etf_ceiling(C, n, tau)
    np.testing.assert_allclose(found.gap, ceiling, rtol=1e-12)
    np.testing.assert_allclose(theory.centred_bound(0.0, C, n, tau), ceiling, rtol=1e-12)
    floor = math.log(2 * n * (C - 1)) - C / ((C - 1) * tau)  # min NSCL = log(K n (C-1)) - ...
    assert found.mean_nscl == pytest.approx(floor, abs=1e-10)


@pytest.mark.parametrize("seed", range(12))
def test_every_bound_holds_for_every_anchor(seed):
    draw = np.random.default_rng(seed)
    C, n, tau = int(draw.integers(2, 7)), int(draw.integers(1, 6)), float(draw.uniform(0.05, 2))
    K, d = int(draw.integers(1, 4)), int(draw.integers(2, 9))
    z = embeddings(C * n, K, d, seed)
    z = torch.nn.functional.normalize(z + float(draw.uniform(0, 2)) * z[:1, :1], dim=-1)
    found = global_losses(z, shuffled([n] * C, seed), [tau])[tau]
    alignment = torch.einsum("nkd,d->nk", z, z.mean((0, 1))).numpy()
    assert (found.gap <= theory.balanced_anchor_bound(alignment, C, n, tau) + 1e-12).all()
    assert (found.gap >= theory.anchor_lower_bound(n, C * n, tau) - 1e-12).all()
    assert found.mean_gap <= etf_ceiling(C, n, tau) + 1e-12
    assert found.mean_gap <= theory.published_bound(C, tau) + 1e-12


@pytest.mark.parametrize("tau", [1.0, 0.2])
def test_an_anchor_attains_its_upper_and_another_its_lower_bound(tau):
    y = torch.tensor([0] * 5 + [1] * 3 + [2] * 2)
    z = torch.zeros(10, 2, 3, dtype=torch.float64)
    z[..., 0] = torch.where(y == 0, 1.0, -1.0)[:, None]
    gap = global_losses(z, y, [tau])[tau].gap
    np.testing.assert_allclose(gap[0], theory.anchor_upper_bound(5, 10, tau), rtol=1e-12)
    z[1:5, :, 0] = -1
    z[5:, :, 0] = 1
    gap = global_losses(z, y, [tau])[tau].gap
    np.testing.assert_allclose(gap[0], theory.anchor_lower_bound(5, 10, tau), rtol=1e-12)


def test_the_two_pair_conventions_differ_by_the_share_of_the_constant_pairs():
    z, y, tau, K = embeddings(12, 3, 4), shuffled([6, 6]), 0.4, 3
    every, distinct = (global_losses(z, y, [tau], pairs=p)[tau] for p in ("all", "distinct"))
    gram = torch.einsum("nkd,nld->nkl", z, z)
    cosine = (gram.sum() - 12 * K) / (12 * K * (K - 1))
    shift = (1 - float(cosine)) / (K * tau)
    assert every.mean_dcl == pytest.approx(distinct.mean_dcl - shift, abs=1e-12)
    assert every.mean_nscl == pytest.approx(distinct.mean_nscl - shift, abs=1e-12)
    np.testing.assert_array_equal(every.gap, distinct.gap)


def test_values_follow_their_sample_when_the_samples_are_reordered():
    z, y = embeddings(50, 2, 4), shuffled([20, 25, 5])
    order = torch.randperm(50, generator=torch.Generator().manual_seed(3))
    a, b = global_losses(z, y, [0.5])[0.5], global_losses(z[order], y[order], [0.5])[0.5]
    np.testing.assert_allclose(a.dcl[order], b.dcl, rtol=1e-12)


def test_half_precision_is_read_as_float32_and_gradients_are_not_recorded():
    z = torch.zeros(4, 1, 2, dtype=torch.bfloat16)
    z[:, 0, 0] = 1
    z.requires_grad_()
    found = global_losses(z, torch.tensor([0, 0, 1, 1]), [1.0])[1.0]
    np.testing.assert_allclose(found.gap, math.log(1.5), rtol=1e-6)


def test_products_are_tiles_of_the_upper_triangle_once_per_precision(monkeypatch):
    shapes = []

    def recorded(*args, out, addmm=torch.addmm, **kwargs):
        shapes.append(tuple(out.shape))
        return addmm(*args, out=out, **kwargs)

    monkeypatch.setattr(torch, "addmm", recorded)
    z, y = embeddings(1500, 2, 4, dtype=torch.float32), shuffled([1000, 500])
    global_losses(z, y, [1.0, 0.5, 0.3])
    across = -(-3000 // tiles.TILE["cpu"])
    assert len(shapes) == across * (across + 1) // 2
    assert max(max(shape) for shape in shapes) <= tiles.TILE["cpu"]
    shapes.clear()
    global_losses(z, y, [1.0, 0.01])
    assert len(shapes) == across * (across + 1)


def test_arrays_and_labels_of_every_kind_are_taken():
    z, y = embeddings(8, 2, 3, dtype=torch.float32), shuffled([3, 3, 2])
    wanted = global_losses(z, y, 0.5)[0.5]
    names = np.array(["ant", "bee", "cat"])[y]
    for labels in (names, names.tolist(), y.numpy().astype(np.uint16), y * 10**12, y.float()):
        found = global_losses(z.numpy().astype(">f4"), labels, [0.5])[0.5]
        np.testing.assert_array_equal(found.gap, wanted.gap)
        dense = anchor_losses(z, labels, [[3, 1]], 0.5)
        np.testing.assert_allclose(dense.gap, wanted.gap[3, 1], rtol=1e-5)


GOOD = embeddings(6, 2, 3)
LABELS = torch.tensor([0, 0, 1, 1, 2, 2])


def spoiled(value):
    z = GOOD.clone()
    z[2, 1] *= value
    return z


@pytest.mark.parametrize(
    "z, y, taus, pairs, error, words",
    [
        (GOOD, LABELS * 0, [1.0], "all", ValueError, "no negatives"),
        (GOOD[:0], LABELS[:0], [1.0], "all", ValueError, "none of them 0"),
        (GOOD[:, :0], LABELS, [1.0], "all", ValueError, "none of them 0"),
        (GOOD, LABELS.to(torch.complex128), [1.0], "all", TypeError, "integers or strings"),
        (GOOD[:, 0], LABELS, [1.0], "all", ValueError, "shape"),
        (GOOD.tolist(), LABELS, [1.0], "all", TypeError, "list"),
        (LABELS[:, None, None], LABELS, [1.0], "all", ValueError, "zeros"),
        (GOOD, LABELS[:5], [1.0], "all", ValueError, r"it must be \(6,\)"),
        (GOOD, LABELS + 0.5, [1.0], "all", ValueError, "0.5 in row 0"),
        (GOOD, None, [1.0], "all", ValueError, "y is None"),
        (spoiled(float("nan")), LABELS, [1.0], "all", ValueError, r"NaN.*\[2, 1\]"),
        (spoiled(float("inf")), LABELS, [1.0], "all", ValueError, "infinite"),
        (spoiled(1.002), LABELS, [1.0], "all", ValueError, r"norm 1\.002"),
        (spoiled(0.0), LABELS, [1.0], "all", ValueError, r"zeros, row \[2, 1\]"),
        (GOOD, LABELS, [1.0, 0.0], "all", ValueError, r"tau is 0\.0"),
        (GOOD, LABELS, [-1.0], "all", ValueError, r"tau is -1\.0"),
        (GOOD, LABELS, [float("nan")], "all", ValueError, "tau is nan"),
        (GOOD, LABELS, [0.001], "all", ValueError, r"tau is 0\.001; it must lie in \[0\.0015"),
        (GOOD, LABELS, [], "all", ValueError, "no temperature"),
        (GOOD, LABELS, [1.0], "some", ValueError, "pairs is 'some'"),
        (GOOD[:, :1], LABELS, [1.0], "distinct", ValueError, "K = 1"),
    ],
)
def test_bad_input_gets_one_sentence(z, y, taus, pairs, error, words):
    with pytest.raises(error, match=words) as caught:
        global_losses(z, y, taus, pairs=pairs)
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")
    if taus:
        with pytest.raises(error, match=words):
            anchor_losses(z, y, [[0, 0]], taus[-1], pairs=pairs)


@pytest.mark.parametrize(
    "anchors", [[[6, 0]], [[0, 2]], [[-1, 0]], [[0]], [0, 0], [[0.0, 1.0]], []]
)
def test_anchors_that_do_not_exist_get_one_sentence(anchors):
    with pytest.raises(ValueError, match="pass"):
        anchor_losses(GOOD, LABELS, anchors, 1.0)
