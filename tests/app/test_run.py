"""Several experiments in one command: order, codes, refusals, and the time left."""

import pytest

from supcon_theory.app import experiments
from supcon_theory.app.command import run
from supcon_theory.runs import experiment as runs
from supcon_theory.runs.exits import BY_WEIGHT, worst
from tests.app.toys import toy


@pytest.fixture
def these(monkeypatch, tmp_path):
    """Make these the experiments there are; run `supcon-theory run` in an empty folder."""
    monkeypatch.setattr(runs, "draw", lambda *about: "")
    monkeypatch.chdir(tmp_path)

    def command(*toys, argv="all"):
        known = {one.name: one for one in toys}
        monkeypatch.setattr(experiments, "names", lambda: sorted(known))
        monkeypatch.setattr(experiments, "experiment", known.__getitem__)
        return run(["run", *argv.split()])

    return command


def table(text: str) -> dict[str, list[str]]:
    """The words of the last table, by the experiment that each line is about."""
    lines = text.rstrip().split("\n")
    head = max(k for k, line in enumerate(lines) if line.split()[:2] == ["experiment", "exit"])
    return {line.split()[0]: line.split()[1:] for line in lines[head + 1 :]}


def test_all_run_one_after_another_what_is_shortest_first(these, capsys, tmp_path):
    toys = toy("slow", cost=1.5), toy("quick", cost=0.5), toy("middle")
    assert these(*toys) == 0
    said = capsys.readouterr()
    assert list(table(said.out)) == ["quick", "middle", "slow"]
    assert table(said.out)["slow"][:3] == ["0", "1", "PASS"]
    headers = [line for line in said.err.split("\n") if line.startswith("[")]
    assert headers[0].startswith("[1/3] quick laptop: 2 cells to compute")
    assert "over all about" in headers[0] and "(over all: " in said.err
    assert (tmp_path / "results" / "slow" / "laptop" / "claims.csv").exists()
    assert these(*toys, toy("added", cost=0.1)) == 0
    said = capsys.readouterr()
    assert list(table(said.out))[-1] == "added"  # what is stored comes first
    assert "0 cells to compute, about 0 s (by cells done)" in said.err


def test_an_experiment_that_fails_does_not_stop_the_others(these, capsys):
    toys = toy("a", height=3), toy("b", height=14), toy("c", height=13), toy("d"), toy("e", 99)
    assert these(*toys) == 1
    said = capsys.readouterr()
    codes = {name: words[0] for name, words in table(said.out).items()}
    assert codes == {"a": "1", "b": "4", "c": "3", "d": "0", "e": "2"}
    assert "e cannot run: height is 99 but this machine has lower ones" in said.err


def test_a_folder_in_the_way_stops_its_own_experiment_only(these, capsys, tmp_path):
    (tmp_path / "results" / "a" / "laptop").mkdir(parents=True)
    assert these(toy("a"), toy("b")) == 2
    said = capsys.readouterr()
    assert "a cannot run: results/a/laptop is in the way" in said.err
    assert table(said.out)["b"][0] == "0"


def test_an_interruption_stops_all(these, capsys):
    assert these(toy("a", height=15, cost=0.1), toy("b")) == 130
    assert list(table(capsys.readouterr().out)) == ["a"]


def test_names_and_flags_are_those_given(these, capsys, tmp_path):
    toys = toy("a"), toy("b"), toy("c")
    assert these(*toys, argv="b a b smoke --seeds 1 --out there") == 0
    assert {path.name for path in (tmp_path / "there").iterdir()} == {"a", "b"}
    assert "1 cells to compute" in capsys.readouterr().err
    assert these(*toys, argv="b") == 0
    assert "over all" not in capsys.readouterr().err  # one alone is run as ever


@pytest.mark.parametrize(
    "argv, said",
    [
        ("all huge", "a, b have no preset 'huge': name those that have it (none of them)"),
        ("all paper", "a has no preset 'paper': name those that have it (b)"),
        ("a b --colour red", "--colour"),
        ("a b --seeds 0", "a cannot run: seeds is 0"),
    ],
)
def test_bad_usage_is_refused_before_any_work(these, argv, said, capsys, tmp_path):
    toys = toy("a"), toy("b", presets=("laptop", "paper"))
    assert these(*toys, argv=argv) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "results").exists()


def test_a_broken_theorem_outweighs_everything_but_an_interruption():
    assert worst([]) == 0 and worst([0, 3, 0]) == 3 and worst([2, 4]) == 4 and worst([4, 1, 3]) == 1
    assert sorted(BY_WEIGHT) == [0, 1, 2, 3, 4, 130] and worst(BY_WEIGHT) == 130
