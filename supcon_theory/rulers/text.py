"""A ruler as text: what it is about, its lines with the value among them, the verdict."""

import textwrap
from collections.abc import Sequence
from itertools import zip_longest

from supcon_theory.objectives.ids import options_of
from supcon_theory.rulers.libraries import Row
from supcon_theory.rulers.setting import Line, Setting
from supcon_theory.rulers.verdict import Verdict

VALUE, RANGE = 10, 20  # characters; the rest is shared by what a line means and what it is
ABREAST = 60  # what a line means and what it is stand side by side where there is that much room
SEEN = 5e-5  # relative width of a range that is printed


def text(
    about: str, lines: Sequence[Line], value: float | None, verdict: Verdict | None, width: int
) -> str:
    """All of a ruler.

    Args:
        about: what it is the scale of.
        lines: of the scale.
        value: placed among them; None for the scale alone.
        verdict: on the value.
        width: of the text, in characters.

    Returns:
        Lines of at most that width.
    """
    ranges = any(map(_ranges, lines))
    rows = [(line.value, _row(line, ranges, width)) for line in lines]
    if value is not None:
        rows.append((value, f"{value:>{VALUE}.5g}  {'':{RANGE * ranges}}YOURS"))
    rows.sort(key=lambda row: row[0])
    parts = [textwrap.fill(about, width), *(row for _, row in rows)]
    if verdict is not None:
        said = [f"Verdict: {verdict.sentence}", *verdict.notes]
        parts += [textwrap.fill(sentence, width) for sentence in said]
    return "\n".join(parts)


def about(setting: Setting, row: Row | None) -> str:
    """What a scale is of: the loss, its batch, and what the library computes if one is named."""
    if row is not None:
        computes = f"It computes {row.says} (checked {row.checked})."
        return f"{row.function}: {_batch(setting)}. {computes}"
    name = setting.loss.of.__name__
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
    if free < ABREAST:
        found = textwrap.wrap(f"{line.meaning} [{what}]", free, break_on_hyphens=False)
        return "\n".join((left if k == 0 else " " * len(left)) + row for k, row in enumerate(found))
    wide = free * 3 // 5
    meaning = textwrap.wrap(line.meaning, wide - 2, break_on_hyphens=False)
    beside = textwrap.wrap(what, free - wide, break_on_hyphens=False)
    rows = zip_longest([left], meaning, beside, fillvalue="")
    return "\n".join(f"{x:{len(left)}}{y:{wide}}{z}".rstrip() for x, y, z in rows)
