"""Claims C1 to C5 on few-shot error and its bounds.

The tables are those of `measures.few_shot_audit`; `protocol` is "resampled" (features are the
population), "gaussian" (known moments) or "labelled" (training images as supports; no theorem).
"""

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from supcon_theory.claims import Claim, lies_within, obeys, select
from supcon_theory.statistics import slope

ROUNDING = 1e-9
P1, P3 = "arXiv 2506.04411", "arXiv 2603.03530"
VALID = {
    "cantelli": "exact second-moment certificate, own proof",
    "theorem_4_1": f"{P3}, Theorem 4.1, where the mean margin is positive",
    "theorem_c_2": f"{P3}, Theorem C.2, where the mean margin is positive",
    "neurips": f"{P1}, Proposition 1 (NeurIPS), best a",
    "tightened": "own proof, same moments as the NeurIPS bound",
}
CERTIFICATES = {
    "conditional_cantelli": "own proof: Cantelli given the test point, Harris over the classes",
    "conditional_chernoff": "own proof: Chernoff given the test point",
    "conditional_trigonometric": "own proof: trigonometric majorant given the test point",
}
PAIRWISE = ("cantelli", "theorem_4_1", "theorem_c_2")
LIMITS = {
    "limit_theorem_4_1": 1e-6,
    "limit_theorem_c_2": 1e-6,
    "limit_cantelli": 1e-6,
    "limit_neurips": 0.02,
}


def few_shot_claims(C: int, needs: dict[str, int], with_certificates: bool = True) -> list[Claim]:
    """C1 to C5; trends are about the CL-trained encoder of C classes on held-out images."""
    found = [
        Claim(
            f"C1-{name}",
            "nearest-centre error <= bound, for every m and number of ways",
            source,
            "theorem",
            obeys(
                {f"excess_{name}": ROUNDING},
                finite_m,
                needs,
                ("error", f"cut_{name}"),
                vacuous=lambda t, n=name: above_chance(t, n),
            ),
            expect="VACUOUS" if name in ("neurips", "tightened") else "PASS",
        )
        for name, source in VALID.items()
    ]
    found += [
        Claim(
            f"C1-{name}",
            "nearest-centre error <= certificate, for every m and number of ways, and "
            "for every pair",
            source,
            "theorem",
            certified(name, needs),
        )
        for name, source in CERTIFICATES.items()
        if with_certificates
    ]
    found += [
        Claim(
            "C1-pairs",
            "the same for every single ordered pair of classes",
            P3,
            "theorem",
            obeys({f"excess_pair_{name}": ROUNDING for name in PAIRWISE}, two_way, needs),
        ),
        Claim(
            "C2",
            "two-way error with known centres <= 4 V_dir / (1 + 4 V_dir), every pair",
            f"{P3}; Cantelli",
            "theorem",
            obeys({"excess_pair_known": ROUNDING}, {"m": np.inf}, needs, ("error", "bound_known")),
        ),
        Claim(
            "C3-order",
            "Theorem 4.1 <= Theorem C.2 for every pair",
            P3,
            "theorem",
            obeys({"excess_order": ROUNDING}, two_way, needs),
        ),
        Claim(
            "C3-limits",
            "V_dir <= V for every pair; bounds tend to 4 V_dir, the certificate to "
            "the mean of 4 V_dir / (1 + 4 V_dir)",
            P3,
            "theorem",
            obeys({"excess_V_dir": ROUNDING} | LIMITS, {"m": np.inf}, needs),
        ),
    ]
    main = {"protocol": "resampled", "classes": "seen", "split": "test", "objective": "dcl", "C": C}
    curve = main | {"ways": 2}
    flat = "1/sqrt(m), which knows nothing of the features, in place of the bound"
    for name in ("neurips", "theorem_4_1"):
        found.append(
            Claim(
                f"C4-{name}",
                f"Pearson correlation over m of two-way error and bound >= .9, C = {C}",
                f"{P1}; {P3}",
                "trend",
                lies_within(
                    0.9,
                    np.inf,
                    lambda t, n=name: by_seed(t, curve, f"bound_{n}", pearson),
                    null=lambda t: by_seed(t, curve, None, pearson),
                ),
                expect="VACUOUS",
                null=flat,
            )
        )
    return [
        *found,
        Claim(
            "C4-slope",
            f"the bound falls with m as the error does: log-log slopes within .1, C = {C}",
            "own",
            "trend",
            lies_within(-0.1, 0.1, lambda t: by_seed(t, curve, "bound_neurips", slopes)),
            expect="FAIL",
        ),
        Claim(
            "C5-crossing",
            "Theorem 4.1 falls below the NeurIPS bound at an m from 5 to 50: "
            f"log10 m in [.7, 1.7], C = {C}",
            P3,
            "trend",
            lies_within(*np.log10([5, 50]), lambda t: np.log10(one_per_seed(t, main, "crossing"))),
        ),
        Claim(
            "C5-half",
            f"Theorem 4.1 is below 1/2 only from m of about 100 on: 1/m <= .01, C = {C}",
            P3,
            "trend",
            lies_within(0, 0.01, lambda t: 1 / one_per_seed(t, main, "half_theorem_4_1")),
        ),
    ]


