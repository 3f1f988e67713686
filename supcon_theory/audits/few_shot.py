"""Few-shot error beside every bound on it, from the same population: rows of one tidy table.

A population is either a matrix of features, which is then resampled with replacement, or Gaussian
classes with known moments. In both the bounds get the population's own moments, so a bound that is
exceeded by more than the sampling error of the support draws is refuted.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.optimize import bisect
from torch import Tensor

from supcon_theory import inputs
from supcon_theory.audits.columns import CROSSED, FEW_SHOT, LIMITED, PAIRWISE
from supcon_theory.measures import pair_moments
from supcon_theory.measures.centres import Errors, affine_errors, way_error
from supcon_theory.measures.few_shot import known_centre_errors, resampled_curve
from supcon_theory.measures.moments import class_moments
from supcon_theory.statistics import BEYOND
from supcon_theory.theory.few_shot import averages as few_shot
from supcon_theory.theory.few_shot import gaussian
from supcon_theory.theory.few_shot import pairs as few_shot_pairs
from supcon_theory.theory.few_shot.certificates import KINDS, Certificate, Kind, certificate

COLUMNS, VERSION = FEW_SHOT.columns, FEW_SHOT.version
Row = dict[str, Any]
Pairs = dict[str, np.ndarray]  # arguments of `theory.few_shot.pairs`, one entry per ordered pair

FAR = 1e16  # an m at which limits are looked at: one bound approaches its own only as m^(-1/4)


def feature_pairs(features: Tensor, labels: Tensor) -> Pairs:
    """Moments of all ordered pairs i != j of classes: (0, 1), (0, 2) ... (C-1, C-2)."""
    moments = class_moments(features, labels)
    product = pair_moments.scatter_products(moments)
    found = (
        moments.variances,
        product.diagonal(),
        pair_moments.fourth_moments(moments),
        moments.square_distances,
        pair_moments.directional_scatter(moments),
        product,
        pair_moments.third_moments_along(moments),
    )
    return few_shot_pairs.of_every_pair(*(x.cpu().numpy() for x in found))


def averages(pairs: Pairs) -> tuple[float, float, float]:
    """V, V_root and V_dir of `theory.few_shot`: averages over the ordered pairs."""
    single = pairs["v_i"] / pairs["distance2"]
    return single.mean(), np.sqrt(single).mean(), directional(pairs).mean()


def directional(pairs: Pairs) -> np.ndarray:
    """The ratio u' Sigma_i u / d^2 of every ordered pair, u the unit vector between the means."""
    return pairs["along_i"] / pairs["distance2"] ** 2


def bound_terms(pairs: Pairs, m: float, *names: str) -> dict[str, few_shot.Terms]:
    """Directional and dispersion terms, whose sum is the two-way bound, at m shots.

    Args:
        pairs: Moments of the ordered pairs.
        m: Shots, not necessarily whole.
        names: The bounds wanted; all if none is named.

    Returns:
        By the name of the bound; `PAIRWISE` ones are arrays over the pairs, the others bound the
        average.
    """
    moments = ("distance2", "v_i", "v_j", "along_i", "fourth_i", "fourth_j")
    chebyshev: dict[str, Any] = {name: pairs[name] for name in moments}
    V, V_root, V_dir = averages(pairs)
    terms = {
        "theorem_4_1": lambda: few_shot_pairs.theorem_4_1_terms(**chebyshev, m=m),
        "theorem_c_2": lambda: few_shot_pairs.theorem_4_1_terms(**chebyshev, m=m, crude=True),
        "cantelli": lambda: few_shot_pairs.cantelli_terms(*pairs.values(), m),
        "neurips": lambda: few_shot.neurips_terms(V, V_root, V_dir, m),
        "neurips_16": lambda: few_shot.neurips_terms(V, V_root, V_dir, m, a=16),
        "older": lambda: few_shot.older_terms(V, V_dir, m),
    }
    return {name: terms[name]() for name in names or terms}


def bound_values(pairs: Pairs, m: float) -> dict[str, np.ndarray]:
    """Every two-way bound at m shots, not cut at 1: `bound_terms` summed, and `TIGHTENED`."""
    values = {name: np.asarray(sum(terms)) for name, terms in bound_terms(pairs, m).items()}
    V, V_root, V_dir = averages(pairs)
    return values | {
        "tightened": np.asarray(few_shot.tightened_bound(V, V_root, V_dir, m)),
        "cantelli_tightened": np.asarray(few_shot.cantelli_tightened_bound(V, V_dir, m)),
    }


