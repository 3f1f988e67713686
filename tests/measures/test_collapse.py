"""Neural collapse: exact simplices, NumPy loops, imbalance, and what is undefined."""

import itertools
import math

import numpy as np
import pytest
import torch

from supcon_theory.measures import (
    augmentation_variance,
    class_gram,
    class_moments,
    equiangularity,
    equinorm,
    etf_deviation,
    etf_gram,
    max_angle,
    means_geometry,
    nc1,
    self_duality,
    within_class_variance,
)

TO_SIMPLEX = (
    equinorm,
    equiangularity,
    max_angle,
    etf_deviation,
    lambda m: etf_deviation(m, convention="gram"),
)


def simplex(C, d, seed=0):
    """C unit vectors at equal angles, turned at random in d >= C - 1 dimensions."""
    eigenvalues, vectors = torch.linalg.eigh(etf_gram(C))
    vertices = (vectors * eigenvalues.clamp_min(0).sqrt())[:, 1:]
    g = torch.Generator().manual_seed(seed)
    turn = torch.linalg.qr(torch.randn(d, C - 1, generator=g, dtype=torch.float64))[0]
    return vertices @ turn.T


def draw(counts, d, views=1, seed=0):
    g = torch.Generator().manual_seed(seed)
    y = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
    y = y[torch.randperm(len(y), generator=g)]
    x = torch.randn(len(counts), d, generator=g, dtype=torch.float64)[y][:, None]
    x = x + torch.randn(len(y), 1, d, generator=g, dtype=torch.float64)
    x = x + 0.3 * torch.randn(len(y), views, d, generator=g, dtype=torch.float64)
    return (x if views > 1 else x[:, 0]), y


INSTANCES = [
    dict(counts=(6, 6, 6), d=4),
    dict(counts=(8, 3, 12, 5), d=9),
    dict(counts=(4,) * 12, d=3),
    dict(counts=(5, 4, 6, 3), d=5, views=3),
]


@pytest.fixture(params=INSTANCES, ids=str)
def instance(request):
    return draw(**request.param)


def numpy_moments(x, y):
    x = x.numpy() if x.ndim == 3 else x.numpy()[:, None]
    groups = [x[y.numpy() == c] for c in range(int(y.max()) + 1)]
    rows = [g.reshape(-1, x.shape[-1]) for g in groups]
    return groups, rows, np.array([r.mean(0) for r in rows])


def test_variances_are_what_loops_say(instance):
    x, y = instance
    groups, rows, _ = numpy_moments(x, y)
    expected = np.mean([((r - r.mean(0)) ** 2).sum(1).mean() for r in rows])
    assert within_class_variance(x, y).value == pytest.approx(expected, rel=1e-9)
    samples = [s for g in groups for s in g]
    if x.ndim == 3:
        expected = np.mean([((s - s.mean(0)) ** 2).sum(1).mean() for s in samples])
        assert augmentation_variance(x, y).value == pytest.approx(expected, rel=1e-9)
    else:
        measured = augmentation_variance(x, y)
        assert math.isnan(measured.value) and "one view" in measured.reason


def test_nc1_is_the_trace_with_the_pseudo_inverse(instance):
    x, y = instance
    _, rows, means = numpy_moments(x, y)
    centred = means - means.mean(0)
    within = np.mean([np.cov(r.T, bias=True) for r in rows], axis=0)
    between = centred.T @ centred / len(rows)
    expected = np.trace(within @ np.linalg.pinv(between, rcond=1e-10)) / len(rows)
    assert nc1(x, y).value == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("grand_mean", ["classes", "samples"])
def test_the_measures_of_the_simplex_are_what_loops_say(instance, grand_mean):
    x, y = instance
    _, rows, means = numpy_moments(x, y)
    C = len(rows)
    grand = means.mean(0) if grand_mean == "classes" else np.concatenate(rows).mean(0)
    centred = [m - grand for m in means]
    norms = [math.sqrt(m @ m) for m in centred]
    cosines = [
        centred[i] @ centred[j] / norms[i] / norms[j]
        for i, j in itertools.combinations(range(C), 2)
    ]
    m = class_moments(x, y)
    expected = {
        equinorm: np.std(norms) / np.mean(norms),
        equiangularity: np.std(cosines),
        max_angle: np.mean([abs(c + 1 / (C - 1)) for c in cosines]),
    }
    for measure, value in expected.items():
        assert measure(m, grand_mean=grand_mean).value == pytest.approx(value, rel=1e-9)
    squares = sum(2 * (c + 1 / (C - 1)) ** 2 for c in cosines)
    ideal = C + C * (C - 1) / (C - 1) ** 2
    assert etf_deviation(m, grand_mean=grand_mean).value == pytest.approx(
        math.sqrt(squares / ideal), rel=1e-9
    )
    gram = np.array([[a @ b for b in centred] for a in centred])
    scaled = (np.eye(C) - 1 / C) / math.sqrt(C - 1)
    expected = np.sqrt(((gram / np.sqrt((gram**2).sum()) - scaled) ** 2).sum())
    measured = etf_deviation(m, convention="gram", grand_mean=grand_mean).value
    assert measured == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("C, d", [(2, 1), (3, 2), (4, 10), (10, 9), (10, 40)])
