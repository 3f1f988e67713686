"""Files made to harm: their code never runs, and the refusal is one sentence that names the file.

Covers pickles as checkpoints (with hashes that agree, so that only the reader protects), as object
arrays in archives, as the archive itself; members named `../`, encrypted, of unknown methods; zip
and picture bombs; headers that lie. Links that lead out of a folder of pictures are in
tests/data/test_folder.py.
"""

import io
import json
import pickle
import shutil
import zipfile

import pytest
import torch

from supcon_theory.data.facts import facts
from supcon_theory.runs.store import Entry
from tests.faults.amount import amount
from tests.faults.archives import Payload, crafted
from tests.faults.forked import run, undisturbed

MADE = tuple(crafted(None))  # names alone
RIGHT = {"a pickle before the zip", "junk before the zip", "labels of 2^63", "one class"}
RIGHT |= {"members with ../", "a header with big endian"}


@pytest.mark.parametrize("name", MADE)
def test_archives(tmp_path, name):
    mark, path = tmp_path / "mark", tmp_path / "data.npz"
    path.write_bytes(crafted(mark)[name])
    if name in RIGHT:  # what is odd in them is not read
        assert facts(path).classes
    else:
        with pytest.raises(ValueError) as refused:
            facts(path)
        said = str(refused.value)
        assert str(path) in said and "\n" not in said and "allow_pickle" not in said
    assert not mark.exists()
    assert {found.name for found in tmp_path.iterdir()} == {"data.npz"}


def checkpoints(mark) -> dict[str, bytes]:
    payload = io.BytesIO()
    torch.save({"network": Payload(mark), "step": 2}, payload)
    legacy = io.BytesIO()
    torch.save(Payload(mark), legacy, _use_new_zipfile_serialization=False)
    nested = io.BytesIO()
    with zipfile.ZipFile(nested, "w") as file:
        file.writestr("archive/data.pkl", pickle.dumps(Payload(mark)))
        file.writestr("archive/version", "3")
    return {
        "a pickle": pickle.dumps(Payload(mark)),
        "a saved object": payload.getvalue(),
        "an old format": legacy.getvalue(),
        "a zip": nested.getvalue(),
        "nothing": b"",
        "a list": b"\x80\x02]q\x00.",
    }


@pytest.mark.parametrize("made", list(checkpoints(None))[: amount(3, 6)])
@pytest.mark.parametrize("place", ["step-000000.pt", "resume.pt"])
def test_checkpoints(tmp_path, made, place):
    out, mark = tmp_path / "out", tmp_path / "mark"
    shutil.copytree(undisturbed("collapse").out, out)
    shutil.rmtree(out / "collapse" / "cells")
    for folder in (path for path in (out / "encoders").iterdir() if path.is_dir()):
        entry = Entry(folder)
        entry.add(place, checkpoints(mark)[made])
        manifest = folder / "manifest.json"
        if place == "resume.pt":
            manifest.unlink()
        else:  # hashes that agree
            entry.finish(json.loads(manifest.read_text()))
    ended = run("collapse", out)
    assert not mark.exists() and "Traceback" not in ended.said, ended.said
    if place == "resume.pt":  # trained from the start, and said
        assert ended.code == 0 and "training starts again" in ended.said, ended.said
    else:
        assert ended.code == 4 and "is no checkpoint" in ended.said, ended.said
