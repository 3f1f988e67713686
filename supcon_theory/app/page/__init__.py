"""One self-contained HTML page: sections of text, tables, pictures; no network, no script."""

from supcon_theory.app.page.page import Section, page
from supcon_theory.app.page.parts import image, listing, preformatted, table, text

__all__ = ["Section", "image", "listing", "page", "preformatted", "table", "text"]
