"""Damage to any stored file is found, set aside, computed again and told; never used, never a hang.

Covers flipped bits, cuts and growth in every file of cells and encoders, and what is not a file in
the place of one: folders, FIFOs, links to nothing and to themselves, JSON of another type; in the
place of an entry's folder too. A file that is gone altogether leaves an unfinished entry: that is
computed again without a word.
"""

import os
import random
import shutil
from pathlib import Path

import pytest

from tests.faults.amount import amount
from tests.faults.forked import results, run, stored, undisturbed

NAME, QUICK = "collapse", "few_shot_counterexample"  # with encoders, and without


def spoil(path: Path, how: str) -> None:
    """Put something odd in the place of a file or folder."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    match how:
        case "directory":
            path.mkdir()
            (path / "inside").touch()
        case "fifo":
            os.mkfifo(path)
        case "link to nothing":
            path.symlink_to("nowhere")
        case "link to itself":
            path.symlink_to(path.name)
        case _:
            path.write_text(how)


ODD = ("directory", "fifo", "link to nothing", "link to itself")
JSON = ("[]", "3", "null", '{"files": 3}', '{"../x": 5}', "[" * 100_000, "")


def damaged(tmp_path: Path, name: str = NAME) -> Path:
    """A copy of a finished run whose first cell and encoder are read again."""
    return Path(shutil.copytree(undisturbed(name).out, tmp_path / "out"))


def heals(out: Path, harmed: Path, name: str = NAME) -> None:
    """Run again, and compare."""
    if harmed.relative_to(out).parts[0] == "encoders":  # read only where a cell is computed
        shutil.rmtree(out / NAME / "cells")
    ended = run(name, out)
    assert ended.code == 0, ended.said
    assert results(out, name) == undisturbed(name).tables
    assert "set aside" in ended.said, "in silence"


@pytest.mark.parametrize("case", range(amount(40, 2000)))
def test_flips_cuts_and_growth(tmp_path, case):
    name = NAME if case % 8 == 0 else QUICK
    draw, out = random.Random(case), damaged(tmp_path, name)
    path = draw.choice(stored(out))
    data = bytearray(path.read_bytes())
    match case % 3:
        case 0:
            data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        case 1:
            del data[draw.randrange(len(data)) :]
        case 2:
            data += draw.randbytes(draw.randint(1, 100))
    path.write_bytes(data)
    if path.suffix == ".json" and case % 3 == 2 and not bytes(data[-1:]).strip():
        return  # white space after JSON changes nothing
    heals(out, path, name)


@pytest.mark.parametrize("case", range(amount(6, 120)))
def test_what_is_no_file_in_the_place_of_one(tmp_path, case):
    draw, out = random.Random(case), damaged(tmp_path)
    path = draw.choice(stored(out))
    how = draw.choice(ODD + (JSON if path.suffix == ".json" else ()))
    spoil(path, how)
    heals(out, path)


@pytest.mark.parametrize("how", ODD[1:])
@pytest.mark.parametrize("place", ["encoders", f"{NAME}/cells"])
def test_what_is_no_folder_in_the_place_of_an_entry(tmp_path, how, place):
    out = damaged(tmp_path)
    folder = next(path for path in (out / place).iterdir() if path.is_dir())
    spoil(folder, how)
    heals(out, folder)
