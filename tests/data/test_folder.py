"""A user's folder of pictures: what is read, refused, told, and decoded once."""

import os
import shutil
import subprocess
import sys
import threading

import numpy as np
import pytest
import torch
from PIL import Image

from supcon_theory.data import cache as kept
from supcon_theory.data import folder, load
from supcon_theory.data.facts import facts
from supcon_theory.data.fingerprint import fingerprint

RNG = np.random.default_rng(0)


def _noise(path, kind=None) -> None:
    Image.fromarray(RNG.integers(0, 256, (32, 32, 3), np.uint8)).save(path, kind)


def _folder(path, classes=("cat", "dog"), size=(40, 32), test=None):
    for split, names in (("train", classes), ("test", test or classes)):
        for name in names:
            (path / split / name).mkdir(parents=True)
            for i in range(3):
                level = 85 * i
                Image.new("RGB", size, (level, 0, 255)).save(path / split / name / f"{i}.png")
    return path


@pytest.fixture
def old(monkeypatch):
    """As if all files had been written long ago, so that what is found out about them is kept."""
    now = kept.time_ns
    for module in (folder, kept):
        monkeypatch.setattr(module, "time_ns", lambda: now() + 10 * kept.SETTLED)


def _refusal(path) -> str:
    with pytest.raises(ValueError) as error:
        load(path)
    with pytest.raises(ValueError) as same:
        facts(path)
    assert str(same.value) == str(error.value)
    assert "\n" not in str(error.value) and str(error.value).endswith(".")
    return str(error.value)


def test_an_image_folder_is_read_in_colour_and_resized(tmp_path):
    data = load(_folder(tmp_path / "pets"))
    assert (data.name, data.channels, data.classes, data.flips) == ("pets", 3, ("cat", "dog"), True)
    assert data.train.labels.tolist() == [0, 0, 0, 1, 1, 1] and data.test.offset == 6
    images = data.test.images(torch.tensor([5, 1]))
    assert images.shape == (2, 3, 32, 32) and images.dtype == torch.float32
    torch.testing.assert_close(images.mean((2, 3)), torch.tensor([[2 / 3, 0, 1], [1 / 3, 0, 1]]))


def test_an_image_has_the_same_bits_in_any_batch(tmp_path):
    path = _folder(tmp_path, size=(77, 50))
    _noise(path / "train" / "cat" / "1.png")
    whole = load(path).train.images(torch.arange(6))
    for rows in ([1], [5, 1], [1, 1, 0]):
        assert torch.equal(load(path).train.images(rows), whole[rows])


def test_deep_and_shallow_pictures_keep_their_levels_side_by_side(tmp_path):
    path = _folder(tmp_path, size=(32, 32))
    before = load(path).train.images(torch.arange(6))
    ramp = np.tile(np.linspace(0, 65535, 32).astype(np.uint16), (32, 1))
    Image.fromarray(ramp).save(path / "train" / "cat" / "3.png")
    images = load(path).train.images(torch.arange(7))
    np.testing.assert_allclose(images[3, 0], ramp / 65535, atol=1e-6)
    torch.testing.assert_close(images[[0, 1, 2, 4, 5, 6]], before, atol=1e-7, rtol=0)


def test_a_missing_split_is_one_sentence(tmp_path):
    (tmp_path / "train" / "a").mkdir(parents=True)
    _noise(tmp_path / "train" / "a" / "0.png")
    assert "no folder 'test'" in _refusal(tmp_path)


@pytest.mark.parametrize("content", [None, ".hidden.png", "notes.txt"])
def test_a_class_without_pictures_is_one_sentence(tmp_path, content):
    _folder(tmp_path)
    (tmp_path / "train" / "eel").mkdir()
    if content:
        (tmp_path / "train" / "eel" / content).write_text("no picture")
        (tmp_path / "test" / "eel").mkdir()
        _noise(tmp_path / "test" / "eel" / "0.png")
    assert "not one folder of images per class: 'eel'" in _refusal(tmp_path)


def test_classes_of_train_and_test_must_agree(tmp_path):
    assert "class 'cow'" in _refusal(_folder(tmp_path, ("cat", "cow"), test=("cat",)))


def test_hidden_names_are_passed_over(tmp_path):
    path = _folder(tmp_path)
    before = fingerprint(path)
    (path / "train" / ".ipynb_checkpoints").mkdir()
    (path / "train" / "cat" / ".cache").mkdir()
    _noise(path / "train" / "cat" / ".cache" / "0.png")
    (path / "train" / "cat" / "._0.png").write_bytes(b"\0\5\x16\7 resource fork")
    (path / "README.md").write_text("beside the pictures")
    (path / "train" / "list.csv").write_text("beside the classes")
    assert (len(load(path).train), load(path).classes) == (6, ("cat", "dog"))
    assert fingerprint(path) == before


