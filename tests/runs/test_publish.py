"""Publishing: a results folder is there whole, never a mixture, whoever else finishes."""

import multiprocessing
import os
import sys
import threading

import pytest

from supcon_theory.runs import publish
from supcon_theory.runs.publish import staged

FILES = [f"{i}.csv" for i in range(12)]


def fill(folder, text: str) -> None:
    with staged(folder) as stage:
        for name in FILES:
            (stage / name).write_text(text)
        (stage / f"only-{text}").touch()


def contents(folder) -> set[str]:
    found = {(folder / name).read_text() for name in FILES}
    return found | {path.name.removeprefix("only-") for path in folder.glob("only-*")}


def test_a_folder_takes_the_place_of_an_earlier_one_whole(tmp_path):
    for text in ("a", "b"):
        fill(tmp_path / "deep" / "laptop", text)
        assert contents(tmp_path / "deep" / "laptop") == {text}
    assert [p.name for p in (tmp_path / "deep").iterdir() if p.is_dir()] == ["laptop"]


def test_what_breaks_before_the_end_leaves_the_earlier_results(tmp_path):
    fill(tmp_path / "laptop", "a")
    for error in (KeyboardInterrupt, OSError):
        with pytest.raises(error), staged(tmp_path / "laptop") as stage:
            (stage / "0.csv").write_text("b")
            raise error
    assert contents(tmp_path / "laptop") == {"a"}
    assert [p.name for p in tmp_path.iterdir() if p.is_dir()] == ["laptop"]


def test_an_interruption_between_two_renames_puts_the_earlier_results_back(tmp_path, monkeypatch):
    fill(tmp_path / "laptop", "a")
    monkeypatch.setattr(publish, "_exchange", lambda one, other: False)
    rename, calls = os.rename, []

    def interrupted(*names):
        calls.append(names)
        if len(calls) == 2:
            raise KeyboardInterrupt
        rename(*names)

    monkeypatch.setattr(os, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fill(tmp_path / "laptop", "b")
    assert contents(tmp_path / "laptop") == {"a"}
    assert [p.name for p in tmp_path.iterdir() if p.is_dir()] == ["laptop"]


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("aside", [False, True])
def test_what_a_killed_process_left_is_swept_and_what_a_living_one_fills_is_not(tmp_path, aside):
    folder = tmp_path / "laptop"
    killed = os.fork()
    if not killed:
        with staged(folder) as stage:
            if aside:
                stage.rename(f"{stage}.earlier")
            os._exit(0)  # as a kill: nothing is tidied up
    os.waitpid(killed, 0)
    assert len(names(tmp_path)) == 3  # what was begun, its lock, that of the folder
    with staged(folder) as living:
        (living / "0.csv").touch()
        fill(folder, "a")
        assert (living / "0.csv").exists()
    assert names(tmp_path) == [".laptop.lock", "laptop"]


def publish_often(folder, text, ready) -> None:
    ready.wait()
    for _ in range(5):
        fill(folder, text)


@pytest.mark.parametrize("exchange", [True, False])
def test_racing_runs_never_leave_a_mixture(tmp_path, monkeypatch, exchange):
    if not exchange:
        monkeypatch.setattr(publish, "_exchange", lambda one, other: False)
    folder = tmp_path / "laptop"
    for _ in range(15):
        ready = threading.Barrier(2)
        pair = [threading.Thread(target=publish_often, args=(folder, text, ready)) for text in "ab"]
        for one in pair:
            one.start()
        for one in pair:
            one.join()
        assert len(contents(folder)) == 1
        assert [p.name for p in tmp_path.iterdir() if p.is_dir()] == ["laptop"]


@pytest.mark.skipif(sys.platform != "linux", reason="only there are two folders swapped at once")
def test_processes_that_race_never_show_a_reader_a_mixture(tmp_path):
    folder = tmp_path / "laptop"
    fill(folder, "a")
    spawn = multiprocessing.get_context("spawn")
    ready = spawn.Barrier(3)
    pair = [spawn.Process(target=publish_often, args=(folder, t, ready)) for t in "ab"]
    for one in pair:
        one.start()
    ready.wait()
    while any(one.is_alive() for one in pair):
        assert (folder / "0.csv").exists()  # there at every moment
    for one in pair:
        one.join()
    assert [one.exitcode for one in pair] == [0, 0] and len(contents(folder)) == 1
