"""Cells: computed once, kept, in order; a failed one does not take the others with it."""

import multiprocessing
import os
import time
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pandas as pd
import pytest

from supcon_theory.runs.cells import Cell, Context, compute


def square(config, context):
    (context.encoders / f"computed-{config['x']}-{os.getpid()}-{time.time_ns()}").touch()
    if config["x"] == 13:
        raise FloatingPointError("the loss is nan at epoch 1, step 2")
    if config["x"] == 14:
        raise KeyError("a bug")
    context.report(0.5)
    time.sleep(config.get("sleep", 0))
    return pd.DataFrame({"x": [config["x"]], "square": [config["x"] ** 2 / 3]})


def end_the_worker(config, context):
    os._exit(1)


def cells(*numbers, **more):
    return [Cell({"x": x} | more, f"x={x}", cost=10 - x % 10) for x in numbers]


@pytest.fixture
def context(tmp_path):
    (tmp_path / "marks").mkdir()
    return Context(tmp_path / "marks")


def computed(context) -> list[int]:
    return sorted(int(path.name.split("-")[1]) for path in context.encoders.iterdir())


def test_cells_are_computed_once_and_come_in_order(tmp_path, context):
    first = compute(cells(3, 1, 2), square, tmp_path / "cells", context, jobs=2)
    assert list(first.tables["table"]["x"]) == [3, 1, 2] and first.computed == 3
    again = compute(cells(3, 1, 2, 4), square, tmp_path / "cells", context, jobs=2)
    assert computed(context) == [1, 2, 3, 4] and again.computed == 1
    pd.testing.assert_frame_equal(again.tables["table"].iloc[:3], first.tables["table"])
    assert again.tables["table"]["square"].iloc[0] == 3.0  # floats survive the CSV exactly
    assert again.tables["table"]["square"].iloc[1] == 1 / 3
    compute(cells(3), square, tmp_path / "cells", context, jobs=1, force=True)
    assert computed(context) == [1, 2, 3, 3, 4]


def test_a_loss_that_is_not_finite_ends_its_cell_only(tmp_path, context):
    outcome = compute(cells(1, 13, 2), square, tmp_path / "cells", context, jobs=1)
    assert outcome.failed == {"x=13": "the loss is nan at epoch 1, step 2"}
    assert list(outcome.tables["table"]["x"]) == [1, 2]


def test_a_bug_is_raised_after_the_others_are_stored(tmp_path, context):
    with pytest.raises(RuntimeError, match="a bug"):
        compute(cells(14, 1), square, tmp_path / "cells", context, jobs=1)
    assert compute(cells(1), square, tmp_path / "cells", context, jobs=1).computed == 0


def test_cells_that_share_a_name_are_refused(tmp_path, context):
    with pytest.raises(ValueError, match="same name"):
        compute([Cell({"x": 1}, "one"), Cell({"x": 2}, "one")], square, tmp_path, context, jobs=1)


def test_a_bug_does_not_take_processes_of_others_with_it(tmp_path, context, monkeypatch):
    other = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(60,))
    other.start()
    try:
        with pytest.raises(BrokenProcessPool):
            compute(cells(1), end_the_worker, tmp_path / "cells", context, jobs=1)
        other.join(timeout=0.5)
        assert other.is_alive()
    finally:
        other.kill()


def test_a_forced_cell_is_computed_again(tmp_path, context):
    for _ in range(2):
        compute(cells(5), square, tmp_path / "cells", context, jobs=1, force=True)
    assert computed(context) == [5, 5]


def test_an_altered_result_is_computed_again_and_said(tmp_path, context):
    (cell,) = cells(5)
    whole = compute([cell], square, tmp_path / "cells", context, jobs=1).tables["table"]
    (tmp_path / "cells" / cell.key / "table.csv").write_text("x,square\n5,99\n")
    outcome = compute([cell], square, tmp_path / "cells", context, jobs=1)
    assert "damaged" in outcome.damaged[0] and outcome.computed == 1
    pd.testing.assert_frame_equal(outcome.tables["table"], whole)


def run_both(folder: Path, marks: Path) -> None:
    compute(cells(1, 2, 3, sleep=0.3), square, folder, Context(marks), jobs=1)


def test_two_commands_together_compute_each_cell_once(tmp_path, context):
    spawn = multiprocessing.get_context("spawn")
    both = [
        spawn.Process(target=run_both, args=(tmp_path / "cells", context.encoders))
        for _ in range(2)
    ]
    for process in both:
        process.start()
    for process in both:
        process.join()
    assert [process.exitcode for process in both] == [0, 0]
    assert computed(context) == [1, 2, 3]
