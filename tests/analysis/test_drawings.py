"""Laws that every drawing obeys, whatever the tables are."""

import ast
import importlib
import inspect
import json
import subprocess
import sys
import warnings
from pathlib import Path

import matplotlib.figure
import numpy as np
import pandas as pd
import pytest
import supcon_theory.analysis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from supcon_theory.analysis import style
from supcon_theory.analysis.sheets.ticks import number

from supcon_theory.audits import columns
from tests.cases import case

pytestmark = pytest.mark.usefixtures("coarse_pictures")
FOLDER = Path(supcon_theory.analysis.__file__).parent
NAMES = sorted(
    path.stem
    for path in FOLDER.glob("[a-z]*.py")
    if "\n@style.drawing(" in path.read_text(encoding="utf-8")
)
FIGURES = {
    "collapse": ("", "_geometry"),
    "few_shot": ("", "_bounds", "_terms"),
    "pretrained": ("", "_shots"),
    "minimisers": ("", "_descent", "_gram", "_curvature", "_ceiling"),
}


def module(name: str):
    return importlib.import_module(f"supcon_theory.analysis.{name}")


def ordinary(name: str) -> dict[str, pd.DataFrame]:
    """Tables as a run writes them: two seeds, two numbers of classes."""
    return case(name).drawn(np.random.default_rng(0))


def first_row(table: pd.DataFrame) -> pd.DataFrame:
    return table.head(1)


def one_seed(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["seed"] == 0] if (table["seed"] == 0).any() else table


def one_number_of_classes(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["C"] == table["C"].min()] if table["C"].nunique() < 3 else table


def half(table: pd.DataFrame) -> pd.DataFrame:
    return table.sample(frac=0.5, random_state=0)


def no_numbers(table: pd.DataFrame) -> pd.DataFrame:
    numbers = table.select_dtypes("number").columns.difference(columns.IDENTITY.names)
    return table.assign(**{name: np.nan for name in numbers})


def constant(table: pd.DataFrame) -> pd.DataFrame:
    numbers = table.select_dtypes("number").columns.difference([*columns.IDENTITY.names, "i", "j"])
    return table.assign(**{name: 0.0 for name in numbers})


def unequal_classes(table: pd.DataFrame) -> pd.DataFrame:
    about = ("published", "ceiling", "centred", "above_floor")
    return table.assign(**{n: np.nan for n in table if n.endswith(about)})


def no_rows(table: pd.DataFrame) -> pd.DataFrame:
    return table.head(0)


def no_columns(table: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame()


CHANGES = (
    first_row,
    one_seed,
    one_number_of_classes,
    half,
    no_numbers,
    constant,
    unequal_classes,
    no_rows,
    no_columns,
)


@pytest.fixture
def seen(monkeypatch):
    """The sheets that are saved."""
    sheets, save = [], style.Sheet.save

    def saved(sheet, *arguments, **options):
        save(sheet, *arguments, **options)
        sheets.append(sheet)

    monkeypatch.setattr(style.Sheet, "save", saved)
    return sheets


@pytest.fixture
def quick(monkeypatch):
    """Figures are laid out, and a file is left, but nothing is rendered."""

    def laid_out(figure, path, **options):
        if path.suffix == ".pdf":
            figure.draw_without_rendering()
        path.write_text("laid out")

    monkeypatch.setattr(matplotlib.figure.Figure, "savefig", laid_out)


def files(name: str) -> list[str]:
    return [name + part for part in FIGURES.get(name, ("",))]


def words(sheet) -> list[Text]:
    return [text for text in sheet.figure.findobj(Text) if text.get_text().strip()]


def test_every_objective_of_a_table_is_drawn_and_always_in_the_same_order():
    rows = pd.DataFrame({"objective": ["mine", "supcon", None, "dcl", "supcon", "another"]})
    assert style.objectives(rows) == ["dcl", "supcon", "another", "mine"]


@pytest.mark.parametrize("name", ["few_shot", "transfer", "gaussianity", "subclass_probes"])
def test_an_objective_that_no_drawing_knows_is_drawn_too(name, seen, quick, tmp_path):
    tables = ordinary(name)
    known = tables["table"]
    tables["table"] = pd.concat([known, known.assign(objective="mine")], ignore_index=True)
    module(name).draw(tables, tmp_path)
    assert any("mine" in text.get_text() for sheet in seen for text in words(sheet))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("width", "font"), [(3.25, "serif"), (5.5, "sans")])
