"""Images in memory or on the disk: the same numbers."""

import numpy as np
import pytest
import torch

from supcon_theory.data import load
from supcon_theory.data.kept import keep

ROWS, CHOSEN = torch.tensor([5, 2, 7, 0]), torch.tensor([3, 0, 0])


def _npz(path, shape):
    x = np.random.default_rng(0).integers(0, 256, (8, *shape), np.uint8)
    y = np.arange(8) % 2
    np.savez(path / "mine.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    return load(path / "mine.npz").train


@pytest.mark.parametrize("shape, bytes_kept", [((32, 32, 3), True), ((20, 30), False)])
@pytest.mark.parametrize("limit", [None, 1.0])
def test_what_is_kept_is_what_the_split_gives(tmp_path, shape, bytes_kept, limit):
    split = _npz(tmp_path, shape)
    assert (split.levels is not None) == bytes_kept
    assert torch.equal(keep(split, ROWS, limit=limit)(CHOSEN), split.images(ROWS[CHOSEN]))


def test_characters_are_made_once_if_they_fit(monkeypatch):
    split, made = load("glyphs").train, []
    read = split.read
    object.__setattr__(split, "read", lambda rows: made.append(len(rows)) or read(rows))
    within, beyond = keep(split, ROWS), keep(split, ROWS, limit=4 * 4 * 1024 - 1.0)
    made.clear()
    assert torch.equal(within(CHOSEN), beyond(CHOSEN)) and made == [3]


def test_bytes_that_fit_are_not_read_again(tmp_path):
    split = _npz(tmp_path, (32, 32, 3))
    within, beyond = (keep(split, ROWS, limit=limit) for limit in (4 * 3072, 4 * 3072 - 1))
    before = split.images(ROWS[CHOSEN])
    split.levels[:] = 0
    assert torch.equal(within(CHOSEN), before) and beyond(CHOSEN).sum() == 0