def feature_audit(
    features: Tensor,
    labels: Tensor,
    shots: Sequence[int],
    ways: Sequence[int],
    *,
    draws: int,
    seed: int,
    certified: Sequence[int] = (),
    kinds: Sequence[Kind] = KINDS,
    progress: Callable[[float], None] = lambda share: None,
) -> list[Row]:
    """Error of the nearest class centre and every bound, with the features as the population.

    Args:
        features: (N, d).
        labels: (N,), of any kind; classes may differ in size.
        shots: Numbers m of supports per class, drawn with replacement.
        ways: Numbers of classes in an episode, 2 .. C.
        draws: Support draws.
        seed: Key of the draws.
        certified: The m at which the certificates that condition on the test point are added,
            whose cost grows as C^2.
        kinds: Which of those.
        progress: Called with the share of `shots` that is done.

    Returns:
        `limit_row`, then `audit_rows` of each m.
    """
    x, y = inputs.matrix(features), inputs.labels(labels, len(features)).cpu().numpy()
    pairs = feature_pairs(features, labels)
    by_class = [x[y == c] for c in range(y.max() + 1)]
    rows = [limit_row(pairs, known_centre_errors(x, y))]
    for m, errors in resampled_curve(x, y, shots, draws=draws, seed=seed):
        found = audit_rows(pairs, m, errors.pair, {w: way_error(errors.beaten, w) for w in ways})
        for kind in kinds if m in certified else ():
            proved = certificate(by_class, m, kind, ways=ways)
            for row in found:
                row |= certificate_columns(f"conditional_{kind}", proved, row, errors.pair)
        rows += found
        progress((list(shots).index(m) + 1) / len(shots))
    return rows


def certificate_columns(
    name: str, proved: Certificate, row: Mapping[str, Any], pair: np.ndarray
) -> Row:
    """The columns of `audit_rows` for a certificate."""
    ways, C = row["ways"], pair.shape[1]
    bound = proved.by_ways[ways]
    columns = {
        f"bound_{name}": bound,
        f"cut_{name}": bound,
        f"violation_{name}": row["error"] - BEYOND * row["error_se"] - min(1, bound),
    }
    if ways == 2:
        off = ~np.eye(C, dtype=bool)
        columns[f"violation_pair_{name}"] = (_lower(pair[:, off]) - proved.pairs[off]).max()
    return columns


def gaussian_audit(
    law: gaussian.GaussianClasses,
    shots: Sequence[int],
    ways: Sequence[int],
    *,
    draws: int,
    queries: int,
    seed: int,
) -> list[Row]:
    """The same rows for Gaussian classes, whose moments are exact.

    Args:
        law: The classes.
        shots: Numbers m of supports per class.
        ways: Numbers of classes in an episode, 2 .. C.
        draws: Support draws.
        queries: Test points per class and draw, for more than two ways; two-way errors are exact
            given the centres.
        seed: Key of the draws.

    Returns:
        `limit_row`, then `audit_rows` of each m.
    """
    pairs = gaussian.moments_of_pairs(law)
    C = len(law.means)
    known = gaussian.pair_errors(law, law.means[None])[0]
    rows = [limit_row(pairs, known)]
    for m in shots:
        centres = gaussian.sampled_centres(law, m, draws, seed)
        pair = gaussian.pair_errors(law, centres)
        by_ways = {2: pair.sum(axis=(1, 2)) / (C * (C - 1))}
        if max(ways) > 2:
            test_points = (gaussian.samples(law, queries, (seed, m, r)) for r in range(draws))
            counted = (_counted(c, z).beaten for c, z in zip(centres, test_points, strict=True))
            beaten = np.concatenate(list(counted))
            by_ways |= {w: way_error(beaten, w) for w in ways if w > 2}
        rows += audit_rows(pairs, m, pair, {w: by_ways[w] for w in ways})
    return rows


