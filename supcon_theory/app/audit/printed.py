"""What the terminal shows: what was read, the verdicts, the tables. 80 columns where possible."""

import shutil
import textwrap

from supcon_theory.app.audit.sheets import Sheet, sheets
from supcon_theory.audits.findings import WORDS, Finding, findings
from supcon_theory.audits.findings.finding import listed, short

WIDTH = 100  # columns at most: longer lines are hard to read


def show(found) -> None:
    """Print an audit."""
    width = min(WIDTH, shutil.get_terminal_size().columns)
    for line in read(found):
        print(textwrap.fill(line, width, subsequent_indent="  "))
    print()
    for finding in findings(found.tables):
        print(verdict(finding, width))
    for sheet in sheets(found.tables):
        print(f"\n{table(sheet, width)}")
    print()


def read(found) -> list[str]:
    """What was read, and what is left out and why, a line each.

    Args:
        found: the audit.

    Returns:
        Lines.
    """
    of, gap = found.of, found.tables["gap"].iloc[0]
    low, high = of.norms
    norms = f"{low:.6g} to {high:.6g}" if high - low > 1e-9 * high else f"{high:.6g}"
    counts = of.counts
    sizes = (
        f"{counts.min()}" if counts.min() == counts.max() else f"{counts.min()} to {counts.max()}"
    )
    lines = [
        f"Read {of.source}: {' x '.join(map(str, of.shape))} {of.z.dtype} (rows scaled to unit "
        f"norm; they were {norms}).",
        f"Labels {of.labels_source}: {len(counts)} classes of {sizes} samples.",
    ]
    if of.left_out:
        names = listed(list(of.left_out), 10)
        lines.append(f"Left out, since a class needs two samples and has one: {names}.")
    if gap["K"] == 1:
        lines.append(
            "One view a sample: CL and NSCL, which need two, are left out; pass (N, K, d)."
        )
    if gap.get("confidence", 1.0) < 1:
        lines.append(
            f"Losses and gap: {gap['anchors']:.0f} anchors drawn, each against all rows; intervals "
            f"hold with {gap['confidence']:.0%}."
        )
    if found.against:
        lines.append(f"Second model: {found.against}.")
    return lines


def verdict(finding: Finding, width: int) -> str:
    """A finding as lines: how good or bad, the verdict, and under it what its numbers mean."""
    mark = max(map(len, WORDS.values())) + 2
    says = textwrap.fill(
        finding.says,
        width,
        initial_indent=f"{WORDS[finding.level].upper():{mark}}",
        subsequent_indent=" " * mark,
    )
    means = textwrap.fill(
        finding.means, width, initial_indent=" " * mark, subsequent_indent=" " * mark
    )
    return f"{says}\n{means}"


def table(sheet: Sheet, width: int) -> str:
    """A sheet as lines, numbers to the right."""
    columns = []
    for name in sheet.rows:
        words = [str(name), *map(_word, sheet.rows[name])]
        broad = max(map(len, words))
        side = ">" if all(map(_is_number, words[1:])) else "<"
        columns.append([f"{word:{side}{broad}}" for word in words])
    lines = ["  ".join(cells).rstrip() for cells in zip(*columns, strict=True)]
    note = textwrap.fill(sheet.note, width - 2)
    return textwrap.indent("\n".join([*lines, note]), "  ").join((f"{sheet.question}\n", ""))


def _word(value: object) -> str:
    word = short(value) if isinstance(value, float) else str(value)
    return "" if word == "nan" else word


def _is_number(word: str) -> bool:
    """Whether a cell holds a number, perhaps with a unit, or nothing."""
    return not word or word == "inf" or word.lstrip("> -")[:1].isdigit()
