"""What is published: readable PDFs, one colour for an objective, every column described."""

import json
import re
import zlib
from pathlib import Path

import pandas as pd
import pytest
from supcon_theory.analysis import style

from supcon_theory.audits.columns import WORDS
from supcon_theory.claims.document import verify

FIGURES = Path(__file__).parents[2] / "figures"
PDFS = sorted(FIGURES.rglob("*.pdf"))
NAMES = {name: look.color for look in style.LOOKS.values() for name in (look.name, look.trained)}
DESCRIBED = sorted(path.parent for path in FIGURES.rglob("datapackage.json"))
EMPTY = {
    ("minimisers", "minimisers"): {"k"},  # one view of each sample has no coupled loss
    ("few_shot/cifar10", "few_shot_bounds"): {"d"},  # one number of classes
    ("loss_tracking/longer", "loss_tracking"): {"d"},
}
TYPES = {
    "integer": pd.api.types.is_integer_dtype,
    "number": pd.api.types.is_numeric_dtype,
    "boolean": pd.api.types.is_bool_dtype,
}


def streams(pdf: bytes) -> str:
    """The text of all streams of a PDF."""
    found = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.S)
    unpacked = []
    for stream in found:
        try:
            unpacked.append(zlib.decompress(stream).decode("latin-1"))
        except zlib.error:  # a font or a picture that is packed in another way
            continue
    return "\n".join(unpacked)


def sizes(pdf: bytes) -> set[float]:
    """The sizes of all text in a PDF that Matplotlib wrote, in points."""
    return {float(size) for size in re.findall(r"/F\S+ ([\d.]+) Tf", streams(pdf))}


def width(pdf: bytes) -> float:
    """The width of a PDF's page in inches."""
    left, right = re.search(rb"/MediaBox \[\s*(\S+)\s+\S+\s+(\S+)", pdf).groups()
    return (float(right) - float(left)) / 72


@pytest.mark.parametrize("path", PDFS, ids=lambda path: str(path.relative_to(FIGURES)))
def test_no_text_of_a_published_pdf_is_under_6_points_at_its_width(path):
    pdf = path.read_bytes()
    assert any(abs(width(pdf) - inches) < 0.01 for inches in style.WIDTHS)
    assert min(sizes(pdf)) >= 6


def colours(place: Path) -> dict[str, str]:
    """The colour of each label that is an objective's, over the figures of a folder."""
    known = json.loads((place / "figures.json").read_text())
    pairs = (pair for figure in known.values() for pair in figure["colors"].items())
    return {label: colour for label, colour in pairs if label in {*NAMES, *style.LOOKS}}


IDS = {id for id, look in style.LOOKS.items() if look.name != id}


def test_objectives_are_called_by_their_names_not_their_ids():
    for path in sorted(FIGURES.rglob("figures.json")):
        for stem, figure in json.loads(path.read_text()).items():
            said = " ".join([figure["title"], *figure["colors"], *figure["panels"].values()])
            assert not IDS & set(re.findall(r"\w+", said)), (path.parent.name, stem)


def test_no_two_published_figures_use_one_colour_for_two_objectives():
    places = sorted(path.parent for path in FIGURES.rglob("figures.json"))
    assert places
    owner: dict[str, str] = {}
    for place in places:
        for label, colour in colours(place).items():
            look = (
                style.LOOKS.get(label)
                or style.LOOKS[
                    next(
                        of for of, look in style.LOOKS.items() if label in (look.name, look.trained)
                    )
                ]
            )
            assert owner.setdefault(colour, look.name) == look.name, (place.name, label)


def test_no_two_objectives_and_nothing_else_have_one_colour():
    drawn = {look.name: look.color for look in style.LOOKS.values() if look.name != "untrained"}
    assert len(set(drawn.values())) == len(drawn)
    bounds = {of["color"] for of in (*style.BOUNDS.values(), *style.RULER.values())}
    assert not bounds & set(drawn.values())


@pytest.mark.parametrize("place", DESCRIBED, ids=lambda place: str(place.relative_to(FIGURES)))
def test_every_panel_of_a_published_figure_shows_something(place):
    """A figure drawn from a part of its tables only has panels that say why they are empty."""
    for name, figure in json.loads((place / "figures.json").read_text()).items():
        path = place / f"{name}.csv"
        shown = set(pd.read_csv(path)["panel"]) if path.exists() else set(figure["panels"])
        assert set(figure["panels"]) - shown <= EMPTY.get(
            (str(place.relative_to(FIGURES)), name), set()
        ), name


@pytest.mark.parametrize("place", DESCRIBED, ids=lambda place: str(place.relative_to(FIGURES)))
def test_every_published_column_is_described_and_of_its_type(place):
    package = json.loads((place / "datapackage.json").read_text())
    assert package["profile"] == "tabular-data-package" and package["resources"]
    page = (place / "columns.md").read_text()
    for resource in package["resources"]:
        assert re.fullmatch(r"[a-z0-9._-]+", resource["name"])
        path = place / resource["path"]
        table = pd.read_csv(path, nrows=2000)
        fields = {field["name"]: field for field in resource["schema"]["fields"]}
        assert list(fields) == list(table)
        for name, field in fields.items():
            assert field.get("description"), f"{path}: {name} is not described"
            assert f"`{name}`" in page
            if field["type"] in TYPES and table[name].notna().all():
                assert TYPES[field["type"]](table[name]), f"{path}: {name}"
    assert "table" in {resource["name"] for resource in package["resources"]}


@pytest.mark.parametrize(
    "place",
    [path for path in DESCRIBED if (path / "claims.json").exists()],
    ids=lambda path: str(path.relative_to(FIGURES)),
)
def test_published_verdicts_are_those_of_the_published_table_and_no_mutant_survives(place):
    (table,) = place.glob("table.csv*")
    report = verify(
        json.loads((place / "claims.json").read_text()), pd.read_csv(table, dtype=WORDS)
    )
    assert (report[["wrong", "survives", "brittle"]] == "").all(axis=None), report
