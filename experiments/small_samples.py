"""How wrong are measures of few samples, how much does correcting them help, and what is proved?

Samples of 2 to 10,000 (of each class) are drawn from laws whose CDNV, directional CDNV, NC1,
participation ratio, CKA and RSA are known: Gaussian families and finite laws of unit rows. Of each
measure the plug-in and the corrected value are set beside the truth, with the share of jackknife
intervals and of proved bounds that hold it. Over all samples of a law of a few atoms, by
enumeration, corrected moments have no bias at all.

    python experiments/small_samples.py          minutes; 5 seeds, up to 100 draws of each size
"""

import supcon_theory.runs.script  # noqa: F401  (first: Ctrl-C while the others load)

# isort: split

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import Claim, small_samples
from supcon_theory.runs.experiment import Cell, Context, experiment
from supcon_theory.runs.flags import Common

AUDITS = (columns.ESTIMATES,)


@dataclass(frozen=True)
class Config(Common):
    """Estimates from few samples, beside the truth."""

    sizes: tuple[int, ...] = (2, 4, 8, 16, 32, 100, 316, 1_000, 3_162, 10_000)
    """Numbers of samples, of each class where there are classes."""
    draws: int = 100
    """Independent samples of each size; above 100 fewer, at least 10."""
    enumerated: tuple[int, ...] = (4, 5, 6)
    """Sizes of which all samples are enumerated."""

    def check(self) -> None:
        """Refuse samples of fewer than two, and enumerations that are too small or too large."""
        super().check()
        self.at_least(draws=2)
        if min(self.sizes, default=0) < 2:
            raise ValueError(f"sizes {self.sizes} must be at least 2: give some")
        if min(self.enumerated, default=0) < 4 or max(self.enumerated) > 12:
            raise ValueError(f"enumerated {self.enumerated} must be from 4 to 12: give some")


PRESETS = {
    "smoke": Config(seeds=2, sizes=(4, 32), draws=4, enumerated=(4,)),
    "laptop": Config(),
    "full": Config(seeds=10, draws=500, enumerated=(4, 5, 6, 8)),
}


@dataclass(frozen=True)
class Sampling:
    """One seed's samples of every size from every law."""

    seed: int
    sizes: tuple[int, ...]
    draws: int
    enumerated: tuple[int, ...]


def cells(config: Config) -> Iterator[Cell]:
    """One cell per seed."""
    cost = 0.05 * len(config.sizes) * config.draws
    for seed in range(config.seeds):
        work = Sampling(seed, config.sizes, config.draws, config.enumerated)
        yield Cell(work, f"seed={seed}", cost)


def measure(cell: Sampling, context: Context) -> pd.DataFrame:
    """Every estimate beside the truth, and the means over all samples of a small law."""
    from supcon_theory.audits.estimates import estimates_audit
    from supcon_theory.audits.exact_laws import enumeration_audit, two_points_audit
    from supcon_theory.audits.laws import LAWS

    rows = [row for n in cell.enumerated for row in enumeration_audit(n, cell.seed)]
    for place, n in enumerate(cell.sizes, 1):
        draws = max(min(cell.draws, cell.draws * 100 // n), min(cell.draws, 10))
        for law in LAWS:
            rows += estimates_audit(law, n, draws, cell.seed)
        rows.append(two_points_audit(n, cell.draws, cell.seed))
        context.report(place / len(cell.sizes))
    return pd.DataFrame(rows).assign(seed=cell.seed)


def summary(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Bias, coverage and bounds of every measure, law and size."""
    table = tables["table"]
    kept = ["bias_plug_in", "bias_corrected", "covered", "upper", "says_nothing"]
    sampled = table[table["draws"] > 0]
    return {"summary": sampled.groupby(["law", "measure", "n"])[kept].mean().reset_index()}


def claims(config: Config) -> list[Claim]:
    """What is exact, what is proved, how much correcting helps, how often intervals hold."""
    return small_samples.claims(config.sizes)


EXPERIMENT = experiment(globals(), "How wrong are measures of few samples, and what is proved?")

if __name__ == "__main__":
    EXPERIMENT.main()
