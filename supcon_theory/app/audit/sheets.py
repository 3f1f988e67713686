"""The tables that people read, made of those of `audit`: the same in print and on a page."""

from collections.abc import Iterator
from math import nan
from typing import Any, NamedTuple

import pandas as pd

from supcon_theory.audits.findings import Tables
from supcon_theory.audits.findings.finding import Row, percent, row_of, rows_of, short

COLLAPSE = "Are my classes collapsed?"
LOSSES = "Where are the losses?"
LABELS = "How many labels?"
MOST = 10  # rows of a table of which there may be many


class Sheet(NamedTuple):
    """A question, the table that answers it, and what to know when reading it."""

    question: str
    rows: pd.DataFrame
    note: str = ""
    of: str = ""  # the table whose columns these are


MEASURES = {  # of `nulls`: how a measure is called, and what it means
    "cdnv": ("CDNV", "spread / distance^2"),
    "directional_cdnv": ("directional CDNV", "along the line"),
    "nc1": ("NC1", "within / between"),
    "etf_deviation": ("ETF deviation", "from a simplex"),
    "equinorm": ("equinorm", "means of one length"),
    "equiangularity": ("equiangularity", "means at one angle"),
    "neighbour_error": ("k-NN error", "leave one out"),
    "rankme": ("RankMe", "effective rank"),
    "participation_ratio": ("participation", "the same, centred"),
}
LOSS_NAMES = {"dcl": "CL (DCL)", "nscl": "NSCL", "supcon": "SupCon"}
TWO_VIEWS = ("dcl", "nscl")  # with one view their positive would be the anchor itself
CORRECTED = ("cdnv", "directional_cdnv", "nc1", "participation_ratio")


def collapsed(tables: Tables) -> Iterator[Sheet]:
    """Geometry, each measure beside its null and its isotropic value."""
    rows = []
    corrected = (row_of(tables, "geometry") or {}) | (row_of(tables, "ranks") or {})
    for name, (called, means) in MEASURES.items():
        null = row_of(tables, "nulls", measure=name)
        if null is None:
            continue
        better = corrected.get(f"{name}_corrected", nan) if name in CORRECTED else nan
        row = {"measure": called, "yours": null["measured"], "corrected": better}
        row |= {"shuffled": null["shuffled_mean"], "isotropic": null["isotropic"]}
        rows.append(row | {"meaning": means})
    if rows:
        note = (
            "0 is collapse, and a simplex. corrected: for few samples. shuffled: the same "
            "embeddings with labels shuffled. isotropic: random directions, of the directional "
            "CDNV isotropic noise. A measure says something only where it is far from both."
        )
        yield Sheet(COLLAPSE, pd.DataFrame(rows), note)


def pairs(tables: Tables) -> Iterator[Sheet]:
    """The pairs of classes that are hardest to tell apart."""
    found: Any = tables.get("pairs", pd.DataFrame())
    if not found.empty:
        worst = found.sort_values("directional_cdnv", ascending=False).head(MOST)
        names = {"class_i": "class", "class_j": "other class", "directional_cdnv": "directional"}
        columns = ["class_i", "class_j", "directional_cdnv", "cdnv", "distance"]
        yield Sheet(
            "Which classes are close?",
            worst[columns].rename(columns=names),
            "Ordered pairs: CDNV of the first class along the line to the other, and in all "
            "directions; distance of their means.",
            "pairs",
        )


def losses(tables: Tables) -> Iterator[Sheet]:
    """Losses between floor and equal similarities, at each temperature."""
    rows = []
    for row in rows_of(tables, "gap"):
        for name, called in LOSS_NAMES.items():
            if f"floor_{name}" not in row or (row["K"] == 1 and name in TWO_VIEWS):
                continue
            null = row_of(tables, "nulls", measure=f"loss_{name}", tau=row["tau"]) or {}
            rows.append(
                {
                    "tau": row["tau"],
                    "loss": called,
                    "floor": row[f"floor_{name}"],
                    "yours": _with_interval(row, f"loss_{name}"),
                    "equal": row[f"equal_{name}"],
                    "shuffled": null.get("shuffled_mean", nan),
                    "isotropic": null.get("isotropic", nan),
                }
            )
    if rows:
        attained = all(row["floor_attained"] for row in rows_of(tables, "gap"))
        unequal = "proved, not attained: classes are of unequal size or d < C - 1"
        floor = "the least possible (NSCL, SupCon)" if attained else unequal
        yield Sheet(
            LOSSES,
            pd.DataFrame(rows),
            f"nats. floor: {floor}. equal: all similarities equal, nothing learned.",
        )


def gaps(tables: Tables) -> Iterator[Sheet]:
    """The gap between counting alone, its ceiling and the bounds."""
    rows = []
    for row in rows_of(tables, "gap"):
        if "bound_relaxed" not in row:
            continue
        null = row_of(tables, "nulls", measure="gap", tau=row["tau"]) or {}
        rows.append(
            {
                "tau": row["tau"],
                "counting": row["bound_equal"],
                "shuffled": null.get("shuffled_mean", nan),
                "yours": _with_interval(row, "gap"),
                "centred": row["bound_centred"],
                "ceiling": row["bound_relaxed"],
                "published": row["bound_n_max"],
                "learned": percent(row["learned"]) if row["learned"] == row["learned"] else "",
            }
        )
    if rows:
        yield Sheet(
            "How far is self-supervised from supervised (gap CL - NSCL)?",
            pd.DataFrame(rows),
            "nats. counting: equal similarities. centred, ceiling, published: proved bounds (the "
            "last log(1 + n_max e^(2/tau) / (N - n_max))). learned: of the way from counting to "
            "the ceiling.",
        )


