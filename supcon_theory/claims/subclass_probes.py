"""Claims on subclasses that labels do not name (SP), along training (arXiv 2305.16536)."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from supcon_theory.audits.rows import at_end, select
from supcon_theory.claims.checks import ROUNDING, AtMost, Within
from supcon_theory.claims.claim import Change, Claim, declare, trend

PAPER = "arXiv 2305.16536"
SUBCLASS = {"feature": "subclass"}
SUPERVISED, SELF = "supcon", "dcl"
LAYERS = ("h", "z")


@declare("SP1", "law of total variance", "identity")
def shares() -> AtMost:
    """The variance between classes, between subclasses in them and within is all there is."""
    return AtMost({"shares_error": ROUNDING})


def error(rows: pd.DataFrame, objective: str, layer: str) -> pd.Series:
    """Error of the linear probe at the end of training, for each seed."""
    return at_end(rows, "error_linear", objective=objective, layer=layer)


@trend(
    "SP2-{rival}-{layer}", PAPER, SUBCLASS,
    Change("error_linear", "error_linear - @t",
           f"objective == '{SUPERVISED}' and layer == '{{layer}}' and step == step.max()"),
)  # fmt: skip
def loses(rival: str, layer: str) -> Within:
    """At the end SupCon has kept less of the subclasses than {rival}, layer {layer}."""

    def excess(rows: pd.DataFrame) -> pd.Series:
        return error(rows, SUPERVISED, layer) - error(rows, rival, layer)

    return Within(f"error of subclasses, SupCon less {rival}", 0, np.inf, excess)


def since_best(rows: pd.DataFrame, objective: str, layer: str) -> pd.Series:
    """For each seed, the error at the end less that at the best earlier step of all other seeds."""
    of = select(rows, {"objective": objective, "layer": layer})
    at = of.pivot_table(index="seed", columns="step", values="error_linear")
    if at.shape[1] < 2:
        return pd.Series(dtype=float)
    earlier, end = at.iloc[:, :-1], at.iloc[:, -1]
    rest = {seed: earlier.drop(index=seed) if len(at) > 1 else earlier for seed in at.index}
    best = {seed: of.mean().idxmin() for seed, of in rest.items()}
    return pd.Series({s: end[s] - earlier.loc[s, step] for s, step in best.items()}, dtype=float)


@trend(
    "SP3-{layer}", PAPER, SUBCLASS,
    Change("error_linear", "error_linear - @t",
           f"objective == '{SUPERVISED}' and layer == '{{layer}}' and step == step.max()"),
)  # fmt: skip
def unlearnt(layer: str) -> Within:
    """SupCon learns subclasses first and unlearns them later, layer {layer}."""
    name = "error of subclasses at the end less that at the best step before"
    return Within(name, 0, np.inf, lambda rows: since_best(rows, SUPERVISED, layer))


@trend(
    "SP4-{layer}", PAPER, SUBCLASS,
    Change("error_linear", "error_linear + @t",
           f"objective == '{SELF}' and layer == '{{layer}}' and step == step.max()"),
)  # fmt: skip
def still_learning(layer: str) -> Within:
    """CL does not unlearn them, layer {layer}."""
    name = "error of subclasses at the end less that at the best step before"
    return Within(name, -np.inf, 0, lambda rows: since_best(rows, SELF, layer))


def claims(objectives: Sequence[str]) -> list[Claim]:
    """What becomes of subclasses.

    Args:
        objectives: That encoders are trained with.

    Returns:
        The identity, then trends.
    """
    rivals = [name for name in objectives if name != SUPERVISED]
    supervised, alone = SUPERVISED in objectives, SELF in objectives
    return [
        shares(),
        *(loses(rival=r, layer=at, asked=supervised) for at in LAYERS for r in rivals),
        *(unlearnt(layer=at, asked=supervised) for at in LAYERS),
        *(still_learning(layer=at, asked=alone) for at in LAYERS),
    ]
