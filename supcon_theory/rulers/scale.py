"""The scale of a loss: its least value, the values of known configurations, its most.

Each line says what it is:

    exact minimum            proved to be the least, and attained
    bound, not attained      proved, with nothing known to reach it
    best found               attained, and nothing lower was ever found
    attained                 the value of the configuration named
    simulated                a mean over draws, to the digits that are printed
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from supcon_theory.rulers import batches
from supcon_theory.rulers.batches import Summary
from supcon_theory.rulers.cosines import Seen, levels, random_directions
from supcon_theory.rulers.losses import Loss
from supcon_theory.theory.counts import Floats
from supcon_theory.theory.floors import (
    TERMS,
    Terms,
    at_most,
    class_floor,
    debiased_floor,
    mixed,
    triplet_floor,
    weights_floor,
)
from supcon_theory.theory.minima import dhel_official_minimum
from supcon_theory.theory.mixture import collapse_threshold, ssem_minimum
from supcon_theory.theory.pairwise import kcl_minimum, kernel_at, sigmoid_minimum
from supcon_theory.theory.soft import least_softness, soft_floor, soft_supcon_minimum
from supcon_theory.theory.tilt import best_cosine, equal_cosine_loss

Status = Literal["exact minimum", "bound, not attained", "best found", "attained", "simulated"]
MARGIN = 0.3  # in cosine, of the landmark
DIM = 128  # of random directions, where none is given
COSINES = 2**21  # drawn at most for them
ANCHORS = (32, 512)  # fewest and most anchors drawn


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


def ends(setting: Setting) -> list[Line]:
    """Least, equal similarities and most: what a verdict needs.

    Args:
        setting: the loss and its batch.

    Returns:
        The lines, and the best found where the least is not proved to be the minimum.
    """
    words = "every similarity equal: all embeddings in one point, or nothing learned"
    found = apart(setting, 0.0)
    equal = setting.line("equal", found, "attained", setting.loss.equal, words)
    return [*setting.floor(setting), equal, _most(setting)]


def scale(setting: Setting) -> list[Line]:
    """The lines of the scale, the least first, the others by their value.

    Args:
        setting: the loss and its batch.

    Returns:
        The lines.
    """
    (*least, equal, most), random = ends(setting), _random(setting, setting.dim or DIM)
    others = [*_landmarks(setting), equal, random, most]
    return least + sorted(others, key=lambda line: line.value)


# ---- least --------------------------------------------------------------------------------------
def floor_of(terms: Terms) -> Callable[[Setting], list[Line]]:
    """The floor of a loss that is at least the mean of log(A + B e^{q - p})."""

    def floor(setting: Setting) -> list[Line]:
        labelled, batch, K = setting.loss.labelled, setting.batch, setting.views
        counts = setting.counts if labelled else np.ones((1, batch), np.int64)
        most = setting.options.get("max_positives")
        used = terms if most is None else at_most(terms, most)

        def least(n_c: Floats) -> float:
            return class_floor(used, n_c, setting.weight(n_c), K, setting.tau)

        found = batches.over_batches(least, counts)
        points = counts.shape[1]  # of the simplex at which a balanced floor is attained
        return [_least(setting, found, points, not labelled or setting.balanced)]

    return floor


def _least(setting: Setting, found: Summary, points: int, balanced: bool) -> Line:
    fits = setting.dim is None or setting.dim >= points - 1
    what = "samples" if not setting.loss.labelled else "classes"
    if balanced and fits:
        meaning = f"views together, {what} in a simplex (needs d >= {points - 1})"
        return setting.line("least", found, "exact minimum", setting.loss.least, meaning)
    why = (
        "its classes are those of a random batch"
        if fits
        else f"d = {setting.dim} holds no simplex of {points} {what}"
    )
    formula = setting.loss.least if balanced else ""
    meaning = f"no embedding is below ({why})"
    return setting.line("least", found, "bound, not attained", formula, meaning)


def floor_dhel_official(setting: Setting) -> list[Line]:
    """The closed form at the instance simplex."""
    least = float(dhel_official_minimum(setting.batch, 1, setting.views, setting.tau))
    return [_least(setting, Summary(least, least, least), setting.batch, True)]


def floor_debiased(setting: Setting) -> list[Line]:
    """The bound by the clamp and, where that is not proved to be the minimum, the best found."""
    N, tau_plus = setting.batch, setting.options["tau_plus"]
    bound, found, proved = debiased_floor(N, setting.views, setting.tau, tau_plus)
    fits = setting.dim is None or setting.dim >= N - 1
    at = f"views together, samples in a simplex (needs d >= {N - 1})"
    best = "log(1 + Q G e^(-1/tau))"
    clamp = "log(1 + Q e^(-2/tau)), Q = K(N-1)"
    if proved and fits:
        line = (Summary(found, found, found), "exact minimum", best if found > bound else clamp, at)
        return [setting.line("least", *line)]
    meaning = "no embedding is below: every negative at the clamp, positives together"
    lines = [
        setting.line("least", Summary(bound, bound, bound), "bound, not attained", clamp, meaning)
    ]
    if fits:
        line = (Summary(found, found, found), "best found", best, at)
        lines.append(setting.line("best found", *line))
    return lines


def floor_weights(setting: Setting) -> list[Line]:
    """Unit class weights and rows: no row of the batch sees another, so only frequencies count."""
    p = setting.probabilities
    assert p is not None  # cross_entropy asks the labels
    least = weights_floor(p, setting.tau, setting.options["margin"])
    found, even = Summary(least, least, least), bool(np.ptp(p) == 0)
    fits = setting.dim is None or setting.dim >= len(p) - 1
    if even and fits:
        meaning = f"classes on their unit weights, in a simplex (needs d >= {len(p) - 1})"
        return [setting.line("least", found, "exact minimum", setting.loss.least, meaning)]
    why = "unequal frequencies" if fits else f"d = {setting.dim} holds no simplex"
    meaning = f"no embedding and no unit class weights are below ({why})"
    return [setting.line("least", found, "bound, not attained", "", meaning)]


def floor_ucl_ball(setting: Setting) -> list[Line]:
    """The closed form; with a tilt that of none is a bound, the best found has equal cosines."""
    least, *_ = floor_of(TERMS["ucl_ball"])(setting)
    beta, C = setting.options["beta"], setting.classes
    if beta == 0 or C is None:
        return [least]
    meaning = "no embedding is below: the loss without hardness"
    lines = [replace(least, status="bound, not attained", meaning=meaning)]
    if setting.balanced and (setting.dim is None or setting.dim >= C):
        tilt = beta / setting.tau
        rho = best_cosine(C, setting.tau, tilt)
        found = float(equal_cosine_loss(C, setting.tau, tilt, rho))
        meaning = f"classes collapsed, every two at cosine {rho:.3g} (needs d >= {C})"
        line = (Summary(found, found, found), "best found", "log(1 + M(rho*))", meaning)
        lines.append(setting.line("best found", *line))
    return lines


def floor_ssem(setting: Setting) -> list[Line]:
    """The closed form of balanced classes, else a bound."""
    C, alpha = setting.classes, setting.options["alpha"]
    if C is None or not setting.balanced:
        return floor_of(mixed(alpha))(setting)
    n = setting.batch // C
    least = ssem_minimum(C, n, setting.views, setting.tau, alpha)
    collapsed = alpha <= collapse_threshold(C, n, setting.tau)
    points = C if collapsed else setting.batch
    return [_least(setting, Summary(least, least, least), points, True)]


def floor_soft(setting: Setting) -> list[Line]:
    """The entropy of the weights, a minimum where they are soft enough; else the simplex's."""
    C, softness = setting.classes or setting.batch, setting.options["softness"]
    regular = softness >= least_softness(C, setting.tau)
    if setting.balanced and not regular:
        n = setting.batch // C
        least = float(soft_supcon_minimum(C, n, setting.views, setting.tau, softness))
        return [_least(setting, Summary(least, least, least), C, True)]

    def entropy(n_c: Floats) -> float:
        return soft_floor([int(n) for n in n_c], setting.views, softness)

    found = batches.over_batches(entropy, setting.counts)
    if not regular or not (setting.dim is None or setting.dim >= C):
        why = "entropy of the weights: no embedding is below"
        return [setting.line("least", found, "bound, not attained", "", why)]
    meaning = f"classes in points at cosine 1 + tau log softness (needs d >= {C})"
    return [setting.line("least", found, "exact minimum", setting.loss.least, meaning)]


