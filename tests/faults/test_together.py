"""Two to four processes on one experiment: each cell is computed once, nobody hangs or is wrong.

Covers a start at the same moment, and the holder of locks killed in its work. One machine and a
local file system: locks are the system's (flock); network file systems are not covered.
"""

import random
import re
import signal
import time

import pytest

from tests.faults.amount import amount
from tests.faults.forked import Ended, litter, results, run, undisturbed

NAMES = ("gap_vs_classes", "few_shot_counterexample", "collapse")


def computed(ended: Ended) -> tuple[int, int]:
    """Cells that a run computed, and those that it has."""
    found = re.search(r"(\d+) of (\d+) cells computed", ended.said)
    assert found, ended.said
    return int(found[1]), int(found[2])


@pytest.mark.parametrize("case", range(amount(2, 40)))
def test_processes_share_the_work(tmp_path, case):
    name, out, count = NAMES[case % 3], tmp_path / "out", 2 + case % 3
    children = [run(name, out, wait=False) for _ in range(count)]
    killed = random.Random(case).random() < 0.5
    if killed:
        time.sleep(random.Random(case).uniform(0, undisturbed(name).seconds))
        children.pop(0).signal(signal.SIGKILL)
    ended = [child.wait() for child in children]
    assert [one.code for one in ended] == [0] * len(ended), ended[0].said
    assert results(out, name) == undisturbed(name).tables
    assert litter(out) == []
    if not killed:
        counts = [computed(one) for one in ended]
        assert sum(done for done, _ in counts) == counts[0][1]
