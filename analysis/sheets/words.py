"""The words of titles, which follow from the table."""

import textwrap
from collections.abc import Iterable

import numpy as np
from matplotlib import font_manager
from matplotlib.font_manager import FontProperties


def fold(text: str, width: int = 24) -> str:
    """Text broken at spaces into lines of at most this many characters."""
    return textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False)


def joined(*parts: str) -> str:
    """Parts of a title with commas between those that say something."""
    return ", ".join(filter(None, parts))


def at_tau(tau: float, trained: Iterable[float] = ()) -> str:
    """The temperature evaluated at, and whether it is that of the paper or of the training.

    Args:
        tau: The temperature evaluated at.
        trained: Temperatures trained at, of the rows shown.

    Returns:
        For instance "τ = 1 (as published)".
    """
    trained = {float(of) for of in trained}
    words = [w for w, so in (("as published", tau == 1), ("trained", trained == {tau})) if so]
    return ("" if np.isnan(tau) else f"τ = {tau:g}") + (f" ({', '.join(words)})" if words else "")


def legible(names: Iterable[object]) -> list[str]:
    """Names of classes as the font can write them, code points where it cannot; long ones cut."""
    there = font_manager.get_font(font_manager.findfont(FontProperties())).get_charmap()
    written = ("".join(c if ord(c) in there else f"U+{ord(c):04X}" for c in str(n)) for n in names)
    cut = (name if len(name) <= 12 else f"{name[:11]}…" for name in written)
    return [name.replace("$", r"\$") for name in cut]


def classes(C: float) -> str:
    """What a title says of the number of classes: nothing if there is none (NaN)."""
    return f", C = {C:g}" if np.isfinite(C) else ""
