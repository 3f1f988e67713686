"""The command `audit`: what it reads, says, writes and refuses; the page in a browser."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from supcon_theory.app.audit import printed, written
from supcon_theory.app.audit.clock import Clock
from supcon_theory.app.audit.sheets import sheets
from supcon_theory.app.command import run
from supcon_theory.audits.embeddings import audit
from supcon_theory.audits.findings import findings
from tests.browser import open_page

RNG = np.random.default_rng(0)
C, n, K, d = 3, 8, 2, 6
NAMES = np.repeat(["ant", "bee", "<cow>"], n)
Z = np.repeat(RNG.normal(size=(C, 1, d)), n, 0) * 2 + RNG.normal(size=(C * n, K, d))
NAMES[3] = "dog"  # alone


@pytest.fixture(scope="module")
def audited(tmp_path_factory):
    """One audit with everything, as a first-time user would run it."""
    folder = tmp_path_factory.mktemp("audit")
    np.save(folder / "e.npy", Z.astype("f2"))
    np.save(folder / "f.npy", Z[:, 0, :3] + 0.1)
    pd.DataFrame({"label": NAMES}).to_csv(folder / "l.csv", index=False)
    files = ("--labels", folder / "l.csv", "--against", folder / "f.npy")
    places = ("--out", folder / "out", "--report", folder / "r.html")
    words = map(str, ("audit", folder / "e.npy", *files, *places, "--tau", "1", "0.1", "--raw"))
    assert run(list(words)) == 0
    return folder


def test_it_says_what_was_read_then_verdicts_then_tables(audited, capsys, monkeypatch):
    monkeypatch.chdir(audited)
    monkeypatch.setenv("COLUMNS", "80")
    assert run(["audit", "e.npy", "--labels", "l.csv", "--tau", "1", "--out", "again"]) == 0
    out = capsys.readouterr().out
    order = ["Read e.npy: 24 x 2 x 6 float16", "rows scaled", "l.csv: label: 3 classes of 7 to 8"]
    order += ["has one: dog", "NOTE ", "Are my classes collapsed?", "Where are the losses?"]
    order += ["How far is self-supervised", "How many labels?", "Written: again/report.json"]
    places = [" ".join(out.split()).index(" ".join(words.split())) for words in order]
    assert places == sorted(places)
    assert "nan" not in re.findall(r"\w+", out)
    assert max(map(len, out.splitlines())) <= 80


def test_the_folder_has_every_table_the_figure_and_a_record(audited):
    record = json.loads((audited / "out" / "report.json").read_text())
    assert record["read"]["shape"] == [24, 2, 6] and record["read"]["left_out"] == ["dog"]
    assert {"level", "says", "means"} == set(record["findings"][0])
    assert record["flags"]["tau"] == [1.0, 0.1] and record["versions"]["torch"]
    names = {path.stem for path in (audited / "out").glob("*.csv")}
    assert {"gap", "per_class", "nulls", "pairs", "raw", "comparison", "held_out"} <= names
    assert (audited / "out" / "audit.pdf").stat().st_size > 1000
    assert record["tables"]["gap"][0]["C"] == 3
    written.give_way(audited / "out")  # the next audit may take its place


def test_row_numbers_are_those_of_the_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    z = np.repeat(np.eye(3), 20, 0) + 0.05 * RNG.normal(size=(60, 3))
    y = np.repeat(["a", "b", "c"], 20)
    y[0], y[25] = "x", "a"  # a class of its own, and a wrong label
    np.savez("e.npz", z=z, y=y)
    assert run(["audit", "e.npz", "--tau", "1"]) == 0
    assert pd.read_csv("audit/mislabelled.csv")["row"].tolist() == [25]


def test_the_page_fits_fetches_nothing_and_shows_values(audited):
    opened = open_page(audited / "r.html", SCRIPT, audited)
    width, console, titles, heads, unnamed = opened.value
    assert width <= 0 and not opened.console and not opened.outside and not console
    assert titles > 10 and unnamed == 0
    assert {"Verdicts, worst first", "Are my classes collapsed?", "How many labels?"} <= set(heads)
    text = (audited / "r.html").read_text()
    assert "<cow>" not in text and "&lt;cow&gt;" in text and not re.search(r">nan<", text)


SCRIPT = """
const page = document.documentElement;
const named = (e) => e.getAttribute("alt") || e.getAttribute("aria-label");
return [page.scrollWidth - page.clientWidth, "",
  document.querySelectorAll("svg circle > title").length,
  [...document.querySelectorAll("h2")].map((h) => h.textContent),
  [...document.querySelectorAll("svg, img")].filter((e) => !named(e)).length];
