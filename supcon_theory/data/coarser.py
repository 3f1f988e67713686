"""Coarser classes of the characters that ship with the package: `kanji:5`, `glyphs:script`.

    NAME:m       m characters to a class, in the order of their code points
    NAME:script  letters by script and case, digits, and the rest

The images are those of NAME, with the same nuisance; only their labels differ.
"""

import unicodedata
from collections.abc import Sequence
from functools import cache
from importlib.resources import as_file, files
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FEWEST = 10  # characters of a script and case that make a class of their own
OTHER = "other"


class Classes(NamedTuple):
    """Classes and, for every character in the order of the file, the number of its class."""

    names: tuple[str, ...]
    of_character: NDArray[np.int64]


@cache
def stored_characters(name: str) -> tuple[str, ...]:
    """The characters of a set that ships with the package, in the order of its rows."""
    resource = files("supcon_theory.data") / "files" / f"{name}.npz"
    with as_file(resource) as path, np.load(path, allow_pickle=False) as stored:
        return tuple(map(chr, stored["chars"]))


def classes(name: str) -> Classes:
    """The classes of `NAME`, `NAME:m` or `NAME:script`.

    Args:
        name: Of a shipped set.

    Returns:
        Its classes.

    Raises:
        ValueError: No such rule, or a number that does not divide that of the characters.
    """
    base, _, rule = name.partition(":")
    characters = stored_characters(base)
    if not rule:
        return Classes(characters, np.arange(len(characters)))
    if rule == "script":
        return _named([script_and_case(c) for c in characters])
    m = int(rule) if rule.isascii() and rule.isdigit() else 0
    if m < 2 or len(characters) % m or len(characters) == m:
        raise ValueError(
            f"data is {name!r} but what follows the colon must be script, or a number from 2 that "
            f"divides the {len(characters)} characters: {base}:5, say."
        )
    place = np.argsort(np.argsort(characters))
    of_character = place // m
    ordered = sorted(characters)
    names = tuple("".join(ordered[k : k + m]) for k in range(0, len(ordered), m))
    return Classes(names, of_character)


def script_and_case(character: str) -> str:
    """Such as "greek small", "digit" or "other"."""
    kind = unicodedata.category(character)
    if kind == "Nd":
        return "digit"
    if kind not in ("Lu", "Ll"):
        return OTHER
    script = unicodedata.name(character).split()[0].lower()
    return f"{script} {'capital' if kind == 'Lu' else 'small'}"


def _named(groups: Sequence[str]) -> Classes:
    """Groups as classes in the order of their names; those of few characters are `OTHER`."""
    groups = [group if groups.count(group) >= FEWEST else OTHER for group in groups]
    names = tuple(sorted(set(groups)))
    return Classes(names, np.array([names.index(group) for group in groups]))
