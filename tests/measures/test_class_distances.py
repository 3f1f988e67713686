"""CDNV and its relatives against loops, exact cases, and the laws every convention obeys."""

import math

import numpy as np
import pytest
import torch

from supcon_theory.measures import (
    cdnv,
    centre_distances,
    class_moments,
    directional_cdnv,
    etf_deviation,
    nc1,
)


def draw(counts, d, views=1, offset=0.0, dtype=torch.float64, seed=0):
    g = torch.Generator().manual_seed(seed)
    y = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
    y = y[torch.randperm(len(y), generator=g)]
    centres = 2 * torch.randn(len(counts), d, generator=g, dtype=torch.float64)
    scales = torch.rand(len(counts), d, generator=g, dtype=torch.float64) + 0.2
    noise = torch.randn(len(y), views, d, generator=g, dtype=torch.float64)
    x = centres[y][:, None] + scales[y][:, None] * noise + offset
    return (x if views > 1 else x[:, 0]).to(dtype), y


def loops(x, y):
    """Single-class and directional CDNV and the debiased distance, one ordered pair at a time."""
    x, y = x.double().numpy(), y.numpy()
    x = x[:, None] if x.ndim == 2 else x
    c = y.max() + 1
    single, directional, debiased = np.full((3, c, c), np.nan)
    for i in range(c):
        for j in range(c):
            if i == j:
                continue
            a, b = x[y == i].reshape(-1, x.shape[-1]), x[y == j].reshape(-1, x.shape[-1])
            delta = b.mean(0) - a.mean(0)
            square = (delta**2).sum()
            single[i, j] = ((a - a.mean(0)) ** 2).sum(1).mean() / square
            u = delta / math.sqrt(square)
            directional[i, j] = np.var(a @ u) / square
            noise = [
                s.var(0, ddof=1).sum() / len(s) for s in (x[y == i].mean(1), x[y == j].mean(1))
            ]
            debiased[i, j] = square - sum(noise)
    return single, directional, debiased


def off_diagonal(pairs):
    return pairs[~np.eye(len(pairs), dtype=bool)]


INSTANCES = [
    dict(counts=(6, 6), d=3),
    dict(counts=(8, 3, 12, 5), d=2),
    dict(counts=(3,) * 15, d=4),
    dict(counts=(6, 4, 5), d=20, views=2),
    dict(counts=(6, 4, 5), d=5, offset=1e4, dtype=torch.float32),
]


@pytest.fixture(params=INSTANCES, ids=str)
def instance(request):
    return draw(**request.param)


def test_every_convention_is_what_loops_say(instance):
    single, directional, _debiased = loops(*instance)
    expected = {"single": single, "half": (single + single.T) / 2, "unhalved": single + single.T}
    for convention, pairs in expected.items():
        measured = cdnv(*instance, convention=convention)
        np.testing.assert_allclose(measured.pairs, pairs, rtol=1e-6)
        assert measured.mean == pytest.approx(off_diagonal(pairs).mean(), rel=1e-6)
        assert measured.reason == ""
    measured = directional_cdnv(*instance)
    np.testing.assert_allclose(measured.pairs, directional, rtol=1e-5)
    assert measured.mean == pytest.approx(off_diagonal(directional).mean(), rel=1e-6)


def test_the_debiased_distance_subtracts_the_noise_of_both_means(instance):
    x, y = instance
    single, directional, debiased = loops(x, y)
    measured = centre_distances(x, y, debiased=True)
    defined = debiased > 0
    assert (measured.pairs.isfinite().numpy() == defined).all()
    np.testing.assert_allclose(measured.pairs[defined], debiased[defined], rtol=1e-5)
    plain = centre_distances(x, y).pairs.numpy()
    ratio = cdnv(x, y, debiased=True, convention="single").pairs.numpy()
    np.testing.assert_allclose(ratio[defined], (single * plain / debiased)[defined], rtol=1e-5)
    ratio = directional_cdnv(x, y, debiased=True).pairs.numpy()
    np.testing.assert_allclose(ratio[defined], (directional * plain / debiased)[defined], rtol=1e-5)


