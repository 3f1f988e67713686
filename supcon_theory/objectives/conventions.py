"""The table of conventions in docs/objectives.md, from the losses' signatures and docstrings.

`python -m supcon_theory.objectives.conventions` writes it between the markers of that page.
"""

import ast
import re
from pathlib import Path

from supcon_theory.objectives.ids import IDS, definition, options_of

PAGE = Path(__file__).parents[2] / "docs" / "objectives.md"
START, END = "<!-- conventions: generated -->\n", "<!-- end of conventions -->"
HEAD = (
    *("id", "options", "positives", "denominator", "positive in it", "same class in it"),
    *("mean over", "labels", "views", "equal in public code", "source"),
)


def convention(id: str) -> dict[str, str]:
    """One row of the table: {column: text} of a loss."""
    text = ast.get_docstring(definition(id)) or ""
    section = text.split("Convention:\n")[1].split("\n\n")[0]
    section = re.sub(r"\n {8,}", " ", section)  # continued lines
    said = dict(line.strip().split(": ", 1) for line in section.splitlines())
    positives, options = said["Positives"], options_of(id)
    options = (name if value is ... else f"{name}={value!r}" for name, value in options.items())
    cells = (
        *(f"`{id}`", ", ".join(f"`{option}`" for option in options), positives),
        *said["Denominator"].split(" | "),
        *(said["Mean"], "no" if "labels, not used" in text else "yes"),
        *("K >= 2" if positives == "own" else "any", said.get("Equals", ""), said["Source"]),
    )
    return dict(zip(HEAD, cells, strict=True))


def page(text: str) -> str:
    """The page with the table of today between its markers."""
    rows = [HEAD, ["---"] * len(HEAD), *(convention(id).values() for id in IDS)]
    table = "".join("| " + " | ".join(row) + " |\n" for row in rows)
    before, rest = text.split(START)
    return before + START + table + END + rest.split(END)[1]


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
