"""One look for all figures, drawn at the width at which they are printed, from declared columns.

A drawing is a function `draw(tables, folder, width=5.5)` made by `drawing`: it gets the tables of a
run with exactly their declared columns (NaN where the run has none, `KeyError` for any other name)
and fills a `Sheet` of lettered panels. What a panel shows is kept as a tidy table (panel, series,
x, mean, low, high, n) and written beside the figure: what the CSV says is what the picture shows. A
panel without anything to show says why. The figure's title is a sentence that follows from the
table; with the titles and axes of its panels it makes the caption. Nothing here sets a style
outside of a drawing. What a drawing needs has its name here; it is made in `sheets/`.
"""

import argparse
import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import matplotlib
import pandas as pd
from supcon_theory.analysis.sheets.looks import BOUNDS as BOUNDS
from supcon_theory.analysis.sheets.looks import DASHDOT as DASHDOT
from supcon_theory.analysis.sheets.looks import DASHED as DASHED
from supcon_theory.analysis.sheets.looks import DOTTED as DOTTED
from supcon_theory.analysis.sheets.looks import EXTRA as EXTRA
from supcon_theory.analysis.sheets.looks import LOOKS as LOOKS
from supcon_theory.analysis.sheets.looks import PAIR as PAIR
from supcon_theory.analysis.sheets.looks import PALETTE as PALETTE
from supcon_theory.analysis.sheets.looks import RULER as RULER
from supcon_theory.analysis.sheets.looks import SMALL as SMALL
from supcon_theory.analysis.sheets.looks import look as look
from supcon_theory.analysis.sheets.looks import objectives as objectives
from supcon_theory.analysis.sheets.panel import Panel as Panel
from supcon_theory.analysis.sheets.panel import where as where
from supcon_theory.analysis.sheets.sheet import Sheet as Sheet
from supcon_theory.analysis.sheets.sheet import each_panel
from supcon_theory.analysis.sheets.ticks import short as short
from supcon_theory.analysis.sheets.words import at_tau as at_tau
from supcon_theory.analysis.sheets.words import classes as classes
from supcon_theory.analysis.sheets.words import fold as fold
from supcon_theory.analysis.sheets.words import joined as joined
from supcon_theory.analysis.sheets.words import legible as legible

from supcon_theory.audits.columns import IDENTITY, Table

WIDTHS = (3.25, 5.5, 7.0)  # inches: a column, the text of a one-column page, a two-column page
FONTS = {  # Matplotlib ships both; STIX is Times, in which most journals and NeurIPS set text
    "sans": {"font.family": "DejaVu Sans"},
    "serif": {"font.family": "STIXGeneral", "mathtext.fontset": "stix"},
}
UNEQUAL = "no bound: classes of unequal size"
Tables = Mapping[str, pd.DataFrame]


@contextmanager
def printed(folder: Path, width: float = 5.5, font: str = "sans") -> Iterator[None]:
    """The settings of figures that are drawn meanwhile, as they are printed.

    Args:
        folder: Of the figures; what is said there of earlier ones gives way.
        width: In inches.
        font: One of `FONTS`.
    """
    (folder / "figures.json").unlink(missing_ok=True)
    given = {"figure.figsize": (width, width)} | FONTS[font]
    with matplotlib.rc_context(given, Path(__file__).with_name("style.mplstyle")):
        yield


def drawing(**tables: tuple[Table, ...]) -> Callable:
    """Make a drawing of a function of tables with these declared columns, and of a folder.

    Args:
        tables: For each CSV of a run that is drawn, the declarations of its columns.

    Returns:
        A decorator; what it gives is `draw(tables, folder, width=5.5, font="sans", singly=False)`,
        where a table or a column that the run lacks is empty or NaN, and one that is not declared
        is a `KeyError`.
    """
    wanted = {
        name: list(dict.fromkeys(c for table in (IDENTITY, *of) for c in table.names))
        for name, of in tables.items()
    }

    def decorate(function: Callable) -> Callable:
        @functools.wraps(function)
        def draw(
            tables: Tables, folder: Path, width: float = 5.5, font="sans", singly=False
        ) -> None:
            found = {
                name: tables.get(name, pd.DataFrame()).reindex(columns=columns)
                for name, columns in wanted.items()
            }
            folder = Path(folder)
            with printed(folder, width, font), each_panel(singly):
                function(found, folder)

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
    parser.add_argument("--font", default="sans", choices=FONTS, help="serif is that of Times")
    parser.add_argument("--panels", action="store_true", help="each panel as a PDF of its own too")
    given = parser.parse_args(argv)
    if not (given.folder / "table.csv").exists():
        parser.error(f"{given.folder} has no table.csv: name the folder of a finished run")
    tables = {path.stem: pd.read_csv(path) for path in sorted(given.folder.glob("*.csv"))}
    draw(tables, given.folder, given.width, given.font, given.panels)
