"""What is said of a figure elsewhere: its caption in LaTeX, and `figures.json` for programs."""

import json
import re
from pathlib import Path
from typing import NamedTuple

from supcon_theory.latex import escaped


class Figure(NamedTuple):
    """A figure in words."""

    title: str  # what it shows, in a sentence
    note: str  # what lines, bands and marks mean
    panels: dict[str, str]  # letter: what the panel shows
    colors: dict[str, str]  # label: colour
    width: float  # inches


def write(folder: Path, name: str, figure: Figure) -> None:
    """Add a figure to `figures.json` of a folder, and write its caption.

    Args:
        folder: Of the drawing.
        name: Of the figure's files.
        figure: The figure in words.
    """
    path = folder / "figures.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    known[name] = figure._asdict()
    path.write_text(json.dumps(known, indent=1) + "\n")
    part = name.removeprefix(next(iter(known)))  # a drawing's first figure has its name
    part = f"_{part}" if part and not part.startswith("_") else part
    (folder / f"caption{part}.tex").write_text(latex(name, figure))


def latex(name: str, figure: Figure) -> str:
    """The float with the figure at its own size, its caption and its label.

    Args:
        name: Of the figure's files.
        figure: The figure in words.

    Returns:
        LaTeX that needs the package graphicx.
    """
    panels = [rf"(\textbf{{{letter}}}) {escaped(said)}" for letter, said in figure.panels.items()]
    note = re.sub("^[a-z]", lambda first: first[0].upper(), figure.note)  # but no Greek letter
    said = [rf"\textbf{{{escaped(figure.title)}.}}", "; ".join(panels) + "."]
    said += [escaped(note) + "."] if note else []
    lines = [
        r"\begin{figure}",
        r"\centering",
        rf"\includegraphics{{{name}.pdf}}% drawn {figure.width:g} in wide: leave it at its size",
        rf"\caption{{{' '.join(said)}}}",
        rf"\label{{fig:{name}}}",
        r"\end{figure}",
    ]
    return "\n".join(lines) + "\n"