@pytest.mark.parametrize("views", [1, 3])
def test_only_the_debiased_distance_is_right_on_average(views):
    """600 draws of two 6-sample classes with known centres, views of a sample correlated."""
    g = torch.Generator().manual_seed(1)
    draws, n, d, truth = 600, 6, 5, 36.0
    sample = torch.randn(draws, 2, n, 1, d, generator=g, dtype=torch.float64)
    x = sample + 0.5 * torch.randn(draws, 2, n, views, d, generator=g, dtype=torch.float64)
    x[:, 1, ..., 0] += truth**0.5
    y = torch.arange(2).repeat_interleave(n)
    both = np.array(
        [
            [centre_distances(m, debiased=b).pairs[0, 1].item() for b in (False, True)]
            for m in (class_moments(one.flatten(0, 1), y) for one in x)
        ]
    )
    plain, debiased = both.mean(0) - truth
    four_errors = 4 * both.std(0) / draws**0.5
    bias = 2 * d * (1 + 0.25 / views) / n  # 2 s^2 / n, s^2 the variance of one sample's view mean
    assert abs(debiased) < four_errors[1] < bias
    assert abs(plain - bias) < four_errors[0]


def test_the_directional_one_never_exceeds_the_single_class_one(instance):
    single = cdnv(*instance, convention="single").pairs.numpy()
    directional = directional_cdnv(*instance).pairs.numpy()
    assert (off_diagonal(directional) <= off_diagonal(single) * (1 + 1e-9)).all()


def test_in_isotropic_classes_the_directional_one_is_a_dth_of_the_whole():
    d = 7
    cross = torch.cat([torch.eye(d), -torch.eye(d)]).double()
    centres = torch.randn(5, d, dtype=torch.float64)
    x = (centres[:, None] + cross).flatten(0, 1)
    y = torch.arange(5).repeat_interleave(2 * d)
    single = cdnv(x, y, convention="single").pairs
    np.testing.assert_allclose(directional_cdnv(x, y).pairs, single / d, rtol=1e-9)


def test_a_variance_only_across_the_line_of_the_means_has_no_direction():
    x = torch.tensor([[0.0, 3], [0, -3], [4, 1], [4, -1]], dtype=torch.float64)
    y = torch.tensor([0, 0, 1, 1])
    assert directional_cdnv(x, y).mean == 0
    assert cdnv(x, y, convention="single").pairs[0, 1] == 9 / 16
    assert cdnv(x, y, convention="single").pairs[1, 0] == 1 / 16
    assert cdnv(x, y).mean == 5 / 16


@pytest.mark.parametrize("C, n, views", [(2, 2, 1), (3, 4, 1), (5, 3, 2), (10, 4, 2)])
def test_at_the_instance_simplex_cdnv_is_half_of_n_minus_one_for_any_labels(C, n, views):
    """N samples at the vertices of an N-point simplex, any balanced labels (population moments)."""
    simplex = torch.eye(C * n, dtype=torch.float64) - 1 / (C * n)
    simplex = simplex / simplex.norm(dim=1, keepdim=True)
    y = torch.arange(C).repeat(n)[torch.randperm(C * n)]
    m = class_moments(simplex[:, None].expand(-1, views, -1), y)
    assert cdnv(m).mean == pytest.approx((n - 1) / 2, rel=1e-9)
    assert cdnv(m, convention="unhalved").mean == pytest.approx(n - 1, rel=1e-9)
    assert directional_cdnv(m).mean == pytest.approx(0, abs=1e-14)
    assert etf_deviation(m).value == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("measure", [cdnv, directional_cdnv])
def test_neither_moving_turning_scaling_nor_repeating_the_data_changes_it(instance, measure):
    x, y = instance
    x = x.double()
    turn = torch.linalg.qr(torch.randn(x.shape[-1], x.shape[-1], dtype=torch.float64))[0]
    before = measure(x, y).pairs
    for after in (
        measure(7.0 * x @ turn + 100.0, y),
        measure(torch.cat([x, x]), torch.cat([y, y])),
        measure(x.flip(0), y.flip(0)),
    ):
        np.testing.assert_allclose(after.pairs, before, rtol=1e-6)
    swapped = measure(x, y.max() - y).pairs
    np.testing.assert_allclose(swapped.flip(0, 1), before, rtol=1e-6)


