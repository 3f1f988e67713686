"""Broken data sets: an `.npz` or a folder of pictures, with one thing wrong."""

import io
import os
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image


class Payload:
    """Unpickled, it leaves a file behind."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return os.system, (f"touch {self.mark}",)


def good() -> dict[str, np.ndarray]:
    draw = np.random.default_rng(0)
    y = np.repeat(np.arange(3), 4)
    x = draw.integers(0, 256, (12, 8, 8), dtype=np.uint8)
    return {"x_train": x, "y_train": y, "x_test": x, "y_test": y}


def npy(array: np.ndarray) -> bytes:
    data = io.BytesIO()
    np.lib.format.write_array(data, array, allow_pickle=True)
    return data.getvalue()


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return data.getvalue()


def members(**other: np.ndarray) -> dict[str, bytes]:
    return {f"{key}.npy": npy(array) for key, array in (good() | other).items()}


def header(descr: str, shape: str, body: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    text += b" " * (63 - (10 + len(text)) % 64) + b"\n"
    return b"\x93NUMPY" + version + struct.pack("<H", len(text)) + text + body


def mutated(data: bytes, draw: np.random.Generator) -> bytes:
    """Bytes with some flipped, cut, doubled or overwritten."""
    out = bytearray(data)
    for _ in range(draw.integers(1, 6)):
        place = int(draw.integers(0, len(out)))
        match draw.integers(0, 5):
            case 0:
                out[place] ^= 1 << int(draw.integers(0, 8))
            case 1:
                out[place : place + 4] = draw.bytes(4)
            case 2:
                del out[place : place + int(draw.integers(1, 64))]
            case 3:
                out[place:place] = out[place : place + int(draw.integers(1, 64))]
            case 4:
                out[place : place + 8] = b"\xff" * 8
        if not out:
            break
    return bytes(out)


def crafted(mark: Path) -> dict[str, bytes]:
    """Archives by what is wrong with them; the pickles in some would leave `mark` behind."""
    objects = np.array([Payload(mark)], dtype=object)
    pickled = pickle.dumps(Payload(mark))
    unsigned = np.repeat(np.array([2**31, 2**40, 2**63], np.uint64), 4)
    made = {
        "a pickle": pickled,
        "nothing": b"",
        "junk before the zip": b"junk" * 100 + zipped(members()),
        "a pickle before the zip": pickled + zipped(members()),
        "labels of 2^63": zipped(members(y_train=unsigned, y_test=unsigned)),
        "no arrays": zipped({f"{key}.npy": b"text" for key in good()}),
        "members without npy": zipped({key: b"text" for key in good()}),
        "one missing": zipped({k: v for k, v in members().items() if k != "y_test.npy"}),
        "twice the same member": zipped(members())[:-40],
        "no labels": zipped(members(y_train=np.zeros((0,), int))),
        "no images": zipped(members(x_train=np.zeros((0, 8, 8), np.uint8))),
        "complex": zipped(members(x_train=good()["x_train"].astype(complex))),
        "dates": zipped(members(y_train=np.zeros(12, "M8[D]"), y_test=np.zeros(12, "M8[D]"))),
        "void": zipped(members(x_train=np.zeros((12, 8, 8), "V4"))),
        "records": zipped(members(y_train=np.zeros(12, [("a", int)]))),
        "huge floats": zipped(members(x_train=np.full((12, 8, 8), 1e300))),
        "negative": zipped(members(x_train=np.full((12, 8, 8), -0.5))),
        "NaN": zipped(members(x_train=np.full((12, 8, 8), np.nan))),
        "float labels": zipped(members(y_train=np.full(12, np.nan))),
        "five dimensions": zipped(members(x_train=np.zeros((12, 1, 1, 8, 8), np.uint8))),
        "a scalar": zipped(members(y_train=np.array(3))),
        "one class": zipped(members(y_train=np.zeros(12, int), y_test=np.zeros(12, int))),
        "a bomb": zipped(
            members() | {"x_train.npy": header("'|u1'", "(200000, 32, 32)", bytes(204_800_000))},
            zipfile.ZIP_DEFLATED,
        ),
    }
    for key in good():
        made[f"objects in {key}"] = zipped(members(**{key: objects}))
    for name, head in {
        "more than there is": header("'|u1'", "(99999999999, 8, 8)", b"x" * 768),
        "more than memory": header("'|u1'", "(9999999999999999999, 8, 8)", b"x" * 768),
        "a negative shape": header("'|u1'", "(-12, 8, 8)", b"x" * 768),
        "a shape of words": header("'|u1'", "('a', 8, 8)", b"x" * 768),
        "a shape of floats": header("'|u1'", "(1.5, 8, 8)", b"x" * 768),
        "truth values as shape": header("'|u1'", "(True, 8, 8)", b"x" * 64),
        "no type": header("'?!'", "(12, 8, 8)", b"x" * 768),
        "a type of 0 bytes": header("'|S0'", "(12, 8, 8)", b""),
        "a nested type": header("[('a', '<f8', (3,))]", "(12,)", b"x" * 288),
        "code as a type": header("__import__('os').getcwd()", "(12, 8, 8)", b"x" * 768),
        "version 3": header("'|u1'", "(12, 8, 8)", b"x" * 768, b"\x03\x00"),
        "version 9": header("'|u1'", "(12, 8, 8)", b"x" * 768, b"\x09\x00"),
        "deep brackets": header("'|u1'", "(" * 60 + "12" + ")" * 60, b"x" * 768),
        "a long header": header("'|u1'", "(12, 8, 8" + ", 1" * 9000 + ")", b"x" * 768),
        "big endian": npy(good()["x_train"].astype(">f8") / 255),
    }.items():
        made[f"a header with {name}"] = zipped(members() | {"x_train.npy": head})
    plain = bytearray(zipped(members()))
    for name, place, value in (
        ("encrypted", 6, 1),
        ("an unknown method", 8, 97),
        ("a checksum", 14, 0xABCD),
    ):
        data = bytearray(plain)
        at = -1
        while (at := data.find(b"PK\x03\x04", at + 1)) >= 0:
            struct.pack_into("<H", data, at + place, value)
        at = -1
        while (at := data.find(b"PK\x01\x02", at + 1)) >= 0:
            struct.pack_into("<H", data, at + place + 2, value)
        made[f"{name} in the zip"] = bytes(data)
    made["members with ../"] = zipped(
        members() | {"../../x.npy": npy(good()["x_train"]), "/etc/x.npy": b""}
    )
    return made


def pictures(path: Path, classes: int = 3, each: int = 4) -> Path:
    """A folder of pictures that is right."""
    draw = np.random.default_rng(1)
    for split in ("train", "test"):
        for c in range(classes):
            place = path / split / f"class {c}"
            place.mkdir(parents=True)
            for k in range(each):
                image = draw.integers(0, 256, (9, 9, 3), dtype=np.uint8)
                Image.fromarray(image).save(place / f"{k}.png")
    return path
