"""Killed at a random moment and run again: the tables of an undisturbed run, and nothing left over.

Covers SIGKILL at a uniformly random moment of three tiny experiments (cells, training, publishing);
figures are not drawn. The same for SIGINT and SIGTERM, which must end the run within 5 seconds with
130 and a sentence. Does not cover a power cut: what the disk itself loses after fsync.
"""

import random
import signal
import time

import pytest

from tests.faults.amount import amount
from tests.faults.forked import litter, results, run, undisturbed

NAMES = ("few_shot_counterexample", "gap_vs_classes", "collapse")


def duration(name: str) -> float:
    return undisturbed(name).seconds


@pytest.mark.parametrize("case", range(amount(5, 200)))
def test_a_killed_run_goes_on_and_ends_in_the_same_tables(tmp_path, case):
    name, draw = NAMES[case % 3], random.Random(case)
    for _ in range(draw.choice((1, 1, 2))):
        child = run(name, tmp_path / "out", wait=False)
        time.sleep(draw.uniform(0, 1.1 * duration(name)))
        child.signal(signal.SIGKILL)
        child.wait()
    ended = run(name, tmp_path / "out")
    assert ended.code == 0, ended.said
    assert results(tmp_path / "out", name) == undisturbed(name).tables
    assert litter(tmp_path / "out") == []


@pytest.mark.parametrize("case", range(amount(2, 40)))
def test_a_stopped_run_says_so_and_goes_on(tmp_path, case):
    name, draw = NAMES[case % 3], random.Random(1000 + case)
    child = run(name, tmp_path / "out", wait=False)
    time.sleep(draw.uniform(0.05, duration(name)))
    sent = time.monotonic()
    child.signal((signal.SIGINT, signal.SIGTERM)[case % 2])
    ended = child.wait()
    assert time.monotonic() - sent < 5
    assert ended.code in (0, 130), ended.said  # 0: it was done already
    assert ended.code == 0 or "Stopped" in ended.said
    assert "Traceback" not in ended.said
    assert litter(tmp_path / "out") == []
    assert run(name, tmp_path / "out").code == 0
    assert results(tmp_path / "out", name) == undisturbed(name).tables
