"""Claims on an easy feature beside a hard one (SB), arXiv 2305.16536: stripes and characters."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from supcon_theory.audits.rows import last_step, mean_by_seed, select
from supcon_theory.claims.checks import ROUNDING, AtMost, Within
from supcon_theory.claims.claim import Change, Claim, declare, trend

PAPER = "arXiv 2305.16536"
HARD, EASY = "character", "stripes"
SELF, SUPERVISED, JOINT = "dcl", "supcon", "ssem"
LAYERS = ("h", "z")
CHARACTERS = {"feature": HARD}


@declare("SB1", "law of total variance", "identity")
def shares() -> AtMost:
    """The variance between the classes of a feature and within them is all there is."""
    return AtMost({"shares_error": ROUNDING})


def error(rows: pd.DataFrame, objective: str, layer: str, *, large: bool, bare: bool) -> pd.Series:
    """Error of characters at the end, for each seed, in the largest or the smallest dimension."""
    of = last_step(select(rows, {"objective": objective, "layer": layer}))
    of = of.loc[of["d"] == (of["d"].max() if large else of["d"].min())]
    return mean_by_seed(of.loc[(of["contrast"] == 0) == bare], "error_linear")


def rise(rows: pd.DataFrame, objective: str, layer: str, *, large: bool = False) -> pd.Series:
    """What stripes add to that error."""
    striped, plain = (
        error(rows, objective, layer, large=large, bare=bare) for bare in (False, True)
    )
    return striped - plain


def tilt(sign: str, objective: str, *, large: bool = False) -> Change:
    """More or fewer errors of characters under stripes, in the largest or smallest dimension."""
    where = f"objective == '{objective}' and layer == '{{layer}}' and step == step.max()"
    end = "max" if large else "min"
    return Change(
        "error_linear", f"error_linear {sign} @t", f"{where} and contrast > 0 and d == d.{end}()"
    )


@trend("SB2-{layer}", PAPER, CHARACTERS, tilt("-", SELF))
def suppressed(layer: str) -> Within:
    """Stripes keep CL from learning characters, fewest dimensions, layer {layer}."""
    name = "error of characters, with stripes less without"
    return Within(name, 0, np.inf, lambda rows: rise(rows, SELF, layer))


@trend("SB3-{layer}", PAPER, CHARACTERS, tilt("+", SELF, large=True))
def dimensions(layer: str) -> Within:
    """They do so less in more dimensions, layer {layer}."""

    def relief(rows: pd.DataFrame) -> pd.Series:
        return rise(rows, SELF, layer) - rise(rows, SELF, layer, large=True)

    return Within("that rise, fewest dimensions less most", 0, np.inf, relief)


@trend("SB4-{layer}", PAPER, CHARACTERS, tilt("-", SELF))
def labels(layer: str) -> Within:
    """They do so less to SupCon, fewest dimensions, layer {layer}."""

    def spared(rows: pd.DataFrame) -> pd.Series:
        return rise(rows, SELF, layer) - rise(rows, SUPERVISED, layer)

    return Within("that rise, CL less SupCon", 0, np.inf, spared)


@trend("SB5-{layer}", PAPER, CHARACTERS, tilt("-", SELF))
def joint(layer: str) -> Within:
    """With stripes, own views and labels together tell characters better than CL, layer {layer}."""

    def better(rows: pd.DataFrame) -> pd.Series:
        of = [error(rows, name, layer, large=False, bare=False) for name in (SELF, JOINT)]
        return of[0] - of[1]

    return Within("error of characters, CL less joint loss", 0, np.inf, better)


@trend(
    "SB6-{layer}", PAPER, {"objective": SELF},
    Change("of_chance", "of_chance + @t", f"feature == '{EASY}' and layer == '{{layer}}'"),
    where="contrast > 0",
)  # fmt: skip
def easier(layer: str) -> Within:
    """Along its training CL tells stripes better than characters, each by its chance, {layer}."""

    def lead(rows: pd.DataFrame) -> pd.Series:
        rows = rows.loc[(rows["step"] > 0) & (rows["layer"] == layer)]
        return mean_by_seed(select(rows, {"feature": HARD}), "of_chance") - mean_by_seed(
            select(rows, {"feature": EASY}), "of_chance"
        )

    return Within("error over chance, characters less stripes", 0, np.inf, lead)


def claims(objectives: Sequence[str], several: bool) -> list[Claim]:
    """What an easy feature does to a hard one, and what helps.

    Args:
        objectives: That encoders are trained with.
        several: Whether there are two numbers of dimensions or more.

    Returns:
        The identity, then trends.
    """
    alone = SELF in objectives
    return [
        shares(),
        *(easier(layer=at, asked=alone) for at in LAYERS),
        *(suppressed(layer=at, asked=alone) for at in LAYERS),
        *(dimensions(layer=at, asked=alone and several) for at in LAYERS),
        *(labels(layer=at, asked=alone and SUPERVISED in objectives) for at in LAYERS),
        *(joint(layer=at, asked=alone and JOINT in objectives) for at in LAYERS),
    ]
