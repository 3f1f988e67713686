"""`supcon_theory.ruler`: the scale of a loss on its batch, and what one value on it means."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from supcon_theory.objectives.ids import IDS
from supcon_theory.pairs.sets import SETS
from supcon_theory.rulers.floors import FLOORS
from supcon_theory.rulers.libraries import BASE, LIBRARIES, Row, row_of
from supcon_theory.rulers.losses import LOSSES, read_options
from supcon_theory.rulers.scale import ends, scale
from supcon_theory.rulers.setting import Line, Setting
from supcon_theory.rulers.text import about, text
from supcon_theory.rulers.verdict import Verdict, Where, reading, where
from supcon_theory.theory.counts import checked_tau, checked_whole, require

MOST = 10**7  # views of a batch, and classes: what is drawn of them has to fit into memory


@dataclass(frozen=True)
class Ruler:
    """A scale and, where a value was given, its verdict."""

    setting: Setting
    row: Row | None  # of the library, where one was named
    lines: list[Line]
    value: float | None
    verdict: Verdict | None

    def __getitem__(self, name: str) -> float:
        """The value of a line by its name, such as ruler["least"]."""
        return next(line.value for line in self.lines if line.name == name)

    def text(self, width: int = 100) -> str:
        """The scale, the value in its place, and the verdict, as the command prints them."""
        said = about(self.setting, self.row)
        return text(said, self.lines, self.value, self.verdict, width)

    __str__ = text


def ruler(
    value: float | None = None,
    objective: str | None = None,
    *,
    batch: int,
    tau: float | None = None,
    classes: int | None = None,
    counts: Sequence[float] | None = None,
    views: int = 2,
    dim: int | None = None,
    library: str | None = None,
    balanced: bool = False,
    rounding: float = 0.0,
    **options: Any,
) -> Ruler:
    """Place a loss value on the scale of its loss: least, landmarks, chance, most.

    Example:
        >>> found = ruler(6.92, "supcon", batch=512, tau=0.07, classes=100)
        >>> round(found["least"], 2), round(found["equal"], 2), found.verdict.where
        (2.32, 6.93, 'chance')

    Args:
        value: of the loss, from a log; None for the scale alone.
        objective: an id of `objectives.IDS`; may be None for a library with one loss.
        batch: samples (images) in a batch, over all devices, each with its views.
        tau: temperature; None takes the default of the library.
        classes: number of classes, met with equal probability in random batches.
        counts: (C,) frequencies of the classes instead, in any unit.
        views: K, views of each sample.
        dim: d, dimensions of the embeddings; None for many (random directions then in 128).
        library: `LIBRARIES`: what this library computes where one asks for this objective.
        balanced: each batch holds every class equally often, instead of at random.
        rounding: half a unit of the last digit that was printed of the value.
        **options: of the objective, such as beta=0.5 or pairs="distinct".

    Returns:
        The lines of the scale and the verdict.

    Raises:
        ValueError: anything that makes no sense, in one sentence.
    """
    row = None if library is None else row_of(library, objective)
    if row is None and objective not in IDS:
        raise ValueError(f"objective is {objective!r}; it must be one of {', '.join(IDS)}.")
    if value is not None and not math.isfinite(value):
        raise ValueError(
            f"the loss is {value}: no scale holds it; look for the first step at which it is not "
            "finite (tau too low in half precision, rows of zeros, log of 0)."
        )
    checked_whole(1, views=views)
    checked_whole(2, batch=batch)
    require(batch * views <= MOST, f"pass a batch of at most {MOST:,} views", batch=batch)
    if dim is not None:
        checked_whole(1, dim=dim)
    require(0 <= rounding < math.inf, "pass half a unit of the last digit", rounding=rounding)
    setting = _setting(row, objective, options, batch, views, tau, dim)
    setting = _with_labels(setting, classes, counts, balanced, str(objective))
    lines = scale(setting)
    if value is None:
        return Ruler(setting, row, lines, None, None)
    found = where(value, rounding, lines)
    notes = _notes(value, rounding, setting, row, objective)
    return Ruler(setting, row, lines, value, reading(value, found, lines, setting, notes))


def _setting(
    row: Row | None,
    objective: str | None,
    options: Mapping[str, Any],
    batch: int,
    views: int,
    tau: float | None,
    dim: int | None,
) -> Setting:
    if row is None:
        if tau is None:
            raise ValueError("tau is None; pass the temperature that the loss was computed with.")
        id = str(objective)
        loss, floor, read, factor = LOSSES[id], FLOORS[id], read_options(id, options), 1.0
    else:
        tau = row.tau if tau is None else tau
        if options:
            raise ValueError(
                f"{next(iter(options))} is an option of our objectives; {row.function} is taken "
                "as it stands: leave it out."
            )
        if row.views not in (None, views):
            raise ValueError(f"views is {views}; {row.function} takes {row.views}.")
        loss, floor, factor = row.loss, row.floor, row.factor(float(checked_tau(tau)))
        read = dict(row.options)
    tau = float(checked_tau(tau))
    require(tau >= 1e-3, "the ruler takes temperatures from 0.001 on", tau=tau)
    return Setting(loss, floor, read, batch, views, tau, dim, None, factor=factor)


def _with_labels(
    setting: Setting,
    classes: int | None,
    counts: Sequence[float] | None,
    balanced: bool,
    name: str,
) -> Setting:
    loss, batch = setting.loss, setting.batch
    for needed in loss.sets(setting.options):
        own = SETS[needed]
        if not own.labelled and own.size(batch, setting.views, batch) < 1:
            raise ValueError(f"views is {setting.views}: {own.remedy} for this loss.")
    if classes is not None and counts is not None:
        raise ValueError("classes and counts are both given: pass the counts alone.")
    if classes is None and counts is None:
        if loss.labelled or balanced:
            who = f"{name} asks the labels" if loss.labelled else "balanced batches need classes"
            raise ValueError(f"{who}: pass the number of classes, or their counts.")
        return setting
    if classes is not None:
        checked_whole(2, classes=classes)
        require(classes <= MOST, f"pass at most {MOST:,}", classes=classes)
        p = np.full(classes, 1 / classes)
    else:
        frequencies = np.asarray(counts, float)
        if frequencies.ndim != 1 or len(frequencies) < 2:
            raise ValueError(
                f"counts hold {frequencies.size} classes: pass the frequencies of at least two."
            )
        positive = (frequencies > 0) & np.isfinite(frequencies)
        require(positive.all(), "frequencies must be positive", counts=frequencies[~positive])
        p = frequencies / frequencies.sum()
    C = len(p)
    if batch < C:
        raise ValueError(
            f"the batch of {batch} is smaller than the number of classes, {C}: pass the samples "
            "of all devices together, or check which of the two is meant."
        )
    if balanced and (batch % C or np.ptp(p) > 0):
        raise ValueError(
            f"a batch of {batch} cannot hold {C} classes equally often: pass a multiple and no "
            "counts, or leave balanced out."
        )
    return replace(setting, probabilities=p, balanced=balanced)


def _notes(
    value: float, rounding: float, setting: Setting, row: Row | None, objective: str | None
) -> list[str]:
    """Other readings of the number: rows instead of samples, the factor of SupContrast."""
    notes = []
    images, rest = divmod(setting.batch, setting.views)
    enough = images >= max(2, setting.classes or 2) and not (
        setting.balanced and images % (setting.classes or 1)
    )
    if setting.views > 1 and rest == 0 and enough:
        lines = ends(replace(setting, batch=images))
        found = where(value, rounding, lines)
        least, equal = (next(x.value for x in lines if x.name == n) for n in ("least", "equal"))
        notes.append(
            f'If "batch {setting.batch}" counts rows ({images} samples x {setting.views} views): '
            f"equal = {equal:.4g}, least = {least:.4g}; {value:.5g} is then {SAYS[found.where]}."
        )
    factor = setting.tau / BASE
    if row is None and objective in LIBRARIES["SupContrast"]:
        without = "" if abs(factor - 1) < 1e-9 else f": {value / factor:.5g} without it"
        notes.append(
            f"If the number comes from SupContrast's code it carries the factor tau / {BASE} "
            f"(here {factor:.3g}{without}; --library SupContrast)."
        )
    return notes


SAYS: dict[Where, str] = {
    "below": "below what is possible",
    "lucky": "possible for single batches only",
    "least": "at the least possible",
    "between": "between chance and the least",
    "chance": "at chance",
    "worse": "above a constant embedding",
    "above": "above what is possible",
}
