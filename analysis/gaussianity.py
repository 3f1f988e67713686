"""Draws `gaussianity`: projections, norms and the test along training, its power, the estimate."""

from pathlib import Path

import numpy as np
import pandas as pd
from supcon_theory.analysis import style

from supcon_theory.audits.columns import GAUSSIANITY

NAME = "gaussianity"
LAYER = "z"
LEVEL = 0.05
ALONG = {
    "distance": "distance, random",
    "distance_top": "distance, principal",
    "norm_ratio": "norm ratio",
}
LAWS = {
    "gaussian": "normal",
    "student": "\nt10",  # every second one a line below: all fit in a narrow panel
    "sphere": "sphere",
    "classes": "\nclasses",
}


@style.drawing(table=(GAUSSIANITY,))
def draw(tables: style.Tables, folder: Path) -> None:
    """Along training for the most classes, then the power of the test and the estimate."""
    table = tables["table"]
    features, power, shots = (
        style.where(table, protocol=name) for name in ("features", "power", "few shots")
    )
    features = style.where(features, layer=LAYER)
    most = features[features["C"] == features["C"].max()]
    C = most["C"].max()
    at = f", C = {C:g}" if np.isfinite(C) else ""
    trained = style.objectives(most)
    sheet = style.Sheet(6, columns=3, height=1.65)

    looks = dict(xscale="symlog", xlabel="epoch", xlim=(0, None))
    for column, words in ALONG.items():
        panel = sheet.panel(f"held out{at}", ylabel=words, **looks)
        panel.trained(most, "epoch", column, trained)
        ideal = 1.0 if column == "norm_ratio" else most["distance_normal"].mean()
        panel.level(ideal if panel.drawn else np.nan, "Gaussian", ls=style.DOTTED, label="Gaussian")

    panel = sheet.panel("multivariate test", ylabel="p value", yscale="log", **looks)
    panel.trained(most, "epoch", "p", trained)
    panel.level(LEVEL if panel.drawn else np.nan, "level", ls=style.DASHED, label="level .05")

    panel = sheet.panel("its power", ylabel="rejected at .05", xlabel="law", ylim=(0, 1.05))
    place = {law: k for k, law in enumerate(LAWS)}
    power = power.assign(k=power["law"].map(place))
    panel.curve(power, "k", "rejected", color="k", marker="o", ls="", band=False)
    panel.named["x"] = list(LAWS.values())
    panel.level(LEVEL if panel.drawn else np.nan, "level", ls=style.DASHED, label="level .05")

    panel = sheet.panel("few shots, end", ylabel="estimate / error", xlabel="shots m", xscale="log")
    ended = shots[shots["step"] == shots["step"].max()]
    ended = ended[(ended["C"] == C) & (ended["layer"] == LAYER)]
    panel.trained(ended.assign(ratio=2 ** ended["log2_ratio"]), "m", "ratio", trained)
    panel.level(1.0 if panel.drawn else np.nan, "equal", ls=style.DOTTED)
    sheet.save(folder, NAME, title=message(style.where(most, objective="dcl")))


def message(rows: pd.DataFrame) -> str:
    """The distance of random projections of CL embeddings from normal, at the start and the end."""
    if not np.isfinite(rows["epoch"]).any():
        return "How near to a Gaussian embeddings are"
    start, end = (
        style.where(rows, epoch=epoch)["distance"].mean()
        for epoch in (rows["epoch"].min(), rows["epoch"].max())
    )
    least = rows["distance_normal"].mean()
    if not np.isfinite([start, end, least]).all():
        return "How near to a Gaussian embeddings are"
    return f"CL, projections from normal: {start:.3f}, trained {end:.3f}, if Gaussian {least:.3f}"


if __name__ == "__main__":
    style.main(draw)
