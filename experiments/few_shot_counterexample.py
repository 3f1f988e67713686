"""The older 1/m form of the few-shot bound is not a bound: a law that breaks it.

Two classes with means one apart and the same rank-one Gaussian nuisance, orthogonal to the line
between the means, of variance V = sqrt(m). The directional CDNV is 0, so the 1/m form is
2^{3/2} a V / m at its best, 11.31 / sqrt(m) -> 0; the two-way error of the nearest class centre
tends to .2545. The forms with V / sqrt(m), Theorem 4.1 and the Cantelli certificate stay above it.

    python experiments/few_shot_counterexample.py          seconds; 5 seeds, m up to 10^6
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.integrate import quad
from scipy.special import ndtr

from supcon_theory.claims import Claim
from supcon_theory.claims.few_shot_counterexample import VALID, counterexample_claims
from supcon_theory.runs import flags as command
from supcon_theory.runs.cells import Cell, Context
from supcon_theory.runs.experiment import run
from supcon_theory.theory.few_shot import averages as few_shot
from supcon_theory.theory.few_shot import pairs as few_shot_pairs

NAME = "few_shot_counterexample"


@dataclass(frozen=True)
class Config(command.Common):
    """A law that breaks the 1/m form."""

    seeds: int = 5
    """Number of seeds."""
    shots: tuple[int, ...] = (1, 10, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 1_000_000)
    """Numbers of supports per class m."""
    scales: tuple[float, ...] = (1.0, 2.0)
    """Nuisance variances V in units of sqrt(m)."""
    draws: int = 1_000_000
    """Episodes (supports and one test point) per seed and m."""

    def check(self) -> None:
        super().check()
        command.at_least(self, draws=1)
        if min(self.shots) < 1 or min(self.scales) <= 0:
            raise ValueError(
                f"shots {self.shots} must be at least 1, scales {self.scales} positive"
            )


PRESETS = {
    "smoke": Config(seeds=3, shots=(10, 10_000, 100_000), draws=50_000),
    "laptop": Config(),
    "full": Config(seeds=10, draws=4_000_000),
    "paper": Config(),
}


def cells(config: Config) -> list[Cell]:
    """One cell per seed."""
    return [
        Cell(
            {
                "measure": NAME,
                "version": 1,
                "seed": seed,
                "shots": config.shots,
                "scales": config.scales,
                "draws": config.draws,
            },
            f"seed={seed}",
        )
        for seed in range(config.seeds)
    ]


def measure(cell: Mapping, context: Context) -> pd.DataFrame:
    rows = []
    for place, m in enumerate(cell["shots"]):
        for scale in cell["scales"]:
            V = scale * np.sqrt(m)
            rng = np.random.default_rng([cell["seed"], m, int(1000 * scale)])
            exact, found = exact_error(V, m), bounds(V, m)
            rows.append(
                {
                    "m": m,
                    "scale": scale,
                    "V": V,
                    "seed": cell["seed"],
                    "draws": cell["draws"],
                    "error": sampled_error(V, m, cell["draws"], rng),
                    "error_exact": exact,
                }
                | {f"bound_{name}": value for name, value in found.items()}
                | {f"excess_{name}": exact - found[name] for name in VALID}
            )
        context.report((place + 1) / len(cell["shots"]))
    return pd.DataFrame(rows)


def sampled_error(V: float, m: int, draws: int, rng: np.random.Generator) -> float:
    """Share of episodes in which the other centre is at least as near, test points of one class.

    The centre of m normal draws is itself normal with variance V/m: it is drawn directly.
    """
    wrong = 0
    for start in range(0, draws, 250_000):
        size = min(250_000, draws - start)
        point = rng.normal(0, np.sqrt(V), size)
        own, other = rng.normal(0, np.sqrt(V / m), (2, size))
        wrong += np.count_nonzero(1 + (point - other) ** 2 <= (point - own) ** 2)
    return wrong / draws


def exact_error(V: float, m: int) -> float:
    """P(p r <= -1) for independent normals p, r of variances 2V/m and 4V + 2V/m.

    The margin is 1 + (own - other)(2 point - own - other), and the factors are uncorrelated.
    """
    s = np.sqrt(2 * V / m * (4 * V + 2 * V / m))
    density = lambda x: np.exp(-x * x / 2) / np.sqrt(2 * np.pi) * ndtr(-1 / (s * x))  # noqa: E731
    return 2 * quad(density, 0, np.inf, limit=400, epsabs=1e-13, epsrel=1e-12)[0]


def bounds(V: float, m: int) -> dict[str, float]:
    """Every bound from the exact moments: both classes have covariance V along one direction."""
    root, fourth = np.sqrt(V), 3 * V * V
    pair = (1.0, V, V, 0.0, fourth, fourth, m)
    return {
        name: float(value)
        for name, value in {
            "older": few_shot.older_bound(V, 0.0, m),
            "neurips": few_shot.neurips_bound(V, root, 0.0, m),
            "neurips_rounded": few_shot.neurips_bound_rounded(V, root, 0.0, m),
            "tightened": few_shot.tightened_bound(V, root, 0.0, m),
            "theorem_4_1": few_shot_pairs.theorem_4_1(*pair),
            "theorem_c_2": few_shot_pairs.theorem_c_2(*pair),
            "cantelli": few_shot_pairs.cantelli_certificate(
                1.0, V, V, 0.0, 0.0, V * V, V * V, V * V, 0.0, fourth, fourth, m
            ),
        }.items()
    }


def summary(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The error beside every bound, V = sqrt(m)."""
    table = tables["table"]
    kept = ["error", "error_exact"] + [c for c in table if c.startswith("bound_")]
    rows = table[table["scale"] == 1].groupby("m")[kept].mean()
    return {"summary": rows.rename(columns=lambda c: c.removeprefix("bound_")).reset_index()}


def claims(config: Config) -> list[Claim]:
    return counterexample_claims()


if __name__ == "__main__":
    run(NAME, PRESETS, cells, measure, claims, summary)
