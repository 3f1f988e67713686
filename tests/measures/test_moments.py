"""Class moments and pair moments against loops, and the input they refuse."""

import numpy as np
import pytest
import torch

from supcon_theory.measures import (
    class_moments,
    directional_scatter,
    fourth_moments,
    pair_moments,
    scatter_products,
    third_moments,
    third_moments_along,
)
from supcon_theory.measures import moments as moments_module


def draw(counts, d, views=1, offset=0.0, dtype=torch.float64, seed=0):
    """Overlapping skewed classes with labels 3, 5, 7, ... in random order."""
    g = torch.Generator().manual_seed(seed)
    y = torch.cat([torch.full((n,), 3 + 2 * c) for c, n in enumerate(counts)])
    y = y[torch.randperm(len(y), generator=g)]
    centres = torch.randn(3 + 2 * len(counts), d, generator=g, dtype=torch.float64)
    noise = torch.randn(len(y), views, d, generator=g, dtype=torch.float64)
    x = centres[y][:, None] + (noise.exp() if d % 2 else noise * centres[y][:, None]) + offset
    return (x if views > 1 else x[:, 0]).to(dtype), y


def loops(x, y):
    """Every moment of every class, one row at a time, in NumPy."""
    x = x.double().numpy()
    x = x[:, None] if x.ndim == 2 else x
    out = {}
    for c in np.unique(y):
        rows = [
            view
            for sample, label in zip(x, y.numpy(), strict=True)
            if label == c
            for view in sample
        ]
        mean = sum(rows) / len(rows)
        w = [r - mean for r in rows]
        samples = [s.mean(0) for s, label in zip(x, y.numpy(), strict=True) if label == c]
        centre = sum(samples) / len(samples)
        out[c] = {
            "mean": mean,
            "scatter": sum(np.outer(r, r) for r in w) / len(w),
            "v": sum(r @ r for r in w) / len(w),
            "M4": sum((r @ r) ** 2 for r in w) / len(w),
            "kappa": sum(r * (r @ r) for r in w) / len(w),
            "between": sum((s - centre) @ (s - centre) for s in samples) / len(samples),
            "augmentation": np.mean(
                [
                    ((s - s.mean(0)) ** 2).sum(1).mean()
                    for s, label in zip(x, y.numpy(), strict=True)
                    if label == c
                ]
            ),
        }
    return out


INSTANCES = [
    dict(counts=(4, 4), d=3),
    dict(counts=(7, 2, 12, 3), d=5),
    dict(counts=(2,) * 30, d=8),
    dict(counts=(9, 6, 3), d=7, views=3),
    dict(counts=(40, 5), d=2, views=2),
    dict(counts=(5, 6, 7), d=4, offset=1e5),
]


@pytest.fixture(params=INSTANCES, ids=str)
def instance(request):
    x, y = draw(**request.param)
    return class_moments(x, y), loops(x, y)


def close(actual, expected, rtol=1e-9):
    np.testing.assert_allclose(actual, expected, rtol=rtol, atol=1e-10)


def stack(slow, name):
    return np.array([slow[c][name] for c in sorted(slow)])


def test_class_moments_are_what_loops_say(instance):
    m, slow = instance
    assert m.classes.tolist() == sorted(slow)
    close(m.means, stack(slow, "mean"))
    close(m.variances, stack(slow, "v"))
    close(m.sample_variances, stack(slow, "between"))
    close(m.augmentation, stack(slow, "augmentation"))
    assert m.reason == ""


def test_higher_moments_are_what_loops_say(instance):
    m, slow = instance
    close(fourth_moments(m), stack(slow, "M4"))
    close(third_moments(m), stack(slow, "kappa"))


def test_pair_moments_are_what_loops_say(instance):
    m, slow = instance
    along, products, third = directional_scatter(m), scatter_products(m), third_moments_along(m)
    for a, i in enumerate(sorted(slow)):
        for b, j in enumerate(sorted(slow)):
            delta = slow[j]["mean"] - slow[i]["mean"]
            close(along[a, b], delta @ slow[i]["scatter"] @ delta)
            close(products[a, b], np.trace(slow[i]["scatter"] @ slow[j]["scatter"]))
            close(third[a, b], delta @ slow[j]["kappa"])
            if i != j:
                close(m.square_distances[a, b], delta @ delta)
    assert m.square_distances.diagonal().isnan().all()


def test_both_routes_to_the_scatter_products_agree(instance, monkeypatch):
    m, _ = instance
    close(pair_moments._products_by_gram(m), pair_moments._products_by_scatter(m))
    monkeypatch.setattr(pair_moments, "_TILE_NUMBERS", 2 * len(m.means) * m.means.shape[1])
    close(pair_moments._products_by_gram(m), pair_moments._products_by_scatter(m))


def test_tiles_change_nothing(instance, monkeypatch):
    m, _ = instance
    whole = directional_scatter(m), pair_moments._products_by_gram(m), fourth_moments(m)
    monkeypatch.setattr(pair_moments, "ROWS", 3)
    tiled = directional_scatter(m), pair_moments._products_by_gram(m), fourth_moments(m)
    for a, b in zip(whole, tiled, strict=True):
        close(a, b)


def test_tiles_of_the_pass_change_nothing(monkeypatch):
    x, y = draw((9, 6, 3), 5, views=3)
    whole = class_moments(x, y)
    monkeypatch.setattr(moments_module, "ROWS", 2)
    tiled = class_moments(x, y)
    for name in ("means", "variances", "augmentation", "residuals", "square_distances"):
        np.testing.assert_allclose(getattr(tiled, name), getattr(whole, name), rtol=1e-12)


