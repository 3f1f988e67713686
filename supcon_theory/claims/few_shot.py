"""Claims C1 to C6 on few-shot error and its bounds.

The tables are those of `audits.few_shot`; `protocol` is "resampled" (features are the population),
"gaussian" (known moments) or "labelled" (training images as supports; no theorem). C6 is about the
table of the counterexample.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd

from supcon_theory.audits import few_shot_curves as curves
from supcon_theory.audits.columns import COUNTEREXAMPLE_VALID
from supcon_theory.claims.checks import ROUNDING, AtMost, Within
from supcon_theory.claims.claim import Change, Claim, declare, trend

P1, P3 = "arXiv 2506.04411", "arXiv 2603.03530"
VALID = {  # bound: (source, formula)
    "cantelli": ("own proof", "mean over pairs of Var T/(Var T + (E T)^2), exact moments of T"),
    "theorem_4_1": (
        f"{P3}, Theorem 4.1",
        "[4 V_dir + (sqrt E1 + sqrt E2 + sqrt E3)^2]/(1 + (v_j - v_i)/(m d^2))^2",
    ),
    "theorem_c_2": (
        f"{P3}, Theorem C.2",
        "[4 V_dir + 3 (E1 + E2 + E3)]/(1 + (v_j - v_i)/(m d^2))^2",
    ),
    "neurips": (
        f"{P1}, Proposition 1 (NeurIPS)",
        "min_a (1/2 - A/a)^-2 V_dir + a/4 (2 (V_root + V)/sqrt m + V/m), A = 2 + sqrt(8)/m",
    ),
    "tightened": ("own proof", "the NeurIPS bound, tightened, from the same V, V_root, V_dir"),
    "cantelli_tightened": (
        "own proof",
        "min_t V_dir/(V_dir + (1/2 - t)^2) + ((sqrt 2 V + sqrt V_dir)/sqrt m + V/m)/(2 t)",
    ),
}
CERTIFICATES = {
    "conditional_cantelli": "Cantelli given the test point, Harris over the classes",
    "conditional_chernoff": "Chernoff given the test point, Harris over the classes",
    "conditional_trigonometric": "trigonometric majorant given the test point, Harris over classes",
}
PAIRWISE = ("cantelli", "theorem_4_1", "theorem_c_2")
LIMITS = {f"limit_{name}": 1e-6 for name in PAIRWISE} | {"limit_neurips": 0.02}
SAMPLED = {"protocol": ("resampled", "gaussian")}
MAIN = {"protocol": "resampled", "classes": "seen", "split": "test", "objective": "dcl"}
FINITE = "m < 1e300"
FROM = 10_000  # below m of about 1,980 the older form still holds in the counterexample's family


@declare("C1-{name}", "{source}", "theorem", "error <= (C'-1) {formula}", SAMPLED, where=FINITE)
def bound(name: str, source: str, formula: str) -> AtMost:
    """The m-shot nearest-centre error in an episode of C' classes is at most the bound {name}."""
    ratio = ("error", f"cut_{name}")
    silent = f"cut_{name} >= 1 - 1 / ways"
    return AtMost({f"violation_{name}": ROUNDING}, ratio, silent, sampled="error_se")


@declare("C1-{name}", "own proof", "theorem", "{words}", SAMPLED, where=FINITE)
def certificate(name: str, words: str) -> AtMost:
    """The m-shot nearest-centre error, and that of every pair, is at most the certificate."""
    limits = {f"violation_{name}": ROUNDING, f"violation_pair_{name}": ROUNDING}
    ratio = ("error", f"bound_{name}")
    silent, made = f"cut_{name} >= 1 - 1 / ways", partial(certified, name=name)
    return AtMost(limits, ratio, silent, made, sampled="error_se")


