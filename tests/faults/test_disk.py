"""A full disk, an output folder that cannot be written or vanishes: one sentence, nothing lost.

The system's refusal (ENOSPC, EDQUOT, EROFS, EIO) is raised where bytes are written, from the k-th
write on, in cells, training and publishing; the folder of results is removed in the middle of a
run. A rerun completes. Does not cover file systems that lie about fsync.
"""

import errno
import os
import random
import shutil

import pytest

from supcon_theory.runs import cells
from tests.faults.amount import amount
from tests.faults.forked import litter, results, run, undisturbed

NAMES = ("collapse", "few_shot_counterexample", "gap_vs_classes")
ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)


def refuse_after(count: int, number: int):
    """From the count-th fsync on, the system refuses it."""
    left, sync = [count], os.fsync

    def fsync(descriptor):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(number, os.strerror(number), "/the/disk")
        sync(descriptor)

    def install() -> None:
        os.fsync = fsync

    return install


@pytest.mark.parametrize("case", range(amount(3, 60)))
def test_a_full_disk_is_one_sentence_and_a_rerun_completes(tmp_path, case):
    draw, name, out = random.Random(case), NAMES[case % 3], tmp_path / "out"
    number = ERRORS[case % len(ERRORS)]
    ended = run(name, out, before=refuse_after(draw.randint(0, 12), number))
    assert ended.code == 4, ended.said
    assert "Traceback" not in ended.said
    assert f"{os.strerror(number)}: /the/disk" in ended.said.splitlines()[-1]
    assert litter(out) == []
    assert run(name, out).code == 0
    assert results(out, name) == undisturbed(name).tables


def test_an_output_folder_that_vanishes_is_one_sentence(tmp_path):
    name, out = "gap_vs_classes", tmp_path / "out"

    def vanish() -> None:
        finish = cells.store.Entry.finish

        def gone(self, manifest):
            finish(self, manifest)
            if "cells" in self.folder.parts:
                shutil.rmtree(out)

        cells.store.Entry.finish = gone

    ended = run(name, out, before=vanish)
    assert ended.code == 4 and "Traceback" not in ended.said, ended.said
    assert run(name, out).code == 0
    assert results(out, name) == undisturbed(name).tables


@pytest.mark.parametrize("place", ["/dev/null/x", "/proc/x", "/sys/x"])
def test_a_folder_that_cannot_be_written_is_refused_before_any_work(tmp_path, place):
    ended = run("few_shot_counterexample", tmp_path / "said", "--out", place)
    assert ended.code == 2 and len(ended.said.splitlines()) == 1, ended.said


def test_output_that_cannot_be_written_is_exit_code_4(tmp_path):
    def full() -> None:
        os.dup2(os.open("/dev/full", os.O_WRONLY), 1)

    ended = run("few_shot_counterexample", tmp_path / "out", before=full)
    assert ended.code == 4 and "Traceback" not in ended.said, ended.said
