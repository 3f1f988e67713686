"""The flow of an experiment: exit codes, folders, what is written, what is never lost."""

import dataclasses
import importlib
import json
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from supcon_theory.audits import columns
from supcon_theory.claims import AtMost, Claim, Within
from supcon_theory.runs import experiment as module
from supcon_theory.runs import flags, store
from supcon_theory.runs.cells import Cell
from supcon_theory.runs.experiment import Experiment


@dataclass(frozen=True)
class Config(flags.Common):
    """A toy."""

    height: float = 1.0
    """What is measured, below its bound by 2."""

    def check(self) -> None:
        super().check()
        if self.height == 99:
            raise ValueError("height is 99 but must be lower")


@dataclass(frozen=True)
class Setting:
    seed: int
    height: float


def cells(config):
    return [Cell(Setting(seed, config.height), f"seed={seed}") for seed in range(config.seeds)]


def measure(cell, context):
    if cell.height == 13:
        raise FloatingPointError("the loss is nan at epoch 1, step 2")
    if cell.height == 14:
        raise KeyError("a bug")
    if cell.height == 15:
        raise KeyboardInterrupt
    if cell.height == 16:
        raise SystemExit(1)
    if cell.height == 17:
        raise FloatingPointError("[/nan] at [step 2]")
    row = {"seed": cell.seed, "violation_upper": cell.height - 2, "r": cell.height + cell.seed / 9}
    return pd.DataFrame([row])


def by_seed(rows):
    return rows.groupby("seed")["r"].mean()


def claims(config):
    below = AtMost({"violation_upper": 1e-9})
    rises = Within("r", 0.0, np.inf, by_seed)
    return [
        Claim("T1", "own", "theorem", "the height is below its bound", below),
        Claim("S1", "own", "trend", "r is positive", rises),
    ]


TOY = Experiment(
    "toy",
    "Is the height below its bound?",
    {"smoke": Config(), "laptop": Config(), "huge": Config(seeds=50)},
    cells,
    measure,
    claims,
    (columns.GAP,),
    lambda tables: {"summary": tables["table"].groupby("seed")["r"].mean().reset_index()},
)


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "draw", lambda *about: "")
    return lambda *argv: TOY.run([*argv, "--out", str(tmp_path)])


def test_a_run_publishes_tables_verdicts_and_manifest(run, tmp_path, capsys):
    assert run() == 0
    folder = tmp_path / "toy" / "laptop"
    expected = {"table.csv", "summary.csv", "summary.tex", "claims.csv", "claims.json"}
    expected |= {"manifest.json", "datapackage.json", "columns.md"}
    assert {path.name for path in folder.iterdir()} == expected
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (
        manifest["configuration"] == {"seeds": 5, "height": 1.0} and manifest["preset"] == "laptop"
    )
    assert len(list((tmp_path / "toy" / "cells").glob("*/table.csv"))) == 5
    said = capsys.readouterr()
    assert "5 of 5 cells computed" in said.out
    assert said.err.startswith("toy laptop: 5 cells, looking for those that are stored ...\n")
    before = (folder / "table.csv").read_bytes()
    assert run() == 0 and "0 of 5 cells computed" in capsys.readouterr().out
    assert (folder / "table.csv").read_bytes() == before


def test_a_smoke_run_asks_for_what_is_certain_only(run, tmp_path):
    assert run("smoke") == 0
    assert list(pd.read_csv(tmp_path / "toy" / "smoke" / "claims.csv")["claim"]) == ["T1"]


@pytest.mark.parametrize(
    "argv, code, said",
    [
        (["--height", "3"], 1, "FAIL"),
        (["--help"], 0, "What is measured"),
        (["tiny"], 2, "preset is 'tiny' but must be one of smoke, laptop, huge"),
        (["--colour", "red"], 2, "--colour"),
        (["--height", "99"], 2, "height is 99 but must be lower"),
        (["--seeds", "0"], 2, "seeds is 0"),
        (["--jobs", "0"], 2, "jobs is 0"),
        (["--name", "a/b"], 2, "a plain word"),
        (["--height", "13"], 3, "seed=0 ended early: the loss is nan at epoch 1, step 2"),
        (["--height", "14"], 4, "KeyError"),
        (["--height", "15"], 130, "Stopped"),
        (["--height", "16"], 4, "SystemExit: 1"),
        (["--height", "17"], 3, "seed=0 ended early: [/nan] at [step 2]"),
        (["--seeds", "x"], 2, "--seeds: invalid literal for int() with base 10: 'x'; `toy laptop"),
        (["smoke", "laptop"], 2, "Unrecognized options: laptop; `toy smoke --help` lists flags"),
        (["--name", " "], 2, "a plain word"),
        (["--name", "a" * 51], 2, "a plain word"),
    ],
)
def test_exit_codes_say_whether_mathematics_or_the_run_broke(run, capsys, argv, code, said):
    assert run(*argv) == code
    captured = capsys.readouterr()
    text = " ".join((captured.out + captured.err).split())
    assert said in text and ("Traceback" in text) == (code == 4)


