"""Claims D2 to D5 on two encoders beside each other; the table is that of `audits.alignment`."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from supcon_theory.audits.rows import last_step, mean_by_seed, select
from supcon_theory.claims import gap
from supcon_theory.claims.checks import ROUNDING, AtMost, Within
from supcon_theory.claims.claim import Change, Claim, declare, trend
from supcon_theory.statistics import slope_by_seed

PAPER = "arXiv 2510.08852"
HIGH = 0.8  # what CKA stays above, as published
SEEN = {"protocol": "pair", "split": "test", "layer": "h"}
SWEPT = {"protocol": "sweep", "layer": "h"}
MEASURES = ("cka", "rsa")
CONTROLS = ("order", "seed")
COMPARED = {"protocol": ("pair", "sweep", "pairs", "constructed")}


@declare("D2-cka", "own, after " + PAPER, "theorem", "sqrt(1 - rho^2), 0 beyond rho = 1", COMPARED)
def cka_floor() -> AtMost:
    """CKA of cosine kernels whose centred difference is rho of the first is at least."""
    return AtMost({"violation_cka": ROUNDING}, ("floor_cka", "cosine_cka"), "kernels_apart >= 1")


@declare(
    "D2-rsa", "own, after " + PAPER, "theorem", "sqrt(1 - r^2)", COMPARED, where="pairs_apart <= 1"
)
def rsa_floor() -> AtMost:
    """RSA of dissimilarities that differ by r <= 1 standard deviations is at least."""
    return AtMost({"violation_rsa": ROUNDING}, ("floor_rsa", "rsa"))


@declare(
    "D2-beyond",
    "own, three rows of the plane",
    "counterexample",
    scope={"protocol": "constructed"},
    mutant=Change("rsa", "rsa + @t"),
)
def rsa_beyond() -> AtMost:
    """Beyond r = 1 RSA can lie below the published floor (1 - r)/(1 + r)."""
    return AtMost({"rsa - published_rsa": 0.0, "1 - pairs_apart": 0.0})


@declare("D3", PAPER + ", with the realised batches", "theorem", scope={"protocol": "surrogate"})
def drift() -> AtMost:
    """Similarities that descend by themselves drift apart by no more than their batches allow."""
    return AtMost(
        {"violation_composition": ROUNDING},
        ("log_drift", "log_bound_composition"),
        "log_bound_composition >= log_cap",
    )


@declare("D3-gaps", "own, by D1", "theorem", scope={"protocol": "surrogate"})
def drift_by_gaps() -> AtMost:
    """They drift apart by no more than the anchors' gaps between the losses allow."""
    return AtMost(
        {"violation_gaps": ROUNDING}, ("log_drift", "log_bound_gaps"), "log_bound_gaps >= log_cap"
    )


@declare(
    "D3-encoders",
    "own reading of " + PAPER,
    "conjecture",
    scope={"protocol": "pair", "other": "nscl", "layer": "z"},
    where="step > 0",
    mutant=Change("log_drift", "log_drift + @t"),
)
def drift_of_encoders() -> AtMost:
    """Encoders drift apart by no more than the bound with the learning rates of their weights."""
    return AtMost({"log_drift - log_bound_drift": 0.0}, vacuous="log_bound_drift >= log_cap")


@trend(
    "D4-{measure}-{rival}", PAPER, SEEN, Change("{measure}", "{measure} - @t", "other == 'nscl'")
)
def nearer(measure: str, rival: str) -> Within:
    """By {measure} CL is at least as near to NSCL, with the same draws, as to {rival}."""
    return Within("to NSCL less to the other, at the end", 0.0, np.inf, _less(measure, rival))


@trend("D5-weights", PAPER, SEEN, Change("weight_gap", "weight_gap - @t * step", "other == 'nscl'"))
def apart() -> Within:
    """The weights of CL and NSCL go on moving apart in the second half of training."""
    return Within("relative gap, end less middle", 0.0, np.inf, _grown)


@trend(
    "D5-cka",
    PAPER,
    SEEN,
    Change("cka", "cka - @t", "other == 'nscl'"),
    null="untrained encoders of other weights",
    edges="ours, 2026-11-26",
)
def alike() -> Within:
    """All the while their features stay alike."""
    return Within(
        "CKA at the end",
        HIGH,
        np.inf,
        lambda rows: _ended(rows, "cka", "nscl"),
        lambda rows: _of(rows.loc[rows["step"] == 0], "cka", "seed"),
    )


