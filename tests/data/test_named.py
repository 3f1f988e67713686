"""Named data sets: small archives of the published formats, served on this machine."""

import hashlib
import io
import tarfile
import threading
import zipfile
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.io import savemat

from supcon_theory.data import load
from supcon_theory.data.facts import facts
from supcon_theory.data.fingerprint import fingerprint
from supcon_theory.data.named import download as getting
from supcon_theory.data.named import read as reading
from supcon_theory.data.named import sources as declared

RNG = np.random.default_rng(0)
PUBLISHED = declared.sources()
COUNTS = (20, 10)  # images of the small archives


def records(labels: list[np.ndarray]) -> tuple[bytes, np.ndarray]:
    pixels = RNG.integers(0, 256, (len(labels[0]), 3072), np.uint8)
    return np.column_stack([*labels, pixels]).astype(np.uint8).tobytes(), pixels


def tar(path: Path, files: dict[str, bytes]) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"folder/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def cifar10(root: Path) -> dict[str, np.ndarray]:
    files, x, y = {"batches.meta.txt": b"airplane\nautomobile\nbird\ncat\n\n"}, [], []
    for name in [*(f"data_batch_{k}.bin" for k in range(1, 6)), "test_batch.bin"]:
        labels = np.arange(10 if name == "test_batch.bin" else 4) % 4
        files[name], pixels = records([labels])
        x.append(pixels)
        y.append(labels)
    tar(root / "cifar-10-binary.tar.gz", files)
    return {"x": np.concatenate(x).reshape(-1, 3, 32, 32), "y": np.concatenate(y)}


