"""How many cases: a few in the short version, the counts of docs/promises.md in the deep one."""

import os

DEEP = os.environ.get("SUPCON_THEORY_FAULTS") == "deep"


def amount(short: int, deep: int) -> int:
    """The number of cases of this version."""
    return deep if DEEP else short