def certified(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """Rows at the C and m where any seed or encoder has the certificate; there NaN decides nothing.

    Args:
        rows: Rows of finite m.
        name: The certificate.

    Returns:
        Those rows, the worst pair's violation -inf where there are more than two ways.
    """
    places = [rows[place] for place in ("protocol", "classes", "split", "C", "m")]
    rows = rows.loc[rows[f"bound_{name}"].notna().groupby(places).transform("any").astype(bool)]
    pair = f"violation_pair_{name}"
    return rows.assign(**{pair: rows[pair].where(rows["ways"] == 2, -np.inf)})


@declare("C1-pairs", P3, "theorem", scope=SAMPLED | {"ways": 2}, where=FINITE)
def pairs() -> AtMost:
    """Every ordered pair's error is at most its Cantelli, Theorem 4.1 and Theorem C.2 bounds."""
    return AtMost({f"violation_pair_{name}": ROUNDING for name in PAIRWISE})


@declare("C2", f"{P3}; Cantelli", "theorem", "4 V_dir / (1 + 4 V_dir)", {"m": np.inf})
def known_centres() -> AtMost:
    """The two-way error with known centres is at most Cantelli's bound, every pair."""
    return AtMost({"violation_pair_known": ROUNDING}, ("error", "bound_known"))


@declare("C3-order", f"{P3}, Theorem C.2", "theorem", scope=SAMPLED | {"ways": 2}, where=FINITE)
def order() -> AtMost:
    """Theorem 4.1 is at most Theorem C.2 for every pair."""
    return AtMost({"violation_order": ROUNDING})


@declare(
    "C3-limits",
    P3,
    "theorem",
    "4 V_dir; the Cantelli certificate tends to the mean of 4 V_dir / (1 + 4 V_dir)",
    {"m": np.inf},
)
def limits() -> AtMost:
    """V_dir <= V for every pair, and as m -> inf the bounds tend to their limit."""
    return AtMost({"violation_V_dir": ROUNDING} | LIMITS)


@trend(
    "C4-{name}",
    f"{P1}; {P3}",
    MAIN | {"ways": 2},
    Change("error", "error - @t * bound_{name}", FINITE),
    null="1/sqrt(m), which knows nothing of the features, in place of the bound",
    edges="ours, 2026-11-22",
)
def together(name: str) -> Within:
    """Two-way error and the bound {name} move together over m."""
    correlation = partial(curves.by_seed, statistic=curves.correlation)
    true, null = (partial(correlation, bound=b) for b in (f"bound_{name}", None))
    return Within("Pearson correlation", 0.9, np.inf, true, null)


@trend(
    "C4-slope",
    "own",
    MAIN | {"ways": 2},
    Change("bound_neurips", "bound_neurips * m ** @t", FINITE),
    edges="ours, 2026-11-22",
)
def alike() -> Within:
    """The NeurIPS bound falls with m as the two-way error does."""
    statistic = partial(curves.by_seed, bound="bound_neurips", statistic=curves.slope_difference)
    return Within("difference of log-log slopes", -0.1, 0.1, statistic)


@trend(
    "C5-crossing",
    P3,
    MAIN | {"m": np.inf},
    Change("crossing", "crossing * 10 ** @t"),
    edges="as published",
)
def crossing() -> Within:
    """Theorem 4.1 falls below the NeurIPS bound at an m from 5 to 50."""
    low, high = np.log10([5, 50])
    return Within(
        "log10 m", low, high, lambda rows: curves.at_limit(rows, "crossing").map(np.log10)
    )


@trend(
    "C5-half",
    P3,
    MAIN | {"m": np.inf},
    Change("half_theorem_4_1", "1 / (1 / half_theorem_4_1 + @t)"),
    edges="as published",
)
def half() -> Within:
    """Theorem 4.1 is below 1/2 only from m of about 100 on."""
    return Within("1/m", 0, 0.01, lambda rows: 1 / curves.at_limit(rows, "half_theorem_4_1"))


@trend(
    "C5-directional",
    P3,
    MAIN | {"m": np.inf},
    Change("directional_from_theorem_4_1", "directional_from_theorem_4_1 * 10 ** @t"),
    edges="as published",
)
def directional() -> Within:
    """The directional term is the larger part of Theorem 4.1 from 500 shots on, or before."""
    statistic = partial(curves.at_limit, column="directional_from_theorem_4_1")
    return Within("1/m", 1 / 500, np.inf, lambda rows: 1 / statistic(rows))


@declare(
    "C6",
    f"{P1}v1, Proposition 1",
    "counterexample",
    scope={"scale": 1.0},
    where=f"m >= {FROM}",
    mutant=Change("bound_older", "bound_older + @t"),
)
def older_form() -> AtMost:
    """The older 1/m form is below the error, measured and exact, of laws with V = sqrt(m)."""
    return AtMost({"bound_older - error": 0.0, "bound_older - error_exact": 0.0})


@declare("C6-valid", f"own proof; {P3}; {P1}", "theorem")
def other_forms() -> AtMost:
    """On the same laws Cantelli, Theorem 4.1, Theorem C.2 and the NeurIPS forms hold."""
    limits = {f"violation_{name}": ROUNDING for name in COUNTEREXAMPLE_VALID}
    return AtMost(limits, ("error_exact", "bound_cantelli"))


def theorems(certificates: bool) -> list[Claim]:
    """What holds for every population, number of shots and of ways.

    Args:
        certificates: Were the certificates computed at some C and m?

    Returns:
        C1 to C3.
    """
    return [
        *(bound(name=name, source=source, formula=f) for name, (source, f) in VALID.items()),
        *(certificate(asked=certificates, name=n, words=w) for n, w in CERTIFICATES.items()),
        *(make() for make in (pairs, known_centres, order, limits)),
    ]


def claims(
    C: int, objectives: Sequence[str], shots: Sequence[int], certificates: bool
) -> list[Claim]:
    """All claims on few shots; trends are about the CL-trained encoder of C classes.

    Args:
        C: Number of classes that the trends are about.
        objectives: What encoders are trained with.
        shots: Numbers of shots; a correlation over m needs three.
        certificates: Were the certificates computed at some C and m?

    Returns:
        Theorems, then trends.
    """
    m, cl, at = len(set(shots)), "dcl" in objectives, {"C": C}
    return [
        *theorems(certificates),
        *(together(scope=at, asked=cl and m > 2, name=n) for n in ("neurips", "theorem_4_1")),
        alike(scope=at, asked=cl and m > 1),
        *(make(scope=at, asked=cl) for make in (crossing, half, directional)),
    ]


def counterexample(shots: Sequence[int], scales: Sequence[float]) -> list[Claim]:
    """C6: the older 1/m form of the few-shot bound is no bound; the others hold on the same laws.

    Args:
        shots: Numbers of shots computed.
        scales: Variances V in units of sqrt(m).

    Returns:
        The counterexample and the theorem.
    """
    return [older_form(asked=max(shots) >= FROM and 1.0 in scales), other_forms()]