def labels(tables: Tables) -> Iterator[Sheet]:
    """Few-shot errors against the number of labels, and the labels that accuracies need."""
    held = pd.DataFrame(list(rows_of(tables, "held_out")))
    if not held.empty:
        held["task"] = [
            f"{p}, {w:.0f}-way" for p, w in zip(held["probe"], held["ways"], strict=True)
        ]
        held["m"] = held["m"].astype(int)
        order = list(dict.fromkeys(held["task"]))
        wide = held.pivot(index="task", columns="m", values="error").loc[order]
        wide = wide.map(lambda error: "" if error != error else percent(error).replace(" ", ""))
        wide = wide.rename(columns=str).rename_axis(index=None, columns=None)
        yield Sheet(
            LABELS,
            wide.reset_index(names="error with m labels a class"),
            "Half of each class as supports, as far as the smallest reaches, the other half as "
            f"queries; {held['draws'].max():.0f} draws at most.",
        )
    needed = pd.DataFrame(list(rows_of(tables, "labels_needed")))
    if not needed.empty:
        needed["found"] = [
            f"{m:.0f}" if m == m else f"> {most:.0f}"
            for m, most in zip(needed["m"], needed["most_tried"], strict=True)
        ]
        needed["right"] = [f"{a:.0%} right" for a in needed["accuracy"]]
        index = ["protocol", "probe", "ways"]
        wide = needed.pivot(index=index, columns="right", values="found").reset_index()
        wide["ways"] = wide["ways"].astype(int)
        yield Sheet(
            "Labels a class for an accuracy",
            wide.rename_axis(columns=None),
            "held-out: measured on samples without a part in it. population: measured with these "
            "embeddings as the law. certified: proved for that law. >: not reached with so many.",
        )


def classes(tables: Tables) -> Iterator[Sheet]:
    """Losses and gap of every class, the hardest first; of many classes the first few."""
    found: Any = pd.DataFrame(list(rows_of(tables, "per_class")))
    if not found.empty:
        tau = found["tau"].min()
        found = found[found["tau"] == tau].sort_values("loss_supcon", ascending=False)
        columns = ["class", "n", "loss_supcon", "gap", "bound_equal", "bound_upper", "r"]
        more = _more(found, "per_class")
        yield Sheet(
            "Which classes are hard?",
            found.head(MOST)[columns],
            f"tau = {tau:g}, nats, the hardest first.{more} r: 1 is counting alone.",
            "per_class",
        )


def rows(tables: Tables) -> Iterator[Sheet]:
    """Rows that may bear a wrong label."""
    found: Any = tables.get("mislabelled", pd.DataFrame())
    if not found.empty:
        columns = ["row", "class", "nearest", "distance_own", "distance_nearest", "score"]
        more = _more(found, "mislabelled")
        yield Sheet(
            "Which rows may be mislabelled?",
            found.head(MOST)[columns],
            f"Rows count from 0. score: spreads of its class's margins below their median.{more}",
            "mislabelled",
        )


def _more(found: pd.DataFrame, table: str) -> str:
    """Where the rest of a long table is."""
    return f" {len(found) - MOST} more in {table}.csv." if len(found) > MOST else ""


def raw(tables: Tables) -> Iterator[Sheet]:
    """What the lengths of the rows change."""
    kept, unit = row_of(tables, "raw"), row_of(tables, "geometry")
    if kept is not None and unit is not None:
        both = unit | (row_of(tables, "ranks") or {})
        rows = [
            {"measure": called, "unit rows": both[name], "as given": kept[name]}
            for name, (called, _) in MEASURES.items()
            if name in kept
        ]
        yield Sheet("What do the lengths of the rows change?", pd.DataFrame(rows))


def second(tables: Tables) -> Iterator[Sheet]:
    """CKA and RSA to the second model."""
    found: Any = tables.get("comparison", pd.DataFrame())
    if not found.empty:
        columns = ["measure", "value", "low", "high", "shuffled", "shuffled_high"]
        yield Sheet(
            "How alike are the two models?",
            found[columns],
            f"{found['samples'].iloc[0]} samples. low, high: jackknife interval. shuffled: mean "
            "and largest with the second one's rows in another order.",
            "comparison",
        )


def subsets(tables: Tables) -> Iterator[Sheet]:
    """What was computed on a part of the rows, and why."""
    found: Any = tables.get("subsets", pd.DataFrame())
    found = found[found["rows"] < found["of"]] if not found.empty else found
    if not found.empty:
        yield Sheet("What was taken on a part of the rows?", found[["tables", "rows", "of", "why"]])


def sheets(tables: Tables) -> list[Sheet]:
    """All of them, in the order in which they are printed."""
    every = (collapsed, pairs, losses, gaps, labels, classes, rows, raw, second, subsets)
    return [sheet for question in every for sheet in question(tables)]


def _with_interval(row: Row, name: str) -> float | str:
    low, high = row.get(f"{name}_low", row[name]), row.get(f"{name}_high", row[name])
    return row[name] if low == high else f"{short(row[name])} [{short(low)}, {short(high)}]"
