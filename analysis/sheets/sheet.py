"""A figure of lettered panels."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from supcon_theory.analysis.sheets import caption
from supcon_theory.analysis.sheets.looks import SMALL
from supcon_theory.analysis.sheets.panel import Panel
from supcon_theory.analysis.sheets.words import fold

SINGLY = ContextVar("singly", default=False)
MANY = 8  # entries of a legend above which those of one panel alone bear its letter


@contextmanager
def each_panel(singly: bool) -> Iterator[None]:
    """Whether sheets that are saved meanwhile write each panel as a PDF of its own too."""
    token = SINGLY.set(singly)
    try:
        yield
    finally:
        SINGLY.reset(token)


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
        width = self.figure.get_figwidth()
        room = int((20 if width > 5 else 16.5) * (width / self.columns - 0.52))  # characters
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

    def save(
        self,
        folder: Path,
        name: str,
        *,
        title: str = "",
        note: str | None = None,
        legend: bool = True,
        table: bool = True,
    ) -> None:
        """Write NAME.pdf, .png and .csv, its caption and its panels; equal tables, equal bytes.

        Args:
            folder: Where to write.
            name: Name of the files.
            title: What the figure shows, in a sentence that follows from the table.
            note: What stands above the legend, instead of what the bands are.
            legend: Whether the labels of all panels make one legend below them.
            table: Whether what is drawn becomes NAME.csv: not, where that is what was measured.
        """
        if not self.panels:
            self.panel(name.replace("_", " "))
        for panel in self.panels:
            panel.finish()
        drawn = [rows for panel in self.panels for rows in panel.drawn]
        note = (self.note() if note is None else note) if drawn else ""
        entries = self.entries() if legend else {}
        self.write_title(title if drawn else "")
        self.write_legend(entries, note)
        if table:
            rows = pd.concat(drawn, ignore_index=True) if drawn else pd.DataFrame({"panel": []})
            rows.to_csv(folder / f"{name}.csv", index=False)
        self.figure.savefig(folder / f"{name}.pdf", metadata={"CreationDate": None})
        self.figure.set_layout_engine("none")  # it is laid out
        self.figure.savefig(folder / f"{name}.png", metadata={"Software": None})
        colors = {label: to_hex(handle.get_color()) for label, handle in self.lines().items()}
        about = caption.Figure(
            title=title or name.replace("_", " "),
            note=note,
            panels={of.letter: of.said() for of in self.panels},
            colors=colors,
            width=self.figure.get_figwidth(),
        )
        caption.write(folder, name, about)
        if SINGLY.get():
            self.save_panels(folder / "panels", name)

    def entries(self) -> dict[str, object]:
        """The handle of each label; of one among many that one panel alone has, with its letter."""
        found: dict[str, object] = {}
        where: dict[str, list[str]] = {}
        for panel in self.panels:
            if panel.axes.get_legend() is None:
                handles, labels = panel.axes.get_legend_handles_labels()
                for handle, label in zip(handles, labels, strict=True):
                    found.setdefault(label, handle)
                    where.setdefault(label, []).append(panel.letter)
        many = len(found) > MANY and len(self.panels) > 1
        return {
            f"{label} ({where[label][0]})" if many and len(set(where[label])) == 1 else label: of
            for label, of in found.items()
        }

    def lines(self) -> dict[str, Line2D]:
        """The line of each label of any panel."""
        legends = (panel.axes.get_legend_handles_labels() for panel in self.panels)
        pairs = (pair for handles, labels in legends for pair in zip(labels, handles, strict=True))
        return {label: handle for label, handle in pairs if isinstance(handle, Line2D)}

    def write_title(self, title: str) -> None:
        """The message of the figure above its panels."""
        if title:
            width = self.figure.get_figwidth()
            text = fold(title, int(16.35 * width))
            self.figure.suptitle(text, x=0.05 / width, ha="left", fontweight="bold")
            high = self.figure.get_figheight() + 0.08 + 0.13 * (1 + text.count("\n"))
            self.figure.set_figheight(high)

    def write_legend(self, entries: dict[str, object], note: str) -> None:
        """The legend of all panels and the note, below them."""
        note = fold(note, int(18 * self.figure.get_figwidth()))
        if entries:
            longest = 0.046 * max(map(len, entries)) + 0.42  # inches, about
            columns = max(1, min(len(entries), int(self.figure.get_figwidth() / longest)))
            where = dict(loc="outside lower center", ncols=columns, title=note)
            self.figure.legend(entries.values(), entries.keys(), **where)
            lines = math.ceil(len(entries) / columns) + 1 + note.count("\n")
            self.figure.set_figheight(self.figure.get_figheight() + 0.13 * lines)
        elif note:
            self.figure.supxlabel(note, fontsize=SMALL)

    def save_panels(self, folder: Path, name: str) -> None:
        """Each panel as a PDF of its own, and the legend, at the size that they have together."""
        folder.mkdir(exist_ok=True)
        figure = self.figure
        parts = {of.letter: of.axes for of in self.panels}
        parts |= dict(zip(["legend"], figure.legends, strict=False))
        everything = [*figure.axes, *figure.legends, *figure.texts]
        to_inches = figure.dpi_scale_trans.inverted()
        for letter, part in parts.items():
            for other in everything:
                other.set_visible(other is part)
            box = part.get_tightbbox().transformed(to_inches).padded(0.02)
            path = folder / f"{name}-{letter}.pdf"
            figure.savefig(path, bbox_inches=box, metadata={"CreationDate": None})
