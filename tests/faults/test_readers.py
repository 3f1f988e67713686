"""Mutated files: every reader refuses in one sentence that names the file, or reads what is there.

Covers data sets (`.npz`, folders of pictures in every format that Pillow writes), manifests of the
store, embeddings in every format of `supcon-theory audit`, results given to `status`, `report` and
`verify`, class frequencies given to `loss`. Bytes are flipped, cut, doubled and overwritten by a
seeded generator; headers inside archives get the right checksum again, so that the reader itself is
what is tried.
"""

import importlib.util
import io
import json
import shutil
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from supcon_theory.app import command
from supcon_theory.data import folder
from supcon_theory.data.embeddings.fault import Fault
from supcon_theory.data.embeddings.read import read as read_embeddings
from supcon_theory.data.facts import facts
from tests.faults.amount import amount
from tests.faults.archives import good, members, mutated, pictures, zipped
from tests.faults.forked import Child, undisturbed

SECONDS = 10.0  # of one file


def read(path: Path) -> str:
    """Nothing, or what was wrong with how the reader ended."""
    began = time.monotonic()
    try:
        facts(path)
    except ValueError as error:
        said = str(error)
        if str(path) not in said or "\n" in said or "allow_pickle" in said:
            return f"unclear: {said}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "" if time.monotonic() - began < SECONDS else "slow"


