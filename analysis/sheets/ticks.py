"""Plain numbers on axes."""

import math

import numpy as np
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator


def number(axis, seen: np.ndarray, values: object = None) -> None:
    """Plain numbers on an axis (a power of ten in small raised digits is not readable).

    Args:
        axis: The axis.
        seen: What is drawn along it.
        values: The places of the ticks, numbered as far as there is room; None for those of the
            scale.
    """
    log = axis.get_scale() == "log"
    axis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    if values is not None:
        places = np.unique(np.asarray(values, float))
        places = places[np.isfinite(places) & ((places > 0) | (not log))]
        axis.set_major_locator(FixedLocator(apart(places, np.log(places) if log else places)))
        axis.set_minor_locator(NullLocator())
    elif few_decades(axis, seen):
        axis.set_major_locator(MaxNLocator(5, steps=(1, 2, 5, 10)))
        axis.set_minor_locator(NullLocator())
    elif log:

        def minor(value: float, _: int) -> str:
            low, high = axis.get_view_interval()
            leading = round(value / 10 ** math.floor(math.log10(value)))
            return short(value) if leading in (2, 5) and high < 60 * low else ""

        axis.set_minor_formatter(FuncFormatter(minor))


def few_decades(axis, seen: np.ndarray) -> bool:
    """Whether an axis is logarithmic and would have too few ticks.

    Args:
        axis: The axis.
        seen: What is drawn along it.

    Returns:
        True if values are less than three octaves apart, or hardly any is beyond the linear middle
        of a symlog.
    """
    scale, most = axis.get_scale(), np.nanmax(np.abs(seen), initial=0)
    if scale == "symlog" and most < 2 * axis.get_transform().linthresh:
        return True
    above = seen[seen > 0] if scale == "log" else seen
    return scale in ("log", "symlog") and 0 < most < 8 * np.nanmin(above, initial=np.inf)


def apart(places: np.ndarray, along: np.ndarray) -> list[float]:
    """Places, rising, that are a sixth of the whole apart from each other along an axis."""
    kept: list[int] = []
    for i in range(len(places)):
        if not kept or along[i] - along[kept[-1]] >= 0.999 * (along[-1] - along[0]) / 6:
            kept.append(i)
    return [float(places[i]) for i in kept]


def short(value: float) -> str:
    """A number in few characters: 0.001, 5000, 1e4, 1e-12."""
    text = f"{value:.0e}" if value and not 1e-3 <= abs(value) < 1e4 else f"{value:g}"
    return text.replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")
