"""WordNet's nouns as labelled text: a gloss and an example of use are two views of one sense.

`data.noun` (Debian's `wordnet-base`, Princeton's WordNet 3.0 licence) has a line for each sense:

    offset lexicographer-file n words... pointers... | gloss; "example"; "example"

Labels that need no choice of ours: the lexicographer file (26 categories: act, animal, ...) and, on
any finer or coarser level, the ancestor of a sense at some depth of the tree of first hypernyms,
whose root (depth 0) is *entity*. Instances (`@i`, such as Paris) hang below what they exemplify.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

CATEGORIES = (  # of nouns, lexicographer files 3 to 28
    *("Tops", "act", "animal", "artifact", "attribute", "body", "cognition", "communication"),
    *("event", "feeling", "food", "group", "location", "motive", "object", "person"),
    *("phenomenon", "plant", "possession", "process", "quantity", "relation", "shape", "state"),
    *("substance", "time"),
)
FIRST = 3  # lexicographer file of "Tops"
UP = ("@", "@i")  # pointers to what a sense is a kind, or an instance, of
QUOTED = re.compile(r'"([^"]+)"')


class Sense(NamedTuple):
    """A noun sense: its name, category, gloss without examples, examples, first hypernym."""

    name: str
    category: str
    gloss: str
    examples: tuple[str, ...]
    above: str  # offset of the first hypernym; "" for the root


def senses(text: str) -> dict[str, Sense]:
    """Every sense of a `data.noun`.

    Args:
        text: the content of the file.

    Returns:
        offset -> sense, in the order of the file.

    Raises:
        ValueError: a line that is not as `man 5 wndb` says, with its number.
    """
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("  "):  # the licence
            continue
        try:
            offset, sense = _sense(line)
        except (ValueError, IndexError):
            raise ValueError(
                f"line {number} of data.noun is not one of WordNet's: get the file again"
            ) from None
        found[offset] = sense
    return found


def _sense(line: str) -> tuple[str, Sense]:
    fields, _, told = line.partition(" | ")
    offset, file, kind, count, *rest = fields.split()
    if kind != "n":
        raise ValueError(kind)
    words, rest = rest[: 2 * int(count, 16) : 2], rest[2 * int(count, 16) :]
    pointers = [rest[k : k + 4] for k in range(1, 1 + 4 * int(rest[0]), 4)]
    above = next((to for symbol, to, of, _ in pointers if symbol in UP and of == "n"), "")
    gloss = QUOTED.sub("", told).strip(" ;\t")
    examples = tuple(example.strip() for example in QUOTED.findall(told))
    name = words[0].replace("_", " ")
    return offset, Sense(name, CATEGORIES[int(file) - FIRST], gloss, examples, above)


def chain(found: Mapping[str, Sense], offset: str) -> list[str]:
    """The offsets from the root to a sense, along first hypernyms.

    Args:
        found: what `senses` returns.
        offset: of the sense.

    Returns:
        As many offsets as the sense is deep, and one.
    """
    way = [offset]
    while found[way[-1]].above:
        way.append(found[way[-1]].above)
    return way[::-1]


def ancestors(found: Mapping[str, Sense], offsets: Sequence[str], depth: int) -> np.ndarray:
    """The ancestor of each sense at a depth of the tree, as a label.

    Args:
        found: what `senses` returns.
        offsets: of N senses.
        depth: below the root.

    Returns:
        (N,) strings such as "05769020 concept", empty for what is not deeper than that itself.
    """
    ways = [chain(found, offset) for offset in offsets]
    at = [way[depth] if len(way) > depth + 1 else "" for way in ways]
    return np.array([f"{of} {found[of].name}" if of else "" for of in at])
