"""The report as one self-contained page."""

import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd
from markdown_it import MarkdownIt
from markupsafe import Markup
from PIL import Image

from supcon_theory.app.page import Section, image, page, preformatted, table, text
from supcon_theory.app.page.page import anchor
from supcon_theory.app.report.markdown import LEAD, TITLE, every_claim, of_run, relinked
from supcon_theory.app.report.runs import Run

LOOKS = {
    "PASS": "good",
    "PASS (loose)": "fair",
    "FAIL": "bad",
    "INCONCLUSIVE": "fair",
    "VACUOUS": "fair",
}


def render(runs: Sequence[Run]) -> str:
    """The page.

    Args:
        runs: what it shows.

    Returns:
        HTML.

    """
    overview = pd.DataFrame([run.overview for run in runs])
    link = Markup('<a href="#{}">{}</a>')
    overview["experiment"] = _markup(
        (link.format(anchor(r.title, 0), r.name) for r in runs), overview.index
    )
    sections = [
        Section("Claims", [table(overview), table(_marked(every_claim(runs)), "Every claim")]),
        *(Section(run.title, _parts(run)) for run in runs),
    ]
    return page(TITLE, sections, text(LEAD))


def _parts(run: Run) -> list[Markup]:
    parts = [Markup("<p><strong>{}</strong></p>").format(run.question)]
    parts += [image(smaller(p), ".png", _alt(run, p)) for p in run.pictures]
    parts.append(text(run.verdict))
    if run.text:
        made = MarkdownIt("commonmark", {"html": False}).enable("table")
        parts.append(Markup(made.render(relinked(run.text, None))))
    parts += [table(rows, name) for name, rows in run.summaries.items()]
    parts += [table(_marked(of_run(run)), "Claims"), preformatted(run.command), text(run.made)]
    return parts


def _alt(run: Run, picture: Path) -> str:
    part = picture.stem.removeprefix(run.name).strip("_").replace("_", " ")
    what = f"{part}: " if part else ""
    return f"Figure of {run.title}. {what}{run.question} {run.verdict}"


def _marked(rows: pd.DataFrame) -> pd.DataFrame:
    """Verdicts with their colour, statements with room, names that may break."""
    verdict = Markup('<span class="{}">{}</span>')
    look = {
        "verdict": lambda word: verdict.format(LOOKS.get(word, "plain"), word),
        "statement": Markup('<div class="long">{}</div>').format,
        "found": Markup('<div class="mid">{}</div>').format,
        "claim": _breakable,
        "run": _breakable,
    }
    return rows.assign(
        **{name: _markup(map(look[name], rows[name]), rows.index) for name in look if name in rows}
    )


def _markup(cells: Iterable[Markup], index: pd.Index) -> pd.Series:
    """A column of HTML; pandas by itself may make it one of plain words."""
    return pd.Series(list(cells), index=index, dtype=object)


def _breakable(name: str) -> Markup:
    return Markup("_<wbr>").join(name.split("_"))


def smaller(picture: Path) -> bytes:
    """A drawing in 256 colours: it looks the same, and the page is a third as large.

    Args:
        picture: a PNG.

    Returns:
        a PNG.

    """
    with Image.open(picture) as opened:
        few = opened.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    data = io.BytesIO()
    few.save(data, "PNG", optimize=True)
    return data.getvalue()
