"""The store: whole files or none, hashes checked, damage set aside and said."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from supcon_theory.runs.store import Damaged, Entry, key, plain, write, write_json

IDENTITY = {"config": {"C": 2, "taus": (1.0, 0.5)}, "audits": {"gap": 1}}


@pytest.fixture
def entry(tmp_path):
    entry = Entry(tmp_path / "entry", IDENTITY)
    entry.add("a.csv", b"1,2\n")
    entry.add("b.csv", b"3\n")
    entry.finish({"time": "now"})
    return entry


def test_what_was_written_is_read(entry):
    assert entry.finished() and entry.read("a.csv") == b"1,2\n"
    manifest = json.loads((entry.folder / "manifest.json").read_bytes())
    assert manifest["config"] == {"C": 2, "taus": [1.0, 0.5]} and manifest["time"] == "now"
    assert list(manifest["files"]) == ["a.csv", "b.csv"]


def test_an_entry_without_a_manifest_is_unfinished(tmp_path):
    entry = Entry(tmp_path / "other")
    assert not entry.finished()
    entry.add("a.csv", b"1")
    assert not entry.finished() and not entry.available(pytest.fail)


def rewrite(entry, **changes):
    path = entry.folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def without_files(entry):
    rewrite(entry, files={})
    (entry.folder / "files.json").write_text("{}")


ODD = {
    "without files": without_files,
    "nested": lambda e: (e.folder / "manifest.json").write_text("[" * 100_000),
    "altered": lambda e: (e.folder / "a.csv").write_bytes(b"1,3\n"),
    "emptied": lambda e: (e.folder / "a.csv").write_bytes(b""),
    "cut short": lambda e: (e.folder / "b.csv").write_bytes(b"3"),
    "lost": lambda e: (e.folder / "a.csv").unlink(),
    "a folder": lambda e: ((e.folder / "a.csv").unlink(), (e.folder / "a.csv").mkdir()),
    "torn manifest": lambda e: (e.folder / "manifest.json").write_text('{"files": {'),
    "a list as manifest": lambda e: (e.folder / "manifest.json").write_text("[1]"),
    "bytes as manifest": lambda e: (e.folder / "manifest.json").write_bytes(b"\xff\xfe"),
    "torn list of files": lambda e: (e.folder / "files.json").write_text("{"),
    "no list of files": lambda e: (e.folder / "files.json").unlink(),
    "another list of files": lambda e: rewrite(e, files={}),
    "files that are no dict": lambda e: rewrite(e, files=3),
    "another config": lambda e: rewrite(e, config={"C": 3, "taus": [1.0, 0.5]}),
    "a later version": lambda e: rewrite(e, audits={"gap": 2}),
    "no versions": lambda e: rewrite(e, audits=None),
    "a file as folder": lambda e: (shutil.rmtree(e.folder), e.folder.write_text("")),
}


@pytest.mark.parametrize("damage", ODD.values(), ids=ODD)
def test_anything_odd_sets_the_whole_entry_aside_and_says_so(entry, damage):
    damage(entry)
    there = {p.relative_to(entry.folder) for p in entry.folder.rglob("*")}
    with pytest.raises(Damaged):
        entry.finished()
    said = []
    assert not entry.available(said.append)
    assert len(said) == 1 and "entry.damaged" in said[0] and str(entry.folder) in said[0]
    aside = entry.folder.with_name("entry.damaged")
    assert {p.relative_to(aside) for p in aside.rglob("*")} == there  # never deleted
    assert not entry.folder.exists() and not entry.available(pytest.fail)


def test_a_manifest_is_as_it_was_written_or_of_an_earlier_version(entry):
    entry.finish({"seconds": 1.5})
    manifest = entry.folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace("1.5", "1.7"))
    with pytest.raises(Damaged, match="does not have the hash"):
        entry.finished()
    write_json(entry.folder / "files.json", entry.files())  # no hash of the manifest
    assert entry.finished()


def test_what_is_set_aside_twice_is_kept_twice(entry):
    for _ in range(3):
        entry.add("a.csv", b"1,2\n")
        entry.finish({})
        (entry.folder / "a.csv").unlink()
        assert not entry.available(lambda said: None)
    assert len(list(entry.folder.parent.glob("entry.damaged*"))) == 3


def test_an_entry_can_be_reopened_and_a_file_removed(entry):
    entry.remove("a.csv")
    assert not (entry.folder / "a.csv").exists() and list(entry.files()) == ["b.csv"]
    entry.reopen()
    assert not entry.finished()


def test_a_configuration_as_json_leaves_out_empty_options_only():
    @dataclass(frozen=True)
    class Inner:
        options: dict
        numbers: tuple = (1, 2)

    @dataclass(frozen=True)
    class Outer:
        inner: Inner
        none: tuple = ()
        zero: int = 0
        place: Path = Path("a")

    rest = {"none": [], "zero": 0, "place": "a"}
    assert plain(Outer(Inner({}))) == {"inner": {"numbers": [1, 2]}} | rest
    assert plain(Outer(Inner({"a": 1})))["inner"]["options"] == {"a": 1}


def test_keys_are_equal_only_for_equal_configurations():
    assert key({"a": 1, "b": (2, 3)}) == key({"b": [2, 3], "a": 1})
    assert len({key({"a": 1}), key({"a": 2}), key({"b": 1}), key({"a": "1"}), key({"a": 1.5})}) == 5


WRITER = """
import sys
from pathlib import Path
from supcon_theory.runs.store import write
size, path = 2_000_000, Path(sys.argv[1])
write(path, bytes(size))
print("ready", flush=True)  # under load the first may take longer than the moment of the kill
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


def test_what_is_no_regular_file_is_not_replaced(tmp_path):
    """A rename would take the place of /dev/null, for whoever may."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileExistsError, match="no regular file"):
        write(tmp_path / "pipe", b"1")
    assert (tmp_path / "pipe").is_fifo() and [p.name for p in tmp_path.iterdir()] == ["pipe"]


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_leaves_the_earlier_file_and_no_other(tmp_path, monkeypatch, call):
    write(tmp_path / "file", b"one")

    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, call, full)
    with pytest.raises(OSError, match="No space"):
        write(tmp_path / "file", b"two")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"one"