def cifar100(root: Path) -> dict[str, np.ndarray]:
    fine = [np.arange(count) % 4 for count in COUNTS]
    files = {
        "coarse_label_names.txt": b"fish\ntrees\n",
        "fine_label_names.txt": b"ray\nshark\noak_tree\npalm_tree\n",
    }
    for name, y in zip(("train.bin", "test.bin"), fine, strict=True):
        files[name], _ = records([y // 2, y])
    tar(root / "cifar-100-binary.tar.gz", files)
    return {"y": np.concatenate(fine)}


def svhn(root: Path, names=("train", "test")) -> dict[str, np.ndarray]:
    x, y = [], []
    for name in names:
        count = {"train": 20, "test": 10, "extra": 8}[name]
        x.append(RNG.integers(0, 256, (count, 3, 32, 32), np.uint8))
        y.append(np.arange(count) % 10)
        stored = np.where(y[-1] == 0, 10, y[-1])[:, None]
        savemat(root / f"{name}_32x32.mat", {"X": x[-1].transpose(2, 3, 1, 0), "y": stored})
    return {"x": np.concatenate(x), "y": np.concatenate(y)}


def tiny(root: Path) -> dict[str, np.ndarray]:
    levels = []
    with zipfile.ZipFile(root / "tiny-imagenet-200.zip", "w") as archive:

        def add(name: str, mode: str) -> None:  # fmt: skip
            level = int(RNG.integers(256))
            image, buffer = Image.new(mode, (64, 64), (level,) * len(mode)), io.BytesIO()
            image.save(buffer, "JPEG")
            archive.writestr(f"tiny-imagenet-200/{name}", buffer.getvalue())
            levels.append(level)

        for wnid in ("n01", "n02"):
            for k in range(10):
                add(f"train/{wnid}/images/{wnid}_{k}.JPEG", "L" if k == 3 else "RGB")
        for k in range(10):
            add(f"val/images/val_{k}.JPEG", "RGB")
        lines = [f"val_{k}.JPEG\tn0{1 + k // 5}\t0\t0\t9\t9\n" for k in range(10)]
        archive.writestr("tiny-imagenet-200/val/val_annotations.txt", "".join(lines))
        archive.writestr("tiny-imagenet-200/test/images/test_0.JPEG", b"no label, never read")
    return {"levels": np.array(levels), "y": np.repeat([0, 1, 0, 1], [10, 10, 5, 5])}


MAKE = {
    "cifar10": (cifar10, 4),
    "cifar100": (cifar100, 4),
    "cifar100-coarse": (cifar100, 2),
    "svhn": (svhn, 10),
    "svhn-extra": (partial(svhn, names=("train", "extra", "test")), 10),
    "tiny-imagenet": (tiny, 2),
}


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Makes the small archives of a name, and declares them to be the published ones."""

    def make(name: str, root: Path = tmp_path) -> dict[str, np.ndarray]:
        root.mkdir(exist_ok=True)
        made, classes = MAKE[name][0](root), MAKE[name][1]
        files = tuple(
            replace(f, md5=hashlib.md5((root / f.name).read_bytes()).hexdigest())
            for f in PUBLISHED[name].files
        )
        counts = (28, 10) if name == "svhn-extra" else COUNTS
        source = replace(PUBLISHED[name], files=files, counts=counts, classes=classes)
        for module in (declared, reading):
            monkeypatch.setattr(module, "sources", lambda: PUBLISHED | {name: source})
        reading.read.cache_clear()
        return made

    yield make
    reading.read.cache_clear()


def refusal(name: str, root: Path) -> str:
    with pytest.raises(ValueError) as error:
        load(name, root)
    said = str(error.value)
    assert "\n" not in said and said.endswith(".")
    return said


@pytest.mark.parametrize("name", MAKE)
def test_a_named_set_is_read_from_its_archives(name, small, tmp_path):
    made = small(name)
    data = load(name, tmp_path)
    train, test = len(data.train), len(data.test)
    y = made["y"] // 2 if name == "cifar100-coarse" else made["y"]
    assert torch.cat([data.train.labels, data.test.labels]).tolist() == y.tolist()
    assert (data.name, data.channels, data.test.offset, test) == (name, 3, train, 10)
    assert data.flips == (not name.startswith("svhn"))  # a mirrored digit may be another
    if "x" in made:
        seen = torch.cat([data.train.images(range(train)), data.test.images(range(test))])
        np.testing.assert_array_equal(seen, made["x"].astype(np.float32) / 255)
    found = facts(name, tmp_path)
    assert found.classes == data.classes and len(data.classes) == MAKE[name][1]
    assert found.fewest_train == data.fewest(data.train)


def test_the_labels_of_cifar_100_are_named_fine_or_coarse(small, tmp_path):
    small("cifar100")
    assert load("cifar100", tmp_path).classes == ("ray", "shark", "oak_tree", "palm_tree")
    small("cifar100-coarse")
    assert load("cifar100-coarse", tmp_path).classes == ("fish", "trees")
    ids = {fingerprint(name, tmp_path) for name in ("cifar100-coarse",)}
    small("cifar100")
    assert len(ids | {fingerprint("cifar100", tmp_path)}) == 2


def test_pictures_of_an_archive_keep_their_size_or_are_resized(small, tmp_path):
    made = small("tiny-imagenet")
    large = load("tiny-imagenet", tmp_path, 64)
    assert large.size == 64 and large.classes == ("n01", "n02")
    images = large.train.images(range(20))
    assert images.shape == (20, 3, 64, 64)
    np.testing.assert_allclose(images.mean((1, 2, 3)), made["levels"][:20] / 255, atol=0.01)
    assert load("tiny-imagenet", tmp_path).test.images([9]).shape == (1, 3, 32, 32)


def test_the_archive_is_opened_once_and_its_fingerprint_is_not_where_it_lies(
    small, tmp_path, monkeypatch
):
    small("cifar10")
    before, images = fingerprint("cifar10", tmp_path), load("cifar10", tmp_path).train.images([3])
    (tmp_path / "there").mkdir()
    (tmp_path / "cifar-10-binary.tar.gz").rename(tmp_path / "there" / "cifar-10-binary.tar.gz")
    reading.read.cache_clear()
    monkeypatch.setattr(reading, "_open", lambda *about: pytest.fail("opened again"))
    assert fingerprint("cifar10", tmp_path / "there") == before
    assert torch.equal(load("cifar10", tmp_path / "there").train.images([3]), images)


@pytest.mark.parametrize("name", MAKE)
def test_a_set_that_is_not_here_says_where_to_get_it(name, tmp_path):
    said = refusal(name, tmp_path)
    assert "add --download" in said and PUBLISHED[name].files[0].url in said


def test_mini_imagenet_is_a_folder_that_one_brings(tmp_path):
    said = refusal("mini-imagenet", tmp_path)
    assert "mini-ImageNet is not at" in said and "train/<class>/*" in said
    for split in ("train", "test"):
        for label in ("n1", "n2"):
            place = tmp_path / "mini-imagenet" / split / label
            place.mkdir(parents=True)
            Image.new("RGB", (84, 84)).save(place / "0.jpg")
    assert load("mini-imagenet", tmp_path).classes == ("n1", "n2")


@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_another_file_than_the_published_one_is_refused(damage, small, tmp_path):
    small("cifar10")
    path = tmp_path / "cifar-10-binary.tar.gz"
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    path.write_bytes(path.read_bytes()[:-100] if damage == "cut" else content)
    said = refusal("cifar10", tmp_path)
    assert "not the published" in said and "CIFAR-10" in said and str(path) in said


@pytest.mark.parametrize(
    "files, word",
    [
        ({"batches.meta.txt": b"a\nb\n"}, "it has no file data_batch_1.bin"),
        (
            {f"data_batch_{k}.bin": b"\0" * 3073 for k in range(1, 6)}
            | {"test_batch.bin": b"\0" * 3000, "batches.meta.txt": b"a\nb\n"},
            "test_batch.bin is no whole number of records of 3073 bytes",
        ),
        (
            {f"data_batch_{k}.bin": b"\0" * 3073 for k in range(1, 6)}
            | {"test_batch.bin": b"\0" * 3073, "batches.meta.txt": b"a\nb\n"},
            "it has 5 training and 1 test images of 2 classes, where 20 and 10 of 4",
        ),
        (
            {f"data_batch_{k}.bin": (b"\4" + b"\0" * 3072) * 4 for k in range(1, 6)}
            | {"test_batch.bin": b"\0" * 30730, "batches.meta.txt": b"a\nb\nc\nd\n"},
            "it has a label beyond its classes",
        ),
    ],
)
def test_an_archive_of_something_else_is_one_sentence(files, word, small, tmp_path, monkeypatch):
    def other(root: Path) -> dict[str, np.ndarray]:
        tar(root / "cifar-10-binary.tar.gz", files)
        return {}

    monkeypatch.setitem(MAKE, "cifar10", (other, 4))
    small("cifar10")
    said = refusal("cifar10", tmp_path)
    assert "is not CIFAR-10" in said and word in said


def test_a_damaged_picture_in_an_archive_is_named(small, tmp_path, monkeypatch):
    def damaged(root: Path) -> dict[str, np.ndarray]:
        tiny(root)
        path = root / "tiny-imagenet-200.zip"
        with zipfile.ZipFile(path) as old:
            files = {name: old.read(name) for name in old.namelist()}
        odd = "tiny-imagenet-200/train/n02/images/n02_4.JPEG"
        files[odd] = files[odd][:200]
        with zipfile.ZipFile(path, "w") as new:
            for name, content in files.items():
                new.writestr(name, content)
        return {}

    monkeypatch.setitem(MAKE, "tiny-imagenet", (damaged, 2))
    small("tiny-imagenet")
    assert "n02_4.JPEG cannot be read as an image" in refusal("tiny-imagenet", tmp_path)


class Server(BaseHTTPRequestHandler):
    """Serves `content`, but breaks the first `breaks` connections in the middle."""

    content, breaks, ranges = b"", 0, True
    asked: list[str]

    def do_GET(self):
        cls = type(self)
        cls.asked.append(self.headers.get("Range", ""))
        start = int(self.headers["Range"][6:-1]) if self.ranges and self.headers["Range"] else 0
        body = cls.content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if cls.breaks:
            cls.breaks -= 1
            body = body[: len(body) // 2]
        self.wfile.write(body)

    def log_message(self, *about):
        pass


@pytest.fixture
def served(small, tmp_path, monkeypatch):
    """The small CIFAR-10 on a server of this machine, whose faults are set on the class."""
    small("cifar10", tmp_path / "there")
    handler = type("Handler", (Server,), {"asked": []})
    handler.content = (tmp_path / "there" / "cifar-10-binary.tar.gz").read_bytes()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    source = declared.sources()["cifar10"]
    url = f"http://127.0.0.1:{server.server_port}/cifar-10-binary.tar.gz"
    there = replace(source, files=(replace(source.files[0], url=url),))
    for module in (declared, reading):
        monkeypatch.setattr(module, "sources", lambda: PUBLISHED | {"cifar10": there})
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # between two tries
    yield handler
    server.shutdown()
    server.server_close()


def bring(root: Path) -> None:
    getting.download(declared.missing("cifar10", root), root)


@pytest.mark.parametrize("ranges", [True, False])
def test_a_broken_download_goes_on_where_it_was(ranges, served, tmp_path):
    served.breaks, served.ranges = 2, ranges
    bring(tmp_path / "new")
    assert served.asked[0] == "" and served.asked[1].startswith("bytes=")
    assert len(load("cifar10", tmp_path / "new").train) == 20
    bring(tmp_path / "new")  # it is there
    assert len(served.asked) == 3


def test_a_download_that_dies_leaves_nothing_half_read(served, tmp_path):
    served.breaks = 99
    with pytest.raises(ValueError, match="cannot be had") as error:
        bring(tmp_path)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "cifar-10-binary.tar.gz").exists()
    assert "--download" in refusal("cifar10", tmp_path)
    served.breaks = 0
    bring(tmp_path)  # goes on with what has arrived
    assert served.asked[-1].startswith("bytes=") and len(load("cifar10", tmp_path).test) == 10


def test_what_does_not_have_the_published_hash_is_not_kept(served, tmp_path):
    served.content = b"an error page"
    with pytest.raises(ValueError, match="does not have the published hash"):
        bring(tmp_path)
    assert [p.name for p in tmp_path.iterdir() if "cifar" in p.name] == [
        ".cifar-10-binary.tar.gz.lock"
    ]


def test_a_server_that_has_it_not_is_one_sentence(served, tmp_path, monkeypatch):
    monkeypatch.setattr(served, "do_GET", lambda self: self.send_error(404))
    with pytest.raises(ValueError, match="the server says 404"):
        bring(tmp_path)


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=r"data-root is .* cannot be made"):
        getting.download(PUBLISHED["cifar10"].files, tmp_path / "file" / "data")
