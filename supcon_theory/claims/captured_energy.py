"""Claims EN1 to EN8 on captured energy; the table is that of `audits.captured_energy`."""

import pandas as pd

from supcon_theory.audits.rows import at_end, mean_by_seed
from supcon_theory.claims.checks import ROUNDING, AtMost, Within
from supcon_theory.claims.claim import Change, Claim, declare, trend

PAPER = "arXiv 2609.38393"
NEAR = 0.05  # of the estimate without labels to the labelled one, as reported
ERRORS = ("enumerated", "gaussian", "few shots")
SPLITS = ("train", "test")


@declare(
    "EN1",
    PAPER,
    "theorem",
    "(1 - B) + (r - B)/m + (1 - B)/(1 - B + 2mB)",
    scope={"protocol": ERRORS},
)
def bounded() -> AtMost:
    """The few-shot error of the nearest class centre in whitened features is at most."""
    return AtMost(
        {"violation_captured": ROUNDING}, ("error", "bound_captured"), "bound_captured >= 0.5"
    )


@declare("EN2", "own, three lines", "theorem", scope={"protocol": ERRORS})
def silent() -> AtMost:
    """That bound is at least chance at every m if B <= 1/2, else up to m = (r - B)/(B - 1/2)."""
    return AtMost({"violation_silence": ROUNDING})


@declare("EN3-{kind}", "own", "conjecture", where="violation_certificate_{kind} > -2")
def certified(kind: str) -> AtMost:
    """The {kind} certificate given the test point is never above min(1, that bound)."""
    return AtMost(
        {f"violation_certificate_{kind}": ROUNDING}, (f"certificate_{kind}", "bound_captured")
    )


@declare("EN4", PAPER, "theorem", scope={"protocol": "axes"})
def axes() -> AtMost:
    """The cosine of the axes of two tasks is at most what their captured energies leave."""
    return AtMost({"violation_cosine": ROUNDING}, ("cosine", "bound_cosine"), "bound_cosine >= 1")


@declare("EN5", "own, law of total variance", "theorem", scope={"protocol": "views"})
def shared() -> AtMost:
    """No labelling of C classes has more energy than views share along their C - 1 top axes."""
    return AtMost({"violation_shared": ROUNDING}, ("B", "shared"))


@declare("EN6", PAPER, "identity", scope={"protocol": "few shots"})
def geometry() -> AtMost:
    """In whitened features CDNV is (r - B)/4B and directional CDNV (1 - B)/4B."""
    return AtMost({"cdnv_error": 1e-6})


@trend(
    "EN7-{objective}-{split}",
    PAPER,
    {"protocol": "views"},
    Change("label_free_error", "label_free_error + @t"),
    null="shuffled labels",
    edges="as published",
)
def label_free(objective: str, split: str) -> Within:
    """B of {split} images is told without labels within .05, encoder trained with {objective}."""
    where = {"objective": objective, "split": split}

    def of(labels: str):
        return lambda rows: at_end(rows, "label_free_error", labels=labels, **where)

    return Within("label-free less labelled B", -NEAR, NEAR, of("true"), of("shuffled"))


@trend(
    "EN8",
    "own",
    {"protocol": "gaussian"},
    Change("energy", "energy + @t"),
    edges="ours, 2026-11-26",
)
def estimated() -> Within:
    """B estimated from labelled samples of Gaussian views is the exact one."""
    return Within("estimate less B", -0.01, 0.01, _excess)


def _excess(rows: pd.DataFrame) -> pd.Series:
    return mean_by_seed(rows.assign(excess=rows["energy"] - rows["B"]), "excess")


def claims(objectives: tuple[str, ...]) -> list[Claim]:
    """All claims on captured energy.

    Args:
        objectives: What encoders were trained with.

    Returns:
        Theorems, the conjecture, then trends.
    """
    trained = ((name, split) for name in objectives for split in SPLITS)
    return [
        *(make() for make in (bounded, silent, axes, shared, geometry)),
        *(certified(kind=kind) for kind in ("cantelli", "chernoff", "trigonometric")),
        estimated(),
        *(label_free(objective=name, split=split) for name, split in trained),
    ]
