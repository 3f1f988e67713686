"""What is printed at 80 columns: no word cut, one table a screen, what was found last."""

import pandas as pd
import pytest
from rich.console import Console

from supcon_theory.audits.columns import Column
from supcon_theory.claims.evaluate import COLUMNS
from supcon_theory.runs import terminal
from supcon_theory.runs.summary import Summary

HEADINGS = tuple(Column(f"c{k}", "nats", f"heading number{k}") for k in range(12))


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


def verdict(claim: str, word: str, **more) -> dict:
    row = dict.fromkeys(COLUMNS, "") | {"kind": "trend", "n": 5, "published": ""}
    row |= {"tightness": float("nan"), "ci_low": float("nan"), "statement": "a claim: x <= 1"}
    return row | {"claim": claim, "verdict": word} | more


def test_a_table_has_a_title_whole_headings_units_and_fits_on_a_screen(capsys):
    table = pd.DataFrame({f"c{k}": [0.123456] * 50 for k in range(12)})
    rest = terminal.show(Summary(table, "A title of some length", HEADINGS), "n = 5 seeds")
    lines = capsys.readouterr().out.splitlines()
    assert "A title of some length (n = 5 seeds)" in lines
    assert max(map(len, lines)) <= 80 and len(lines) <= 26
    words = " ".join(lines).split()
    shown = [k for k in range(12) if f"number{k}" in words]
    assert shown == list(range(len(shown))) and words.count("(nats)") == len(shown) < 12
    assert all(words.count(f"number{k}") == 1 for k in shown)
    assert rest == f"columns {', '.join(f'c{k}' for k in range(len(shown), 12))}; 30 more rows"
    assert all(line == line.rstrip() for line in lines)


def test_words_are_broken_at_spaces_only_and_a_bare_table_is_whole(capsys):
    table = pd.DataFrame({"run": ["a/b"] * 30, "verdicts": ["one two three " * 9] * 30})
    assert terminal.show(table) == ""
    out = capsys.readouterr().out
    assert out.split().count("a/b") == 30 and out.split().count("three") == 270
    assert max(map(len, out.splitlines())) <= 80


def test_the_last_lines_say_what_was_found_how_many_and_where(capsys):
    rows = [verdict("A", "PASS"), verdict("B", "PASS"), verdict("C", "INCONCLUSIVE")]
    rows.append(verdict("D", "VACUOUS", reason="the bound says nothing in 76 % of the rows"))
    found = pd.DataFrame(rows)
    terminal.show_verdicts(Console(), found)
    figures = [{"title": "The gap falls", "file": "out/gap.pdf"}]
    terminal.show_end(Console(), found, figures, "out")
    lines = capsys.readouterr().out.splitlines()
    assert lines[-4:] == [
        "The gap falls.",
        "  out/gap.pdf",
        "2 PASS, 1 undecided, 1 VACUOUS",
        "everything is under out",
    ]
    text = " ".join(lines)
    assert text.count("it holds but says nothing") == 1
    assert text.count("it is above all that could be") == 1
    terminal.show_end(Console(), found.head(1), [], "out")
    assert "says nothing" not in capsys.readouterr().out


def test_what_certainly_holds_is_said_in_words_and_a_trend_with_its_threshold(capsys):
    rows = [
        verdict("A2", "PASS", kind="theorem", statement="Balanced classes: it holds: v <= 1e-9"),
        verdict("A7", "FAIL", statement="it falls: slope in [-1.1, -0.9]", reason="mean -2"),
    ]
    terminal.show_verdicts(Console(), pd.DataFrame(rows))
    out = capsys.readouterr().out
    assert "PASS  A2  Balanced classes: it holds\n" in out
    assert "FAIL  A7  it falls: slope in [-1.1, -0.9]\n      mean -2; n = 5" in out
