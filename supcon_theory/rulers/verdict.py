"""What a loss value means, in a sentence."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from scipy.optimize import root_scalar

from supcon_theory.rulers.setting import Line, Setting, apart

AT = 0.01  # of the way from chance to the least: nearer than that to an end is at it
Where = Literal["below", "lucky", "least", "between", "chance", "worse", "above"]


@dataclass(frozen=True)
class Place:
    """Where a value lies, and which share of the way from chance to the least it has come."""

    where: Where
    way: float


@dataclass(frozen=True)
class Verdict:
    """Where a value lies, and what to make of it."""

    where: Where
    way: float  # 0 at equal similarities, 1 at the least; below 0 worse than a constant embedding
    margin: float | None  # in cosine, that alone would give the value
    sentence: str
    notes: Sequence[str]


def where(value: float, rounding: float, lines: Sequence[Line]) -> Place:
    """Where a value lies on a scale.

    Args:
        value: of the loss.
        rounding: how far the true one may be from it.
        lines: the scale.

    Returns:
        The place; "lucky" is above the floor of some batch but below the mean of the floors, so
        that no embedding has it on average.
    """
    by_name = {line.name: line for line in lines}
    least, equal, most = (by_name[name] for name in ("least", "equal", "most"))
    best = by_name.get("best found", least).value
    way = (equal.value - value) / (equal.value - best)
    noise = 1e-9 * (1 + abs(value)) + rounding
    if value < least.low - noise:
        return Place("below", way)
    if value > most.high + noise:
        return Place("above", way)
    if value < least.value - noise:
        return Place("lucky", way)
    if abs(way) < AT or abs(value - equal.value) <= noise:
        return Place("chance", way)
    if way < 0:
        return Place("worse", way)
    return Place("least" if 1 - way < AT else "between", way)


def reading(
    value: float, found: Place, lines: Sequence[Line], setting: Setting, notes: Sequence[str]
) -> Verdict:
    """The sentence about a value.

    Args:
        value: of the loss.
        found: where it lies.
        lines: the scale.
        setting: the loss and its batch.
        notes: other readings of the number.

    Returns:
        The verdict.
    """
    by_name = {line.name: line for line in lines}
    equal, least = by_name["equal"].value, by_name["least"].value
    margin = _margin(value, setting)
    closer = "classes" if setting.loss.labelled else "views of a sample"
    explains = (
        ""
        if margin is None
        else f" {closer.capitalize()} {margin:.2g} closer in cosine than others explain this value."
    )
    percent = f"{float(f'{100 * found.way:.2g}'):g} %"
    sentence = {
        "below": f"{least - value:.4g} nats below what any embedding can reach: a bug, or another "
        "convention (sum or mean, factor, batch, temperature).",
        "lucky": "Possible for single batches with lucky labels, below what any embedding reaches "
        "on average.",
        "least": f"At the least possible, {percent} of the way from chance.",
        "between": f"{percent} of the way from chance (everything equal) to the least.{explains}",
        "chance": f"{abs(equal - value):.3g} nats {'below' if found.way >= 0 else 'above'} "
        f'"everything equal", {percent} of the way to the least: at chance, nothing learned.'
        f"{explains} Check: do labels match rows? are all embeddings in one point (supcon-theory "
        "audit)? does the gradient reach the encoder?",
        "worse": f"{value - equal:.4g} nats above a constant embedding: worse than nothing "
        "learned. Random directions are there before training; after it, check that positives are "
        "paired with their own rows.",
        "above": "Above what any embedding can reach: a sum instead of a mean, another factor, a "
        "larger batch, or rows that are not of norm 1.",
    }[found.where]
    return Verdict(found.where, found.way, margin, sentence, notes)


def _margin(value: float, setting: Setting) -> float | None:
    """The margin m at which `apart` is the value; None if none in (0, 1] is."""

    def excess(m: float) -> float:
        return setting.factor * apart(setting, m).mean - value

    if not excess(1.0) < 0 < excess(0.0):
        return None
    return float(root_scalar(excess, bracket=(0.0, 1.0), xtol=1e-9).root)
