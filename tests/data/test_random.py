"""Keyed draws: functions of their key, uniform and independent."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from scipy import stats

from supcon_theory.data.random import bits, permutation, shuffled_labels, uniform

_MASK = 2**64 - 1


def _splitmix(x: int) -> int:
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB & _MASK
    return x ^ (x >> 31)


def test_the_hash_equals_plain_integer_arithmetic():
    from hashlib import blake2b

    golden = 0x9E3779B97F4A7C15
    seed, epoch, view = 5, 2**40, 1
    stream = int.from_bytes(blake2b(b"train", digest_size=8).digest(), "little")
    index, count = [0, 7, 10**9], 4
    for row, i in zip(bits(seed, "train", epoch, view, index, count), index, strict=True):
        key = 0
        for part in (seed, stream, epoch, view, i):
            key = _splitmix(((key ^ part) + golden) & _MASK)
        expected = [_splitmix((key + j * golden) & _MASK) for j in range(1, count + 1)]
        assert row.tolist() == expected


def test_the_mixer_is_the_published_splitmix64():
    # first outputs of SplitMix64 with state 0, as published with the xoshiro generators
    known = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    assert [_splitmix(j * 0x9E3779B97F4A7C15 & _MASK) for j in (1, 2, 3)] == known


def test_a_draw_does_not_depend_on_the_batch_or_on_how_many_are_drawn():
    index = np.array([3, 99, 12, 5000])
    whole = uniform(1, "train", 2, 0, np.arange(6000), 5)
    np.testing.assert_array_equal(uniform(1, "train", 2, 0, index, 5), whole[index])
    np.testing.assert_array_equal(uniform(1, "train", 2, 0, index, 3), whole[index, :3])


def test_a_draw_is_the_same_in_another_process():
    code = "from supcon_theory.data.random import uniform; print(uniform(1,'a',2,3,[4],2).tolist())"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == str(uniform(1, "a", 2, 3, [4], 2).tolist())


@pytest.mark.parametrize("axis", ["index", "draw", "epoch", "view", "seed", "stream"])
def test_draws_are_uniform_and_uncorrelated_along_every_part_of_the_key(axis):
    n = 20_000
    one = np.zeros(1, int)
    u = {
        "index": lambda: uniform(0, "s", 0, 0, np.arange(n), 1)[:, 0],
        "draw": lambda: uniform(0, "s", 0, 0, one, n)[0],
        "epoch": lambda: np.array([uniform(0, "s", e, 0, one, 1)[0, 0] for e in range(n // 5)]),
        "view": lambda: np.array([uniform(0, "s", 0, v, one, 1)[0, 0] for v in range(n // 5)]),
        "seed": lambda: np.array([uniform(s, "s", 0, 0, one, 1)[0, 0] for s in range(n // 5)]),
        "stream": lambda: np.array([uniform(0, str(s), 0, 0, one, 1)[0, 0] for s in range(n // 5)]),
    }[axis]()
    assert stats.kstest(u, "uniform").pvalue > 1e-3
    for lag in (1, 2, 7):
        assert abs(np.corrcoef(u[:-lag], u[lag:])[0, 1]) < 4 / np.sqrt(len(u))
    # pairs fill the square: 8 x 8 cells
    cells = np.histogram2d(u[:-1:2], u[1::2], 8, [[0, 1], [0, 1]])[0].ravel()
    assert stats.chisquare(cells).pvalue > 1e-3


def test_keys_whose_parts_are_exchanged_give_other_draws():
    values = [
        uniform(a, "s", b, c, [d], 1).item()
        for a, b, c, d in [(1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1), (0, 0, 0, 0)]
    ]
    assert len(set(values)) == 5


def test_every_bit_is_set_half_of_the_time():
    x = bits(3, "s", 1, 0, np.arange(20_000), 1)
    ones = ((x >> np.arange(64, dtype=np.uint64)) & np.uint64(1)).mean(0)
    assert np.abs(ones - 0.5).max() < 5 * 0.5 / np.sqrt(20_000)


def test_permutations_are_permutations_and_uniform():
    orders = np.array([permutation(0, "order", epoch, 4) for epoch in range(4800)])
    assert (np.sort(orders) == np.arange(4)).all()
    _, counts = np.unique(orders, axis=0, return_counts=True)
    assert len(counts) == 24 and stats.chisquare(counts).pvalue > 1e-3


@pytest.mark.parametrize("key", [(-1, 0, 0), (0, -1, 0), (0, 0, 1.5), (2**63, 0, 0), (True, 0, 0)])
def test_parts_of_a_key_that_are_no_whole_numbers_are_refused(key):
    seed, epoch, view = key
    with pytest.raises(ValueError, match="whole number"):
        uniform(seed, "s", epoch, view, [0], 1)


@pytest.mark.parametrize("index", [[-1], [0.5], [[0]]])
def test_sample_numbers_that_are_none_are_refused(index):
    with pytest.raises(ValueError, match="vector of sample numbers"):
        uniform(0, "s", 0, 0, index, 1)


def test_shuffled_labels_are_the_permutation_of_their_stream():
    y = np.arange(50) // 5
    expected = y[permutation(3, "shuffled labels", 0, 50)]
    np.testing.assert_array_equal(shuffled_labels(3, y), expected)
    assert (expected != y).any() and sorted(expected) == sorted(y)
    assert shuffled_labels(3, torch.as_tensor(y)).tolist() == expected.tolist()
