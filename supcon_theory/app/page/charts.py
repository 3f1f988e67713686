"""Charts as inline SVG: colours of the page, light and dark, values as titles to hover over."""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from markupsafe import Markup

COLOURS = ("one", "two", "three", "four", "five")  # classes of `page.css`
DASHES = ("none", "6 3", "2 3", "8 3 2 3", "1 4")  # so that colour is not all that tells apart
WIDTH, HEIGHT = 420, 240  # in units of the view box: text is 12 of them high
LEFT, RIGHT, TOP, LINE = 44, 10, 24, 17


class Curve(NamedTuple):
    """Points joined by a line, in the order given."""

    name: str
    x: Sequence[float]
    y: Sequence[float]


class Mark(NamedTuple):
    """A value on a scale, and what it is called."""

    name: str
    value: float


def curves(
    found: Iterable[Curve],
    alt: str,
    *,
    x: str,
    y: str,
    ticks: Sequence[float],
    caption: str = "",
    log_y: bool = False,
) -> Markup:
    """Curves over a logarithmic axis.

    Args:
        found: the curves; points that are not finite, or not above 0 on an axis of logarithms, are
            left out, and curves without any.
        alt: what is shown, for those who do not see it.
        x: what stands below.
        y: what stands on the left.
        ticks: values of x that are written.
        caption: what stands below the chart.
        log_y: whether y has logarithms too.

    Returns:
        The figure; nothing if there is no point.
    """
    kept = [
        Curve(c.name, *zip(*points, strict=True))
        for c in found
        if (points := [p for p in zip(c.x, c.y, strict=True) if _shown(*p, log_y)])
    ]
    if not kept:
        return Markup("")
    low, high = _ends([v for c in kept for v in c.y], log_y)
    left, right = _ends([v for c in kept for v in c.x], log=True)
    bottom = TOP + HEIGHT

    def place(a: float, b: float) -> tuple[float, float]:
        across = _share(a, left, right, log=True)
        up = _share(b, low, high, log_y)
        return LEFT + across * (WIDTH - LEFT - RIGHT), bottom - up * HEIGHT

    parts = [_line("axis", LEFT, bottom, WIDTH - RIGHT, bottom)]
    for tick in ticks:
        if left <= tick <= right:
            at, _ = place(tick, low)
            parts.append(_text(at, bottom + 14, f"{tick:g}", "middle"))
    for tick in _ticks(low, high, log_y):
        _, at = place(left, tick)
        parts += [_line("grid", LEFT, at, WIDTH - RIGHT, at)]
        parts += [_text(LEFT - 5, at + 4, f"{tick:.3g}", "end")]
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, bottom + 2 * LINE, x, "middle"))
    parts.append(_text(0, TOP - 12, y, "start"))
    for k, curve in enumerate(kept):
        points = [place(*point) for point in zip(curve.x, curve.y, strict=True)]
        dots = Markup("").join(
            _dot(px, py, f"{curve.name}: {x} {a:g}, {y} {b:.4g}")
            for (px, py), a, b in zip(points, curve.x, curve.y, strict=True)
        )
        at = bottom + (3.2 + k) * LINE
        named = len(kept) > 1
        legend = _line("curve", LEFT, at - 4, LEFT + 24, at - 4, DASHES[k % len(DASHES)])
        legend += _text(LEFT + 30, at, curve.name, "start")
        path = "M" + "L".join(f"{px:.1f} {py:.1f}" for px, py in points)
        drawn = Markup('<path class="curve" stroke-dasharray="{}" d="{}"/>')
        drawn = drawn.format(DASHES[k % len(DASHES)], path)
        parts.append(_group(COLOURS[k % len(COLOURS)], drawn + dots + (legend if named else "")))
    height = bottom + 2.3 * LINE + (len(kept) + 0.5) * LINE * (len(kept) > 1)
    return _figure(parts, height, alt, caption)


def scale(marks: Iterable[Mark], alt: str, *, unit: str, caption: str = "") -> Markup:
    """Values on a line, the first of them as the one that is asked about.

    Args:
        marks: the values; those that are not finite are left out.
        alt: what is shown, for those who do not see it.
        unit: of the values.
        caption: what stands below.

    Returns:
        The figure; nothing unless there are two values.
    """
    found = [mark for mark in marks if math.isfinite(mark.value)]
    if len(found) < 2:
        return Markup("")
    low, high = _ends([mark.value for mark in found], log=False)
    order = sorted(found, key=lambda mark: mark.value)
    axis = LINE * len(order) + 6
    parts = [_line("axis", RIGHT, axis, WIDTH - RIGHT, axis)]
    for k, mark in enumerate(order):
        at = RIGHT + _share(mark.value, low, high, log=False) * (WIDTH - 2 * RIGHT)
        height, word = LINE * (k + 0.8), f"{mark.name} {mark.value:.4g}"
        first = mark is found[0]
        side = "start" if at < WIDTH / 2 else "end"
        drawn = _line("grid", at, height, at, axis)
        drawn += _dot(at, axis, f"{word} {unit}", 6 if first else 4)
        drawn += _text(at + (5 if side == "start" else -5), height, word, side)
        parts.append(_group(COLOURS[1] if first else COLOURS[4], drawn))
    return _figure(parts, axis + 12, alt, caption)


def _shown(x: float, y: float, log_y: bool) -> bool:
    return math.isfinite(x) and math.isfinite(y) and x > 0 and (y > 0 or not log_y)


def _ends(values: Sequence[float], log: bool) -> tuple[float, float]:
    low, high = min(values), max(values)
    if low == high:
        return (low / 2, 2 * high) if log else (low - 1, high + 1)
    return low, high


def _share(value: float, low: float, high: float, log: bool) -> float:
    if log:
        value, low, high = math.log(value), math.log(low), math.log(high)
    return (value - low) / (high - low)


def _ticks(low: float, high: float, log: bool) -> list[float]:
    if log:
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        factors = (1,) if high > 1000 * low else (1, 2, 5)
        return [v for p in powers for f in factors if low <= (v := f * 10.0**p) <= high]
    step = 10 ** math.floor(math.log10(high - low))
    step = next(step * f for f in (0.1, 0.2, 0.5, 1, 2) if (high - low) / (step * f) <= 6)
    return [k * step for k in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _figure(parts: Sequence[Markup], height: float, alt: str, caption: str) -> Markup:
    below = Markup("<figcaption>{}</figcaption>").format(caption) if caption else Markup("")
    return Markup(
        '<figure><svg viewBox="0 0 {} {:.0f}" role="img" aria-label="{}">\n{}\n</svg>{}</figure>'
    ).format(WIDTH, height, alt, Markup("\n").join(parts), below)


def _group(colour: str, inside: Markup) -> Markup:
    return Markup('<g class="{}">{}</g>').format(colour, inside)


def _line(kind: str, x1: float, y1: float, x2: float, y2: float, dash: str = "none") -> Markup:
    line = '<path class="{}" stroke-dasharray="{}" d="M{:.1f} {:.1f}L{:.1f} {:.1f}"/>'
    return Markup(line).format(kind, dash, x1, y1, x2, y2)


def _dot(x: float, y: float, title: str, radius: float = 3.5) -> Markup:
    dot = '<circle class="point" cx="{:.1f}" cy="{:.1f}" r="{}"><title>{}</title></circle>'
    return Markup(dot).format(x, y, radius, title)


def _text(x: float, y: float, words: str, anchor: str) -> Markup:
    text = '<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>'
    return Markup(text).format(x, y, anchor, words)