def test_bad_usage_leaves_nothing_behind(tmp_path):
    assert TOY.run(["--height", "99", "--out", str(tmp_path / "new")]) == 2
    assert not list(tmp_path.iterdir())


def test_where_nothing_can_be_written_is_said_before_any_work(tmp_path, capsys):
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", tmp_path / "file" / "deeper" / "still"):
        assert TOY.run(["--out", str(place)]) == 2
        assert "cannot be written to" in capsys.readouterr().err


def test_what_is_no_run_is_not_replaced(run, tmp_path, capsys):
    mine = tmp_path / "toy" / "laptop" / "thesis.tex"
    mine.parent.mkdir(parents=True)
    mine.touch()
    assert run() == 2 and mine.exists() and "in the way" in capsys.readouterr().err
    (tmp_path / "toy" / "laptop-a").touch()
    assert run("--name", "a") == 2
    assert run("--name", "b") == 0
    (tmp_path / "toy" / "laptop-b" / "manifest.json").write_text("{")
    assert run("--name", "b") == 2 and "Traceback" not in capsys.readouterr().err


def test_a_name_that_another_took_meanwhile_stays_theirs(run, tmp_path, monkeypatch):
    def meanwhile(*about):
        monkeypatch.setattr(module, "published", lambda *about: None)
        assert run("--height", "1.5", "--name", "mine") == 0

    monkeypatch.setattr(module, "published", meanwhile)
    assert run("--name", "mine") == 2
    table = pd.read_csv(tmp_path / "toy" / "laptop-mine" / "table.csv")
    assert table["violation_upper"].eq(-0.5).all()
    assert not list((tmp_path / "toy").glob(".laptop-mine.*.*"))


def test_a_summary_that_needs_what_ended_early_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "draw", lambda *about: "")

    def some(cell, context):
        if cell.seed == 0:
            raise FloatingPointError("the loss is nan")
        return measure(cell, context)

    def broken(tables):
        raise ValueError("no row of seed 0")

    argv = ["--out", str(tmp_path)]
    assert dataclasses.replace(TOY, measure=some, summary=broken).run(argv) == 3
    assert dataclasses.replace(TOY, summary=broken).run(argv) == 4


@pytest.mark.parametrize("broken", ["parse", "compute", "judge", "write_tables", "guarded summary"])
def test_whatever_breaks_is_exit_code_4_and_an_interruption_130(run, monkeypatch, capsys, broken):
    for error, code in ((RuntimeError("odd"), 4), (MemoryError(), 4), (KeyboardInterrupt(), 130)):

        def fail(*args, error=error, **kwargs):
            raise error

        if broken == "parse":
            monkeypatch.setattr(flags, "parse", fail)
        elif broken == "guarded summary":
            monkeypatch.setattr(module.terminal, "show", fail)
        else:
            monkeypatch.setattr(module, broken, fail)
        assert run() == code
        assert ("Traceback" in capsys.readouterr().err) == isinstance(error, RuntimeError)


def test_a_broken_theorem_is_exit_code_1_and_what_broke_it_is_saved(run, tmp_path):
    assert run() == 0
    folder = next((tmp_path / "toy" / "cells").glob("*/manifest.json")).parent
    manifest = json.loads((folder / "manifest.json").read_text())
    doctored = pd.read_csv(folder / "table.csv").assign(violation_upper=1e-6)
    entry = store.Entry(folder, {k: v for k, v in manifest.items() if k != "files"})
    entry.add("table.csv", doctored.to_csv(index=False).encode())  # hash and all
    entry.finish({})
    assert run() == 1
    (broken,) = (tmp_path / "toy" / "laptop" / "broken").glob("*.csv")
    assert list(pd.read_csv(broken)["cell"]) == [folder.name]
    assert run("--force") == 0 and not broken.exists()


def test_a_damaged_cell_is_computed_again_and_said(run, tmp_path, capsys):
    assert run() == 0
    path = next((tmp_path / "toy" / "cells").glob("*/table.csv"))
    path.write_text(path.read_text().replace("-1.0", "1.0"))
    assert run() == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "does not have the hash" in said and "1 of 5 cells computed" in said


