"""Cells: computed once, kept, in order; a failed one does not take the others with it."""

import multiprocessing
import os
import shutil
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from supcon_theory.audits.columns import Table
from supcon_theory.runs.cells import Cell, Context, Shared
from supcon_theory.runs.compute import compute
from supcon_theory.runs.exits import KILLED, Broken
from supcon_theory.runs.store import Entry
from supcon_theory.runs.workers import THREADS, one_thread


@dataclass(frozen=True)
class Number:
    x: int
    sleep: float = 0.0


def square(config, context):
    (context.out / f"computed-{config.x}-{os.getpid()}-{time.time_ns()}").touch()
    if config.x == 13:
        raise FloatingPointError("the loss is nan at epoch 1, step 2")
    if config.x == 14:
        raise KeyError("a bug")
    context.report(0.5)
    time.sleep(config.sleep)
    return pd.DataFrame({"x": [config.x], "square": [config.x**2 / 3]})


def end_the_worker(config, context):
    if config.x == 13:
        os._exit(1)
    return square(config, context)


def vanished(config, context):
    if config.x == 13:
        raise OSError(28, "No space left on device", "/full/disk")
    return square(config, context)


def too_large(config, context):
    if config.x == 13:
        raise MemoryError
    return square(config, context)


def told(config, context):
    context.say("an encoder was odd")
    return pd.DataFrame({"threads": [os.environ["OMP_NUM_THREADS"]], "pid": [os.getpid()]})


def named(config, context):
    words = {1: "true", 2: "01", 3: "1"}[config.x]
    return pd.DataFrame({"labels": [words], "x": [config.x]})


def cells(folder, *numbers, cost=0.1, version=1, **more):
    """Cells, each with its entry. Costly ones go to worker processes."""
    made = [Cell(Number(x, **more), f"x={x}", cost=cost + x % 10 / 10) for x in numbers]
    audits = [Table("square", version, ())]
    return [
        (cell, Entry(folder / cell.key("squares", audits), cell.identity("squares", audits)))
        for cell in made
    ]


@pytest.fixture
def context(tmp_path):
    (tmp_path / "marks").mkdir()
    return Context(tmp_path / "marks")


def computed(context) -> list[int]:
    return sorted(int(path.name.split("-")[1]) for path in context.out.iterdir())


@pytest.mark.parametrize("cost", [0.1, 100.0])
def test_cells_are_computed_once_and_come_in_order(tmp_path, context, cost):
    first = compute(cells(tmp_path, 3, 1, 2, cost=cost), square, context, jobs=2)
    pids = {path.name.split("-")[2] for path in context.out.iterdir()}
    assert (pids == {str(os.getpid())}) == (cost < 1)
    assert list(first.tables["table"]["x"]) == [3, 1, 2] and first.computed == 3
    again = compute(cells(tmp_path, 3, 1, 2, 4), square, context, jobs=2)
    assert computed(context) == [1, 2, 3, 4] and again.computed == 1
    pd.testing.assert_frame_equal(again.tables["table"].iloc[:3], first.tables["table"])
    assert again.tables["table"]["square"].iloc[0] == 3.0  # floats survive the CSV exactly
    assert again.tables["table"]["square"].iloc[1] == 1 / 3
    compute(cells(tmp_path, 3), square, context, jobs=1, force=True)
    assert computed(context) == [1, 2, 3, 3, 4]


def test_words_stay_words_where_all_of_a_cell_look_like_numbers_or_truth(tmp_path, context):
    outcome = compute(cells(tmp_path, 1, 2, 3), named, context, jobs=1)
    table = outcome.tables["table"]
    assert table["labels"].tolist() == ["true", "01", "1"] and table["x"].tolist() == [1, 2, 3]
    assert (table["labels"] == "true").sum() == 1


def test_a_new_version_of_an_audit_is_another_cell(tmp_path, context):
    for version in (1, 2, 1):
        compute(cells(tmp_path, 5, version=version), square, context, jobs=1)
    assert computed(context) == [5, 5]


def test_a_loss_that_is_not_finite_ends_its_cell_only(tmp_path, context):
    outcome = compute(cells(tmp_path, 1, 13, 2), square, context, jobs=1)
    assert outcome.failed == {"x=13": "the loss is nan at epoch 1, step 2"}
    assert list(outcome.tables["table"]["x"]) == [1, 2]


def test_a_bug_is_raised_after_the_others_are_stored(tmp_path, context):
    with pytest.raises(RuntimeError, match="a bug"):
        compute(cells(tmp_path, 14, 1), square, context, jobs=1)
    assert compute(cells(tmp_path, 1), square, context, jobs=1).computed == 0


def test_what_the_system_refuses_is_one_sentence_and_ends_the_run(tmp_path, context):
    with pytest.raises(Broken, match="x=13: No space left on device: /full/disk"):
        compute(cells(tmp_path, 13, 1), vanished, context, jobs=1)


def test_a_cell_that_wants_too_much_memory_ends_alone(tmp_path, context):
    outcome = compute(cells(tmp_path, 1, 13, 2), too_large, context, jobs=1)
    assert outcome.failed == {"x=13": "there was not enough memory"} and outcome.computed == 2


