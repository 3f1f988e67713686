"""Claims on the gap between CL and NSCL: theorems A1 to A5 and D1 on every anchor, trends A6 and A7.

The tables are those of `audits.gap`, one row per checkpoint, labels and temperature.
"""

import numpy as np
import pandas as pd

from supcon_theory.claims import Claim, lies_within, obeys, select
from supcon_theory.statistics import slope_by_seed
from supcon_theory.theory.ceiling import etf_ceiling_is_proved

ROUNDING = 1e-9  # of float64 sums over up to 1e5 terms, and of rows normalised in float64
PAPER = "arXiv 2506.04411"
SWEEP = {"seed": 2, "C": 2}


def gap_theorems(needs: dict[str, int] = SWEEP) -> list[Claim]:
    """What holds for every encoder, anchor, labelling and temperature."""
    return [
        Claim(
            "A1",
            "L_DCL - L_NSCL = log(1 + S/D), anchor by anchor",
            f"{PAPER}, Theorem 1",
            "theorem",
            obeys({"identity_error": 1e-10, "rounding_error": 1e-5}, needs=needs),
        ),
        Claim(
            "A2",
            "each anchor's gap lies between its two bounds",
            f"{PAPER}, Theorem 1",
            "theorem",
            obeys({"excess_lower": ROUNDING, "excess_upper": ROUNDING}, needs=needs),
        ),
        Claim(
            "A4",
            "label-free centred bound on each anchor's gap",
            "own proof, balanced classes",
            "theorem",
            obeys({"excess_centred": ROUNDING}, balanced, needs),
        ),
        Claim(
            "A5",
            "mean gap <= collapsed-ETF ceiling, where proved",
            "own proof, balanced classes",
            "theorem",
            obeys({"excess_ceiling": ROUNDING}, proved, needs, ("gap", "bound_ceiling")),
        ),
        Claim(
            "A6",
            "r is within exp(+-delta/tau), delta the range of the anchor's negative cosines",
            "own proof",
            "theorem",
            obeys({"excess_interval": ROUNDING}, needs=needs),
        ),
        Claim(
            "D1",
            "|p_CL - p_NSCL|_1 = 2 (1 - exp(-gap)), anchor by anchor",
            "arXiv 2510.08852",
            "theorem",
            obeys({"distance_error": 1e-10}, needs=needs),
        ),
    ]


def published_bound(name: str, tau: float, needs: dict[str, int] = SWEEP) -> Claim:
    """A3: the mean gap against the published bounds, at one temperature."""
    return Claim(
        name,
        f"mean gap <= log(1 + n_max e^(2/tau)/(N - n_max)), tau = {tau:g}",
        f"{PAPER}, Theorem 1",
        "theorem",
        obeys(
            {"excess_n_max": ROUNDING, "excess_class_average": ROUNDING},
            {"tau": tau},
            needs,
            ("gap", "bound_n_max"),
            vacuous=above_the_span,
        ),
    )


def sweep_claims(tau_train: float, tau_published: float, classes, n: int, data: str) -> list[Claim]:
    """All claims of a sweep over numbers of classes, one encoder pair per class count and seed."""
    found = gap_theorems()
    found.insert(2, published_bound("A3", tau_published))
    if tau_train != tau_published:
        found.insert(3, published_bound("A3-train", tau_train))
    open_cases = [
        (C, tau)
        for C in classes
        for tau in {tau_train, tau_published}
        if not etf_ceiling_is_proved(C, n, tau)
    ]
    if open_cases:
        found.append(
            Claim(
                "A5-open",
                "mean gap <= collapsed-ETF ceiling, where not proved",
                "conjecture",
                "conjecture",
                obeys(
                    {"excess_ceiling": ROUNDING}, unproved, {"seed": 2}, ("gap", "bound_ceiling")
                ),
            )
        )
    end = dict(data=data, tau=tau_published, trained_imbalance=1.0, imbalance=1.0)
    return [
        *found,
        Claim(
            "A6-start",
            "similarities are nearly equal at initialisation: max over C |r - 1| < .05",
            PAPER,
            "trend",
            lies_within(-np.inf, 0.05, lambda t: furthest_from_one(t, end)),
        ),
        Claim(
            "A7",
            "the gap of CL-trained encoders falls as 1/(C - 1): slope -1 +- .1",
            PAPER,
            "trend",
            lies_within(
                -1.1,
                -0.9,
                lambda t: gap_slope(t, end | {"labels": "true"}),
                null=lambda t: gap_slope(t, end | {"labels": "shuffled"}),
            ),
            expect="VACUOUS",
            null="shuffled labels: the fall is counting, not learning",
        ),
        Claim(
            "A7-learned",
            "what is learned: r of CL-trained encoders is higher than under shuffled "
            "labels at every C",
            "own",
            "trend",
            lies_within(0, np.inf, lambda t: least_learned(t, end)),
            null="the shuffled labels are subtracted",
        ),
    ]


def balanced(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of balanced sets, the only ones that have a centred bound and a ceiling."""
    if "imbalance" not in table:
        return table
    return table[table["imbalance"] == 1]


def proved(table: pd.DataFrame) -> pd.DataFrame:
    return select(balanced(table), {"ceiling_proved": True})


def unproved(table: pd.DataFrame) -> pd.DataFrame:
    return select(balanced(table), {"ceiling_proved": False})


def above_the_span(rows: pd.DataFrame) -> pd.Series:
    """Is the bound above the distance 1/tau of the DCL loss of a constant encoder to its minimum?

    log(K(N-1)) is the loss when all embeddings coincide, log(K(N-1)) - N/((N-1) tau) the minimum; a
    bound on a difference of losses that exceeds this whole span says nothing.
    """
    return rows["bound_n_max"] >= 1 / rows["tau"]


def gap_slope(table: pd.DataFrame, where: dict, objective: str = "dcl") -> pd.Series:
    """Per seed, the slope of log(exp(gap) - 1) on log(C - 1) at the last step."""
    rows = select(table, where | {"objective": objective})
    rows = rows[rows["step"] == rows["step"].max()]
    return slope_by_seed(rows, np.log(rows["C"] - 1), np.log(np.expm1(rows["gap"])))


def furthest_from_one(table: pd.DataFrame, where: dict) -> pd.Series:
    """Per seed, the largest |r - 1| over C before training; NaN for a single C."""
    rows = select(table, where | {"labels": "true", "step": 0})
    found = (rows["r"] - 1).abs().groupby(rows["seed"]).max()
    return found.where(rows.groupby("seed")["C"].nunique() > 1)


def least_learned(table: pd.DataFrame, where: dict) -> pd.Series:
    """Per seed, the least over C of r under true minus r under shuffled labels, at the end."""
    rows = select(table, where | {"objective": "dcl"})
    rows = rows[rows["step"] == rows["step"].max()].set_index(["seed", "C"])
    learned = rows.loc[rows["labels"] == "true", "r"] - rows.loc[rows["labels"] == "shuffled", "r"]
    per_seed = learned.groupby("seed")
    found = per_seed.min().where(~learned.isna().groupby("seed").any())
    return found.where(per_seed.size() > 1)
