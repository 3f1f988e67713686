"""A user's npz and image folder: what is accepted, and one sentence for everything else."""

import numpy as np
import pytest
import torch
from PIL import Image

from supcon_theory.data import load

RNG = np.random.default_rng(0)


def _arrays(**changes) -> dict:
    good = {
        "x_train": RNG.integers(0, 256, (8, 32, 32), np.uint8),
        "y_train": np.array([0, 1, 2, 0, 1, 2, 0, 1]),
        "x_test": RNG.integers(0, 256, (4, 32, 32), np.uint8),
        "y_test": np.array([0, 1, 2, 0]),
    }
    return good | changes


def _write(path, **changes):
    arrays = {key: value for key, value in _arrays(**changes).items() if value is not None}
    np.savez(path / "mine.npz", **arrays)
    return path / "mine.npz"


def test_a_grey_npz_is_read_as_it_is(tmp_path):
    arrays = _arrays()
    np.savez(tmp_path / "mine.npz", **arrays)
    data = load(tmp_path / "mine.npz")
    assert (data.name, data.channels, data.size, data.classes) == ("mine", 1, 32, ("0", "1", "2"))
    assert data.train.labels.tolist() == arrays["y_train"].tolist() and not data.flips
    assert (data.train.offset, data.test.offset) == (0, 8)
    image = data.train.images(torch.tensor([5]))[0, 0]
    np.testing.assert_array_equal(image, arrays["x_train"][5].astype(np.float32) / 255)


@pytest.mark.parametrize("layout", ["last", "first"])
def test_a_colour_npz_is_read_in_both_layouts(tmp_path, layout):
    x = RNG.random((8, 32, 32, 3)).astype(np.float32)
    stored = x if layout == "last" else np.moveaxis(x, 3, 1)
    data = load(_write(tmp_path, x_train=stored, x_test=stored[:4]))
    assert data.channels == 3 and data.flips
    np.testing.assert_array_equal(data.test.images([2])[0].permute(1, 2, 0), x[2])


def test_other_sizes_are_resized(tmp_path):
    x = np.full((8, 50, 40), 51, np.uint8)
    data = load(_write(tmp_path, x_train=x, x_test=x[:4]))
    torch.testing.assert_close(data.train.images([0]), torch.full((1, 1, 32, 32), 0.2))


def _nan() -> np.ndarray:
    x = np.zeros((8, 32, 32), np.float32)
    x[3, 4, 4] = np.nan
    return x


@pytest.mark.parametrize(
    "changes, word",
    [
        ({"x_test": None}, "no array 'x_test'"),
        ({"x_train": _nan()}, "NaN or infinity in image 3"),
        ({"x_train": np.zeros((8, 32, 32)) - 0.5}, "from -0.5 to -0.5"),
        ({"x_train": np.full((8, 32, 32), 255.0)}, "from 255 to 255"),
        ({"x_train": np.zeros((8, 32, 32), np.int64)}, "int64"),
        ({"x_train": np.zeros((8, 1024), np.uint8)}, r"shape \(8, 1024\)"),
        ({"x_train": np.zeros((8, 2, 32, 32), np.uint8)}, r"shape \(8, 2, 32, 32\)"),
        ({"x_train": np.zeros((0, 32, 32), np.uint8)}, "at least one image"),
        ({"x_test": np.zeros((4, 3, 32, 32), np.uint8)}, "1 channels and x_test 3"),
        ({"y_train": np.zeros(7, int)}, r"must be \(8,\)"),
        ({"y_train": np.zeros((8, 1), int)}, r"must be \(8,\)"),
        ({"y_train": np.zeros(8)}, "whole numbers"),
        ({"y_train": np.array([0, 1, 2, 0, 1, 2, 0, -1])}, "label -1"),
        ({"y_train": np.array([0, 1, 3, 0, 1, 3, 0, 1])}, "no image of class 2"),
        ({"y_test": np.array([0, 1, 2, 3])}, "label 3"),
        ({"y_train": np.array([None] * 8)}, "plain numeric array"),
    ],
)
def test_a_wrong_npz_is_one_sentence(tmp_path, changes, word):
    with pytest.raises(ValueError, match=word) as error:
        load(_write(tmp_path, **changes))
    assert "\n" not in str(error.value) and str(error.value).endswith(".")


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut off"])
def test_a_file_that_is_no_npz_is_one_sentence(tmp_path, content):
    (tmp_path / "mine.npz").write_bytes(content)
    with pytest.raises(ValueError, match="not an .npz file"):
        load(tmp_path / "mine.npz")


def test_a_damaged_npz_is_one_sentence(tmp_path):
    path = tmp_path / "mine.npz"
    np.savez_compressed(path, **_arrays())
    content = bytearray(path.read_bytes())
    content[200:260] = b"\x00" * 60
    path.write_bytes(content)
    with pytest.raises(ValueError, match="x_train cannot be read"):
        load(path)


def _folder(path, classes=("cat", "dog"), size=(40, 32), test=None):
    for split, names in (("train", classes), ("test", test or classes)):
        for name in names:
            (path / split / name).mkdir(parents=True)
            for i in range(3):
                level = 85 * i
                Image.new("RGB", size, (level, 0, 255)).save(path / split / name / f"{i}.png")
    return path


def test_an_image_folder_is_read_in_colour_and_resized(tmp_path):
    data = load(_folder(tmp_path / "pets"))
    assert (data.name, data.channels, data.classes, data.flips) == ("pets", 3, ("cat", "dog"), True)
    assert data.train.labels.tolist() == [0, 0, 0, 1, 1, 1] and data.test.offset == 6
    images = data.test.images(torch.tensor([5, 1]))
    assert images.shape == (2, 3, 32, 32) and images.dtype == torch.float32
    torch.testing.assert_close(images.mean((2, 3)), torch.tensor([[2 / 3, 0, 1], [1 / 3, 0, 1]]))


def test_an_image_folder_without_test_is_one_sentence(tmp_path):
    (tmp_path / "train" / "a").mkdir(parents=True)
    with pytest.raises(ValueError, match="no folder 'test'|not one folder of images"):
        load(tmp_path)


def test_an_empty_class_is_one_sentence(tmp_path):
    _folder(tmp_path)
    (tmp_path / "train" / "eel").mkdir()
    with pytest.raises(ValueError, match="not one folder of images per class") as error:
        load(tmp_path)
    assert "\n" not in str(error.value)


def test_classes_of_train_and_test_must_agree(tmp_path):
    with pytest.raises(ValueError, match="class 'cow'"):
        load(_folder(tmp_path, ("cat", "cow"), test=("cat",)))


def test_a_file_that_is_no_image_is_named_when_it_is_read(tmp_path):
    data = load(_folder(tmp_path))
    (tmp_path / "train" / "cat" / "1.png").write_bytes(b"no image")
    data.train.images([0, 2])
    with pytest.raises(ValueError, match="1.png cannot be read"):
        data.train.images([1])


@pytest.mark.parametrize("name", ["mnist", "/nowhere/x.npz", "glyphs.zip"])
def test_an_unknown_data_set_is_one_sentence(name):
    with pytest.raises(ValueError, match="unknown data set .*'glyphs' or 'kanji'"):
        load(name)
