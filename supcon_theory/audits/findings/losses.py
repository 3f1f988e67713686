"""Where the losses and their gap lie, between floor, equal similarities, ceiling and bounds."""

from collections.abc import Iterator

from supcon_theory.audits.findings import thresholds as t
from supcon_theory.audits.findings.finding import (
    BAD,
    FAIR,
    PLAIN,
    Finding,
    Row,
    Tables,
    listed,
    percent,
    row_of,
    rows_of,
    short,
)


def levels(tables: Tables) -> Iterator[Finding]:
    """NSCL on the way from shuffled labels to its floor; SupCon where there is one view."""
    for row in rows_of(tables, "gap"):
        if "floor_nscl" not in row:
            continue
        # with one view the positive of NSCL would be the anchor itself
        id, name = ("supcon", "SupCon") if row["K"] == 1 else ("nscl", "NSCL")
        tau, loss, equal, floor = (
            row[column] for column in ("tau", f"loss_{id}", f"equal_{id}", f"floor_{id}")
        )
        kind = "least possible" if row["floor_attained"] else "lower bound"
        null = row_of(tables, "nulls", measure=f"loss_{id}", tau=tau)
        numbers = (
            f"{name} {short(loss)} nats{_interval(row, f'loss_{id}')}; all embeddings equal "
            f"{short(equal)}, {kind} {short(floor)}"
        )
        numbers += "" if null is None else f", shuffled labels {short(null['shuffled_mean'])}"
        if null is not None and loss >= null["shuffled_low"]:
            yield Finding(
                BAD,
                f"At tau = {tau:g} {name} is no lower than with shuffled labels.",
                f"{numbers}. Classes are not told apart at this temperature.",
            )
        elif loss >= equal:
            yield Finding(
                PLAIN,
                f"At tau = {tau:g} {name} is above that of a constant embedding.",
                f"{numbers}. The nearest rows decide the loss at so low a temperature; one point "
                "would have a lower loss and no use.",
            )
        else:
            start, what = (equal, "equal embeddings") if null is None else (
                null["shuffled_mean"], "shuffled labels"
            )  # fmt: skip
            way = percent((start - loss) / (start - floor))
            yield Finding(
                PLAIN,
                f"At tau = {tau:g} {name} is {way} of the way from {what} to the {kind}.",
                f"{numbers}.",
            )


def gaps(tables: Tables) -> Iterator[Finding]:
    """The gap CL - NSCL between counting alone and its proved ceiling; what bounds say."""
    for row in rows_of(tables, "gap"):
        if "bound_relaxed" not in row:
            continue
        tau, gap, ceiling = row["tau"], row["gap"], row["bound_relaxed"]
        numbers = (
            f"Gap CL - NSCL {short(gap)} nats{_interval(row, 'gap')}: counting alone "
            f"{short(row['bound_equal'])}, proved ceiling {short(ceiling)}, published bound "
            f"{short(row['bound_n_max'])}"
        )
        null = row_of(tables, "nulls", measure="gap", tau=tau)
        numbers += "" if null is None else f", shuffled labels {short(null['shuffled_mean'])}"
        if ceiling > t.LOOSE * gap:
            yield Finding(
                PLAIN,
                f"At tau = {tau:g} the bounds on the gap say little.",
                f"{numbers}: the ceiling is {short(ceiling / gap)} times the value.",
            )
        else:
            learned = row["learned"]  # NaN where counting and ceiling are the same number
            yield Finding(
                PLAIN,
                f"At tau = {tau:g} self-supervised and supervised differ by {short(gap)} nats.",
                f"{numbers}: {percent(learned)} of the way from counting to the ceiling."
                if learned == learned
                else f"{numbers}.",
            )


def classes(tables: Tables, most: int = 3) -> Iterator[Finding]:
    """The classes with the highest SupCon loss, by name, at the lowest temperature."""
    rows = list(rows_of(tables, "per_class"))
    if not rows:
        return
    tau = min(row["tau"] for row in rows)
    known = [row for row in rows if row["tau"] == tau and row["loss_supcon"] == row["loss_supcon"]]
    order = sorted(known, key=lambda row: -row["loss_supcon"])
    names = [f"{row['class']} ({short(row['loss_supcon'])})" for row in order]
    if names:
        yield Finding(
            PLAIN,
            f"Hardest to tell from the rest: {', '.join(names[:most])}.",
            f"SupCon loss of their anchors at tau = {tau:g}, in nats; easiest is {names[-1]}.",
        )


def violations(tables: Tables) -> Iterator[Finding]:
    """Proved inequalities that the numbers break: a fault of this program, never of the data."""
    broken = [
        f"{name} of `{table}` ({short(max(rows[name]))})"
        for table, rows in tables.items()
        for name in rows.columns
        if name.startswith("violation_") and any(rows[name] > t.ROUNDING)
    ]
    if broken:
        yield Finding(
            BAD,
            "A proved inequality is broken: this program is wrong somewhere.",
            f"{listed(broken)}. Please report it with report.json.",
        )


def sizes(tables: Tables) -> Iterator[Finding]:
    """A class so small that its moments are noisy."""
    row = row_of(tables, "geometry") or {}
    smallest = row.get("smallest_class", t.FEW_SAMPLES)
    if smallest < t.FEW_SAMPLES:
        yield Finding(
            FAIR,
            f"The smallest class has {smallest:.0f} samples: numbers about it are rough.",
            f"Below {t.FEW_SAMPLES} plug-in variances are too small by 10 % and more; corrected "
            "values and intervals lead where there are some.",
        )


def _interval(row: Row, name: str) -> str:
    low, high = row.get(f"{name}_low", row[name]), row.get(f"{name}_high", row[name])
    return "" if low == high else f" ({percent(row['confidence'])}: {short(low)} to {short(high)})"
