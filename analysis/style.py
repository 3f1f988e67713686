"""One look for all figures, drawn at the width at which they are printed, from declared columns.

A drawing is a function `draw(tables, folder, width=5.5)` made by `drawing`: it gets the tables of a
run with exactly their declared columns (NaN where the run has none, `KeyError` for any other name)
and fills a `Sheet` of lettered panels. What a panel shows is kept as a tidy table (panel, series,
x, mean, low, high, n) and written beside the figure: what the CSV says is what the picture shows. A
panel without anything to show says why. Nothing here sets a style outside of a drawing.
"""

import argparse
import functools
import math
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import matplotlib
import numpy as np
import pandas as pd
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.legend import Legend
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from supcon_theory.audits.columns import IDENTITY, Table

WIDTHS = (3.25, 5.5, 7.0)  # inches: a column, the text of a one-column page, a two-column page
SMALL = 6.5  # points, of what is least important
UNEQUAL = "no bound: classes of unequal size"
PALETTE = (  # seaborn's "colorblind": told apart with every kind of colour vision
    *("#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc"),
    *("#ca9161", "#fbafe4", "#949494", "#ece133", "#56b4e9"),
)
Tables = Mapping[str, pd.DataFrame]
DOTTED, DASHED, DASHDOT = (0, (1, 1.5)), (0, (4, 1.5)), (0, (5, 1.5, 1, 1.5))
PAIR = ("dcl", "nscl")  # objectives that most figures compare
OTHERS = (
    *("nt_xent", "supcon_in", "hscl", "h_nscl", "hucl", "dhel", "n_dhel", "n_pairs"),
    *("dhel_official", "scl_jiang", "scl_ball", "ucl_ball", "ssem"),
)


class Look(NamedTuple):
    """How an objective looks in every figure, and what it is called."""

    color: str
    marker: str
    ls: object
    name: str

    def line(self, **more: object) -> dict:
        """Arguments of `Panel.curve`, labelled "<name>-trained"; `more` wins.

        Args:
            more: Further arguments, or others for those of the look.

        Returns:
            Arguments of a matplotlib line.
        """
        return dict(color=self.color, marker=self.marker, ls=self.ls, label=self.trained) | more

    @property
    def trained(self) -> str:
        """What an encoder trained with it is called."""
        return self.name if self.name in ("untrained", "cross-entropy") else f"{self.name}-trained"