def test_cells_that_share_a_name_are_refused(tmp_path, context):
    one, two = cells(tmp_path, 1, 2)
    with pytest.raises(ValueError, match="same name"):
        compute([one, (Cell(two[0].config, "x=1"), two[1])], square, context, jobs=1)


def test_a_worker_that_dies_fails_its_own_cell_and_no_process_of_others(tmp_path, context):
    other = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(60,))
    other.start()
    try:
        outcome = compute(cells(tmp_path, 1, 13, 2, cost=100), end_the_worker, context, jobs=2)
        assert outcome.failed == {"x=13": KILLED}
        assert sorted(outcome.tables["table"]["x"]) == [1, 2]
        other.join(timeout=0.5)
        assert other.is_alive()
    finally:
        other.kill()


@pytest.mark.parametrize("cost", [0.1, 100.0])
def test_a_cell_has_one_thread_and_is_heard_and_the_environment_stays(
    tmp_path, context, cost, monkeypatch
):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    before = dict(os.environ)
    outcome = compute(cells(tmp_path, 1, 2, cost=cost), told, context, jobs=2)
    assert set(outcome.tables["table"]["threads"]) == {1}
    assert ((outcome.tables["table"]["pid"] == os.getpid()).all()) == (cost < 1)
    assert outcome.damaged == ["an encoder was odd"] * 2 and dict(os.environ) == before


def test_one_thread_is_given_back(monkeypatch):
    import torch

    monkeypatch.setattr(torch, "set_num_threads", given := [].append)
    with one_thread():
        assert {os.environ[name] for name in THREADS} == {"1"}
    assert given.__self__ == [1, torch.get_num_threads()]


def test_time_left_counts_what_is_not_stored(tmp_path):
    cell = Cell(
        Number(1),
        "one",
        2.0,
        {"encoders/a": Shared("plain", 30.0), "encoders/b": Shared("plain", 5.0)},
    )
    assert cell.seconds(tmp_path) == 37.0
    Entry(tmp_path / "encoders" / "a").finish({})
    assert cell.seconds(tmp_path) == 7.0


def test_an_altered_result_is_computed_again_and_said(tmp_path, context):
    (pair,) = cells(tmp_path, 5)
    whole = compute([pair], square, context, jobs=1).tables["table"]
    (pair[1].folder / "table.csv").write_text("x,square\n5,99\n")
    outcome = compute([pair], square, context, jobs=1)
    assert "damaged" in outcome.damaged[0] and outcome.computed == 1
    pd.testing.assert_frame_equal(outcome.tables["table"], whole)


def test_the_folder_of_another_cell_is_not_taken_for_it(tmp_path, context):
    (five,), (six,) = cells(tmp_path, 5), cells(tmp_path, 6)
    compute([five], square, context, jobs=1)
    five[1].folder.rename(six[1].folder)
    outcome = compute([six], square, context, jobs=1)
    assert list(outcome.tables["table"]["x"]) == [6] and "another config" in outcome.damaged[0]


def run_both(folder: Path, marks: Path) -> None:
    compute(cells(folder, 1, 2, 3, sleep=0.3), square, Context(marks), jobs=1)


def test_two_commands_together_compute_each_cell_once(tmp_path, context):
    spawn = multiprocessing.get_context("spawn")
    both = [
        spawn.Process(target=run_both, args=(tmp_path / "cells", context.out)) for _ in range(2)
    ]
    for process in both:
        process.start()
    for process in both:
        process.join()
    assert [process.exitcode for process in both] == [0, 0]
    assert computed(context) == [1, 2, 3]


def test_time_left_counts_what_is_trained_again(tmp_path):
    cell = Cell(Number(1), "one", 2.0, {"encoders/a": Shared("plain", 30.0)})
    Entry(tmp_path / "encoders" / "a").finish({})
    now = time.time()
    assert (cell.seconds(tmp_path, now - 99), cell.seconds(tmp_path, now + 99)) == (2.0, 32.0)


def test_results_that_another_command_computes_again_are_waited_for(tmp_path, context):
    first, second = cells(tmp_path, 1, 2)
    rewriting, threads = threading.Event(), []

    def again():
        with first[1].lock():
            first[1].reopen()
            rewriting.set()
            time.sleep(0.3)
            first[1].add("table.csv", b"x,square\n1,0.25\n")
            first[1].finish({})

    def slow(config, context):
        if config.x == 1:  # the last of the two, as it takes less time
            return square(config, context)
        if first[1].finished():
            threads.append(threading.Thread(target=again))
            threads[0].start()
            rewriting.wait()
        return square(config, context)

    compute([first], slow, context, jobs=1)
    outcome = compute([first, second], slow, context, jobs=1, force=True)
    threads[0].join()
    assert list(outcome.tables["table"]["x"]) == [1, 2]


def test_results_that_vanish_meanwhile_are_never_left_out(tmp_path, context):
    one, two = cells(tmp_path, 1, 2)

    def vanish(config, context):
        shutil.rmtree(two[1].folder, ignore_errors=True)
        return square(config, context)

    with pytest.raises(RuntimeError, match="removed or altered"):
        compute([two, one], vanish, context, jobs=1)
