"""`supcon-theory report [FOLDER]`: all finished runs of a folder on one page, and as Markdown."""

import os
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from supcon_theory.app.report import html, markdown
from supcon_theory.app.report.runs import finished
from supcon_theory.runs import store
from supcon_theory.runs.exits import Refused
from supcon_theory.runs.flags import check_writable


def arguments(parser: ArgumentParser) -> None:
    """The folder of results, the presets, the place of the page."""
    what = "the --out of runs (results), or a folder of published runs"
    parser.add_argument("folder", nargs="?", type=Path, default=Path("results"), help=what)
    parser.add_argument(
        "--out", type=Path, help="where index.html and report.md go (FOLDER/report)"
    )
    parser.add_argument("--preset", nargs="+", help="only runs of these presets")


def main(given: Namespace) -> int:
    """Write both files.

    Args:
        given: `folder`, `out`, `preset`.

    Returns:
        0.

    Raises:
        Refused: there is no such folder, no finished run in it, or no place to write to.

    """
    if not os.path.isdir(given.folder):  # whatever its name
        raise Refused(f"There is no folder {given.folder}: name the --out of runs.")
    runs, odd = finished(given.folder, given.preset)
    for sentence in odd:
        print(f"left out: {sentence}", file=sys.stderr)
    if not runs:
        which = f" of {', '.join(given.preset)}" if given.preset else ""
        raise Refused(
            f"{given.folder} holds no finished run{which}: `supcon-theory status {given.folder}` "
            "says what is there."
        )
    out = given.out or given.folder / "report"
    try:
        check_writable(out)
        store.write(out / "index.html", html.render(runs).encode())
        store.write(out / "report.md", markdown.render(runs, out).encode())
    except (ValueError, OSError) as error:
        raise Refused(str(error)) from None
    print(f"{len(runs)} runs: {out / 'index.html'}, {out / 'report.md'}")
    return 0
