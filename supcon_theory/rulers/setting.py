"""A loss and the batch it is computed on, and a value of it as a line of the scale.

Each line says what it is:

    exact minimum            proved to be the least, and attained
    bound, not attained      proved, with nothing known to reach it
    best found               attained, and nothing lower was ever found
    attained                 the value of the configuration named
    simulated                a mean over draws, to the digits that are printed
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from supcon_theory.rulers import batches
from supcon_theory.rulers.batches import Summary
from supcon_theory.rulers.cosines import Seen, levels
from supcon_theory.rulers.losses import Loss
from supcon_theory.theory.counts import Floats

Status = Literal["exact minimum", "bound, not attained", "best found", "attained", "simulated"]


@dataclass(frozen=True)
class Line:
    """A value on the scale; `low` and `high` are its range over random batches."""

    name: str
    value: float
    low: float
    high: float
    status: Status
    formula: str
    meaning: str


@dataclass(frozen=True)
class Setting:
    """A loss, the batch that it is computed on, and the factor that its code multiplies it by."""

    loss: Loss
    floor: Callable[["Setting"], list[Line]]
    options: Mapping[str, Any]
    batch: int
    views: int
    tau: float
    dim: int | None
    probabilities: Floats | None = field(repr=False)  # None: no labels known
    balanced: bool = False
    factor: float = 1.0

    @property
    def classes(self) -> int | None:
        """Number of classes, where labels are known."""
        return None if self.probabilities is None else len(self.probabilities)

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """(batches, C) class counts; without labels one batch in which each sample is a class."""
        if self.probabilities is None:
            return np.ones((1, self.batch), np.int64)
        C = len(self.probabilities)
        if self.balanced:
            return np.full((1, C), self.batch // C)
        drawn = batches.draw(self.batch, self.probabilities)
        return batches.with_a_loss(drawn, self.weight) if self.loss.labelled else drawn

    def weight(self, n: Floats) -> Floats:
        """Weight of an anchor in the mean, by the size of its class."""
        return self.loss.weight(n, self.batch, self.views, self.options)

    def at(self, own: float, same: float, other: float) -> Summary:
        """The loss where cosines depend only on who is paired with whom."""

        def value(n: Floats) -> Floats:
            C = self.classes or self.batch
            return self.of(levels(n, self.batch, self.views, self.tau, C, own, same, other))

        return batches.mean_over_anchors(value, self.weight, self.counts)

    def of(self, seen: Seen) -> Floats:
        """The loss of anchors, without the factor."""
        return self.loss(seen, self.options)

    def line(self, name: str, found: Summary, status: Status, formula: str, meaning: str) -> Line:
        """A line of the scale, times the factor."""
        mean, low, high = (self.factor * value for value in found)
        return Line(name, mean, low, high, status, formula, meaning)


def apart(setting: Setting, margin: float) -> Summary:
    """The loss where what belongs together coincides and the rest is `margin` below in cosine."""
    same = 1.0 if setting.loss.labelled else 1 - margin
    return setting.at(1.0, same, 1 - margin)