def test_collapsed_classes_at_a_simplex_have_every_measure_zero(C, d):
    x = (5 + 2 * simplex(C, d)).repeat(3, 1)
    y = torch.arange(C).repeat(3)
    m = class_moments(x[:, None].expand(-1, 2, -1), y)
    for measure in (*TO_SIMPLEX, nc1, within_class_variance, augmentation_variance):
        assert measure(m).value == pytest.approx(0, abs=1e-7)
    np.testing.assert_allclose(class_gram(m), etf_gram(C), atol=1e-9)


def test_the_geometry_of_means_is_loops():
    means = torch.randn(4, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    cosines = [
        float(a @ b / (a.norm() * b.norm())) for a, b in itertools.permutations(means, 2)
    ]  # fmt: skip
    found = means_geometry(means.repeat(2, 1), torch.arange(4).repeat(2))
    expected = (
        means.mean(0).norm().item(),
        np.mean([abs(m.norm().item() - 1) for m in means]),
        np.mean(cosines),
        max(cosines) - min(cosines),
        np.mean([abs(cosine + 1 / 3) for cosine in cosines]),
    )
    assert found == pytest.approx(expected, rel=1e-12)
    perfect = simplex(4, 3)  # its rows have one norm, not 1
    found = means_geometry((perfect / perfect[0].norm()).repeat(2, 1), torch.arange(4).repeat(2))
    assert found == pytest.approx((0, 0, -1 / 3, 0, 0), abs=1e-12)


def test_unequal_norms_are_seen_by_the_gram_convention_only():
    vertices = simplex(4, 6)
    means = vertices * torch.tensor([[1.0], [2.0], [1.0], [1.0]])
    means = means - means.mean(0)
    m = class_moments(means.repeat(2, 1), torch.arange(4).repeat(2))
    assert equinorm(m).value > 0.1
    assert etf_deviation(m, convention="gram").value > 0.1
    # Means of equal norms at wrong angles: the cosine convention sees those.
    means = torch.tensor([[1.0, 0], [-1, 0], [0, 1], [0, -1]]).double()
    m = class_moments(means.repeat(2, 1), torch.arange(4).repeat(2))
    assert equinorm(m).value == pytest.approx(0, abs=1e-12)
    assert max_angle(m).value == pytest.approx((4 * (1 / 3) + 2 * (2 / 3)) / 6)
    assert etf_deviation(m).value == pytest.approx(math.sqrt((8 / 9 + 4 * 4 / 9) / (4 + 4 / 3)))


@pytest.mark.parametrize("shift", [-50.0, 1e4])
def test_moving_turning_and_scaling_change_no_ratio(instance, shift):
    x, y = instance
    turn = torch.linalg.qr(torch.randn(x.shape[-1], x.shape[-1], dtype=torch.float64))[0]
    for measure in (*TO_SIMPLEX, nc1):
        before, after = (
            measure(class_moments(x, y)),
            measure(class_moments(3 * x @ turn + shift, y)),
        )
        assert after.value == pytest.approx(before.value, rel=1e-6)


def test_an_offset_of_ten_thousand_in_float32_costs_nothing_but_the_features_digits():
    x, y = draw((20,) * 5, 16)
    x = (x + 1e4).float()
    for measure in (*TO_SIMPLEX, nc1, within_class_variance):
        exact = measure(class_moments(x.double(), y)).value
        assert measure(class_moments(x, y)).value == pytest.approx(exact, rel=1e-6)


def test_under_imbalance_the_simplex_deviation_depends_on_the_grand_mean():
    """The NSCL minimiser for class sizes 12, 4, 2, 2 at tau = 1: collapsed, but no simplex."""
    counts = torch.tensor([12.0, 4, 2, 2], dtype=torch.float64)
    free = torch.randn(4, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    free.requires_grad_()
    optimiser = torch.optim.LBFGS(
        [free],
        max_iter=400,
        tolerance_grad=1e-12,
        tolerance_change=0,
        line_search_fn="strong_wolfe",
    )

    def closure():
        optimiser.zero_grad()
        unit = free / free.norm(dim=1, keepdim=True)
        others = (unit @ unit.T).exp() * counts * (1 - torch.eye(4))
        loss = counts / 20 @ others.sum(1).log()
        loss.backward()
        return loss

    optimiser.step(closure)
    assert free.grad.norm() < 1e-6
    means = (free / free.norm(dim=1, keepdim=True)).detach()
    y = torch.arange(4).repeat_interleave(counts.long())
    m = class_moments(means[y], y)
    assert within_class_variance(m).value < 1e-12
    assert etf_deviation(m).value == pytest.approx(0.772, abs=2e-3)
    assert etf_deviation(m, grand_mean="samples").value == pytest.approx(1.337, abs=2e-3)
    with pytest.raises(ValueError, match="'classes' or 'samples'"):
        equinorm(m, grand_mean="median")


def test_classifier_weights_proportional_to_the_centred_means_are_dual():
    x, y = draw((5, 6, 7), 4)
    m = class_moments(x, y)
    means = m.centred_means()
    assert self_duality(m, 3.0 * means).value == pytest.approx(0, abs=1e-12)
    assert self_duality(m, -means).value == pytest.approx(2)
    orthogonal = torch.zeros_like(means)
    orthogonal[0] = torch.linalg.svd(means)[2][-1]
    assert self_duality(m, orthogonal).value == pytest.approx(math.sqrt(2))
    assert math.isnan(self_duality(m, 0 * means).value)
    with pytest.raises(ValueError, match="one row per class"):
        self_duality(m, means[:2])


def test_too_few_dimensions_for_a_simplex_are_reported_with_the_measured_value():
    x, y = draw((4,) * 6, 3)
    for measure in TO_SIMPLEX:
        measured = measure(class_moments(x, y))
        assert measured.value > 0.01
        assert "no simplex ETF of 6 classes exists in 3 dimensions (5 needed)" in measured.reason
        assert measure(class_moments(*draw((4,) * 5, 3))).reason  # one dimension too few
        assert measure(class_moments(*draw((4,) * 5, 4))).reason == ""
    with pytest.raises(ValueError, match="use at least 5"):
        etf_gram(6, 3)
    with pytest.raises(ValueError, match="in 4 dimensions"):
        etf_gram(6, 4)
    assert etf_gram(6, 5).shape == (6, 6)
    with pytest.raises(ValueError, match="at least 2"):
        etf_gram(1)


def test_two_classes_are_told_to_be_a_simplex_whatever_they_are():
    x, y = draw((5, 5), 4)
    for measure in TO_SIMPLEX:
        measured = measure(class_moments(x, y))
        assert measured.value == pytest.approx(0, abs=1e-7) and "opposite" in measured.reason


def test_a_missing_class_leaves_nothing_of_the_simplex():
    x, y = draw((5, 6, 7), 4)
    m = class_moments(x, y, classes=4)
    for measure in (*TO_SIMPLEX, nc1, within_class_variance):
        measured = measure(m)
        assert math.isnan(measured.value) and "no sample of class 3" in measured.reason
    assert class_gram(m)[3].isnan().all() and class_gram(m)[:3, :3].isfinite().all()


def test_a_class_of_one_sample_has_a_place_in_the_simplex_but_no_variance():
    x, y = draw((5, 1, 7), 4)
    for measure in (nc1, within_class_variance):
        measured = measure(x, y)
        assert math.isnan(measured.value) and "one sample" in measured.reason
    assert all(measure(class_moments(x, y)).value > 0 for measure in TO_SIMPLEX)


def test_coinciding_means_have_no_angles():
    x = torch.randn(8, 3, dtype=torch.float64) + 1e3
    m = class_moments(x.repeat(3, 1), torch.arange(3).repeat_interleave(8))
    for measure in (*TO_SIMPLEX, nc1):
        measured = measure(m)
        assert math.isnan(measured.value) and "coincide" in measured.reason


def test_a_class_mean_at_the_grand_mean_has_no_angle():
    means = torch.tensor([[1.0, 0], [-1, 0], [0, 0]]).double()
    m = class_moments(means.repeat(2, 1), torch.arange(3).repeat(2))
    for measure in (equiangularity, max_angle, etf_deviation):
        measured = measure(m)
        assert math.isnan(measured.value) and "class 2 coincides with the grand" in measured.reason
    assert equinorm(m).value == pytest.approx(np.std([1, 1, 0]) / np.mean([1, 1, 0]))
    assert etf_deviation(m, convention="gram").value > 0.1


def test_means_that_miss_a_dimension_make_nc1_say_so():
    means = torch.tensor([[1.0, 0], [-1, 0], [2, 0], [-2, 0]]).double()
    x = torch.cat([means + torch.tensor([0.0, 1.0]), means - torch.tensor([0.5, 1.0])])
    measured = nc1(x, torch.arange(4).repeat(2))
    assert "span 1 of the 2" in measured.reason
    # Only the variance along the line counts: (1/2 * .5)^2 over the mean square 2.5, over C = 4.
    assert measured.value == pytest.approx(0.0625 / 2.5 / 4)
