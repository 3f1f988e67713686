"""What is exactly true of SupCon's two forms, their gradients and special cases (arXiv 2004.11362)?

L_out and L_in on batches of unit rows: how far apart they are between two sharp limits, their
gradients by formula and by automatic differentiation, which positives they pull hardest, what
normalisation does, which losses are special cases. And one anchor whose positives and negatives are
given: the pull against similarity and number of negatives, the triplet limits.

    python experiments/supcon_identities.py          a minute; 5 seeds
"""

import supcon_theory.runs.script  # noqa: F401  (first: Ctrl-C while the others load)

# isort: split

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import Claim, supcon
from supcon_theory.encoders.flags import LEAST_TAU
from supcon_theory.runs.experiment import Cell, Context, experiment
from supcon_theory.runs.flags import Common
from supcon_theory.runs.summary import Summary

AUDITS = (columns.SUPCON,)


@dataclass(frozen=True)
class Config(Common):
    """The two forms of SupCon on batches, and on one anchor."""

    taus: tuple[float, ...] = (0.05, 0.1, 0.2, 0.5, 1.0)
    """Temperatures of the batches and of the anchor."""
    triplet_taus: tuple[float, ...] = (0.01, 0.3, 1.0, 100.0)
    """Temperatures of one positive and one negative."""
    negatives: tuple[int, ...] = (1, 4, 16, 64, 256, 1024)
    """Numbers of negatives of the anchor, rising."""
    classes: int = 8
    """Classes of a batch."""
    n: int = 6
    """Samples of each class, of two views."""
    d: int = 32
    """Dimension of the rows."""
    draws: int = 14
    """Batches of each law, temperature and seed."""

    def check(self) -> None:
        """Refuse batches in which an anchor lacks what the claims are about, and temperatures."""
        super().check()
        self.at_least(classes=2, n=2, d=2, draws=1)
        for flag, taus in (("taus", self.taus), ("triplet-taus", self.triplet_taus)):
            if not taus or not LEAST_TAU <= min(taus) <= max(taus) < float("inf"):
                raise ValueError(
                    f"{flag} are {taus} but each must be a finite number of at least 1/650: below "
                    "it exp(1/tau) overflows"
                )
        rising = sorted(set(self.negatives))
        if not rising or rising[0] < 1 or list(self.negatives) != rising:
            raise ValueError(f"negatives are {self.negatives} but must rise from at least 1")


PRESETS = {
    "smoke": Config(seeds=2, taus=(0.1, 0.5), negatives=(1, 16), n=3, draws=2),
    "laptop": Config(),
    "full": Config(seeds=10, classes=16, n=16, d=64, draws=100),
}


@dataclass(frozen=True)
class Drawn:
    """One seed's batches of every law at every temperature."""

    seed: int
    taus: tuple[float, ...]
    classes: int
    n: int
    d: int
    draws: int


@dataclass(frozen=True)
class Given:
    """What needs no draw: the anchor and the triplet."""

    taus: tuple[float, ...]
    triplet_taus: tuple[float, ...]
    negatives: tuple[int, ...]


def cells(config: Config) -> Iterator[Cell]:
    """One cell per seed, and one for what is not drawn."""
    c = config
    cost = 3 * len(c.taus) * c.draws * (8e-3 + 5e-7 * (2 * c.classes * c.n) ** 2)
    for seed in range(c.seeds):
        work = Drawn(seed, c.taus, c.classes, c.n, c.d, c.draws)
        yield Cell(work, f"seed={seed}", cost)
    yield Cell(Given(c.taus, c.triplet_taus, c.negatives), "one anchor", 0.1)


def measure(cell: Drawn | Given, context: Context) -> pd.DataFrame:
    """Every identity, inequality and weight."""
    if isinstance(cell, Given):
        from supcon_theory.audits.supcon_anchor import anchor_rows, triplet_rows

        rows = [row for tau in cell.taus for row in anchor_rows(tau, cell.negatives)]
        rows += [row for tau in cell.triplet_taus for row in triplet_rows(tau)]
        return pd.DataFrame(rows).assign(seed=0)
    from supcon_theory.audits.supcon_batches import SPREADS, batch_rows, special_rows

    rows = list(special_rows(cell.d, cell.draws, cell.seed))
    for place, tau in enumerate(cell.taus, 1):
        for law in SPREADS:
            of = (law, cell.classes, cell.n, 2, cell.d, tau)
            rows += batch_rows(*of, draws=cell.draws, seed=cell.seed)
        context.report(place / len(cell.taus))
    return pd.DataFrame(rows).assign(seed=cell.seed)


def summary(tables: Mapping[str, pd.DataFrame]) -> dict[str, Summary]:
    """Where the forms lie and whom they pull, mean over seeds."""
    table = tables["table"]
    kept = ["form_gap_low", "form_gap", "form_gap_high", "hard_half", "repelled", "left_out"]
    kept += ["radial_raw"]
    rows = table[table["part"] == "batches"]
    found = rows.groupby(["law", "tau", "objective"])[kept].mean().reset_index()
    return {"summary": Summary(found, "The forms of SupCon on batches of unit rows: mean")}


def claims(config: Config) -> list[Claim]:
    """What holds exactly, what does not, and whom each form pulls."""
    return supcon.claims(config.triplet_taus)


EXPERIMENT = experiment(globals(), "What is exactly true of SupCon's two forms?")

if __name__ == "__main__":
    EXPERIMENT.main()