def test_a_figure_has_its_width_and_no_text_under_6_points(
    name, width, font, tmp_path, seen, quick
):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a character that the font lacks
        module(name).draw(ordinary(name), tmp_path, width=width, font=font)
    assert len(seen) == len(files(name))
    for sheet in seen:
        assert sheet.figure.get_figwidth() == width
        assert words(sheet)
        small = [text.get_text() for text in words(sheet) if text.get_fontsize() < 6]
        assert not small
        scripts = [
            t.get_text() for t in words(sheet) if "^" in t.get_text() or "_{" in t.get_text()
        ]
        assert not scripts  # raised and lowered digits are drawn at .7 of the size
        families = {text.get_fontfamily()[0] for text in words(sheet)}
        assert families == {"STIXGeneral" if font == "serif" else "DejaVu Sans"}
        page = sheet.figure.bbox.padded(1)
        title = sheet.figure._suptitle
        assert title and page.contains(*title.get_window_extent().max), title
        for panel in sheet.panels:
            axes = panel.axes
            for text in (axes._left_title, axes.xaxis.label, axes.yaxis.label):
                at = text.get_window_extent()
                ends = ((at.x0, at.y0), (at.x1, at.y1))
                assert not text.get_text() or all(page.contains(*end) for end in ends), text
        assert all(panel.drawn for panel in sheet.panels), "an ordinary table fills every panel"
        assert len({panel.letter for panel in sheet.panels}) == len(sheet.panels)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_any_table_is_drawn_and_an_empty_panel_says_why(name, change, tmp_path, seen, quick):
    tables = {key: change(table) for key, table in ordinary(name).items()}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        module(name).draw(tables, tmp_path)
    for stem in files(name):
        assert all((tmp_path / f"{stem}.{kind}").stat().st_size for kind in ("pdf", "png", "csv"))
    for sheet in seen:
        for panel in sheet.panels:
            assert np.isfinite([panel.axes.get_xlim(), panel.axes.get_ylim()]).all()
            said = " ".join(t.get_text() for t in panel.axes.findobj(Text)).replace("\n", " ")
            assert "nan" not in said.split()
            assert panel.drawn or (panel.notes or [panel.absent])[0] in said
    if change in (no_rows, no_columns):
        assert not any(panel.drawn for sheet in seen for panel in sheet.panels)


def test_own_data_with_unequal_classes_say_that_bounds_are_absent(tmp_path, seen, quick):
    for name in ("gap_vs_classes", "loss_tracking"):
        tables = {key: unequal_classes(table) for key, table in ordinary(name).items()}
        module(name).draw(tables, tmp_path)
        panel = seen.pop().panels[0]
        assert style.UNEQUAL in panel.notes and panel.drawn
        assert not [rows for rows in panel.drawn if rows["series"].str.contains("published").any()]


@pytest.mark.parametrize(
    ("evaluated", "trained", "titles"),
    [
        ((1.0, 0.5), 0.5, ("τ = 1 (as published)", "τ = 0.5 (trained)")),
        ((1.0, 0.07), 0.2, ("τ = 1 (as published)", "τ = 0.07")),
        ((0.5, 0.07), 0.2, ("τ = 0.5", "τ = 0.07")),
        ((1.0, 0.5), 1.0, ("τ = 1 (as published, trained)", "τ = 0.5")),
    ],
)
def test_titles_follow_from_the_temperatures_of_the_table(
    evaluated, trained, titles, tmp_path, seen, quick
):
    table = ordinary("gap_vs_classes")["table"].assign(tau_train=trained)
    table["tau"] = table["tau"].replace({1.0: evaluated[0], 0.5: evaluated[1]})
    module("gap_vs_classes").draw({"table": table}, tmp_path)
    found = [" ".join(seen[0].panels[k].title.split()) for k in (0, 2)]
    assert [title.split("gap, ")[1] for title in found] == list(titles)


def test_a_figure_comes_with_its_caption_and_each_panel_alone(tmp_path):
    module("few_shot_counterexample").draw(
        ordinary("few_shot_counterexample"), tmp_path, singly=True
    )
    said = json.loads((tmp_path / "figures.json").read_text())["few_shot_counterexample"]
    caption = (tmp_path / "caption.tex").read_text()
    assert r"\includegraphics{few_shot_counterexample.pdf}" in caption
    assert r"\label{fig:few_shot_counterexample}" in caption
    assert f"\\textbf{{{said['title']}.}}" in caption and r"(\textbf{b}) V = 2 $\surd$m" in caption
    assert said["colors"]["NeurIPS form"] == style.BOUNDS["neurips"]["color"]
    names = {path.stem for path in (tmp_path / "panels").iterdir()}
    assert names == {f"few_shot_counterexample-{of}" for of in ("a", "b", "legend")}


def test_words_at_the_ends_of_lines_are_apart_and_said_once():
    table = pd.DataFrame({"x": [1, 2] * 4, "seed": 0, "y": [1, 4, 1, 4.01, 1, 4.05, 1, 9.0]})
    panel = style.Sheet(1).panel("a title")
    for k, tag in enumerate(["C = 2", "C = 2", "C = 4", "C = 4"]):
        panel.curve(table[2 * k : 2 * k + 2], "x", "y", tag=tag, color=f"C{k}")
    panel.finish()
    found = [(text.get_text(), text.xyann[1], text.get_color()) for text in panel.axes.texts]
    assert [word for word, *_ in found] == ["C = 2", "C = 4", "C = 4"]
    assert [color for *_, color in found] == ["k", "C2", "C3"]  # of two lines that meet, of one
    assert found[0][1] == 0 and found[1][1] > 0  # moved up, away from the first