def floor_kcl(setting: Setting) -> list[Line]:
    """The closed form at the simplex of samples."""
    gamma, name = setting.options["gamma"], setting.options["kernel_name"]
    least = kcl_minimum(setting.batch, setting.tau, gamma, name)
    return [_least(setting, Summary(least, least, least), setting.batch, True)]


def floor_sigmoid(setting: Setting) -> list[Line]:
    """The minimum at this temperature and bias: views together, or parted as a whole."""
    N, K = setting.batch, setting.views
    least = sigmoid_minimum(N, K, setting.tau, setting.options["bias"])
    return [_least(setting, Summary(least, least, least), N + K - 1, True)]


def floor_triplet(setting: Setting) -> list[Line]:
    """0 where points that are apart by the margin are known to fit; else the simplex's, a bound."""
    C, margin = setting.classes or setting.batch, setting.options["margin"]

    def least(n_c: Floats) -> float:
        has = (setting.weight(n_c) > 0).astype(float)
        return triplet_floor(n_c, has, setting.tau, margin)

    if 1 - nearest_cosine(C, setting.dim) >= margin:
        where = f"positives {margin:.3g} nearer in cosine than others, as where classes are points"
        zero = Summary(0.0, 0.0, 0.0)
        return [setting.line("least", zero, "exact minimum", setting.loss.least, where)]
    return [_least(setting, batches.over_batches(least, setting.counts), C, setting.balanced)]


