"""Balanced and imbalanced subsets: sizes, nesting, errors."""

import numpy as np
import pytest
import torch

from supcon_theory.data.subsets import balanced, choose_classes, geometric, held_back

_ORDER = torch.randperm(240, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(12).repeat_interleave(20)[_ORDER]


@pytest.mark.parametrize("seed", range(5))
def test_fewer_classes_are_a_prefix_of_more(seed):
    many = choose_classes(300, 256, seed)
    assert len(set(many)) == 256 and many.min() >= 0 and many.max() < 300
    for C in (2, 4, 128):
        np.testing.assert_array_equal(choose_classes(300, C, seed), many[:C])


def test_every_class_is_chosen_equally_often():
    chosen = np.concatenate([choose_classes(10, 3, seed) for seed in range(2000)])
    counts = np.bincount(chosen, minlength=10)
    assert np.abs(counts - 600).max() < 5 * np.sqrt(2000 * 0.3 * 0.7)


@pytest.mark.parametrize("seed", range(3))
def test_a_balanced_subset_is_sorted_and_holds_the_right_images(seed):
    classes = choose_classes(12, 5, seed)
    rows, y = balanced(LABELS, classes, 7, seed)
    assert y.tolist() == np.repeat(np.arange(5), 7).tolist()
    assert LABELS[rows].tolist() == np.repeat(classes, 7).tolist()
    assert len(set(rows.tolist())) == 35


@pytest.mark.parametrize("seed", range(3))
def test_balanced_subsets_are_nested_in_images_and_in_classes(seed):
    big_rows, big_y = balanced(LABELS, choose_classes(12, 8, seed), 16, seed)
    big = set(zip(big_rows.tolist(), big_y.tolist(), strict=True))
    for C, n in [(2, 2), (8, 3), (3, 16)]:
        rows, y = balanced(LABELS, choose_classes(12, C, seed), n, seed)
        assert set(zip(rows.tolist(), y.tolist(), strict=True)) < big


def test_other_seeds_choose_other_images():
    first, second = (balanced(LABELS, [0, 1], 10, seed)[0].tolist() for seed in (0, 1))
    assert set(first) != set(second)


def test_without_n_all_images_of_the_classes_come():
    rows, y = balanced(LABELS, [3, 1], None, 0)
    expected = torch.nonzero((LABELS == 3) | (LABELS == 1))[:, 0]
    assert torch.equal(rows.sort().values, expected)
    assert torch.bincount(y).tolist() == [20, 20]


@pytest.mark.parametrize("ratio", [1, 2, 4, 16, 5.5])
def test_class_sizes_fall_geometrically(ratio):
    y = torch.arange(8).repeat_interleave(64)
    sizes = torch.bincount(y[geometric(y, ratio)]).tolist()
    expected = [round(64 * ratio ** (-c / 7)) for c in range(8)]
    assert sizes == expected and sizes[0] == 64 and sizes[-1] == round(64 / ratio)


def test_ratio_one_leaves_everything_and_larger_ratios_are_nested():
    y = torch.arange(8).repeat_interleave(64)
    kept = [set(geometric(y, ratio).tolist()) for ratio in (1, 4, 16)]
    assert kept[0] == set(range(512)) and kept[2] < kept[1] < kept[0]


@pytest.mark.parametrize("C, word", [(1, "C is 1"), (13, "12 classes")])
def test_a_wrong_number_of_classes_is_one_sentence(C, word):
    with pytest.raises(ValueError, match=word):
        choose_classes(12, C, 0)


@pytest.mark.parametrize("n, word", [(1, "at least 2"), (21, "has 20 images")])
def test_a_wrong_number_of_images_is_one_sentence(n, word):
    with pytest.raises(ValueError, match=word):
        balanced(LABELS, [0, 1], n, 0)


def test_a_class_with_one_image_is_refused_even_when_all_are_taken():
    with pytest.raises(ValueError, match="class 1 has 1 images"):
        balanced(torch.tensor([0, 0, 1]), [0, 1], None, 0)


@pytest.mark.parametrize("ratio", [0.5, 33, float("nan")])
def test_a_ratio_that_leaves_fewer_than_two_images_is_refused(ratio):
    with pytest.raises(ValueError, match="from 1 to 32"):
        geometric(torch.arange(4).repeat_interleave(64), ratio)


@pytest.mark.parametrize("y", [[0, 0, 1], [0, 1, 0, 1], [0, 0]])
def test_imbalance_is_cut_from_sorted_balanced_labels_only(y):
    with pytest.raises(ValueError, match="balanced subset"):
        geometric(torch.tensor(y), 1)


@pytest.mark.parametrize("seed", range(20))
def test_classes_held_back_are_never_trained_on_and_the_same_for_every_number_trained_on(seed):
    back = held_back(12, 4, seed).tolist()
    assert len({*back}) == 4
    assert sorted([*back, *choose_classes(12, 8, seed)]) == list(range(12))
    with pytest.raises(ValueError, match="C is 13"):
        held_back(12, 13, seed)
