"""Figures are drawn again where anything that they depend on has changed, and only there."""

import json

import pytest

from supcon_theory.runs import figures as module

NAME = "few_shot_counterexample"


@pytest.fixture
def drawn(monkeypatch):
    """The calls of the drawing, which here writes the table in capitals, once more in a panel."""
    calls = []

    def draw(name, asked):
        folder = module.Path(asked[0])
        calls.append(asked[1:])
        text = (folder / "table.csv").read_text().upper()
        (folder / "panels").mkdir()
        (folder / "picture.png").write_text(text)
        (folder / "panels" / "picture_a.pdf").write_text(text)
        (folder / "figures.json").write_text('{"picture": {"title": "T"}}')

    monkeypatch.setattr(module, "_draw", draw)
    return calls


@pytest.fixture
def folder(tmp_path):
    """Makes a folder with a table."""

    def make(name, table="a,b\n1,2\n"):
        (place := tmp_path / name).mkdir()
        (place / "table.csv").write_text(table)
        return place

    return make


def test_equal_tables_take_the_figures_of_the_earlier_run(folder, drawn):
    first, second = folder("first"), folder("second")
    assert module.draw(NAME, first, second) == "" == module.draw(NAME, second, first)
    assert drawn == [["--panels"]]
    files = [path.relative_to(first) for path in first.rglob("*") if path.is_file()]
    assert len(files) == 5
    assert all((second / name).read_bytes() == (first / name).read_bytes() for name in files)
    assert module.figures(second) == [{"file": str(second / "picture.pdf"), "title": "T"}]


@pytest.mark.parametrize("what", ["table", "panels", "picture", "gone", "record", "names", "link"])
def test_what_has_changed_or_is_damaged_is_drawn_again(what, folder, drawn):
    first = folder("first")
    second = folder("second", "a,b\n1,3\n" if what == "table" else "a,b\n1,2\n")
    module.draw(NAME, first, second)
    record = first / module.DRAWN
    if what == "picture":
        (first / "picture.png").write_text("cut")
    elif what == "gone":
        (first / "panels" / "picture_a.pdf").unlink()
    elif what == "record":
        record.write_text("[1]")
    elif what == "names":
        known = json.loads(record.read_text())
        record.write_text(json.dumps(known | {"files": {"../second/table.csv": "0"}}))
    elif what == "link":
        (first / "picture.png").unlink()
        (first / "picture.png").symlink_to(first / "nowhere")
    assert module.draw(NAME, second, first, singly=what != "panels") == ""
    assert len(drawn) == 2
    assert (second / "picture.png").read_text() == (second / "table.csv").read_text().upper()


def test_another_program_or_library_draws_again(folder, drawn, monkeypatch):
    first = folder("first")
    module.draw(NAME, first, first.parent / "none")
    monkeypatch.setattr(module, "version", lambda name: "0")
    module.draw(NAME, folder("second"), first)
    programs = first.parent / "programs"
    programs.mkdir()
    source = module._source(programs, first, True)
    (programs / f"{NAME}.py").write_text("draw = None")
    assert module._source(programs, first, True) != source
    assert len(drawn) == 2


def test_a_drawing_that_breaks_is_a_sentence_and_leaves_no_record(folder, monkeypatch, capsys):
    def broken(*asked):
        raise ValueError("no such column")

    monkeypatch.setattr(module, "_draw", broken)
    first = folder("first")
    assert "broke (above)" in module.draw(NAME, first, first)
    assert "no such column" in capsys.readouterr().err
    assert not (first / module.DRAWN).exists()
