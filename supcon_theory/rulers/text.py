"""A ruler as text: what it is about, its lines with the value among them, the verdict."""

import textwrap
from typing import TYPE_CHECKING

from supcon_theory.objectives.ids import options_of
from supcon_theory.rulers.scale import Line, Setting

if TYPE_CHECKING:
    from supcon_theory.rulers.ruler import Ruler

WIDTH = 100
VALUE, RANGE = 10, 20  # characters; the rest is shared by what a line means and what it is
SEEN = 5e-5  # relative width of a range that is printed


def text(ruler: "Ruler", width: int = WIDTH) -> str:
    """All of a ruler.

    Args:
        ruler: what to write.
        width: of the text, in characters.

    Returns:
        Lines of at most that width.
    """
    ranges = any(map(_ranges, ruler.lines))
    rows = [(line.value, _row(line, ranges, width)) for line in ruler.lines]
    if ruler.value is not None:
        rows.append((ruler.value, f"{ruler.value:>{VALUE}.5g}  {'':{RANGE * ranges}}YOURS"))
    rows.sort(key=lambda row: row[0])
    parts = [textwrap.fill(_about(ruler), width), *(row for _, row in rows)]
    if ruler.verdict is not None:
        said = [f"Verdict: {ruler.verdict.sentence}", *ruler.verdict.notes]
        parts += [textwrap.fill(sentence, width) for sentence in said]
    return "\n".join(parts)


def _about(ruler: "Ruler") -> str:
    setting = ruler.setting
    name = setting.loss.of.__name__ if ruler.row is None else ruler.row.function
    if ruler.row is not None:
        row = ruler.row
        return f"{name}: {_batch(setting)}. It computes {row.says} (checked {row.checked})."
    usual = options_of(name)
    given = (f", {key}={x}" for key, x in setting.options.items() if x != usual[key])
    return f"{name}: {_batch(setting)}{''.join(given)}."


def _batch(setting: Setting) -> str:
    N, K, C = setting.batch, setting.views, setting.classes
    rows = f"{N} samples x {K} views = {N * K} rows" if K > 1 else f"{N} samples"
    how = "equally often" if setting.balanced else "drawn at random"
    labels = "" if C is None else f", {C} classes {how}"
    return f"{rows}{labels}, tau = {setting.tau:g}"


def _ranges(line: Line) -> bool:
    return line.high - line.low > SEEN * max(1e-3, abs(line.value))


def _row(line: Line, ranges: bool, width: int) -> str:
    spread = f"{line.low:.4g} to {line.high:.4g}" if _ranges(line) else ""
    left = f"{line.value:>{VALUE}.5g}  {spread:{RANGE * ranges}}"
    free = width - len(left)
    what = f"{line.status}: {line.formula}" if line.formula else line.status
    meaning = textwrap.wrap(line.meaning, free * 3 // 5 - 2, break_on_hyphens=False)
    what_lines = textwrap.wrap(what, free - free * 3 // 5, break_on_hyphens=False)
    rows = []
    for k in range(max(len(meaning), len(what_lines))):
        first = meaning[k] if k < len(meaning) else ""
        second = what_lines[k] if k < len(what_lines) else ""
        head = left if k == 0 else " " * len(left)
        rows.append(f"{head}{first:{free * 3 // 5}}{second}".rstrip())
    return "\n".join(rows)
