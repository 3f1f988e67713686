"""Experiments of a moment, under the names that a test gives them."""

from dataclasses import dataclass

import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.claims import AtMost, Claim
from supcon_theory.runs import flags
from supcon_theory.runs.cells import Cell, Shared
from supcon_theory.runs.experiment import Experiment


@dataclass(frozen=True)
class Config(flags.Common):
    """A toy."""

    height: float = 1.0
    """What is measured, below its bound by 2."""

    def look(self) -> None:
        super().look()
        if self.height == 99:
            raise ValueError("height is 99 but this machine has lower ones")


@dataclass(frozen=True)
class Setting:
    seed: int
    height: float


def measure(cell, context):
    errors = {13: FloatingPointError("no"), 14: KeyError("a bug"), 15: KeyboardInterrupt()}
    if cell.height in errors:
        raise errors[cell.height]
    return pd.DataFrame([{"seed": cell.seed, "violation_upper": cell.height - 2}])


def toy(name: str, height: float = 1.0, cost: float = 1.0, presets=("smoke", "laptop")):
    """An experiment whose cells measure a height, and raise where it is 13, 14 or 15."""
    one = Shared("plain", 3 * cost)

    def cells(config):
        return [
            Cell(
                Setting(s, config.height),
                f"seed={s}",
                cost,
                {f"encoders/{name}{s}": one},
            )
            for s in range(config.seeds)
        ]

    below = Claim("T1", "own", "theorem", "it is below", AtMost({"violation_upper": 1e-9}))
    return Experiment(
        name,
        f"Is {name} low?",
        dict.fromkeys(presets, Config(height=height, seeds=2)),
        cells,
        measure,
        lambda config: [below],
        (columns.GAP,),
        lambda tables: {},
    )
