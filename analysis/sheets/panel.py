"""One panel of a figure, and the rows of the CSV that it shows."""

from collections.abc import Container, Iterable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.legend import Legend
from supcon_theory.analysis.sheets.looks import PAIR, SMALL, look
from supcon_theory.analysis.sheets.ticks import number
from supcon_theory.analysis.sheets.words import fold


class Tag(NamedTuple):
    """A word at the end of a line."""

    text: str
    x: float
    y: float
    color: str


def where(rows: pd.DataFrame, **values: object) -> pd.DataFrame:
    """Rows whose columns have these values; a NaN equals nothing."""
    for column, value in values.items():
        rows = rows[rows[column] == value]
    return rows


class Panel:
    """Axes with a letter, the rows of the CSV that they show, and the reason if there are none."""

    def __init__(self, axes: Axes, letter: str, title: str, absent: str, looks: Mapping) -> None:
        self.axes, self.letter, self.absent, self.looks = axes, letter, absent, dict(looks)
        self.words = title
        self.title = rf"$\mathbf{{{letter}}}$  {title}"
        self.drawn: list[pd.DataFrame] = []
        self.notes: list[str] = []
        self.keys: list[str] = []
        self.named: dict[str, list[str]] = {}  # what stands at 0, 1, ... of an axis
        self.tags: list[Tag] = []
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
        if tag:
            end = found.iloc[-1]
            self.tags.append(Tag(tag, end["x"], end["mean"], str(look.get("color", "k"))))
        return found

    def levels(
        self,
        rows: pd.DataFrame,
        y: str,
        series: str,
        objectives: Iterable[str],
        words: Mapping[str, str],
        named: Container[str] = (),
    ) -> None:
        """A row for each level, from the top down, and a marker at each objective's mean in it.

        Args:
            rows: Rows of a table, with their level.
            y: Column of the horizontal axis.
            series: What the CSV calls an objective's markers; `{}` stands for the objective.
            objectives: Ids.
            words: For a level; itself without any.
            named: Objectives that the legend names.
        """
        levels = list(dict.fromkeys(rows["level"]))
        for name in objectives:
            of = where(rows, objective=name).groupby("level", sort=False)[y].mean()
            found = self.record(series.replace("{}", name), x=of.index, mean=of.to_numpy())
            seen = look(name)
            self.axes.plot(
                found["mean"],
                found["x"].map(levels.index),
                **dict(ls="none", marker=seen.marker, color=seen.color, ms=3),
                label=seen.name if name in named else None,
            )
        self.named["y"] = [words.get(level, level) for level in levels]
        self.looks |= dict(ylim=(len(levels) - 0.5, -0.5))

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
        for column, line in looks.items():
            line = {**line, **more}
            line["series"] = line.get("series", "").replace("{}", column)
            self.curve(rows, x, column, **line)

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

    def said(self) -> str:
        """What it shows, for the caption: its title and its axes."""
        y, x = (getattr(self.axes, f"get_{axis}label")() for axis in "yx")
        axes = f": {y} against {x}" if y and x else f": {y or x}" if y or x else ""
        return " ".join((self.words + axes).split())

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
        self.write_tags()
        if self.notes:
            text = "\n".join(map(fold, self.notes))
            axes.add_artist(Legend(axes, [], [], title=text, loc="best", alignment="left"))

    def write_tags(self) -> None:
        """The words at the ends of lines, apart from each other; one for lines that end together.

        They need the limits of the axes, and are written in the colour of their line unless they
        are about several.
        """
        high = self.axes.get_figure().get_figheight() * 72 * self.axes.get_position().height
        row = 1.25 * SMALL / high  # of a line of text, in parts of the height
        place = self.axes.transData + self.axes.transAxes.inverted()
        found = [(float(place.transform((t.x, t.y))[1]), t) for t in self.tags]
        lowest = -np.inf
        for y, tag in sorted(found, key=lambda pair: pair[0]):
            twins = [at for at, other in found if other.text == tag.text]
            if any(at < y and y - at < 3 * row for at in twins):
                continue
            same = sum(abs(at - y) < 3 * row for at in twins)
            lowest = max(y, lowest + row)
            shift = (3.0, (lowest - y) * high)
            look = dict(color="k" if same > 1 else tag.color, va="center", fontsize=SMALL)
            at = dict(xytext=shift, textcoords="offset points", annotation_clip=False)
            self.axes.annotate(tag.text, (tag.x, tag.y), **at, **look)