@pytest.mark.parametrize("name", ["few_shot_counterexample", "universality"])
def test_equal_tables_give_equal_bytes_and_leave_the_settings_alone(name, tmp_path):
    before = {key: value for key, value in matplotlib.rcParams.items() if key != "backend"}
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        module(name).draw(ordinary(name), tmp_path / folder)
    for path in sorted((tmp_path / "one").glob("*.*")):
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name
    assert {key: matplotlib.rcParams[key] for key in before} == before


@pytest.mark.parametrize("name", NAMES)
def test_the_csv_says_what_the_picture_shows(name, tmp_path, seen, quick):
    module(name).draw(ordinary(name), tmp_path)
    for sheet, stem in zip(seen, files(name), strict=True):
        written = pd.read_csv(tmp_path / f"{stem}.csv")
        shown = pd.concat([rows for panel in sheet.panels for rows in panel.drawn])
        assert len(written) == len(shown) > 0
        assert set(written["panel"]) == {panel.letter for panel in sheet.panels}


def test_a_curve_is_the_mean_over_seeds_between_the_lowest_and_the_highest():
    table = pd.DataFrame({"x": [1, 1, 2, 2], "seed": [0, 1, 0, 1], "y": [1.0, 3.0, 5.0, np.nan]})
    panel = style.Sheet(1).panel("a title")
    drawn = panel.curve(table, "x", "y", label="a curve")
    assert drawn["mean"].tolist() == [2, 5] and drawn["n"].tolist() == [2, 1]
    assert drawn["low"].tolist() == [1, 5] and drawn["high"].tolist() == [3, 5]
    assert panel.axes.lines[0].get_ydata().tolist() == [2, 5]


def test_an_undeclared_column_is_an_error(tmp_path):
    @style.drawing(table=(columns.GAP,))
    def draw(tables, folder):
        tables["table"]["gaap"]

    with pytest.raises(KeyError, match="gaap"):
        draw({"table": pd.DataFrame({"gaap": [1.0]})}, tmp_path)


def test_text_is_broken_between_words_and_numbers_are_short():
    assert (
        style.fold("no bound: classes of unequal size", 16) == "no bound:\nclasses of\nunequal size"
    )
    numbers = (1, 0.001, 1e-12, 5000, 1e4, 100000, 0, -1)
    assert [style.short(x) for x in numbers] == [
        "1",
        "0.001",
        "1e-12",
        "5000",
        "1e4",
        "1e5",
        "0",
        "-1",
    ]


@pytest.mark.parametrize(
    "scale, seen, ticks",
    [
        ("log", [0.083, 0.2, 0.399], ["0.1", "0.2", "0.3", "0.4"]),
        ("symlog", [0.083, 0.2, 0.399], ["0.1", "0.2", "0.3", "0.4"]),
        ("symlog", [0.05, 1.2], ["0", "0.5", "1"]),
        ("symlog", [-0.3, 0.0, 0.4], ["-0.2", "0", "0.2", "0.4"]),
        ("symlog", [0.0, 1.0, 400.0], ["0", "1", "10", "100"]),
    ],
)
def test_few_decades_of_a_logarithmic_axis_have_round_ticks(scale, seen, ticks):
    figure = matplotlib.figure.Figure((1.5, 1.5))
    canvas = FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.set_yscale(scale, **({"linthresh": 1} if scale == "symlog" else {}))
    axes.plot(seen)
    number(axes.yaxis, np.array(seen))
    canvas.draw()
    low, high = axes.get_ylim()
    drawn = axes.yaxis.get_major_ticks()
    said = [tick.label1.get_text() for tick in drawn if low <= tick.get_loc() <= high]
    assert said == ticks


@pytest.mark.parametrize("name", ["few_shot_counterexample", "gap_vs_classes"])
def test_a_drawing_runs_as_a_command_without_torch(name, tmp_path):
    for key, table in ordinary(name).items():
        table.head(400).to_csv(tmp_path / f"{key}.csv", index=False)
    code = (
        f"import sys; sys.argv = ['x', {str(tmp_path)!r}, '--width', '3.25']; import runpy; "
        f"runpy.run_module('supcon_theory.analysis.{name}', run_name='__main__'); "
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / f"{name}.pdf").exists()


def test_a_folder_without_a_table_is_refused_in_a_sentence(tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        style.main(module("gap_vs_classes").draw, [str(tmp_path)])
    assert stopped.value.code == 2
    assert "no table.csv: name the folder of a finished run" in capsys.readouterr().err


def test_drawings_type_no_threshold():
    """Numbers with an exponent are tolerances: they belong to claims and audits."""
    allowed = {"minimisers": {1e-17, 1e-16, 1e5}, "loss_tracking": {1e4}, "collapse": {1e-3}}
    for name in NAMES:
        tree = ast.parse(inspect.getsource(module(name)))
        numbers = {
            n.value
            for n in ast.walk(tree)
            if isinstance(n, ast.Constant) and isinstance(n.value, float)
        }
        assert {x for x in numbers if x and not 1e-3 < abs(x) < 1e4} <= allowed.get(name, set())