@pytest.mark.parametrize("part", range(10))
def test_archives(tmp_path, part):
    draw = np.random.default_rng(part)
    names = np.repeat(list("abc"), 4)
    whole = [zipped(members()), zipped(members(y_train=names, y_test=names))]
    path = tmp_path / "data.npz"
    for case in range(amount(10, 300)):
        if case % 2:
            data = mutated(whole[case // 2 % 2], draw)
        else:  # within a member
            inside = members()
            key = f"{list(good())[draw.integers(4)]}.npy"
            data = zipped(inside | {key: mutated(inside[key][:160], draw) + inside[key][160:]})
        path.write_bytes(data)
        assert not (why := read(path)), (part, case, why)


def written(kind: str) -> bytes:
    """Embeddings with labels in a file of this kind; labels alone for `.txt`."""
    draw = np.random.default_rng(0)
    z, y = draw.normal(size=(12, 3)).astype(np.float32), np.repeat(list("abc"), 4)
    file = io.BytesIO()
    match kind:
        case ".npy":
            np.save(file, z)
        case ".npz":
            np.savez(file, z=z, y=y)
        case ".pt":
            torch.save({"z": torch.from_numpy(z), "y": y.tolist()}, file)
        case ".txt":
            file.write("\n".join(y).encode())
        case ".safetensors":
            from safetensors.torch import save

            file.write(save({"z": torch.from_numpy(z), "y": torch.arange(12) % 3}))
        case _:
            table = pd.DataFrame(z, columns=["e0", "e1", "e2"]).assign(label=y)
            table.to_csv(file, index=False) if kind == ".csv" else table.to_parquet(file)
    return file.getvalue()


KINDS = [".npy", ".npz", ".csv", ".txt", ".pt", ".parquet"]
KINDS += [".safetensors"] if importlib.util.find_spec("safetensors") else []


@pytest.mark.parametrize("kind", KINDS)
def test_embeddings(tmp_path, kind):
    """What `supcon-theory audit` reads: a fault in one sentence, or rows and labels."""
    draw = np.random.default_rng(KINDS.index(kind))
    labels, path = tmp_path / "labels.txt", tmp_path / f"data{kind}"
    whole, lines = written(kind), written(".txt")
    embeddings = tmp_path / "data.npy" if kind == ".txt" else path
    embeddings.write_bytes(written(embeddings.suffix))
    labels.write_bytes(lines)
    for case in range(amount(40, 2000)):
        harmed = labels if kind == ".txt" else path
        harmed.write_bytes(mutated(whole, draw))
        try:
            found = read_embeddings(embeddings, labels=labels if kind in (".npy", ".txt") else None)
            assert np.isfinite(found.z).all() and len(found.y) == len(found.z)
        except Fault as fault:
            said = str(fault)
            assert str(tmp_path) in said and "\n" not in said, (case, said)
            assert "allow_pickle" not in said and "weights_only" not in said, (case, said)


FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "ICO", "TGA", "PCX", "JPEG2000")


@pytest.mark.parametrize("kind", FORMATS)
def test_pictures(tmp_path, kind, monkeypatch):
    draw = np.random.default_rng(FORMATS.index(kind))
    file = io.BytesIO()
    image = Image.fromarray(draw.integers(0, 256, (24, 24, 3), dtype=np.uint8))
    (image.convert("P") if kind in ("GIF", "PCX") else image).save(file, kind)
    path = pictures(tmp_path / "data", each=1)
    monkeypatch.setattr(folder, "remember", lambda *_: None)
    for case in range(amount(4, 200)):
        picture = path / "train" / "class 0" / f"x{case}.{kind.lower()}"
        picture.write_bytes(mutated(file.getvalue(), draw))
        assert not (why := read(path)), (kind, case, why)
        picture.unlink()


def commands(out: Path) -> dict[str, list[str]]:
    results = next(path.parent for path in out.glob("*/[!.]*/claims.csv"))
    return {
        "status": ["status", str(out)],
        "report": ["report", str(out), "--out", str(out / "page")],
        "verify": ["verify", str(results / "claims.json"), str(results / "table.csv")],
    }


@pytest.mark.parametrize("part", range(amount(2, 40)))
@pytest.mark.parametrize("what", ["status", "report", "verify"])
def test_results(tmp_path, what, part):
    """No traceback of `status`, `report` and `verify`, whichever file of a run is broken."""
    draw = np.random.default_rng(part)
    whole = undisturbed("few_shot_counterexample").out
    found = [
        p.relative_to(whole) for p in sorted(whole.rglob("*")) if p.suffix in (".json", ".csv")
    ]

    def work() -> None:
        for case in range(amount(4, 25)):
            out = Path(shutil.copytree(whole, tmp_path / f"out{case}"))
            asked = commands(out)[what]
            harmed = [asked[1], asked[2]] if what == "verify" else found
            path = out / harmed[draw.integers(len(harmed))]
            data = path.read_bytes()
            match draw.integers(3):
                case 0:
                    path.write_bytes(mutated(data, draw))
                case 1:
                    path.write_bytes(draw.bytes(50))
                case _:
                    text = draw.choice(["[]", '{"cells": 3}', '{"claims": [{}]}', "a,b\n1,2\n", ""])
                    path.write_text(str(text))
            print("CASE", case, path.name, flush=True)
            print("CODE", command.run(asked), flush=True)
            shutil.rmtree(out)

    ended = Child(work, tmp_path / "said").wait()
    assert ended.code == 0 and "Traceback" not in ended.said, ended.said[-3000:]
    codes = {line.split()[1] for line in ended.said.splitlines() if line.startswith("CODE")}
    assert codes <= {"0", "1", "2"}, ended.said[-3000:]


@pytest.mark.parametrize("part", range(amount(1, 10)))
def test_class_frequencies(tmp_path, part):
    draw = np.random.default_rng(part)
    path = tmp_path / "counts"
    whole = b"class,count\n" + b"".join(b"%d,%d\n" % (k, 100 - k) for k in range(20))
    words = ["loss", "3", "--objective", "supcon", "--batch", "64", "--tau", "0.1"]

    def work() -> None:
        for case in range(amount(20, 200)):
            path.write_bytes(mutated(whole, draw))
            print("CODE", command.run([*words, "--counts", str(path)]), case, flush=True)

    ended = Child(work, tmp_path / "said").wait()
    assert ended.code == 0 and "Traceback" not in ended.said, ended.said[-3000:]
    codes = {line.split()[1] for line in ended.said.splitlines() if line.startswith("CODE")}
    assert codes <= {"0", "2"}, ended.said[-3000:]


def test_json_of_the_store_is_read_or_refused(tmp_path):
    from supcon_theory.runs import store

    draw = np.random.default_rng(0)
    path = tmp_path / "manifest.json"
    whole = json.dumps({"files": {"table.csv": "0" * 64}, "versions": {"a": 1}}).encode()
    for _ in range(amount(200, 2000)):
        path.write_bytes(mutated(whole, draw))
        try:
            assert isinstance(store.read_json(path), dict)
        except store.Damaged as error:
            assert str(path) in str(error)
