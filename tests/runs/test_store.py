"""The store: whole files or none, hashes checked, damage set aside and said."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from supcon_theory.runs.store import Damaged, Entry, key, write


@pytest.fixture
def entry(tmp_path):
    entry = Entry(tmp_path / "entry")
    entry.add("a.csv", b"1,2\n")
    entry.finish({"config": {"C": 2}})
    return entry


def test_what_was_written_is_read(entry):
    assert entry.finished() and entry.read("a.csv") == b"1,2\n"
    manifest = json.loads((entry.folder / "manifest.json").read_bytes())
    assert manifest["config"] == {"C": 2} and list(manifest["files"]) == ["a.csv"]


def test_an_entry_without_a_manifest_is_unfinished(tmp_path):
    entry = Entry(tmp_path / "other")
    assert not entry.finished()
    entry.add("a.csv", b"1")
    assert not entry.finished()


@pytest.mark.parametrize("damage", [b"1,3\n", b"", b"1,2"])
def test_an_altered_file_is_set_aside_and_the_entry_unfinished(entry, damage):
    (entry.folder / "a.csv").write_bytes(damage)
    with pytest.raises(Damaged, match="a.csv.damaged"):
        entry.finished()
    assert (entry.folder / "a.csv.damaged").read_bytes() == damage
    assert not entry.finished()


def test_a_lost_file_is_noticed(entry):
    (entry.folder / "a.csv").unlink()
    with pytest.raises(Damaged):
        entry.finished()


@pytest.mark.parametrize("name", ["manifest.json", "files.json"])
def test_a_torn_index_is_noticed(entry, name):
    path = entry.folder / name
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(Damaged):
        entry.finished()
    assert not entry.finished()


def test_an_entry_can_be_reopened_and_a_file_removed(entry):
    entry.remove("a.csv")
    assert not (entry.folder / "a.csv").exists() and entry.files() == {}
    entry.reopen()
    assert not entry.finished()


def test_keys_are_equal_only_for_equal_configurations():
    assert key({"a": 1, "b": (2, 3)}) == key({"b": [2, 3], "a": 1})
    assert len({key({"a": 1}), key({"a": 2}), key({"b": 1}), key({"a": "1"}), key({"a": 1.5})}) == 5


WRITER = """
import sys
from pathlib import Path
from supcon_theory.runs.store import write
size, path = 2_000_000, Path(sys.argv[1])
print("ready", flush=True)
for i in range(10_000):
    write(path, bytes([i % 250]) * size)
"""


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is a POSIX matter")
def test_a_kill_while_writing_leaves_a_whole_file(tmp_path):
    path = tmp_path / "file"
    for moment in (0.05, 0.11, 0.23):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE
        )
        process.stdout.readline()
        time.sleep(moment)
        process.send_signal(signal.SIGKILL)
        process.wait()
        content = path.read_bytes()
        assert len(content) == 2_000_000 and len(set(content)) == 1


def test_writing_replaces(tmp_path):
    write(tmp_path / "new" / "file", b"one")
    write(tmp_path / "new" / "file", b"two")
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["file"]
    assert (tmp_path / "new" / "file").read_bytes() == b"two"
