"""How many labels are needed, what more would do, is the centre the right classifier?"""

from collections.abc import Iterator

import pandas as pd

from supcon_theory.audits.findings import thresholds as t
from supcon_theory.audits.findings.finding import (
    BAD,
    FAIR,
    GOOD,
    PLAIN,
    Finding,
    Row,
    Tables,
    percent,
    row_of,
    rows_of,
)

CENTRE, LINEAR = "nearest centre", "linear"


def labels(tables: Tables) -> Iterator[Finding]:
    """Labels a class for the accuracy wanted, measured on held-out samples and certified."""
    rows = list(
        rows_of(tables, "labels_needed", protocol="held-out", probe=CENTRE, accuracy=t.WANTED)
    )
    how = (
        "Nearest centre, half of each class as supports, the other half as queries; certified: "
        "proved, these embeddings being the population."
    )
    reached = [row for row in rows if row["m"] == row["m"]]
    if reached:
        each = [f"{row['m']:.0f} among {row['ways']:.0f}" for row in reached]
        yield Finding(
            GOOD,
            f"Labels a class for {percent(t.WANTED)} right: {', '.join(each)} classes.",
            f"{_each(reached, tables)} {how}",
        )
    missed = [row for row in rows if row["m"] != row["m"]]
    if missed:
        ways = " or ".join(f"{row['ways']:.0f}" for row in missed)
        most = missed[0]["most_tried"]
        yield Finding(
            FAIR,
            f"{percent(t.WANTED)} right among {ways} classes is not reached with "
            f"{most:.0f} label{'s' * (most > 1)} a class, half of the smallest at most.",
            f"{_each(missed, tables)} {how}",
        )


def _each(rows: list[Row], tables: Tables) -> str:
    """For each number of classes the error there, what more labels do, and what is certified."""
    found = []
    for row in rows:
        ways, m = row["ways"], row["m"]
        words = f"{ways:.0f}-way: {percent(row['error'])} wrong"
        words += _more_labels(tables, ways) if m != m else ""
        proved = row_of(
            tables,
            "labels_needed",
            protocol="certified",
            probe=CENTRE,
            accuracy=t.WANTED,
            ways=ways,
        )
        if proved is not None:
            least = proved["m"]
            known = (
                f"from {least:.0f}" if least == least else f"not up to {proved['most_tried']:.0f}"
            )
            words += f", certified {known}"
        found.append(f"{words}.")
    return " ".join(found)


def _more_labels(tables: Tables, ways: float) -> str:
    """Whether the error still falls where the most labels were tried."""
    rows = sorted(_curve(tables, CENTRE, ways), key=lambda row: row["m"])
    if len(rows) < 2:
        return ""
    half = ([row for row in rows if row["m"] <= rows[-1]["m"] / 2] or rows[:1])[-1]
    levelled = rows[-1]["error"] > t.LEVEL * half["error"]
    then = "levels off: better features, not more labels" if levelled else "still falls"
    return f" ({percent(half['error'])} with {half['m']:.0f}: {then})"


def _curve(tables: Tables, probe: str, ways: float) -> list[Row]:
    return list(rows_of(tables, "held_out", probe=probe, ways=ways))


def chance(tables: Tables) -> Iterator[Finding]:
    """Few-shot and k-NN errors that are near guessing."""
    held = tables.get("held_out", pd.DataFrame())
    if not held.empty:
        rows = _curve(tables, CENTRE, max(held["ways"]))
        last = max(rows, key=lambda row: row["m"])
        if last["error"] > t.NEAR_NULL * last["chance"]:
            yield Finding(
                BAD,
                "Nearest centres are near guessing, however many labels there are.",
                f"{percent(last['error'])} are wrong among {last['ways']:.0f} classes with "
                f"{last['m']:.0f} labels a class; guessing gets {percent(last['chance'])} wrong.",
            )
    row = row_of(tables, "neighbours")
    if row is None:
        return
    null = row_of(tables, "nulls", measure="neighbour_error")
    numbers = (
        f"{percent(row['error'])} of {row['rows']:.0f} samples are outvoted by their "
        f"{row['neighbours']:.0f} nearest others; "
    )
    numbers += (
        f"guessing by class size {percent(row['chance'])}."
        if null is None
        else f"with shuffled labels {percent(null['shuffled_mean'])}."
    )
    against = row["chance"] if null is None else null["shuffled_low"]
    if row["error"] > t.NEAR_NULL * against:
        yield Finding(BAD, "Nearest neighbours know nothing of the labels.", numbers)
    elif row["error"] <= 1 - t.WANTED:
        yield Finding(GOOD, "Nearest neighbours know the label.", numbers)
    else:
        yield Finding(PLAIN, "Nearest neighbours know part of the labels.", numbers)


def probes(tables: Tables) -> Iterator[Finding]:
    """A linear probe that is much better than the nearest centre at the same number of labels."""
    held = tables.get("held_out", pd.DataFrame())
    if held.empty:
        return
    ways = max(held["ways"])
    linear = {row["m"]: row for row in _curve(tables, LINEAR, ways)}
    centre = {row["m"]: row for row in _curve(tables, CENTRE, ways)}
    both = sorted(linear.keys() & centre.keys())
    if both and linear[both[-1]]["error"] < t.PROBE_WINS * centre[both[-1]]["error"]:
        yield Finding(
            PLAIN,
            "A linear probe does better than class centres: the classes are apart, not round.",
            f"With {both[-1]:.0f} labels a class it gets {percent(linear[both[-1]]['error'])} "
            f"wrong among {ways:.0f}, the nearest centre {percent(centre[both[-1]]['error'])}.",
        )


def proved(tables: Tables) -> Iterator[Finding]:
    """What holds for new samples of the same law, with probability 1 - delta."""
    rows = list(rows_of(tables, "finite_samples"))
    if not rows:
        return
    saying = [row for row in rows if not row["says_nothing"]]
    sure = percent(1 - rows[0]["delta"])
    if not saying:
        yield Finding(
            PLAIN,
            "So few samples prove nothing about new ones.",
            f"The bound on the few-shot error that holds with probability {sure} for whatever law "
            "the samples come from is above guessing for every number of labels; the plug-in "
            "bounds are estimates.",
        )
        return
    best = min(saying, key=lambda row: row["bound_sampled"] / (1 - 1 / row["ways"]))
    yield Finding(
        GOOD,
        f"Proved for new samples too: at most {percent(best['bound_sampled'])} wrong among "
        f"{best['ways']:.0f} classes.",
        f"With probability {sure}, for m = {best['m']:g} labels a class (inf: known centres), "
        f"whatever the law; the plug-in value is {percent(best['bound_plug_in'])}.",
    )
