"""What of an audit is shown as a chart, under which question."""

from markupsafe import Markup

from supcon_theory.app.audit.sheets import COLLAPSE, LABELS, LOSS_NAMES, LOSSES, TWO_VIEWS
from supcon_theory.app.page.charts import Curve, Mark, curves, scale
from supcon_theory.audits.findings import Tables
from supcon_theory.audits.findings.finding import row_of, rows_of, short


def charts(tables: Tables) -> dict[str, list[Markup]]:
    """Charts by the question that they belong to."""
    return {
        COLLAPSE: [spectrum(tables)],
        LOSSES: [level for row in rows_of(tables, "gap") if (level := levels(tables, row))],
        LABELS: [errors(tables)],
    }


def spectrum(tables: Tables) -> Markup:
    """Singular values of the centred rows over the largest."""
    rows = list(rows_of(tables, "spectrum"))
    ranks = [row["rank"] for row in rows]
    values = [row["singular_value"] for row in rows]
    return curves(
        [Curve("singular value / largest", *_thinned(ranks, values))],
        "Spectrum: singular values of the centred rows over the largest, against their rank.",
        x="rank",
        y="singular value",
        ticks=[1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000],
        log_y=True,
        caption="A line that falls steeply early means few directions are used.",
    )


def levels(tables: Tables, row: dict) -> Markup:
    """Where a loss lies between its floor and nothing learned, at one temperature."""
    id = "supcon" if row["K"] == 1 else "nscl"
    if f"floor_{id}" not in row or (row["K"] == 1 and id in TWO_VIEWS):
        return Markup("")
    null = row_of(tables, "nulls", measure=f"loss_{id}", tau=row["tau"]) or {}
    marks = [
        Mark("YOURS", row[f"loss_{id}"]),
        Mark("floor", row[f"floor_{id}"]),
        Mark("all equal", row[f"equal_{id}"]),
        Mark("shuffled labels", null.get("shuffled_mean", float("nan"))),
        Mark("random directions", null.get("isotropic", float("nan"))),
    ]
    words = ", ".join(f"{m.name} {short(m.value)}" for m in marks if m.value == m.value)
    name = f"{LOSS_NAMES[id]} loss at tau = {row['tau']:g}, in nats"
    return scale(marks, f"{name}: {words}.", unit="nats", caption=name)


def errors(tables: Tables) -> Markup:
    """Few-shot errors on held-out samples against the number of labels."""
    found: dict[str, tuple[list[float], list[float]]] = {}
    for row in rows_of(tables, "held_out"):
        m, error = found.setdefault(f"{row['probe']}, {row['ways']:.0f}-way", ([], []))
        m.append(row["m"])
        error.append(row["error"])
    return curves(
        [Curve(name, *points) for name, points in found.items()],
        "Few-shot error on held-out samples against the number of labels a class.",
        x="labels a class",
        y="error",
        ticks=sorted({m for points in found.values() for m in points[0]}),
    )


def _thinned(x: list[float], y: list[float], most: int = 60) -> tuple[list[float], list[float]]:
    """About as many points as can be told apart on an axis of logarithms."""
    kept, last = [], 0.0
    for k, value in enumerate(x):
        if value >= last * (1 + 2.0 / most) ** 2 or k == len(x) - 1:
            kept.append(k)
            last = value
    return [x[k] for k in kept], [y[k] for k in kept]