def test_whatever_pillow_opens_is_read_and_the_rest_is_named(tmp_path, capsys):
    path = _folder(tmp_path)
    kinds = {"a.jfif": "JPEG", "b.gif": "GIF", "c.webp": "WEBP", "d": "PNG", "e.PNG": "JPEG"}
    for name, kind in kinds.items():
        _noise(path / "train" / "cat" / name, kind)
    (path / "train" / "cat" / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0 not a picture")
    assert len(load(path).train) == 6 + len(kinds)
    assert "no pictures" in (told := capsys.readouterr().err) and "cat/Thumbs.db" in told


def test_pictures_in_folders_and_behind_links_belong_to_their_class(tmp_path):
    path, away = _folder(tmp_path / "d"), tmp_path / "away"
    (away / "deep").mkdir(parents=True)
    for name in ("0.png", "deep/1.png"):
        _noise(away / name)
    for split in ("train", "test"):
        (path / split / "eel").symlink_to(away)
    data = load(path)
    assert data.classes == ("cat", "dog", "eel") and len(data.test) == 8
    first = fingerprint(path)
    _noise(away / "deep" / "1.png")
    assert fingerprint(path) != first


@pytest.mark.parametrize("fault", ["loop", "nothing", "pipe"])
def test_links_and_files_that_lead_nowhere_are_named(tmp_path, fault):
    odd = _folder(tmp_path) / "train" / "cat" / "odd.png"
    if fault == "pipe":
        os.mkfifo(odd)
    else:
        odd.symlink_to({"loop": tmp_path / "train" / "cat", "nothing": tmp_path / "gone"}[fault])
    assert "cat/odd.png" in _refusal(tmp_path)


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("content", [b"", b"no image", "truncated", "giant", b"%PDF-1.4"])
def test_a_broken_picture_is_named_before_any_work(tmp_path, split, content):
    path = _folder(tmp_path)
    broken = path / split / "dog" / "1.png"
    if content == "truncated":
        _noise(broken)
        content = broken.read_bytes()[:-1000]
    elif content == "giant":
        content = b"P6 30000 30000 255\n"
    broken.write_bytes(content)
    assert f"{broken} cannot be read as an image (" in _refusal(path)


def _rewrite(path, how: str) -> None:
    """Another content of the same size and modification time."""
    seen, content = path.stat(), bytearray(path.read_bytes())
    content[-30] ^= 1
    if how == "in place":
        path.write_bytes(content)
    else:
        new = path.with_name("new")
        new.write_bytes(content)
        shutil.copystat(path, new)
        shutil.copy2(new, path) if how == "cp -p" else new.replace(path)
        new.unlink(missing_ok=True)
    os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (seen.st_size, seen.st_mtime_ns)


@pytest.mark.parametrize("how", ["in place", "cp -p", "rsync -t"])
@pytest.mark.parametrize("age", ["young", "old"])
def test_another_content_of_the_same_size_and_time_is_seen(tmp_path, how, age, request):
    path = _folder(tmp_path)
    changed = path / "test" / "dog" / "1.bmp"
    _noise(changed, "BMP")
    if age == "old":
        request.getfixturevalue("old")
    first, images = fingerprint(path), load(path).test.images(torch.arange(7))
    assert fingerprint(path) == first
    _rewrite(changed, how)
    assert fingerprint(path) != first
    assert not torch.equal(load(path).test.images(torch.arange(7)), images)


@pytest.mark.parametrize("place", ["train/cat", "train"])
def test_a_link_that_leads_to_itself_is_named_or_no_class(tmp_path, place):
    root = _folder(tmp_path)
    (root / place / "loop").symlink_to("loop")
    if place == "train":
        assert load(root).classes == ("cat", "dog")
    else:
        assert "loop is a link to nothing" in _refusal(root)


def test_the_fingerprint_is_of_contents_classes_and_order_alone(tmp_path):
    path = _folder(tmp_path / "one")
    _noise(path / "train" / "cat" / "1.png")
    first = fingerprint(path)
    shutil.copytree(path, tmp_path / "two")
    assert fingerprint(tmp_path / "two") == first
    os.utime(path / "train" / "cat" / "0.png", (1, 1))
    assert fingerprint(path) == first
    (path / "train" / "cat" / "1.png").rename(path / "train" / "cat" / "9.png")
    assert fingerprint(path) != first
    (path / "train" / "cat" / "9.png").rename(path / "train" / "dog" / "1b.png")
    assert fingerprint(path) != first


def _never(*_):
    raise AssertionError("this was found out before")


def test_what_was_found_out_is_not_found_out_again(tmp_path, old, monkeypatch):
    path = _folder(tmp_path)
    (path / "train" / "cat" / "notes.txt").write_text("no picture")
    first, images = facts(path), load(path).test.images([0])
    folder._checked.cache_clear()
    folder.images.cache_clear()
    monkeypatch.setattr(folder.pictures, "header", _never)
    monkeypatch.setattr(folder.pictures, "colours", _never)
    assert facts(path) == first and torch.equal(load(path).test.images([0]), images)


@pytest.mark.parametrize("place", [0, 200, -40, -1, None])
def test_a_damaged_cache_is_told_and_made_again(tmp_path, old, cache, place, capsys):
    path = _folder(tmp_path)
    images = load(path).test.images(torch.arange(6))
    (array,) = cache.glob("images-*.npy")
    content = bytearray(array.read_bytes())
    if place is None:
        content = content[:100]
    else:
        content[place] ^= 4
    array.write_bytes(content)
    for found in cache.glob("index-*"):
        found.write_bytes(found.read_bytes()[::-1])
    folder._checked.cache_clear()
    folder.images.cache_clear()
    assert torch.equal(load(path).test.images(torch.arange(6)), images)
    assert f"{array} is damaged" in capsys.readouterr().err


@pytest.mark.parametrize("fault", ["a file in its place", "full"])
def test_without_a_cache_the_images_are_decoded_in_memory(
    tmp_path, old, monkeypatch, fault, capsys
):
    path = _folder(tmp_path / "d")
    if fault == "full":

        def full(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(kept.os, "fsync", full)
        monkeypatch.setenv("SUPCON_THEORY_CACHE", str(tmp_path / "full"))
    else:
        (tmp_path / "file").write_text("")
        monkeypatch.setenv("SUPCON_THEORY_CACHE", str(tmp_path / "file"))
    kept._TOLD.clear()
    assert load(path).train.images([5])[0, 2].unique().tolist() == [1]
    assert facts(path).fewest_test == 3
    told = capsys.readouterr().err
    assert told.count("decoded into memory") == 1
    assert not list(tmp_path.glob("full/*.npy*[!k]"))


def test_two_at_once_decode_once(tmp_path, monkeypatch):
    path = _folder(tmp_path)
    found, decoded = folder.read(path), []
    plain = folder.pictures.colours
    monkeypatch.setattr(
        folder.pictures, "colours", lambda f, size: decoded.append(f) or plain(f, size)
    )
    threads = [threading.Thread(target=folder.images.__wrapped__, args=(found,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(decoded) == 12


def test_long_work_says_how_far_it_is(monkeypatch, capsys):
    clock = iter(range(100))
    monkeypatch.setattr(kept, "monotonic", lambda: next(clock))
    assert list(kept.progress(list("abcdefgh"), "reading")) == list("abcdefgh")
    assert capsys.readouterr().err.splitlines() == [
        "reading: 2 of 8, 9 s left",
        "reading: 6 of 8, 2 s left",
    ]


def test_facts_fingerprint_and_the_package_leave_torch_alone(tmp_path, cache):
    path = _folder(tmp_path)
    code = f"""
import sys
import supcon_theory.data
from supcon_theory.data.facts import facts
from supcon_theory.data.fingerprint import fingerprint
print(facts({str(path)!r}).classes, fingerprint({str(path)!r}), facts("kanji").fewest_test)
assert not {{"torch", "scipy"}} & set(sys.modules)
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split()[2:] == [fingerprint(path), "12"]


@pytest.mark.parametrize("data", ["glyphs", "kanji", "folder"])
def test_facts_are_those_of_the_loaded_data(tmp_path, data):
    if data == "folder":
        data = _folder(tmp_path)
        (data / "train" / "dog" / "0.png").unlink()
    found, loaded = facts(data), load(data)
    assert (found.name, found.channels, found.classes) == (
        loaded.name,
        loaded.channels,
        loaded.classes,
    )
    assert found.fewest_train == loaded.fewest(loaded.train)
    assert found.fewest_test == loaded.fewest(loaded.test)


def test_a_file_so_young_that_its_time_stamp_may_not_move_is_never_trusted(tmp_path, monkeypatch):
    path = _folder(tmp_path)
    first, listing = fingerprint(path), folder._listing(path)
    monkeypatch.setattr(folder, "_listing", lambda path: listing)  # the clock's tick is long
    _noise(path / "test" / "dog" / "1.png")
    assert fingerprint(path) != first
    assert kept.version(path / "test" / "dog" / "1.png") != kept.version(
        path / "test" / "dog" / "1.png"
    )


def test_an_old_file_is_known_by_its_time_stamp(tmp_path, old):
    path = _folder(tmp_path) / "test" / "dog" / "1.png"
    assert kept.version(path) == kept.version(path)