def certified(name: str, needs: dict[str, int]):
    """`obeys` where the certificate was computed: every row, and of two-way rows the worst pair.

    It was where any seed or encoder has it at this C and m; there a NaN decides nothing.
    """

    def rows(table: pd.DataFrame) -> pd.DataFrame:
        places = ["protocol", "classes", "split", "C", "m"]
        if not {f"bound_{name}", f"excess_pair_{name}", *places} <= set(table):
            return table.iloc[:0]
        found = finite_m(table)
        has = found[f"bound_{name}"].notna()
        found = found[has.groupby([found[place] for place in places]).transform("any").astype(bool)]
        pair = found[f"excess_pair_{name}"].where(found["ways"] == 2, -np.inf)
        return found.assign(worst=np.maximum(found[f"excess_{name}"], pair))

    return obeys(
        {"worst": ROUNDING},
        rows,
        needs,
        ("error", f"bound_{name}"),
        vacuous=lambda t: above_chance(t, name),
    )


def finite_m(table: pd.DataFrame) -> pd.DataFrame:
    """Rows in which a population was sampled: those that a bound is about."""
    if not {"protocol", "m"} <= set(table):
        return table.iloc[:0]
    return table[table["protocol"].isin(["resampled", "gaussian"]) & np.isfinite(table["m"])]


def two_way(table: pd.DataFrame) -> pd.DataFrame:
    return select(finite_m(table), {"ways": 2})


def above_chance(rows: pd.DataFrame, name: str) -> pd.Series:
    return rows[f"cut_{name}"] >= 1 - 1 / rows["ways"]


def by_seed(table: pd.DataFrame, where: dict, bound: str | None, statistic) -> pd.Series:
    """statistic(m, error, bound) of each seed over the m at which the bound is finite.

    Without a `bound` the curve 1/sqrt(m) stands in for it.
    """
    rows = select(finite_m(table), where).sort_values("m")
    values = {}
    for seed, mine in rows.groupby("seed"):
        m, error = mine["m"].to_numpy(), mine["error"].to_numpy()
        curve = 1 / np.sqrt(m) if bound is None else mine[bound].to_numpy()
        kept = np.isfinite(curve)
        values[seed] = statistic(m[kept], error[kept], curve[kept])
    return pd.Series(values, dtype=np.float64)


def pearson(m: np.ndarray, error: np.ndarray, bound: np.ndarray) -> float:
    """Correlation over m; NaN for fewer than three m or a constant curve."""
    if len(m) < 3 or np.ptp(error) == 0 or np.ptp(bound) == 0:
        return np.nan
    return float(np.corrcoef(error, bound)[0, 1])


def spearman(m: np.ndarray, error: np.ndarray, bound: np.ndarray) -> float:
    if len(m) < 3 or np.ptp(error) == 0 or np.ptp(bound) == 0:
        return np.nan
    return float(spearmanr(error, bound).statistic)


def slopes(m: np.ndarray, error: np.ndarray, bound: np.ndarray) -> float:
    """Slope of log bound less that of log error, both against log m."""
    if not (error > 0).all():
        return np.nan
    return slope(np.log(m), np.log(bound)) - slope(np.log(m), np.log(error))


def one_per_seed(table: pd.DataFrame, where: dict, column: str) -> pd.Series:
    """The value of `column` in the row at m = inf of each seed."""
    return select(table, where | {"m": np.inf}).set_index("seed")[column]


def correlations(table: pd.DataFrame, bounds: tuple[str, ...]) -> pd.DataFrame:
    """Pearson, Spearman and log-log slopes over m, of every curve with every bound.

    A row per population, ways and bound, for the nearest centre; `flat` is 1/sqrt(m).
    """
    keys = ["protocol", "classes", "objective", "C", "split", "ways", "seed"]
    rows = []
    for key, mine in finite_m(table).sort_values("m").groupby(keys, dropna=False):
        m, error = mine["m"].to_numpy(), mine["error"].to_numpy()
        for name in (*bounds, "flat"):
            curve = 1 / np.sqrt(m) if name == "flat" else mine[f"bound_{name}"].to_numpy()
            k = np.isfinite(curve)
            rows.append(
                dict(zip(keys, key, strict=True))
                | {
                    "bound": name,
                    "points": k.sum(),
                    "pearson": pearson(m[k], error[k], curve[k]),
                    "spearman": spearman(m[k], error[k], curve[k]),
                    "slope_error": slope(np.log(m[k]), np.log(error[k]))
                    if (error > 0).all()
                    else np.nan,
                    "slope_bound": slope(np.log(m[k]), np.log(curve[k])),
                }
            )
    return pd.DataFrame(rows)