LOOKS = {
    "dcl": Look(PALETTE[0], "o", "-", "CL"),
    "nscl": Look(PALETTE[1], "s", DASHED, "NSCL"),
    "supcon": Look(PALETTE[2], "^", DASHDOT, "SupCon"),
    "cross_entropy": Look(PALETTE[4], "D", (0, (7, 2)), "cross-entropy"),
    "nscl_coupled": Look(PALETTE[9], "v", DOTTED, "coupled NSCL"),
    "init": Look("0.55", "x", DOTTED, "untrained"),
    "untrained": Look("0.55", "x", DOTTED, "untrained"),
    "instance simplex": Look("0.35", "+", DASHDOT, "instance simplex"),
} | {
    name: Look(PALETTE[(3, 5, 6, 8)[k % 4]], "PX*<>"[k // 2 % 5], (DASHED, DASHDOT)[k % 2], name)
    for k, name in enumerate(OTHERS)
}


def look(objective: str) -> Look:
    """The look of any objective; one that has none of its own is grey, with its id as name."""
    return LOOKS.get(objective, Look("0.4", "h", DASHED, str(objective)))


RULER = {  # the levels that a gap can lie at
    "bound_published": dict(color="k", ls="-", label="published bound"),
    "bound_ceiling": dict(color="0.3", ls=DASHED, label="ETF ceiling"),
    "bound_equal": dict(color="0.5", ls=DOTTED, label="equal similarities"),
}
BOUNDS = {  # on the few-shot error
    "older": dict(color=PALETTE[3], ls="-", label="1/m form (refuted)"),
    "neurips": dict(color=PALETTE[1], ls="-", label="NeurIPS form"),
    "tightened": dict(color=PALETTE[1], ls=DASHED, label="NeurIPS form, tightened"),
    "theorem_4_1": dict(color=PALETTE[4], ls=DASHDOT, label="Theorem 4.1"),
    "cantelli": dict(color=PALETTE[2], ls=(0, (7, 2)), label="Cantelli certificate"),
    "conditional_cantelli": dict(color=PALETTE[9], ls=DASHED, label="Cantelli given z"),
    "conditional_trigonometric": dict(color=PALETTE[9], ls="-", label="trigonometric given z"),
}


def where(rows: pd.DataFrame, **values: object) -> pd.DataFrame:
    """Rows whose columns have these values; a NaN equals nothing."""
    for column, value in values.items():
        rows = rows[rows[column] == value]
    return rows


# ---- panels --------------------------------------------------------------------------------------
class Panel:
    """Axes with a letter, the rows of the CSV that they show, and the reason if there are none."""

    def __init__(self, axes: Axes, letter: str, title: str, absent: str, looks: Mapping) -> None:
        self.axes, self.letter, self.absent, self.looks = axes, letter, absent, dict(looks)
        self.title = rf"$\mathbf{{{letter}}}$  {title}"
        self.drawn: list[pd.DataFrame] = []
        self.notes: list[str] = []
        self.keys: list[str] = []
        self.named: dict[str, list[str]] = {}  # what stands at 0, 1, ... of an axis
        axes.set_title(self.title)

    def record(self, series: str, **columns: object) -> pd.DataFrame:
        """Note what is drawn: rows of the CSV, those of `x`, `mean`, `low`, `high` and so on."""
        rows = pd.DataFrame({"panel": self.letter, "series": series, **columns})
        self.drawn.append(rows)
        return rows

    def curve(
        self, rows: pd.DataFrame, x: str, y: str, *, series: str = "", absent: str = "", **look
    ) -> pd.DataFrame:
        """A line through the mean of y at each x and a band from the lowest to the highest seed.

        Args:
            rows: Rows of a table; those whose y is not finite are left out.
            x: Column of the horizontal axis.
            y: Column of the vertical axis.
            series: Name in the CSV; else the label, else y.
            absent: What the panel says if there are rows but none with a finite y.
            look: Arguments of the line; `band=False` draws none, `tag` is written at its end,
                `key`, what it means that the line looks so, below the figure.

        Returns:
            The rows of the CSV, none if there is nothing to draw.
        """
        band, tag, key = look.pop("band", True), look.pop("tag", ""), look.pop("key", "")
        label = look.get("label") or ""
        finite = rows[np.isfinite(rows[x].astype(float)) & np.isfinite(rows[y].astype(float))]
        if len(finite) == 0:
            self.say(absent if len(rows) else "")
            return finite
        self.keys += [key] if key and key not in self.keys else []
        groups = finite.groupby(x)
        values = groups[y].agg(mean="mean", low="min", high="max").reset_index(names="x")
        series = " ".join(filter(None, (series or label.strip("_") or y, tag)))
        found = self.record(series, **values, n=groups["seed"].nunique().to_numpy())
        self.band(found, band, **look)
        if tag and tag not in [text.get_text() for text in self.axes.texts]:
            end = (found["x"].iloc[-1], found["mean"].iloc[-1])
            shift = dict(xytext=(3, 0), textcoords="offset points", va="center")
            self.axes.annotate(tag, end, fontsize=SMALL, annotation_clip=False, **shift)
        return found

    def trained(
        self, rows: pd.DataFrame, x: str, y: str, objectives: Iterable[str] = PAIR, **more
    ) -> None:
        """A curve of the encoders trained with each objective.

        Args:
            rows: Rows of a table, of these objectives and others.
            x: Column of the horizontal axis.
            y: Column of the vertical axis.
            objectives: Ids.
            more: Arguments of `curve`, which win over the looks of the objectives; `{}` in `series`
                stands for the objective.
        """
        for name in objectives:
            line = look(name).line(**more)
            line["series"] = line.get("series", "").replace("{}", name)
            self.curve(where(rows, objective=name), x, y, **line)

    def columns(
        self, rows: pd.DataFrame, x: str, looks: Mapping[str, Mapping], **more: object
    ) -> None:
        """A curve of each of these columns.

        Args:
            rows: Rows of a table.
            x: Column of the horizontal axis.
            looks: For each column of the vertical axis, the look of its line.
            more: Arguments of `curve`, which win; `{}` in `series` stands for the column.
        """
        for column, look in looks.items():
            look = {**look, **more}
            look["series"] = look.get("series", "").replace("{}", column)
            self.curve(rows, x, column, **look)

    def band(self, found: pd.DataFrame, band: bool = True, **look) -> None:
        """A line through `mean` and a band from `low` to `high`, of rows of the CSV."""
        if len(found) == 1 and not look.get("marker"):
            look |= {"marker": "."}  # a line of one point would not be seen
        (line,) = self.axes.plot(found["x"], found["mean"], **look)
        if band and (found["low"] < found["high"]).any():
            spread = (found["x"], found["low"], found["high"])
            self.axes.fill_between(*spread, color=line.get_color(), alpha=0.18, lw=0)

    def say(self, note: str) -> None:
        """Write this into the panel, once, where there is room."""
        self.notes += [note] if note and note not in self.notes else []

    def level(self, value: float, series: str = "", **look) -> None:
        """A horizontal line with its label, unless the value is NaN."""
        if np.isfinite(value):
            self.record(series or look.get("label") or "level", mean=[value])
            self.axes.axhline(value, **{"lw": 0.8, "color": "0.5", "zorder": 1} | look)

    def image(self, matrix: pd.DataFrame, series: str, **look) -> None:
        """A matrix as a picture; its entries are recorded with row y and column x."""
        long = matrix.rename_axis(index="y", columns="x").stack().rename("mean").reset_index()
        if len(long):
            self.record(series, **long)
            self.axes.imshow(matrix.to_numpy(float), **look)

    def cosines(self, matrix: pd.DataFrame, series: str) -> None:
        """A matrix of cosines, from -1 (blue) to 1 (red)."""
        self.looks |= dict(xticks=[], yticks=[])
        self.image(matrix, series, cmap="RdBu_r", vmin=-1, vmax=1)

    def finish(self) -> None:
        """Scales, limits and ticks, which need data; or the reason why there are none."""
        axes, looks = self.axes, self.looks
        if not self.drawn:
            axes.clear()
            axes.set(xticks=[], yticks=[], title=self.title)
            why = fold((self.notes or [self.absent])[0])
            axes.text(0.5, 0.5, why, ha="center", va="center", fontsize=SMALL)
            return
        rows = pd.concat(self.drawn)
        for axis, columns in {"x": ["x"], "y": ["mean", "low"]}.items():
            values = rows.reindex(columns=columns).apply(pd.to_numeric, errors="coerce")
            values = values.to_numpy(float)
            ticks, scale = looks.pop(f"{axis}ticks", None), looks.pop(f"{axis}scale", "linear")
            low, high = looks.pop(f"{axis}lim", (None, None))
            if scale == "log" and not (np.nan_to_num(values) > 0).any():
                scale = "linear"  # no value has a place on a logarithmic axis
            if scale != "linear" or ticks is not None:
                getattr(axes, f"set_{axis}scale")(scale)
                at = values if isinstance(ticks, str) else ticks
                number(getattr(axes, f"{axis}axis"), values, at)
            ends = [end if end is not None and np.isfinite(end) else None for end in (low, high)]
            if ends[0] is None or ends[0] != ends[1]:
                getattr(axes, f"set_{axis}lim")(*ends)
        axes.set(**looks)
        for axis, names in self.named.items():
            getattr(axes, f"set_{axis}ticks")(range(len(names)), names)
        if self.notes:
            text = "\n".join(map(fold, self.notes))
            axes.add_artist(Legend(axes, [], [], title=text, loc="best", alignment="left"))


class Sheet:
    """A figure of lettered panels at the width of the settings, with one legend."""

    def __init__(self, panels: int, columns: int = 3, height: float | Sequence[float] = 0) -> None:
        """Lay out the panels.

        Args:
            panels: How many there are; for none, one that is empty.
            columns: Panels of a row at 5.5 inches; a narrower figure has fewer.
            height: Height of the panels, or of each of them, in inches; 0: they are square.
        """
        panels, width = max(panels, 1), matplotlib.rcParams["figure.figsize"][0]
        columns = max(1, min(columns, panels))
        self.columns = min(columns, math.ceil(columns * width / 5.5 - 0.1))
        rows = math.ceil(panels / self.columns)
        each = np.broadcast_to(height or width / self.columns + 0.2, panels)
        heights = [max(each[k * self.columns : (k + 1) * self.columns]) for k in range(rows)]
        self.figure = Figure(figsize=(width, sum(heights) + 0.05), layout="constrained")
        self.figure.get_layout_engine().set(w_pad=0.03, h_pad=0.03)
        axes = self.figure.subplots(rows, self.columns, squeeze=False, height_ratios=heights)
        self.free = iter(axes.flat)
        for spare in axes.flat[panels:]:
            spare.axis("off")
        self.panels: list[Panel] = []

    def panel(self, title: str, absent: str = "nothing to draw in this table", **looks) -> Panel:
        """The next panel.

        Args:
            title: What it shows, after its letter.
            absent: What an empty panel says.
            looks: Arguments of `Axes.set`: labels, scales ("log" gives way to "linear" if no value
                is above 0), limits (an end that is None or NaN follows the data), and
                `xticks="values"` for a tick at every value.

        Returns:
            The panel.
        """
        room = int(20 * (self.figure.get_figwidth() / self.columns - 0.52))  # characters
        title = title.replace(" = ", "\u00a0=\u00a0")  # stays together
        title = "\n".join(fold(line, room) for line in title.split("\n")).replace("\n", "\n    ")
        looks |= {"xlabel": fold(looks["xlabel"], room)} if "xlabel" in looks else {}
        letter = "abcdefghijklmnopqrstuvwxyz"[len(self.panels) % 26]
        self.panels.append(Panel(next(self.free), letter, title, absent, looks))
        return self.panels[-1]

    def note(self) -> str:
        """What lines, bands and keys mean, from what is drawn."""
        seeds = [r["n"] for p in self.panels for r in p.drawn if "n" in r]
        most = int(max((n.max() for n in seeds), default=0))
        text = f"line: mean over {most} seeds; band: lowest to highest seed"
        texts = [text if most > 1 else "one seed" * most]
        drawn = [panel for panel in self.panels if panel.drawn]
        for key in dict.fromkeys(key for panel in drawn for key in panel.keys):
            letters = [panel.letter for panel in drawn if key in panel.keys]
            texts.append(key if len(letters) == len(drawn) else f"{key} ({', '.join(letters)})")
        return "; ".join(filter(None, texts))

    def save(self, folder: Path, name: str, *, note: str | None = None, legend: bool = True):
        """Write NAME.pdf, NAME.png and NAME.csv; equal tables give equal bytes.

        Args:
            folder: Where to write.
            name: Name of the files.
            note: What stands above the legend, instead of what the bands are.
            legend: Whether the labels of all panels make one legend below them.
        """
        if not self.panels:
            self.panel(name.replace("_", " "))
        for panel in self.panels:
            panel.finish()
        drawn = [rows for panel in self.panels for rows in panel.drawn]
        entries = {
            label: handle
            for panel in self.panels
            if panel.axes.get_legend() is None
            for handle, label in zip(*panel.axes.get_legend_handles_labels(), strict=True)
        }
        note = (self.note() if note is None else note) if drawn else ""
        note = fold(note, int(18 * self.figure.get_figwidth()))
        if legend and entries:
            longest = 0.046 * max(map(len, entries)) + 0.42  # inches, about
            columns = max(1, min(len(entries), int(self.figure.get_figwidth() / longest)))
            where = dict(loc="outside lower center", ncols=columns, title=note)
            self.figure.legend(entries.values(), entries.keys(), **where)
            lines = math.ceil(len(entries) / columns) + 1 + note.count("\n")
            self.figure.set_figheight(self.figure.get_figheight() + 0.13 * lines)
        elif note:
            self.figure.supxlabel(note, fontsize=SMALL)
        table = pd.concat(drawn, ignore_index=True) if drawn else pd.DataFrame({"panel": []})
        table.to_csv(folder / f"{name}.csv", index=False)
        self.figure.savefig(folder / f"{name}.pdf", metadata={"CreationDate": None})
        self.figure.set_layout_engine("none")  # it is laid out
        self.figure.savefig(folder / f"{name}.png", metadata={"Software": None})


def number(axis, seen: np.ndarray, values: object = None) -> None:
    """Plain numbers on an axis (a power of ten in small raised digits is not readable).

    Args:
        axis: The axis.
        seen: What is drawn along it.
        values: The places of the ticks, numbered as far as there is room; None for those of the
            scale.
    """
    log = axis.get_scale() == "log"
    axis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    if values is not None:
        places = np.unique(np.asarray(values, float))
        places = places[np.isfinite(places) & ((places > 0) | (not log))]
        axis.set_major_locator(FixedLocator(apart(places, np.log(places) if log else places)))
        axis.set_minor_locator(NullLocator())
    elif log and np.nanmax(seen, initial=0) < 8 * np.nanmin(seen[seen > 0], initial=np.inf):
        axis.set_major_locator(MaxNLocator(5, steps=(1, 2, 5, 10)))
        axis.set_minor_locator(NullLocator())
    elif log:

        def minor(value: float, _: int) -> str:
            low, high = axis.get_view_interval()
            leading = round(value / 10 ** math.floor(math.log10(value)))
            return short(value) if leading in (2, 5) and high < 60 * low else ""

        axis.set_minor_formatter(FuncFormatter(minor))


def apart(places: np.ndarray, along: np.ndarray) -> list[float]:
    """Places, rising, that are a sixth of the whole apart from each other along an axis."""
    kept: list[int] = []
    for i in range(len(places)):
        if not kept or along[i] - along[kept[-1]] >= 0.999 * (along[-1] - along[0]) / 6:
            kept.append(i)
    return [float(places[i]) for i in kept]


def short(value: float) -> str:
    """A number in few characters: 0.001, 5000, 1e4, 1e-12."""
    text = f"{value:.0e}" if value and not 1e-3 <= abs(value) < 1e4 else f"{value:g}"
    return text.replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")


def fold(text: str, width: int = 24) -> str:
    """Text broken at spaces into lines of at most this many characters."""
    return textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False)


def joined(*parts: str) -> str:
    """Parts of a title with commas between those that say something."""
    return ", ".join(filter(None, parts))


def at_tau(tau: float, trained: Iterable[float] = ()) -> str:
    """The temperature evaluated at, and whether it is that of the paper or of the training.

    Args:
        tau: The temperature evaluated at.
        trained: Temperatures trained at, of the rows shown.

    Returns:
        For instance "τ = 1 (as published)".
    """
    trained = {float(of) for of in trained}
    words = [w for w, so in (("as published", tau == 1), ("trained", trained == {tau})) if so]
    return ("" if np.isnan(tau) else f"τ = {tau:g}") + (f" ({', '.join(words)})" if words else "")


def legible(names: Iterable[object]) -> list[str]:
    """Names of classes as the font can write them, code points where it cannot; long ones cut."""
    there = font_manager.get_font(font_manager.findfont(FontProperties())).get_charmap()
    written = ("".join(c if ord(c) in there else f"U+{ord(c):04X}" for c in str(n)) for n in names)
    cut = (name if len(name) <= 12 else f"{name[:11]}…" for name in written)
    return [name.replace("$", r"\$") for name in cut]


def classes(C: float) -> str:
    """What a title says of the number of classes: nothing if there is none (NaN)."""
    return f", C = {C:g}" if np.isfinite(C) else ""


# ---- from tables to files ------------------------------------------------------------------------
def drawing(**tables: tuple[Table, ...]) -> Callable:
    """Make a drawing of a function of tables with these declared columns, and of a folder.

    Args:
        tables: For each CSV of a run that is drawn, the declarations of its columns.

    Returns:
        A decorator; what it gives is `draw(tables, folder, width=5.5)`, where a table or a column
        that the run lacks is empty or NaN, and one that is not declared is a `KeyError`.
    """
    wanted = {
        name: list(dict.fromkeys(c for table in (IDENTITY, *of) for c in table.names))
        for name, of in tables.items()
    }

    def decorate(function: Callable) -> Callable:
        @functools.wraps(function)
        def draw(tables: Tables, folder: Path, width: float = 5.5) -> None:
            found = {
                name: tables.get(name, pd.DataFrame()).reindex(columns=columns)
                for name, columns in wanted.items()
            }
            size = {"figure.figsize": (width, width)}
            with matplotlib.rc_context(size, Path(__file__).with_name("style.mplstyle")):
                function(found, Path(folder))

        return draw

    return decorate


def main(draw: Callable, argv: list[str] | None = None) -> None:
    """Draw the tables of a folder into it: `python -m supcon_theory.analysis.NAME FOLDER`.

    Args:
        draw: What `drawing` made.
        argv: The command line; that of the process if None.
    """
    parser = argparse.ArgumentParser(description=draw.__doc__)
    parser.add_argument("folder", type=Path, help="folder with the table.csv of a run")
    parser.add_argument("--width", type=float, default=5.5, choices=WIDTHS, help="inches")
    given = parser.parse_args(argv)
    if not (given.folder / "table.csv").exists():
        parser.error(f"{given.folder} has no table.csv: name the folder of a finished run")
    tables = {path.stem: pd.read_csv(path) for path in sorted(given.folder.glob("*.csv"))}
    draw(tables, given.folder, given.width)