def test_configurations_live_side_by_side_and_share_cells(run, tmp_path, capsys):
    assert run() == 0 and run("--seeds", "7") == 0 and run("--height", "0.5") == 0
    folders = sorted(p.name for p in (tmp_path / "toy").iterdir() if p.is_dir())
    assert len(folders) == 4 and folders[:2] == ["cells", "laptop"]
    assert all(name.startswith("laptop-") for name in folders[2:])
    assert "2 of 7 cells computed" in capsys.readouterr().out
    for how in (["--jobs", "1"], ["--force"], ["--strict"]):  # how it is run is no configuration
        assert run(*how) == 0
    assert sorted(p.name for p in (tmp_path / "toy").iterdir() if p.is_dir()) == folders


def test_a_name_belongs_to_one_configuration(run, tmp_path, capsys):
    assert run("--height", "1.5", "--name", "mine") == 0
    assert run("--height", "1.5", "--name", "mine") == 0
    assert run("--height", "1.25", "--name", "mine") == 2
    assert "choose another --name" in capsys.readouterr().err
    table = pd.read_csv(tmp_path / "toy" / "laptop-mine" / "table.csv")
    assert table["violation_upper"].eq(-0.5).all()


def test_a_missing_drawing_is_a_sentence_and_exit_code_4(tmp_path, capsys):
    assert TOY.run(["--out", str(tmp_path)]) == 4
    said = capsys.readouterr()
    assert "supcon_theory.analysis.toy" in said.err and "Traceback" not in said.err
    assert (tmp_path / "toy" / "laptop" / "table.csv").exists()


def test_an_interruption_while_publishing_keeps_the_earlier_results(run, tmp_path, monkeypatch):
    assert run() == 0
    before = (tmp_path / "toy" / "laptop" / "claims.csv").read_bytes()

    def interrupted(*about):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "draw", interrupted)
    assert run("--force") == 130
    assert (tmp_path / "toy" / "laptop" / "claims.csv").read_bytes() == before
    assert not list((tmp_path / "toy").glob(".laptop.*.*"))


PUBLISHED = pd.DataFrame({"claim": ["S1"], "scope": [""], "verdict": ["FAIL"]})


def test_a_trend_that_differs_from_the_published_run_counts_when_strict(run, monkeypatch, capsys):
    monkeypatch.setattr(module, "published", lambda *about: PUBLISHED)
    assert run() == 0
    assert "differs" in capsys.readouterr().out
    assert run("--strict") == 1
    monkeypatch.setattr(module, "published", lambda *about: PUBLISHED.assign(verdict="PASS"))
    assert run("--strict") == 0 and "as published" in capsys.readouterr().out
    monkeypatch.setattr(module, "published", lambda *about: None)
    assert run("--strict") == 0 and "compares with nothing" in capsys.readouterr().out


def test_a_published_run_is_that_of_the_same_preset_and_data(tmp_path, monkeypatch):
    from supcon_theory.runs.published import published

    package = SimpleNamespace(__path__=[str(tmp_path)])
    monkeypatch.setattr("supcon_theory.runs.published.import_module", lambda name: package)
    there = {"preset": "laptop", "configuration": {"seeds": 5, "height": 1.0}}
    there["claims"] = [{"id": "S1", "scope": "", "verdict": "PASS"}]
    store.write_json(tmp_path / "toy" / "claims.json", there)
    found = published("toy", "laptop", {"seeds": 9, "height": 1.0})
    assert found is not None and list(found["claim"]) == ["S1"]
    assert published("toy", "laptop", {"seeds": 5, "height": 2.0}) is None
    assert published("toy", "full", {"seeds": 5, "height": 1.0}) is None
    assert published("other", "laptop", {"seeds": 5, "height": 1.0}) is None


def test_published_runs_are_found_however_the_package_is_installed():
    (place, *_) = importlib.import_module("supcon_theory.published").__path__
    assert (Path(place) / "gap_vs_classes" / "README.md").exists() or "site-packages" in place


def test_one_process_at_a_time_on_a_gpu():
    @dataclass(frozen=True)
    class Gpu(flags.Common):
        device: str = "cuda"

    assert (Gpu().workers, Gpu(device="cpu").workers) == (1, flags.available_cores())
    assert (Gpu(jobs=3).workers, flags.Common(jobs=3).workers) == (3, 3)


def test_results_are_found_where_out_is(tmp_path):
    folder = TOY.folder("laptop", Config(out=Path(tmp_path)))
    assert folder == tmp_path / "toy" / "laptop"
