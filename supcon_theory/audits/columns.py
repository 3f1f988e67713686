"""The columns of every table, declared once: what audits write, claims check and drawings draw.

The columns stand in `columns.toml`, the lists of bounds that some of them are made of below. A
`Table` has a name, a version, which is part of the key of every cell that holds its numbers (raise
it when they change), and its columns. Imports neither torch nor anything else that is slow.

Sign rule: `violation_<x>` > 0 exactly where statement x is broken (up to the rounding that a claim
allows). No other column bears that prefix: `excess` is a loss less its minimum, `difference_*` one
encoder less another, `*_above_floor` a loss less its floor, `*_error` a distance of two values that
are the same in exact arithmetic. Names made of a bound (`bound_*`, `cut_*`, `violation_*`,
`violation_pair_*`, `directional_*`, `dispersion_*`, `limit_*`, `half_*`) are generated from the
lists of bounds below. Columns that are about balanced classes are present, and NaN, for others.
"""

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple


class Column(NamedTuple):
    """A column: its name, its unit ("nats", "1", "" for words) and what it means."""

    name: str
    unit: str
    meaning: str


class Table(NamedTuple):
    """The columns that one audit adds to those of `IDENTITY`, and the version of their numbers."""

    name: str
    version: int
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return tuple(column.name for column in self.columns)


def declared(tables: Iterable[Table]) -> set[str]:
    """The names that tables may have: those of `IDENTITY` and of each table given.

    Args:
        tables: The tables that an experiment writes.

    Returns:
        All declared names.
    """
    return {name for table in (IDENTITY, *tables) for name in table.names}


MEAN_BOUNDS = {  # on the mean gap; each has a violation
    "ceiling": "collapsed-ETF ceiling (balanced)",
    "relaxed": "relaxed ceiling, proved for every C, n and tau (balanced)",
    "published": "log(1 + e^(2/tau) / (C - 1)) (balanced)",
    "n_max": "log(1 + n_max e^(2/tau) / (N - n_max))",
    "class_average": "mean over anchors of their own upper bounds",
}
ANCHOR_BOUNDS = {  # on each anchor's gap; the violation is that of the worst anchor
    "lower": "lower bound of an anchor's gap",
    "upper": "upper bound of an anchor's gap",
    "centred": "label-free centred bound of an anchor's gap (balanced)",
    "interval": "interval of an anchor's log r, its range of cosines over tau",
}
EARLIER = {
    "arora": "arXiv 1902.09229",
    "nozawa_sato": "arXiv 2102.06866",
    "bao": "arXiv 2110.02501",
    "bao_lower": "arXiv 2110.02501, lower",
}
PAIRWISE = {
    "theorem_4_1": "Theorem 4.1 of arXiv 2603.03530",
    "theorem_c_2": "Theorem C.2 of arXiv 2603.03530",
    "cantelli": "Cantelli certificate of exact second moments",
}
AVERAGED = {
    "neurips": "Proposition 1 of arXiv 2506.04411 (NeurIPS), best a",
    "neurips_16": "the same with a = 16",
    "older": "1/m form of arXiv 2506.04411v1 (refuted)",
}
TIGHTENED = {
    "tightened": "NeurIPS form tightened, same moments",
    "cantelli_tightened": "the same with Cantelli for Chebyshev, from V and V_dir",
}
BOUNDS = PAIRWISE | AVERAGED | TIGHTENED
CERTIFICATES = {
    f"conditional_{kind}": f"{kind} certificate given the test point"
    for kind in ("cantelli", "chernoff", "trigonometric")
}
CROSSED = ("theorem_4_1", "neurips", "cantelli")  # the bounds whose half_* and *_from_* are found
LIMITED = ("theorem_4_1", "theorem_c_2", "neurips", "older", "cantelli")
COUNTEREXAMPLE_VALID = {
    "neurips": AVERAGED["neurips"],
    "neurips_rounded": "NeurIPS form, rounded constants",
    **TIGHTENED,
    **PAIRWISE,
}
NEAREST = 10  # nearest neighbours whose classes are looked at
INVERSE_L2 = 100.0  # inverse regularisation of linear probes, on features of spread one
FAMILIES = {  # what `columns.toml` calls each list of bounds
    "mean": MEAN_BOUNDS,
    "anchor": ANCHOR_BOUNDS,
    "earlier": EARLIER,
    "all": BOUNDS | CERTIFICATES,
    "pairwise": PAIRWISE | CERTIFICATES,
    "published": PAIRWISE | AVERAGED,
    "crossed": {name: BOUNDS[name] for name in CROSSED},
    "limited": {name: BOUNDS[name] for name in LIMITED},
    "counterexample": {"older": AVERAGED["older"]} | COUNTEREXAMPLE_VALID,
    "counterexample_valid": COUNTEREXAMPLE_VALID,
}


def _columns(name: str, unit: str, meaning: str, family: str = "") -> list[Column]:
    """The column of a row, or one for each of a family of bounds."""
    if not family:
        return [Column(name, unit, meaning)]
    return [Column(name + n, unit, meaning.format(what)) for n, what in FAMILIES[family].items()]


def _tables() -> dict[str, Table]:
    """All tables of `columns.toml`, and their parts."""
    found: dict[str, Table] = {}
    text = Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
    for name, table in tomllib.loads(text).items():
        columns = []
        for row in table["columns"]:
            columns += found[row].columns if isinstance(row, str) else _columns(*row)
        found[name] = Table(name, table.get("version", 0), tuple(columns))
    return found


_ALL = _tables()
TABLES = {name: table for name, table in _ALL.items() if table.version}
IDENTITY = TABLES["identity"]
WORDS: dict[Any, Any] = {c.name: str for c in IDENTITY.columns if not c.unit}  # "true" is one too
VERDICTS, DRAWN = _ALL["_verdicts"], _ALL["_drawn"]  # claims.csv; what a figure draws


def __getattr__(name: str) -> Table:
    """The table of `columns.toml` of that name in capitals: `columns.GAP` is `[gap]`."""
    if name.isupper() and name.lower() in TABLES:
        return TABLES[name.lower()]
    raise AttributeError(
        f"columns.toml has no table {name.lower()!r}: its tables are {list(TABLES)}"
    )


def known(name: str, audits: Iterable[Table] = (), table: str = "") -> Column | None:
    """The declaration of a column: in the table of that name, in these tables, then in any.

    Args:
        name: Of the column.
        audits: The tables of an experiment, in the order in which they are asked.
        table: The name of the table that it stands in.

    Returns:
        The column; None if it is not declared.
    """
    first = [TABLES[table]] if table in TABLES else []
    places = (*first, *audits, IDENTITY, *TABLES.values())
    return next((c for of in places for c in of.columns if c.name == name), None)
