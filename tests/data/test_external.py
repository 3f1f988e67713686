"""A user's npz: what is accepted, and one sentence for everything else."""

import io
import tracemalloc
import zipfile

import numpy as np
import pytest
import torch

from supcon_theory.data import load
from supcon_theory.data.facts import facts

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


def test_the_extension_may_be_in_capitals(tmp_path):
    path = _write(tmp_path).rename(tmp_path / "mine.NPZ")
    assert load(path).name == "mine" and facts(path).classes == ("0", "1", "2")


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
        ({"x_train": np.full((8, 32, 32), 1 + 2e-7)}, r"to 1\.0000002"),
        ({"x_train": np.zeros((8, 32, 32), np.int64)}, "int64"),
        ({"x_train": np.zeros((8, 1024), np.uint8)}, r"shape \(8, 1024\)"),
        ({"x_train": np.zeros((8, 2, 32, 32), np.uint8)}, r"shape \(8, 2, 32, 32\)"),
        ({"x_train": np.zeros((0, 32, 32), np.uint8)}, "at least one image"),
        ({"x_test": np.zeros((4, 3, 32, 32), np.uint8)}, "1 channels and x_test 3"),
        ({"y_train": np.zeros(7, int)}, r"must be \(8,\)"),
        ({"y_train": np.zeros((8, 1), int)}, r"must be \(8,\)"),
        ({"y_train": np.zeros(8)}, "whole numbers"),
        ({"y_test": np.array([0, 1, 2, 3])}, "label 3"),
        ({"y_test": np.array([0, 1, 2, 2**40])}, "label 1099511627776"),
        ({"y_test": np.array(["0", "1", "2", "0"])}, "label 0"),
        ({"y_train": np.zeros(8, complex)}, "type complex128"),
        ({"x_train": np.zeros((8, 32, 32), complex)}, "type complex128"),
        ({"y_train": np.array([None] * 8)}, "y_train .* plain numeric array"),
    ],
)
def test_a_wrong_npz_is_one_sentence(tmp_path, changes, word):
    with pytest.raises(ValueError, match=word) as error:
        load(_write(tmp_path, **changes))
    with pytest.raises(ValueError) as same:
        facts(tmp_path / "mine.npz")
    assert str(same.value) == str(error.value)
    assert "\n" not in str(error.value) and str(error.value).endswith(".")


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut off"])
def test_a_file_that_is_no_npz_is_one_sentence(tmp_path, content):
    (tmp_path / "mine.npz").write_bytes(content)
    with pytest.raises(ValueError, match=r"not an \.npz file"):
        load(tmp_path / "mine.npz")


def test_a_damaged_npz_is_one_sentence(tmp_path):
    path = tmp_path / "mine.npz"
    np.savez_compressed(path, **_arrays())
    content = bytearray(path.read_bytes())
    content[200:260] = b"\x00" * 60
    path.write_bytes(content)
    with pytest.raises(ValueError, match="x_train cannot be read"):
        load(path)


@pytest.mark.parametrize("dtype", [">f2", ">f4", ">f8", np.longdouble])
def test_floats_of_any_width_and_byte_order_are_the_same_numbers(tmp_path, dtype):
    x = np.linspace(0, 1, 8 * 32 * 32).reshape(8, 32, 32).astype(np.float16)
    data = load(_write(tmp_path, x_train=x.astype(dtype), y_train=np.arange(8, dtype=">i2") % 3))
    np.testing.assert_array_equal(data.train.images(range(8))[:, 0], x.astype(np.float32))
    assert data.train.labels.tolist() == [0, 1, 2, 0, 1, 2, 0, 1]


@pytest.mark.parametrize(
    "ids",
    [
        np.array([3 * 10**9, 10**12, -7]), np.array([1, 200, 255], np.uint8),
        np.array([2**63, 2**63 + 1, 2**64 - 1], np.uint64), np.array(["ox", "ant", "Éli"]),
        np.array([b"ox", b"ant", b"cow"]), np.array([5, 9, 7], np.int8), np.array([2, 0, 1]),
    ],
)  # fmt: skip
def test_labels_of_any_kind_are_renumbered_in_sorted_order(tmp_path, ids):
    place = np.array([0, 1, 2, 0, 1, 2, 0, 1])
    data = load(_write(tmp_path, y_train=ids[place], y_test=ids[[2, 2, 0, 1]]))
    order = sorted(ids.tolist())
    names = [i.decode() if isinstance(i, bytes) else str(i) for i in order]
    assert list(data.classes) == names
    assert data.train.labels.tolist() == [order.index(i) for i in ids[place].tolist()]
    assert data.test.labels.tolist() == [order.index(i) for i in ids[[2, 2, 0, 1]].tolist()]


def test_near_numbers_of_two_types_are_not_taken_for_one(tmp_path):
    """A common type of int64 and uint64 would be a float, where these two are equal."""
    y = np.array([2**62, 2**62 + 1] * 4)
    data = load(_write(tmp_path, y_train=y, y_test=y[[1, 0, 1, 1]].astype(np.uint64)))
    assert data.test.labels.tolist() == [1, 0, 1, 1]


def _lie(path, key: str, header: dict, compression=zipfile.ZIP_STORED) -> None:
    """Rewrite an archive so that one array bears another header."""
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, header)
    with zipfile.ZipFile(path) as old:
        members = {name: old.read(name) for name in old.namelist()}
    members[f"{key}.npy"] = head.getvalue() + members[f"{key}.npy"][128:]
    with zipfile.ZipFile(path, "w", compression) as new:
        for name, content in members.items():
            new.writestr(name, content)


@pytest.mark.parametrize("shape", [(10**7, 1000, 1000), (2**62, 4, 4), (9, 32, 32), (7, 32, 32)])
def test_a_header_that_lies_is_refused_before_memory_is_asked_for(tmp_path, shape):
    path = _write(tmp_path)
    _lie(path, "x_train", {"descr": "|u1", "fortran_order": False, "shape": shape})
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"x_train cannot be read \(its header claims") as error:
        load(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10**6 and str(error.value).endswith("array.")


def test_an_archive_whose_list_lies_too_is_refused_before_memory_is_asked_for(tmp_path):
    path = _write(tmp_path)
    shape = (2**20, 32, 32)
    _lie(path, "x_train", {"descr": "|u1", "fortran_order": False, "shape": shape})
    content, there = path.read_bytes(), 128 + 8 * 1024
    size = there.to_bytes(4, "little") * 2  # compressed and plain, as they are listed
    assert content.count(size) == 2
    said = there.to_bytes(4, "little") + (128 + 2**30).to_bytes(4, "little")
    path.write_bytes(content.replace(size, said))
    with pytest.raises(ValueError, match="cannot hold the 1,073,741,824 it claims"):
        load(path)


def test_a_changed_file_is_read_again(tmp_path):
    first = load(_write(tmp_path)).train.images([0])
    assert not torch.equal(load(_write(tmp_path)).train.images([0]), first)


@pytest.mark.parametrize("name", ["mnist", "/nowhere/x.npz", "glyphs.zip"])
def test_an_unknown_data_set_is_one_sentence(name):
    with pytest.raises(ValueError, match=r"unknown data set .*'glyphs' or 'kanji'"):
        load(name)
