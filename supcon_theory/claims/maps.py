"""Claims on maps of embeddings (F1): what such a picture is taken to show, as numbers."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from supcon_theory.audits.geometry_curves import map_distortion, purity_above, purity_rise
from supcon_theory.claims.checks import AtMost, Within
from supcon_theory.claims.claim import Change, Claim, declare, trend

PAPER = "arXiv 2506.04411, Figure 1"
END = "step == step.max() and labels == 'true' and objective == "


@declare("F1-start", "own", "identity", scope={"step": 0})
def start() -> AtMost:
    """All begin with the same embeddings: equal weights, equal images."""
    return AtMost({"start_difference": 0.0})


@trend(
    "F1-cl",
    PAPER,
    {},
    Change("purity", "purity - @t", f"{END}'dcl'"),
    null="shuffled labels",
    edges="ours, 2026-11-22",
)
def cl() -> Within:
    """CL training brings held-out images of a class together, without their labels."""
    true, null = (partial(purity_rise, objective="dcl", labels=x) for x in ("true", "shuffled"))
    return Within("least rise of purity over C", 0.05, np.inf, true, null)


def closer(objective: str) -> Within:
    """At the end more neighbours are of the same class than after CL, by more than a null shows."""
    true, null = (
        partial(purity_above, objective=objective, labels=x) for x in ("true", "shuffled")
    )
    name = f"least purity of {objective} less that of CL over C"
    return Within(name, 0.02, np.inf, true, null)


@trend(
    "F1-nscl",
    PAPER,
    {},
    Change("purity", "purity - @t", f"{END}'nscl'"),
    null="shuffled labels",
    edges="ours, 2026-11-22",
)
def nscl() -> Within:
    """NSCL training brings them closer together than CL training."""
    return closer("nscl")


@trend(
    "F1-{objective}",
    "own",
    {},
    Change("purity", "purity - @t", END + "'{objective}'"),
    null="shuffled labels",
    edges="ours, 2026-11-26",
)
def others(objective: str) -> Within:
    """Training with {objective} brings them closer together than CL training."""
    return closer(objective)


@trend(
    "F1-map",
    "own",
    {},
    Change("purity_map", "purity_map + @t * (1 - 2 * (purity_map < purity))", "labels == 'true'"),
    edges="ours, 2026-11-22",
)
def distortion() -> Within:
    """The map shows what is there."""
    return Within("largest |purity of map - purity| over panels", -np.inf, 0.1, map_distortion)


def claims(method: str, objectives: Sequence[str]) -> list[Claim]:
    """The common start, and trends on the class purity of nearest neighbours, held-out images.

    Args:
        method: How the maps are made. That a map keeps neighbours is claimed of t-SNE and UMAP
            only: two principal components cannot, with C - 1 equally long directions.
        objectives: What the encoders were trained with.

    Returns:
        F1-start, F1-cl, F1-nscl, the same of other objectives, F1-map.
    """
    both = {"dcl", "nscl"} <= set(objectives)
    rest = [name for name in objectives if name not in ("dcl", "nscl")]
    return [
        start(),
        cl(asked="dcl" in objectives),
        nscl(asked=both),
        *(others(objective=name, asked="dcl" in objectives) for name in rest),
        distortion(asked=method != "pca"),
    ]
