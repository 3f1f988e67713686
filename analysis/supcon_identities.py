"""Draws `supcon_identities`: whom each form pulls, how far apart they are, what the limits are."""

from pathlib import Path

import numpy as np
import pandas as pd
from supcon_theory.analysis import style

from supcon_theory.audits.columns import SUPCON

NAME = "supcon_identities"
FORMS = {"supcon": "SupCon, L_out", "supcon_in": "SupCon, L_in"}
TAU = 0.1  # that of the paper, of single anchors
WIDE = 6  # differences of logits that are drawn
LINES = {"supcon": "-", "supcon_in": style.DASHDOT}
LAWS = {"random": style.DOTTED, "clustered": "-"}


@style.drawing(table=(SUPCON,))
def draw(tables: style.Tables, folder: Path) -> None:
    """Pull against similarity, of each form; growth with negatives; the forms' gap; the rest."""
    table = tables["table"]
    anchor = style.where(table, part="anchor")
    taus = sorted(anchor["tau"].dropna().unique(), key=lambda tau: abs(np.log(tau / TAU)))
    anchor = style.where(anchor, tau=taus[0]) if taus else anchor
    at = style.at_tau(taus[0]) if taus else ""
    sheet = style.Sheet(6, columns=3, height=1.7)
    spread = style.where(anchor, law="spread")
    last = spread["negatives"].max()
    pulls = dict(xlabel="cosine of the positive", ylabel="pull, over its largest")
    panel = sheet.panel(style.joined("who is pulled", at), **pulls)
    for form, name in FORMS.items():
        rows = style.where(spread, objective=form, negatives=last)
        shown = rows.assign(pull=rows["pull"] / rows["pull"].max())
        panel.curve(shown, "cosine", "pull", **look(form, name))
    panel = sheet.panel(
        style.joined("a hard positive", at), xscale="log", xlabel="negatives", ylabel="its weight"
    )
    alone = style.where(anchor, law="one hard", objective="supcon")
    panel.curve(
        alone, "negatives", "weight", color="k", ls=style.DASHED, label="alone, either form"
    )
    of_nine = style.where(style.where(anchor, law="one hard of nine"), cosine=0.0)
    for form, name in FORMS.items():
        key = "coloured: beside eight positives at cosine .9"
        panel.curve(
            style.where(of_nine, objective=form), "negatives", "weight", key=key, **look(form, name)
        )
    panel.looks["yscale"] = "log"
    batches = style.where(table, part="batches")
    panel = sheet.panel(
        "L_out − L_in, clustered", xscale="log", xlabel="temperature", ylabel="nats", yscale="log"
    )
    rows = style.where(batches, law="clustered", objective="supcon")
    panel.curve(
        rows,
        "tau",
        "form_gap_high",
        color="0.3",
        ls=style.DASHED,
        band=False,
        label="most, for this range",
    )
    panel.curve(rows, "tau", "form_gap", color="k", ls="-", label="L_out − L_in")
    panel.curve(
        rows,
        "tau",
        "form_gap_low",
        color="0.5",
        ls=style.DOTTED,
        band=False,
        label="least, for this range",
    )
    panel = sheet.panel(
        "share of the harder half",
        xscale="log",
        xlabel="temperature",
        ylabel="of the pull",
        ylim=(0, 1),
    )
    for law, ls in LAWS.items():
        for form, name in FORMS.items():
            rows = style.where(batches, law=law, objective=form)
            key = "dotted: random rows, solid: clustered"
            panel.curve(
                rows,
                "tau",
                "hard_half",
                series=f"{name}, {law}",
                key=key,
                color=style.look(form).color,
                ls=ls,
            )
    panel.level(0.5 if panel.drawn else np.nan, ls=style.DOTTED)
    panel = sheet.panel(
        "share of the gradient",
        xscale="log",
        xlabel="temperature",
        ylabel="of its norm",
        ylim=(0, 1),
    )
    rows = style.where(batches, law="clustered")
    for form, name in FORMS.items():
        mine, color = style.where(rows, objective=form), style.look(form).color
        panel.curve(
            mine,
            "tau",
            "left_out",
            series=f"left out, {name}",
            color=color,
            ls=style.DASHED,
            key="dashed: left out by the published formula",
        )
        panel.curve(
            mine,
            "tau",
            "radial_raw",
            series=f"radial, {name}",
            color=color,
            ls="-",
            key="solid: along the rows, without normalisation",
        )
    draw_triplet(sheet, style.where(table, part="triplet"))
    sheet.save(folder, NAME, title=message(batches))


def message(batches: pd.DataFrame) -> str:
    """What of each form's pull the harder half of the positives gets, in clustered batches."""
    rows = style.where(batches, law="clustered", tau=TAU)
    share = rows.groupby("objective")["hard_half"].mean()
    if not np.isfinite(share.reindex(list(FORMS))).all():
        return "The two forms of SupCon: whom they pull, how far apart they are"
    out, within = (f"{share[form]:.0%}" for form in FORMS)
    return (
        f"τ = {TAU:g}: the harder half of positives gets {out} of L_out's pull, {within} of L_in's"
    )


def look(form: str, name: str) -> dict:
    """The look of a form, named as the paper does."""
    return dict(color=style.look(form).color, ls=LINES[form], label=name)


def draw_triplet(sheet: style.Sheet, rows: pd.DataFrame) -> None:
    """The loss of one positive and one negative beside its limits."""
    panel = sheet.panel(
        "one triplet",
        xlabel="u, difference of logits",
        ylabel="nats",
        ylim=(-2, 6),
        xlim=(-WIDE, WIDE),
    )
    wide = rows[rows["u"] >= WIDE]
    rows = rows[(rows["tau"] == wide["tau"].max()) & (rows["u"].abs() <= WIDE)]
    panel.curve(rows, "u", "loss", color="k", ls="-", label="the loss")
    panel.curve(rows, "u", "small", color="0.5", ls=style.DOTTED, label="log 2 + u/2")
    panel.curve(rows, "u", "hinge", color=style.EXTRA["indigo"], ls=style.DASHED, label="max(0, u)")
    panel.curve(
        rows,
        "u",
        "published",
        color=style.EXTRA["rose"],
        ls=style.DASHDOT,
        label="1 + u, published",
    )


if __name__ == "__main__":
    style.main(draw)
