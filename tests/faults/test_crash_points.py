"""A crash before and after every write, fsync and rename of the store and of publishing.

The process ends at once (`os._exit`, as a kill would) at the k-th such point: before a file's bytes
are written, after half of them, around each fsync, rename and exchange of folders. Run again, the
tables are those of an undisturbed run, with no file left over. Short: 20 points of one experiment;
deep: all of three.
"""

import os
import random
from functools import cache
from pathlib import Path

import pytest

from supcon_theory.runs import publish, store
from tests.faults.amount import DEEP, amount
from tests.faults.forked import litter, results, run, undisturbed

NAMES = ("collapse", "few_shot_counterexample", "gap_vs_classes") if DEEP else ("collapse",)


class Points:
    """Counts the points, and ends the process at one of them."""

    def __init__(self, last: int, record: Path | None = None) -> None:
        self.last, self.record, self.passed = last, record, 0

    def here(self) -> None:
        self.passed += 1
        if self.record:
            self.record.write_text(str(self.passed))
        if self.passed == self.last:
            os._exit(137)

    def around(self, do):
        def done(*arguments, **named):
            self.here()
            found = do(*arguments, **named)
            self.here()
            return found

        return done

    def install(self) -> None:
        """In the process that is to crash."""
        for name in ("fsync", "replace", "rename"):
            setattr(os, name, self.around(getattr(os, name)))
        publish._exchange = self.around(publish._exchange)
        store.open = self.opened  # what `write` opens: its bytes come in two halves

    def opened(self, path, mode="r", *more, **named):
        file = open(path, mode, *more, **named)
        if mode == "wb":
            write, here = file.write, self.here

            class Halves:
                def __enter__(self):
                    return self

                def __exit__(self, *exception):
                    file.close()

                def __getattr__(self, name):
                    return getattr(file, name)

                def write(self, data):
                    here()
                    write(data[: len(data) // 2])
                    file.flush()
                    here()
                    write(data[len(data) // 2 :])

            return Halves()
        return file


@cache
def points(name: str, place: Path) -> int:
    record = place / "points"
    ended = run(name, place / f"counted-{name}", before=Points(0, record).install)
    assert ended.code == 0, ended.said
    return int(record.read_text())


@pytest.mark.parametrize("case", range(amount(20, 400)))
@pytest.mark.parametrize("name", NAMES)
def test_a_crash_at_any_point_leaves_no_trace(tmp_path, tmp_path_factory, name, case):
    there = points(name, tmp_path_factory.getbasetemp())
    if DEEP:
        if case >= there:
            return
        last = case + 1
    else:
        last = random.Random(case).randint(1, there)
    out = tmp_path / "out"
    assert run(name, out, before=Points(last).install).code == 137
    ended = run(name, out)
    assert ended.code == 0, ended.said
    assert results(out, name) == undisturbed(name).tables
    assert litter(out) == []
