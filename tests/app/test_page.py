"""A page shows everything it is given, fetches nothing, and fits a narrow window."""

import base64

import numpy as np
import pandas as pd

from supcon_theory.app.page import Section, image, listing, page, preformatted, table, text
from tests.browser import open_page

DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

SCRIPT = """
const page = document.documentElement, image = document.images[0];
return [page.scrollWidth - page.clientWidth, image.naturalWidth, image.alt];
"""


def example() -> str:
    wide = pd.DataFrame({f"column_{k}": [k / 7, np.nan] for k in range(40)})
    sections = [
        Section("Words & <tags>", [text("one <b>\n\ntwo"), preformatted("$ a " + "x" * 300)]),
        Section("Numbers", [table(wide, "wide", {"column_3": "three & more"})]),
        Section("!", [listing([("bad", "problem", "It is <so>.", "Since 1 < 2.")]), "a < b"]),
        Section("Picture", [image(DOT, ".png", "a dot, 1 < 2", "below it")]),
    ]
    return page("A & B", sections)


def test_words_are_escaped_and_missing_numbers_empty():
    found = example()
    assert "<b>" not in found and "<so>" not in found and "a &lt; b" in found
    assert 'title="three &amp; more"' in found and "nan" not in found.lower()
    assert 'id="words-tags"' in found and 'id="section-2"' in found


def test_a_table_aligns_numbers_and_prints_them_short():
    rows = pd.DataFrame({"name": ["a"], "whole": [12345678], "real": [1.23456], "huge": [np.inf]})
    found = table(rows)
    assert '<td class="number">12345678</td>' in found and ">1.235<" in found and ">inf<" in found


def test_it_fits_a_narrow_window_and_fetches_nothing(tmp_path):
    place = tmp_path / "page.html"
    place.write_text(example(), encoding="utf-8")
    opened = open_page(place, SCRIPT, tmp_path)
    assert opened.value == [0, 1, "a dot, 1 < 2"]
    assert not opened.console and not opened.outside


def test_the_browser_sees_what_is_wrong(tmp_path):
    place = tmp_path / "page.html"
    wide = (
        '<div style="width:500px">x</div><img src="http://localhost:9/x.png"><script>no()</script>'
    )
    place.write_text(f"<!doctype html>{wide}", encoding="utf-8")
    opened = open_page(place, SCRIPT, tmp_path)
    assert opened.value[0] > 100 and opened.value[1] == 0
    assert any("no is not defined" in line for line in opened.console)
    assert opened.outside == {"http://localhost:9/x.png"}
