"""The least value of each loss on its batch: proved and attained, a bound, or the best found."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from supcon_theory.rulers import batches
from supcon_theory.rulers.batches import Summary
from supcon_theory.rulers.setting import Line, Setting
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
from supcon_theory.theory.pairwise import kcl_minimum, sigmoid_minimum
from supcon_theory.theory.soft import least_softness, soft_floor, soft_supcon_minimum
from supcon_theory.theory.tilt import best_cosine, equal_cosine_loss


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
    return [_least(setting, batches.summary(least), setting.batch, True)]


def floor_debiased(setting: Setting) -> list[Line]:
    """The bound by the clamp and, where that is not proved to be the minimum, the best found."""
    N, tau_plus = setting.batch, setting.options["tau_plus"]
    bound, found, proved = debiased_floor(N, setting.views, setting.tau, tau_plus)
    fits = setting.dim is None or setting.dim >= N - 1
    at = f"views together, samples in a simplex (needs d >= {N - 1})"
    best = "log(1 + Q G e^(-1/tau))"
    clamp = "log(1 + Q e^(-2/tau)), Q = K(N-1)"
    if proved and fits:
        line = (batches.summary(found), "exact minimum", best if found > bound else clamp, at)
        return [setting.line("least", *line)]
    meaning = "no embedding is below: every negative at the clamp, positives together"
    lines = [setting.line("least", batches.summary(bound), "bound, not attained", clamp, meaning)]
    if fits:
        line = (batches.summary(found), "best found", best, at)
        lines.append(setting.line("best found", *line))
    return lines


def floor_weights(setting: Setting) -> list[Line]:
    """Unit class weights and rows: no row of the batch sees another, so only frequencies count."""
    p = setting.probabilities
    assert p is not None  # cross_entropy asks the labels
    least = weights_floor(p, setting.tau, setting.options["margin"])
    found, even = batches.summary(least), bool(np.ptp(p) == 0)
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
        line = (batches.summary(found), "best found", "log(1 + M(rho*))", meaning)
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
    return [_least(setting, batches.summary(least), points, True)]


def floor_soft(setting: Setting) -> list[Line]:
    """The entropy of the weights, a minimum where they are soft enough; else the simplex's."""
    C, softness = setting.classes or setting.batch, setting.options["softness"]
    regular = softness >= least_softness(C, setting.tau)
    if setting.balanced and not regular:
        n = setting.batch // C
        least = float(soft_supcon_minimum(C, n, setting.views, setting.tau, softness))
        return [_least(setting, batches.summary(least), C, True)]

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
    return [_least(setting, batches.summary(least), setting.batch, True)]


def floor_sigmoid(setting: Setting) -> list[Line]:
    """The minimum at this temperature and bias: views together, or parted as a whole."""
    N, K = setting.batch, setting.views
    least = sigmoid_minimum(N, K, setting.tau, setting.options["bias"])
    return [_least(setting, batches.summary(least), N + K - 1, True)]


def floor_triplet(setting: Setting) -> list[Line]:
    """0 where points that are apart by the margin are known to fit; else the simplex's, a bound."""
    C, margin = setting.classes or setting.batch, setting.options["margin"]

    def least(n_c: Floats) -> float:
        has = (setting.weight(n_c) > 0).astype(float)
        return triplet_floor(n_c, has, setting.tau, margin)

    if 1 - nearest_cosine(C, setting.dim) >= margin:
        where = f"positives {margin:.3g} nearer in cosine than others, as where classes are points"
        zero = batches.summary(0.0)
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
