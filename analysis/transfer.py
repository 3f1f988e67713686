"""Draws `transfer`: error on classes not trained on, by source classes, labels and target."""

from pathlib import Path

import pandas as pd
from supcon_theory.analysis import style

from supcon_theory.audits.columns import ACCURACY, FEW_SHOT, TRANSFER

NAME = "transfer"
BACK = dict(mfc="none", lw=0.6, label=None)


@style.drawing(table=(ACCURACY, FEW_SHOT, TRANSFER))
def draw(tables: style.Tables, folder: Path) -> None:
    """Linear probe against source classes, few labels, the bound, source beside target."""
    table = tables["table"]
    trained = style.objectives(table)
    home = table["data"].dropna().iloc[0] if table["data"].notna().any() else ""
    at_home = style.where(table, data=home)
    linear = whole(style.where(table, protocol="labelled", probe="linear"))
    unseen = style.where(linear, classes="unseen")
    targets = targets_of(at_home, home)
    sheet = style.Sheet(len(targets) + 3, columns=3, height=1.75)
    for target in targets:
        more = dict(xscale="log", xticks="values", xlabel="classes trained on")
        panel = sheet.panel(f"to {named(target, home)}", ylabel="error, linear probe", **more)
        to = style.where(unseen, target=target)
        panel.trained(style.where(to, data=home), "C", "error", trained, series="{}")
        for source in sorted({*to["data"].dropna()} - {home}):
            look = dict(series=f"{{}}, from {source}", key=f"open: trained on {source}")
            panel.trained(style.where(to, data=source), "C", "error", trained, **BACK, **look)
    most = at_home["C"].max()
    last = style.where(at_home, C=most, classes="unseen", probe="nearest centre")
    panel = sheet.panel(
        "few labels",
        xscale="log",
        yscale="log",
        xticks="values",
        xlabel="labelled images a class",
        ylabel=f"error, class means{style.classes(most)}",
    )
    labelled = style.where(last, protocol="labelled")
    for target in targets[:2]:
        look = {} if target == home else BACK | {"key": f"open: {named(target, home)}"}
        to = style.where(labelled, target=target)
        panel.trained(to, "m", "error", trained, series=f"{{}}, {target}", **look)
    pairs = style.where(last, protocol="resampled", ways=2, target=targets[-1])
    panel = sheet.panel(
        "two-way error and bound",
        xscale="log",
        yscale="log",
        xticks="values",
        xlabel="labelled images a class",
        ylabel=f"error, {named(targets[-1], home)}",
    )
    panel.trained(pairs, "m", "error", trained, series="{}, error")
    bound = dict(series="{}, bound", key="open: Cantelli bound")
    panel.trained(pairs, "m", "cut_cantelli", trained, **BACK, **bound)
    panel = sheet.panel(
        "source and target", xlabel="error, classes trained on", ylabel="error, others"
    )
    for target in targets[:2]:
        scatter(panel, style.where(linear, data=home), target, home)
    sheet.save(folder, NAME, title=message(unseen, home, targets))


def scatter(panel: style.Panel, rows: pd.DataFrame, target: str, home: str) -> None:
    """A marker per encoder and seed: error on classes trained on, and on those of a target."""
    by = ["objective", "C", "seed"]
    seen = style.where(rows, classes="seen").groupby(by)["error"].mean()
    unseen = style.where(rows, classes="unseen", target=target).groupby(by)["error"].mean()
    both = pd.DataFrame({"x": seen, "mean": unseen}).dropna().reset_index()
    for name, of in both.groupby("objective"):
        found = panel.record(f"{name}, {target}", x=of["x"], mean=of["mean"])
        look = style.look(str(name))
        fill = {} if target == home else {"mfc": "none"}
        panel.axes.plot(
            found["x"],
            found["mean"],
            ls="none",
            marker=look.marker,
            color=look.color,
            ms=2.5,
            mew=0.6,
            **fill,
        )
    if target != home and len(both):
        panel.keys.append(f"open: {named(target, home)}")


def targets_of(rows: pd.DataFrame, home: str) -> list[str]:
    """The data whose classes encoders of `home` are asked about, those of `home` first."""
    others = rows.dropna(subset="target")["target"].unique()
    return [home, *(target for target in others if target != home)]


def whole(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with all labelled images of their classes."""
    most = rows.groupby(["data", "target", "classes"])["m"].transform("max")
    return rows[rows["m"] == most]


def named(target: str, home: str) -> str:
    """What a panel calls a target."""
    return f"other {Path(home).stem}" if target == home else Path(target).stem


def message(rows: pd.DataFrame, home: str, targets: list[str]) -> str:
    """The error on each target after the fewest and the most classes, over all objectives."""
    said = []
    for target in targets:
        of = style.where(rows, data=home, target=target)
        errors = of.groupby("C")["error"].mean().dropna()
        if len(errors) < 2:
            return "Error on classes not trained on, by what the encoder was trained with"
        few, many = errors.index[0], errors.index[-1]
        ends = f"{errors[few]:.1%} and {errors[many]:.1%}"
        said.append(f"{named(target, home)} {ends}")
    return f"Error after training on {few:g} and on {many:g} classes: {', '.join(said)}"


if __name__ == "__main__":
    style.main(draw)