@trend("D4-classes", PAPER, SWEPT | {"factor": "C"}, Change("cka_debiased", "cka_debiased - @t*C"))
def with_classes() -> Within:
    """CL and NSCL are the more alike the more classes there are."""
    return Within("slope of CKA (debiased) on log C", 0.0, np.inf, _slope("C"))


@trend(
    "D4-tau",
    PAPER,
    SWEPT | {"factor": "tau"},
    Change("cka_debiased", "cka_debiased - @t * tau_train"),
)
def with_tau() -> Within:
    """CL and NSCL are the more alike the higher the temperature."""
    return Within("slope of CKA (debiased) on log tau", 0.0, np.inf, _slope("tau_train"))


@trend(
    "D4-{name}",
    PAPER,
    SWEPT | {"factor": "batch"},
    Change("cka_debiased", "cka_debiased - {sign} * @t * batch"),
)
def with_batch(name: str, rule: str, sign: int) -> Within:
    """CKA (debiased) follows the batch as predicted, learning rate as {rule}, equal epochs."""
    low, high = (0.0, np.inf) if sign > 0 else (-np.inf, 0.0)
    slope = _slope("batch")
    return Within(
        "slope of CKA on log B", low, high, lambda rows: slope(select(rows, {"rule": (rule, BASE)}))
    )


BASE = "base"  # the rule of the batch that all rules share
RULES = {"B": ("batch", -1), "sqrt B": ("batch-root", 1), "B^1/4": ("batch-fourth", 1)}
"""Of each rule the end of the claim's id, and the sign predicted of the slope on log B."""


def _of(rows: pd.DataFrame, column: str, other: str) -> pd.Series:
    """Per seed, the mean of a column over these pairs."""
    rows = rows.loc[(rows["other"] == other) & rows["weight"].isna()]
    return mean_by_seed(rows, column)


def _ended(rows: pd.DataFrame, column: str, other: str) -> pd.Series:
    return _of(last_step(rows), column, other)


def _less(measure: str, rival: str) -> Callable[[pd.DataFrame], pd.Series]:
    return lambda rows: _ended(rows, measure, "nscl") - _ended(rows, measure, rival)


def _grown(rows: pd.DataFrame) -> pd.Series:
    """Weight gap at the end less that at the checkpoint nearest to half of the steps."""
    steps = np.unique(rows["step"].to_numpy())
    middle = steps[np.argmin(np.abs(steps - steps[-1] / 2))]
    half = _of(rows.loc[rows["step"] == middle], "weight_gap", "nscl")
    return _ended(rows, "weight_gap", "nscl") - half


def _slope(column: str) -> Callable[[pd.DataFrame], pd.Series]:
    return lambda rows: slope_by_seed(
        rows, pd.Series(np.log(rows[column])), pd.Series(rows["cka_debiased"])
    )


def claims(
    rivals: Sequence[str],
    taus: Sequence[float],
    *,
    classes: bool,
    temperatures: bool,
    rules: Sequence[str],
) -> list[Claim]:
    """All claims on two encoders beside each other.

    Args:
        rivals: Other losses than NSCL.
        taus: Temperatures of the surrogate.
        classes: Is the number of classes varied?
        temperatures: Is the temperature varied?
        rules: Learning-rate rules of the batches that are varied; none if they are not.

    Returns:
        Identity, theorems, counterexample, conjecture, then trends.
    """
    exact = (gap.distance(scope={"protocol": "anchors"}), cka_floor(), rsa_floor(), rsa_beyond())
    drifts = (make(scope={"tau": tau}) for make in (drift, drift_by_gaps) for tau in taus)
    near = (nearer(measure=of, rival=name) for of in MEASURES for name in (*rivals, *CONTROLS))
    batches = (
        with_batch(name=name, rule=rule, sign=sign, asked=rule in rules)
        for rule, (name, sign) in RULES.items()
    )
    return [
        *exact,
        *drifts,
        drift_of_encoders(),
        *near,
        apart(),
        alike(),
        with_classes(asked=classes),
        with_tau(asked=temperatures),
        *batches,
    ]