def audit_rows(pairs: Pairs, m: int, pair: np.ndarray, by_ways: dict[int, np.ndarray]) -> list[Row]:
    """Errors against the bounds at m shots.

    A bound is refuted where the error less 5 standard errors is above it.

    Args:
        pairs: Moments of the ordered pairs.
        m: Shots.
        pair: Two-way errors of the draws, (R, C, C).
        by_ways: Errors of episodes, (R,), by their number of ways.

    Returns:
        A row per number of ways. Two-way rows also hold the worst pair (`violation_pair_*`) and the
        parts of each bound (`directional_*`, `dispersion_*`).
    """
    draws = len(pair)
    values = bound_values(pairs, m)
    rows = []
    for ways, errors in by_ways.items():
        se = errors.std(ddof=1) / np.sqrt(draws)
        row = {"m": m, "ways": ways, "draws": draws, "error": errors.mean(), "error_se": se}
        for name, value in values.items():
            row[f"bound_{name}"] = (ways - 1) * value.mean()
            row[f"cut_{name}"] = (ways - 1) * np.minimum(value, 1 if value.ndim else np.inf).mean()
            row[f"violation_{name}"] = row["error"] - BEYOND * se - min(1, row[f"cut_{name}"])
        rows.append(row | (_pair_columns(pairs, m, pair, values) if ways == 2 else {}))
    return rows


def _pair_columns(pairs: Pairs, m: int, pair: np.ndarray, values: dict) -> Row:
    errors = pair[:, ~np.eye(pair.shape[1], dtype=bool)]
    lower = _lower(errors)
    columns = {
        f"violation_pair_{name}": (lower - np.minimum(1, values[name])).max() for name in PAIRWISE
    }
    for name, terms in bound_terms(pairs, m).items():
        columns[f"directional_{name}"], columns[f"dispersion_{name}"] = (t.mean() for t in terms)
    finite = np.isfinite(values["theorem_c_2"])
    ratio = values["theorem_4_1"][finite] / values["theorem_c_2"][finite]
    order = {"violation_order": ratio.max(initial=0) - 1, "failed_margins": (~finite).mean()}
    return columns | order


def _lower(errors: np.ndarray) -> np.ndarray:
    """Mean over the draws (R, ...) less what sampling may have added to it."""
    return errors.mean(axis=0) - BEYOND * errors.std(axis=0, ddof=1) / np.sqrt(len(errors))


def limit_row(pairs: Pairs, known: np.ndarray) -> Row:
    """The row at m = inf: error with known centres, limits, and where curves cross.

    Args:
        pairs: Moments of the ordered pairs.
        known: Two-way errors with the class means as centres, (C, C).

    Returns:
        The row; a number of shots from which something holds is inf if it never does.
    """
    V, V_root, V_dir = averages(pairs)
    bound = few_shot.known_centroid_bound(directional(pairs))
    pair = known[~np.eye(len(known), dtype=bool)]
    far = bound_values(pairs, FAR)
    limits = dict.fromkeys(LIMITED, 4 * V_dir) | {"cantelli": bound.mean()}

    def value(m: float, name: str) -> float:
        return np.asarray(sum(bound_terms(pairs, m, name)[name])).mean()

    row = {
        "m": np.inf,
        "ways": 2,
        "error": pair.mean(),
        "V": V,
        "V_root": V_root,
        "V_dir": V_dir,
        "bound_known": bound.mean(),
        "violation_pair_known": (pair - bound).max(),
        "violation_V_dir": (directional(pairs) - pairs["v_i"] / pairs["distance2"]).max(),
        "crossing": smallest_m(lambda m: value(m, "theorem_4_1") < value(m, "neurips")),
    }
    for name, limit in limits.items():
        row[f"limit_{name}"] = abs(far[name].mean() / limit - 1)
    for name in CROSSED:
        row[f"half_{name}"] = smallest_m(lambda m, n=name: value(m, n) < 0.5)
        row[f"directional_from_{name}"] = smallest_m(
            lambda m, n=name: np.greater(*(term.mean() for term in bound_terms(pairs, m, n)[n]))
        )
    return row


def smallest_m(holds: Callable[[float], Any]) -> float:
    """The m >= 1 from which `holds(m)` is true, for a condition that stays true once it is."""
    if holds(1.0):
        return 1.0
    if not holds(FAR):
        return np.inf
    sign = lambda t: 1.0 if holds(np.exp(t)) else -1.0  # noqa: E731
    edge: Any = bisect(sign, 0, np.log(FAR), rtol=np.float64(1e-9))
    return float(np.exp(edge))


def _counted(centres: np.ndarray, z: np.ndarray) -> Errors:
    bias = -0.5 * (centres**2).sum(axis=1)
    labels = np.repeat(np.arange(len(centres)), z.shape[1])
    classes = list(range(len(centres)))
    return affine_errors(centres[None], bias[None], classes, z.reshape(-1, z.shape[2]), labels)