def test_an_offset_of_ten_thousand_in_float32_costs_no_digits():
    x, y = draw((30, 20, 25), 16, offset=1e4, dtype=torch.float32)
    m, slow = class_moments(x, y), loops(x, y)
    close(m.variances, stack(slow, "v"), rtol=1e-9)
    close(fourth_moments(m), stack(slow, "M4"), rtol=1e-6)
    # The instance is hard: a one-pass variance in float32 misses by more than a tenth.
    rows = x[y == 3]
    one_pass = (rows.square().mean(0) - rows.mean(0).square()).sum()
    assert abs(one_pass / slow[3]["v"] - 1) > 0.1


def test_nearly_coinciding_means_keep_their_distance():
    x = torch.zeros(4, 3, dtype=torch.float64)
    x[:2] += 1000.0
    x[2:] += 1000.0
    x[2:, 1] += 2.0**-20
    far = torch.full((2, 3), -3000.0, dtype=torch.float64)
    m = class_moments(torch.cat([x, far]), torch.tensor([0, 0, 1, 1, 2, 2]))
    assert m.square_distances[0, 1].item() == pytest.approx(2.0**-40, rel=1e-9)
    assert m.coincidence == ""


def test_one_mean_reached_by_different_sums_is_one_mean():
    x = torch.randn(50, 4, dtype=torch.float64) + 1e4
    order = torch.randperm(50)
    other = torch.randn(50, 4, dtype=torch.float64)
    m = class_moments(torch.cat([x, x[order], other]), torch.arange(3).repeat_interleave(50))
    assert m.square_distances[0, 1].isnan() and m.square_distances[0, 2] > 0
    assert m.coincidence == "the means of classes 0 and 1 coincide"
    m = class_moments(torch.cat([x, x, other, other]), torch.arange(4).repeat_interleave(50))
    assert m.coincidence == "the means of classes 0 and 1 coincide (and 1 more pairs)"


def test_a_missing_class_is_named_and_its_moments_are_nan():
    x, y = draw((4, 5, 6), 3)
    m = class_moments(x, y, classes=[3, 4, 5, 7])
    assert "no sample of class 4" in m.reason
    missing = [False, True, False, False]
    for name in (
        m.variances,
        fourth_moments(m),
        directional_scatter(m).diagonal(),
        scatter_products(m).diagonal(),
        m.means[:, 0],
    ):
        assert name.isnan().tolist() == missing
    assert m.samples.tolist() == [4, 0, 5, 6]


def test_a_single_row_has_a_mean_but_no_variance():
    x, y = draw((4, 1, 6), 3)
    m = class_moments(x, y)
    assert "one sample" in m.reason and "5" in m.reason
    assert m.variances.isnan().tolist() == [False, True, False]
    assert directional_scatter(m).isnan().any(1).tolist() == [False, True, False]
    assert m.means.isfinite().all() and m.square_distances.isnan().sum() == 3


def test_views_of_a_sample_count_as_samples_of_its_class():
    x, y = draw((5, 3), 4, views=3)
    m, flat = class_moments(x, y), class_moments(x.flatten(0, 1), y.repeat_interleave(3))
    close(m.means, flat.means)
    close(m.variances, flat.variances)
    assert m.counts.tolist() == flat.counts.tolist()
    assert not torch.allclose(m.sample_variances, flat.sample_variances)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_low_precision_features_are_measured_in_double_precision(dtype):
    x, y = draw((50, 60), 8, dtype=dtype)
    close(class_moments(x, y).variances, class_moments(x.double(), y).variances, rtol=1e-12)


def test_moments_do_not_keep_the_graph():
    x, y = draw((4, 4), 3)
    assert not class_moments(x.requires_grad_(), y).means.requires_grad


@pytest.mark.parametrize(
    "change, error, words",
    [
        (lambda x, y: (x > 0, y), TypeError, "real numbers"),
        (lambda x, y: (x.tolist(), y), TypeError, "features is a list"),
        (lambda x, y: (x, y + 0.5), ValueError, "labels is .*in row 0"),
        (lambda x, y: (x, None), ValueError, "labels is None"),
        (lambda x, y: (x[:, 0], y), ValueError, "shape"),
        (lambda x, y: (x[:0], y[:0]), ValueError, "shape"),
        (lambda x, y: (x, y[:-1]), ValueError, "one label per sample"),
        (lambda x, y: (x, y.repeat(2)), ValueError, "one label per sample"),
        (lambda x, y: (x.index_fill(0, torch.tensor([2]), torch.nan), y), ValueError, "1 of 8"),
        (lambda x, y: (x.index_fill(0, torch.tensor([2, 5]), torch.inf), y), ValueError, "2 of 8"),
        (lambda x, y: (x, torch.zeros_like(y)), ValueError, "one class"),
        (lambda x, y: (x, y, 1), ValueError, "at least 2"),
        (lambda x, y: (x, y, [3, 4]), ValueError, "5, which is not among"),
        (lambda x, y: (x, y, 5), ValueError, "5, which is not among"),
    ],
)
def test_input_that_makes_no_sense_gets_one_sentence(change, error, words):
    x, y = draw((4, 4), 3)
    with pytest.raises(error, match=words) as caught:
        class_moments(*change(x, y))
    assert "\n" not in str(caught.value)
