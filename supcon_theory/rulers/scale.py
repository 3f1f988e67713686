"""The scale of a loss: its least value, the values of known configurations, its most."""

import numpy as np

from supcon_theory.rulers.batches import Summary, summary
from supcon_theory.rulers.cosines import random_directions
from supcon_theory.rulers.setting import Line, Setting, apart
from supcon_theory.theory.pairwise import kernel_at

MARGIN = 0.3  # in cosine, of the landmark
DIM = 128  # of random directions, where none is given
COSINES = 2**21  # drawn at most for them
ANCHORS = (32, 512)  # fewest and most anchors drawn


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
    found = summary(mean)
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