"""


def write(folder):
    np.savez(folder / "e.npz", z=Z, y=NAMES)
    far = np.ones((12, 3))
    far[2, 1] = 1e300
    np.savez(folder / "far.npz", z=far, y=np.arange(12) % 3)
    (folder / "full").mkdir()
    (folder / "full" / "thesis.txt").write_text("mine")
    (folder / "page.html").mkdir()
    (folder / "mine").mkdir()
    for name in ("report.json", "mine.csv"):
        (folder / "mine" / name).write_text("{}")


REFUSED = {
    "no file": (["x.npy"], "x.npy is no file"),
    "no key": (["e.npz", "--key", "h"], "e.npz has no 'h'; it holds 'z' (24, 2, 6) float64"),
    "tau 0": (["e.npz", "--tau", "0"], "tau is 0; it must be a number of at least 1/650"),
    "tau nan": (["e.npz", "--tau", "nan"], "tau is nan"),
    "a word as tau": (["e.npz", "--tau", "low"], "invalid float value: 'low'"),
    "budget": (["e.npz", "--budget", "3"], "budget is 3; it must be at least 4"),
    "tau 0.001": (["e.npz", "--tau", "0.001"], "tau is 0.001; it must be"),
    "seed": (["e.npz", "--seed", "-1"], "seed is -1"),
    "seed 2^32": (["e.npz", "--seed", str(2**32)], "below 4294967296"),
    "norms": (["far.npz"], "z has norm 1e+300 in row 2, which float32 or float64 does not hold"),
    "out in use": (["e.npz", "--out", "full"], "full is in the way and no audit's (thesis.txt)"),
    "another report.json": (
        ["e.npz", "--out", "mine"],
        "mine is in the way and no audit's (mine.csv",
    ),
    "report is a folder": (["e.npz", "--report", "page.html"], "must be a file that ends in"),
    "report is text": (["e.npz", "--report", "r.txt"], "must be a file that ends in .html"),
    "against": (["e.npz", "--against", "y.npy"], "y.npy is no file"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_usage_is_a_sentence_and_nothing_is_written(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    words, said = REFUSED[name]
    assert run(["audit", *words]) == 2
    captured = capsys.readouterr()
    assert said in captured.err and "Traceback" not in captured.err and not captured.out
    assert sorted(tmp_path.rglob("*")) == before


def test_no_sentence_holds_a_nan(tmp_path, monkeypatch, capsys):
    """Two points of two classes each: shuffled classes coincide; a tau at which all are equal."""
    monkeypatch.chdir(tmp_path)
    np.savez("e.npz", z=np.repeat(np.eye(2), 6, 0), y=np.repeat([0, 1], 6))
    assert run(["audit", "e.npz", "--tau", "1e300"]) == 0
    assert "nan" not in capsys.readouterr().out


def test_a_constant_embedding_is_not_called_healthy(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    np.savez("e.npz", z=np.ones((12, 4)), y=np.arange(12) % 3)
    code = run(["audit", "e.npz", "--tau", "1"])
    captured = capsys.readouterr()
    assert code == 0 and "All embeddings are one point." in captured.out
    assert captured.out.index("PROBLEM") < captured.out.index("All embeddings")
    assert "FINE" not in captured.out


def test_no_tables_make_no_sheets():
    assert sheets({}) == []


def test_drawn_anchors_are_shown_with_their_intervals():
    tables = audit(Z, NAMES, [0.5], shots=(), exact=0, anchors=40)
    rows = {sheet.question: sheet.rows for sheet in sheets(tables)}
    assert re.fullmatch(r"[\d.]+ \[[\d.]+, [\d.]+\]", rows["Where are the losses?"]["yours"][0])
    assert any("(95 %: " in finding.means for finding in findings(tables))


def test_a_table_is_aligned_and_says_nothing_for_what_is_missing():
    sheet = next(iter(sheets({"pairs": PAIRS})))
    lines = printed.table(sheet, 80).splitlines()
    assert lines[0] == "Which classes are close?" and lines[2].startswith("  ant    bee")
    assert len({len(line) for line in lines[1:4]}) == 1 and "nan" not in lines[3]


PAIRS = pd.DataFrame(
    {
        "class_i": ["ant", "bee"],
        "class_j": ["bee", "ant"],
        "directional_cdnv": [0.5, 0.25],
        "cdnv": [np.nan, 1.0],
        "distance": [12.0, 0.123456],
    }
)


def test_progress_is_silent_for_two_seconds_and_tells_the_time_left(capsys, monkeypatch):
    times = iter([0.0, 1.0, 10.0, 11.0, 20.0])
    monkeypatch.setattr("supcon_theory.app.audit.clock.monotonic", lambda: next(times))
    with Clock() as clock:
        for share in (0.1, 0.5, 0.55, 1.0):
            clock.report("losses", share)
    assert capsys.readouterr().err == " 50%  losses, about 10 s left\n"
