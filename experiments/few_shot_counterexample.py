"""The older 1/m form of the few-shot bound is not a bound: a law that breaks it.

Two classes with means one apart and the same rank-one Gaussian nuisance, orthogonal to the line
between the means, of variance V = sqrt(m). The directional CDNV is 0, so the 1/m form is
2^{3/2} a V / m at its best, 11.31 / sqrt(m) -> 0; the two-way error of the nearest class centre
tends to .2545. The forms with V / sqrt(m), Theorem 4.1 and the Cantelli certificate stay above it.

    python experiments/few_shot_counterexample.py          seconds; 5 seeds, m up to 10^6
"""

import supcon_theory.runs.script  # noqa: F401  (first: Ctrl-C while the others load)

# isort: split

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import Claim, few_shot
from supcon_theory.runs.experiment import Cell, Context, experiment
from supcon_theory.runs.flags import Common
from supcon_theory.runs.summary import Summary

BOUNDED = tuple(
    columns.Column(name, "1", words)
    for name, words in {
        "error": "error",
        "error_exact": "error, exact",
        "older": "1/m form (refuted)",
        "neurips": "NeurIPS form",
        "neurips_rounded": "NeurIPS form, rounded",
        "tightened": "NeurIPS form, tightened",
        "cantelli_tightened": "the same with Cantelli",
        "theorem_4_1": "Theorem 4.1",
        "theorem_c_2": "Theorem C.2",
        "cantelli": "Cantelli certificate",
    }.items()
)
AUDITS = (columns.COUNTEREXAMPLE,)


@dataclass(frozen=True)
class Config(Common):
    """A law that breaks the 1/m form."""

    shots: tuple[int, ...] = (1, 10, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 1_000_000)
    """Numbers of supports per class m."""
    scales: tuple[float, ...] = (1.0, 2.0)
    """Nuisance variances V in units of sqrt(m)."""
    draws: int = 1_000_000
    """Episodes (supports and one test point) per seed and m."""

    def check(self) -> None:
        """Refuse a law or a number of shots that is none."""
        super().check()
        self.at_least(draws=1)
        if min(self.shots, default=0) < 1 or min(self.scales, default=0) <= 0:
            raise ValueError(
                f"shots {self.shots} must be at least 1, scales {self.scales} positive: give some"
            )


PRESETS = {
    "smoke": Config(seeds=3, shots=(10, 10_000, 100_000), draws=50_000),
    "laptop": Config(),
    "full": Config(seeds=10, draws=4_000_000),
}


@dataclass(frozen=True)
class Law:
    """One seed's episodes at every number of shots and scale."""

    seed: int
    shots: tuple[int, ...]
    scales: tuple[float, ...]
    draws: int


def cells(config: Config) -> Iterator[Cell]:
    """One cell per seed."""
    cost = 3e-8 * config.draws * len(config.shots) * len(config.scales)
    for seed in range(config.seeds):
        law = Law(seed, config.shots, config.scales, config.draws)
        yield Cell(law, f"seed={seed}", cost)


def measure(cell: Law, context: Context) -> pd.DataFrame:
    """Sampled and exact error beside every bound."""
    from supcon_theory.audits.counterexample import counterexample_audit

    rows, about = [], {"seed": cell.seed}
    for place, m in enumerate(cell.shots, 1):
        for scale in cell.scales:
            rows.append(about | counterexample_audit(m, scale, cell.draws, cell.seed))
        context.report(place / len(cell.shots))
    return pd.DataFrame(rows)


def summary(tables: Mapping[str, pd.DataFrame]) -> dict[str, Summary]:
    """The error beside every bound, V = sqrt(m)."""
    table = tables["table"]
    kept = ["error", "error_exact", *(c for c in table if c.startswith("bound_"))]
    rows = table[table["scale"] == table["scale"].min()].groupby("m")[kept].mean()
    found = rows.rename(columns=lambda c: c.removeprefix("bound_")).reset_index()
    return {"summary": Summary(found, "Two-way error and bounds on it, V = sqrt(m): mean", BOUNDED)}


def claims(config: Config) -> list[Claim]:
    """The refutation, and the bounds that hold."""
    return few_shot.counterexample(config.shots, config.scales)


EXPERIMENT = experiment(globals(), "Where is the older few-shot bound wrong?")

if __name__ == "__main__":
    EXPERIMENT.main()