def test_an_offset_of_ten_thousand_in_float32_leaves_cdnv_right():
    x, y = draw((50,) * 4, 32, offset=1e4, dtype=torch.float32)
    single, directional, _ = loops(x, y)
    assert cdnv(x, y).mean == pytest.approx(off_diagonal(single).mean(), rel=1e-7)
    assert directional_cdnv(x, y).mean == pytest.approx(off_diagonal(directional).mean(), rel=1e-6)
    mean = torch.stack([x[y == c].mean(0) for c in range(4)])
    squares = torch.stack([x[y == c].square().sum(1).mean() for c in range(4)])
    one_pass = (squares - mean.square().sum(1))[:, None] / torch.cdist(mean, mean).square()
    assert abs(off_diagonal(one_pass.numpy()).mean() / off_diagonal(single).mean() - 1) > 0.1


def test_close_classes_far_from_the_rest_are_as_exact_as_any_in_float32():
    """Two classes 1e-4 apart, a million times nearer than the third: no product may cancel."""
    g = torch.Generator().manual_seed(0)
    x = 1e-4 * torch.randn(30, 6, generator=g)
    x[10:20, 0] += 1e-4
    x[20:] += 100.0
    y = torch.arange(3).repeat_interleave(10)
    single, directional, _ = loops(x, y)
    np.testing.assert_allclose(cdnv(x, y, convention="single").pairs, single, rtol=1e-9)
    np.testing.assert_allclose(directional_cdnv(x, y).pairs, directional, rtol=1e-5)


@pytest.mark.parametrize("unit", [1e-25, 1e25])
def test_huge_and_tiny_float32_features_neither_overflow_nor_vanish(unit):
    x, y = draw((6, 8, 7), 5, dtype=torch.float32)
    for measure in (cdnv, directional_cdnv):
        assert measure(unit * x, y).mean == pytest.approx(measure(x, y).mean, rel=1e-5)
    assert nc1(unit * x, y).value == pytest.approx(nc1(x, y).value, rel=1e-5)


def test_a_missing_class_is_no_class_at_the_origin():
    x, y = draw((6, 7, 8), 4)
    present = cdnv(x, y)
    gapped = torch.tensor([0, 1, 3])[y]
    for measure in (cdnv, directional_cdnv):
        assert measure(x, gapped).mean == measure(x, y).mean
        asked = measure(x, gapped, classes=4)
        assert math.isnan(asked.mean) and "no sample of class 2" in asked.reason
        assert asked.pairs[2].isnan().all() and asked.pairs[:, 2].isnan().all()
        assert asked.defined_mean == pytest.approx(measure(x, y).mean, rel=1e-12)
    assert present.reason == ""


def test_a_class_of_one_sample_is_undefined_not_zero():
    x, y = draw((6, 1, 8), 4)
    for measure in (cdnv, directional_cdnv):
        measured = measure(x, y)
        assert math.isnan(measured.mean) and measured.pairs[1].isnan().all()
        assert "one sample" in measured.reason and "class 1" in measured.reason
    # Its mean is a fine place to measure other classes against.
    assert cdnv(x, y, convention="single").pairs[0, 1] > 0


def test_coinciding_means_are_undefined_not_zero_or_infinite():
    x, _ = draw((8, 8, 8), 4)
    x[8:16] = x[:8].flip(0)
    y = torch.arange(3).repeat_interleave(8)
    for measure in (cdnv, directional_cdnv, centre_distances):
        measured = measure(x, y)
        assert math.isnan(measured.mean) and measured.pairs[0, 1].isnan()
        assert "classes 0 and 1 coincide" in measured.reason
        assert measured.pairs[0, 2] > 0 and measured.defined_mean > 0


def test_a_distance_made_of_noise_has_no_debiased_value():
    x = torch.randn(60, 200, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    measured = cdnv(x, torch.arange(60) % 6, debiased=True)
    assert math.isnan(measured.mean) and "not positive" in measured.reason
    assert cdnv(x, torch.arange(60) % 6).mean > 0


def test_an_unknown_convention_is_refused():
    x, y = draw((4, 4), 3)
    with pytest.raises(ValueError, match="'half', 'single', 'unhalved'"):
        cdnv(x, y, convention="double")
    with pytest.raises(TypeError, match="labels are missing"):
        cdnv(x)