def nearest_cosine(points: int, dim: int | None) -> float:
    """The cosine of the nearest two of so many unit rows, as far apart as is known here.

    Args:
        points: how many, at least 2.
        dim: dimensions; None for many.

    Returns:
        That of the simplex, else of an orthoplex, else of points on a circle (1 on a line).
    """
    if dim is None or dim >= points - 1:
        return -1 / (points - 1)
    if points <= 2 * dim:
        return 0.0
    return float(np.cos(2 * np.pi / points)) if dim > 1 else 1.0


FLOORS = {
    **{id: floor_of(terms) for id, terms in TERMS.items()},
    **{"dhel_official": floor_dhel_official, "cross_entropy": floor_weights},
    **{"debiased": floor_debiased, "hcl": floor_debiased},
    **{"ucl_ball": floor_ucl_ball, "ssem": floor_ssem},
    **{"soft_supcon": floor_soft, "kcl": floor_kcl, "sigmoid": floor_sigmoid},
    "triplet": floor_triplet,
}


# ---- landmarks ----------------------------------------------------------------------------------
def apart(setting: Setting, margin: float) -> Summary:
    """The loss where what belongs together coincides and the rest is `margin` below in cosine."""
    same = 1.0 if setting.loss.labelled else 1 - margin
    return setting.at(1.0, same, 1 - margin)


def _landmarks(setting: Setting) -> list[Line]:
    N, C, labelled = setting.batch, setting.classes, setting.loss.labelled
    what = "classes" if labelled else "views of a sample"
    meaning = f"{what} {MARGIN:g} closer in cosine than others"
    lines = [setting.line("margin", apart(setting, MARGIN), "attained", "", meaning)]
    if C is not None:
        at = setting.at(1.0, 1.0, -1 / (C - 1))
        meaning = f"classes perfectly collapsed onto a simplex{_needs(setting, C)}"
        lines.append(setting.line("class collapse", at, "attained", "", meaning))
    if labelled and "weights" not in setting.loss.needs:
        at = setting.at(1.0, -1 / (N - 1), -1 / (N - 1))
        meaning = f"every sample apart, its views together: no class learned{_needs(setting, N)}"
        lines.append(setting.line("instances", at, "attained", "", meaning))
    return lines


def _needs(setting: Setting, points: int) -> str:
    fits = setting.dim is None or setting.dim >= points - 1
    return "" if fits else f" (not possible in d = {setting.dim} < {points - 1})"


def _most(setting: Setting) -> Line:
    """Equal similarities plus 2/tau: each cosine at its worst by itself.

    log E(X) <= log |X| + 1/tau and -s <= 1/tau; with a positive in the denominator as well, since
    log(A + B e^x) <= log(A + B) + x for x >= 0. The corrected negatives of `debiased` and `hcl`
    are at most e^{1/tau} / (1 - tau_plus). A softplus rises by no more than its argument does.

    Args:
        setting: the loss and its batch.

    Returns:
        The line.
    """
    correction = -np.log1p(-setting.options.get("tau_plus", 0.0))
    shift = 2 / setting.tau + correction
    formula = "equal + 2/tau" + (" - log(1 - tau_plus)" if correction else "")
    if setting.loss.rise:  # of `kcl`: own views at cosine -1, everything else in one point
        shift = 2 * (1 - kernel_at(-1.0, setting.tau, setting.options["kernel_name"]))
        formula = f"equal, {setting.loss.rise}"
    most = Summary(*(value + shift for value in apart(setting, 0.0)))
    meaning = "no embedding is above: every cosine at its worst"
    return setting.line("most", most, "bound, not attained", formula, meaning)


def _random(setting: Setting, d: int) -> Line:
    mean, error = random_mean(setting, d)
    meaning = f"independent random directions in {d} dimensions, +- {setting.factor * error:.1g}"
    found = Summary(mean, mean, mean)
    return setting.line("random", found, "simulated", setting.loss.random, meaning)


def random_mean(setting: Setting, d: int) -> tuple[float, float]:
    """Mean loss of independent random directions over anchors of random batches.

    Args:
        setting: the loss and its batch.
        d: dimensions.

    Returns:
        The mean, and its standard error.
    """
    N, K = setting.batch, setting.views
    rng = np.random.default_rng([N, K, d])
    anchors = int(np.clip(COSINES // (N * K), *ANCHORS))
    counts = setting.counts
    share = counts * setting.weight(counts.astype(float))
    flat = (share / share.sum(1, keepdims=True)).ravel() / len(counts)
    sizes = counts.ravel()[rng.choice(flat.size, anchors, p=flat)]
    C = setting.classes or N
    losses = [
        setting.of(random_directions(int(n), N, K, setting.tau, C, d, rng)).mean() for n in sizes
    ]
    return float(np.mean(losses)), float(np.std(losses, ddof=1) / np.sqrt(anchors))
