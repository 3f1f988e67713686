"""Claims on models trained by others: where their gap and their few-shot errors lie.

Theorems are those of `gap` and `few_shot`; trends are about the worst pair of a model and data, so
each holds for all pairs. Seeds are draws of classes and samples, not of trainings.
"""

from collections.abc import Sequence

import numpy as np

from supcon_theory.audits import placement
from supcon_theory.claims import few_shot, gap
from supcon_theory.claims.checks import Within
from supcon_theory.claims.claim import Change, Claim, trend

OWN = "own"
GAP = {"protocol": "exact"}
SHOT = 100  # labels a class at which the bounds are compared with the error


@trend(
    "P1",
    OWN,
    GAP | {"labels": ("true", "shuffled")},
    Change("r", "r - @t", "labels == 'true'"),
    null="the shuffled labels are subtracted",
)
def learned() -> Within:
    """Models know classes that they were not trained on: r is higher than under shuffled labels."""
    return Within("smallest difference of r", 0, np.inf, placement.least_learned)


@trend(
    "P2",
    OWN,
    GAP | {"labels": "true"},
    Change("position", "position + @t"),
    edges="ours, 2026-11-26",
)
def apart() -> Within:
    """Every model is nearer to counting than to collapse: position between the two."""
    return Within("largest position", -np.inf, 0.5, placement.furthest)


@trend(
    "P3",
    OWN,
    GAP | {"labels": ("true", "coarse")},
    Change("r", "r - @t", "labels == 'true'"),
)
def finer() -> Within:
    """Labels on a coarser level of the same samples have a lower r."""
    return Within("smallest difference of r", 0, np.inf, placement.least_lost)


@trend(
    "P4",
    OWN,
    {"protocol": "resampled", "ways": 2, "m": SHOT},
    Change("times_error", "times_error * 2 ** -@t"),
    edges="ours, 2026-11-26",
)
def loose() -> Within:
    """The sharpest bound on the two-way error is at least twice the error."""
    return Within("smallest log2 ratio", 1, np.inf, placement.nearest_bound)


def claims(
    taus: Sequence[float],
    models: Sequence[str],
    levels: bool,
    shots: Sequence[int],
    certificates: bool,
) -> list[Claim]:
    """All claims: theorems about every model, trends about those that have learned something.

    Args:
        taus: Temperatures evaluated at; trends are about the highest, P2 about the lowest too.
        models: Names of the models that have learned something.
        levels: Have any data labels on several levels?
        shots: Numbers of labels a class.
        certificates: Were the certificates given the test point computed?

    Returns:
        Theorems, trends.
    """
    known, high = {"encoder": tuple(models)}, {"tau": max(taus)}
    ends = dict.fromkeys((max(taus), min(taus)))
    any_model = bool(models)
    return [
        *gap.theorems(taus, GAP),
        *few_shot.theorems(certificates),
        learned(scope=known | high, asked=any_model),
        *(apart(scope=known | {"tau": tau}, asked=any_model) for tau in ends),
        finer(scope=known | high, asked=any_model and levels),
        loose(scope=known, asked=any_model and SHOT in shots),
    ]
