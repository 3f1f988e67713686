"""What a section of a page is made of. Words are escaped; only what is made here is HTML."""

import base64
from collections.abc import Iterable, Mapping

import pandas as pd
from markupsafe import Markup, escape

MEDIA = {".png": "image/png", ".svg": "image/svg+xml", ".jpg": "image/jpeg"}


def text(words: str) -> Markup:
    """Paragraphs of plain text, one for each block between empty lines."""
    blocks = (block.strip() for block in words.split("\n\n"))
    return Markup("\n").join(Markup("<p>{}</p>").format(block) for block in blocks if block)


def preformatted(words: str) -> Markup:
    """Text as a terminal shows it, such as a command."""
    return Markup("<pre>{}</pre>").format(words)


def listing(entries: Iterable[tuple[str, str, str, str]]) -> Markup:
    """Verdicts, one under the other.

    Args:
        entries: for each its look (bad, fair, good or plain), the word that says so without
            colour, the sentence that is read first, and what explains it.

    Returns:
        A list.
    """
    item = Markup('<li class="{}"><span class="mark">{}</span> <strong>{}</strong> {}</li>')
    found = Markup("\n").join(item.format(*entry) for entry in entries)
    return Markup('<ul class="findings">\n{}\n</ul>').format(found)


def table(
    rows: pd.DataFrame, caption: str = "", meanings: Mapping[str, str] | None = None
) -> Markup:
    """A table; wider than the window it scrolls in a box of its own.

    Args:
        rows: numbers get four digits, what is missing stays empty.
        caption: what it is about.
        meanings: what the columns mean, shown over their names.

    Returns:
        The table, numbers to the right.
    """
    kinds = ["number" if rows[c].dtype.kind in "iuf" else "" for c in rows.columns]
    meanings = meanings or {}
    head = Markup("").join(
        _cell("th", kind, str(name).replace("_", " "), meanings.get(str(name), ""))
        for name, kind in zip(rows.columns, kinds, strict=True)
    )
    body = Markup("\n").join(
        Markup("<tr>{}</tr>").format(
            Markup("").join(
                _cell("td", k, number(v) if k else _word(v))
                for v, k in zip(row, kinds, strict=True)
            )
        )
        for row in rows.itertuples(index=False, name=None)
    )
    title = Markup("<caption>{}</caption>").format(caption) if caption else Markup("")
    return Markup(
        '<div class="scroll" tabindex="0"><table>{}\n<thead><tr>{}</tr></thead>\n'
        "<tbody>\n{}\n</tbody></table></div>"
    ).format(title, head, body)


def image(data: bytes, kind: str, alt: str, caption: str = "") -> Markup:
    """A picture, held in the page itself.

    Args:
        data: bytes of its file.
        kind: ending of its file, one of `MEDIA`.
        alt: what it shows, for those who do not see it.
        caption: what stands below it.

    Returns:
        The figure.
    """
    source = f"data:{MEDIA[kind]};base64,{base64.b64encode(data).decode()}"
    below = Markup("<figcaption>{}</figcaption>").format(caption) if caption else ""
    return Markup('<figure><img alt="{}" src="{}">{}</figure>').format(alt, source, below)


def number(value: float) -> str:
    """A number with four digits, a whole one with all of them; nothing for what is missing."""
    if value != value:
        return ""
    return f"{value:.0f}" if float(value).is_integer() and abs(value) < 1e15 else f"{value:.4g}"


def _word(value: object) -> str:
    if isinstance(value, Markup):
        return value
    return "" if value is None or value != value else str(value)


def _cell(tag: str, kind: str, content: str, meaning: str = "") -> Markup:
    mark = Markup(' class="{}"').format(kind) if kind else Markup("")
    inside = Markup('<span title="{}">{}</span>').format(meaning, content) if meaning else content
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(tag), mark, escape(inside))
