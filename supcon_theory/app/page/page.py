"""A page from its title and sections: the frame in `page.html`, the look in `page.css`.

A page holds everything that it shows. Its content security policy forbids whatever would be
fetched, and scripts, so that it can be mailed, archived and opened from a disk.
"""

import re
from collections.abc import Iterable, Sequence
from importlib.resources import files
from typing import NamedTuple

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup


class Section(NamedTuple):
    """A heading and what stands under it, made by `parts` (plain strings are escaped)."""

    heading: str
    parts: Sequence[Markup | str]


def page(title: str, sections: Iterable[Section], lead: Markup | str = "") -> str:
    """The whole page as text, to be written as UTF-8.

    Args:
        title: its name, and its first heading.
        sections: what it shows, in order; headings are listed at the top if there are several.
        lead: what stands before the first section.

    Returns:
        HTML without a reference to anything outside of it.
    """
    here = files("supcon_theory.app.page")
    frame = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    template = frame.from_string((here / "page.html").read_text(encoding="utf-8"))
    style = Markup((here / "page.css").read_text(encoding="utf-8"))
    named = [(anchor(section.heading, k), section) for k, section in enumerate(sections)]
    return template.render(title=title, sections=named, lead=lead, style=style)


def anchor(heading: str, number: int) -> str:
    """The name by which a link finds a section: its words, and its place if it has none."""
    return "-".join(re.findall(r"[a-z0-9]+", heading.lower())) or f"section-{number}"
