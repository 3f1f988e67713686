"""Few-shot error beside every bound on it, from the same population: rows of one tidy table.

A population is either a matrix of features, which is then resampled with replacement, or Gaussian
classes with known moments. In both the bounds get the population's own moments, so a bound that is
exceeded by more than the sampling error of the support draws is refuted.
"""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import bisect
from torch import Tensor

from supcon_theory.measures.centres import Errors, affine_errors, way_error
from supcon_theory.measures.few_shot import known_centre_errors, resampled_curve
from supcon_theory.measures.moments import class_moments
from supcon_theory.measures.pair_moments import (
    directional_scatter,
    fourth_moments,
    scatter_products,
    third_moments_along,
)
from supcon_theory.theory.few_shot import averages as few_shot
from supcon_theory.theory.few_shot import gaussian
from supcon_theory.theory.few_shot import pairs as few_shot_pairs
from supcon_theory.theory.few_shot.certificates import KINDS, Certificate, certificate

Pairs = dict[str, np.ndarray]  # arguments of `theory.few_shot.pairs`, one entry per ordered pair

BEYOND = 5.0  # standard errors that sampling of the supports may add to a mean error
FAR = 1e16  # an m at which limits are looked at: one bound approaches its own only as m^(-1/4)
PAIRWISE = ("theorem_4_1", "theorem_c_2", "cantelli")
AVERAGED = ("neurips", "neurips_16", "older")
BOUNDS = (*PAIRWISE, *AVERAGED, "tightened")
CERTIFICATES = tuple(f"conditional_{kind}" for kind in KINDS)


def feature_pairs(features: Tensor, labels: Tensor) -> Pairs:
    """Moments of all ordered pairs i != j of classes, in the order (0, 1), (0, 2) ... (C-1, C-2)."""
    moments = class_moments(features, labels)
    along, product = directional_scatter(moments), scatter_products(moments)
    fourth, v, squared = fourth_moments(moments), moments.variances, product.diagonal()
    matrices = {
        "distance2": moments.square_distances,
        "v_i": v[:, None],
        "v_j": v[None],
        "along_i": along,
        "along_j": along.T,
        "squared_i": squared[:, None],
        "squared_j": squared[None],
        "product": product,
        "third_j": third_moments_along(moments),
        "fourth_i": fourth[:, None],
        "fourth_j": fourth[None],
    }
    off = ~np.eye(len(v), dtype=bool)
    return {name: x.expand(off.shape).cpu().numpy()[off] for name, x in matrices.items()}


def averages(pairs: Pairs) -> tuple[float, float, float]:
    """V, V_root and V_dir of `theory.few_shot`: averages over the ordered pairs."""
    single = pairs["v_i"] / pairs["distance2"]
    return single.mean(), np.sqrt(single).mean(), directional(pairs).mean()


def directional(pairs: Pairs) -> np.ndarray:
    """U' Sigma_i u / d^2 of every ordered pair, u the unit vector between the means."""
    return pairs["along_i"] / pairs["distance2"] ** 2


def bound_terms(pairs: Pairs, m: float) -> dict[str, few_shot.Terms]:
    """Directional and dispersion terms, whose sum is the two-way bound, at m shots.

    The `PAIRWISE` bounds give arrays over the pairs, the `AVERAGED` ones bound the average.
    """
    chebyshev = [pairs[k] for k in ("distance2", "v_i", "v_j", "along_i", "fourth_i", "fourth_j")]
    V, V_root, V_dir = averages(pairs)
    return {
        "theorem_4_1": few_shot_pairs.theorem_4_1_terms(*chebyshev, m),
        "theorem_c_2": few_shot_pairs.theorem_4_1_terms(*chebyshev, m, crude=True),
        "cantelli": few_shot_pairs.cantelli_terms(*pairs.values(), m),
        "neurips": few_shot.neurips_terms(V, V_root, V_dir, m),
        "neurips_16": few_shot.neurips_terms(V, V_root, V_dir, m, a=16),
        "older": few_shot.older_terms(V, V_dir, m),
    }


def bound_values(pairs: Pairs, m: float) -> dict[str, np.ndarray]:
    """Every two-way bound at m shots, not cut at 1: `bound_terms` summed, and `tightened`."""
    values = {name: np.asarray(sum(terms)) for name, terms in bound_terms(pairs, m).items()}
    return values | {"tightened": np.asarray(few_shot.tightened_bound(*averages(pairs), m))}


def feature_audit(
    features: Tensor,
    labels: Tensor,
    shots: Sequence[int],
    ways: Sequence[int],
    *,
    draws: int,
    seed: int,
    certified: Sequence[int] = (),
) -> list[dict]:
    """Rows for features (N, d) with labels (N,) as the population: see `audit_rows`, `limit_row`.

    At the m in `certified` the certificates that condition on the test point are added, whose cost
    grows as C^2.
    """
    pairs = feature_pairs(features, labels)
    x, y = features.cpu().numpy(), labels.cpu().numpy()
    by_class = [x[y == c] for c in np.unique(y)]
    rows = [limit_row(pairs, known_centre_errors(x, y))]
    for m, errors in resampled_curve(x, y, shots, draws=draws, seed=seed):
        found = audit_rows(pairs, m, errors.pair, {w: way_error(errors.beaten, w) for w in ways})
        for kind in KINDS if m in certified else ():
            proved = certificate(by_class, m, kind)
            for row in found:
                row |= certificate_columns(f"conditional_{kind}", proved, row, errors.pair)
        rows += found
    return rows


def certificate_columns(name: str, proved: Certificate, row: dict, pair: np.ndarray) -> dict:
    """The columns of `audit_rows` for a certificate; between 2 and C ways by the union bound."""
    ways, C = row["ways"], pair.shape[1]
    bound = proved.error if ways == C else (ways - 1) * proved.two_way_error
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
) -> list[dict]:
    """The same rows for Gaussian classes, whose moments are exact.

    Two-way errors are exact given the centres; with more ways each draw has `queries` test points
    of its own per class.
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
            beaten = np.concatenate(
                [
                    _counted(law, centres[r], gaussian.samples(law, queries, (seed, m, r))).beaten
                    for r in range(draws)
                ]
            )
            by_ways |= {w: way_error(beaten, w) for w in ways if w > 2}
        rows += audit_rows(pairs, m, pair, {w: by_ways[w] for w in ways})
    return rows


def audit_rows(
    pairs: Pairs, m: int, pair: np.ndarray, by_ways: dict[int, np.ndarray]
) -> list[dict]:
    """A row per number of ways: errors (R, C, C) of pairs and (R,) of episodes against the bounds.

    `error`, its standard error `error_se` over the draws; `bound_*`, as published, not cut at 1;
    `cut_*`, the same with the bound of every pair cut at 1 before the average; `violation_*`, by how
    much the error less 5 standard errors is above min(1, cut). Two-way rows also hold the worst
    pair, `violation_pair_*`; `directional_*` and `dispersion_*`, the parts of each bound;
    `failed_margins`, the share of pairs where Theorem 4.1 has no bound; and `violation_order`, the
    largest of theorem_4_1 / theorem_c_2 - 1.
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


def _pair_columns(pairs: Pairs, m: int, pair: np.ndarray, values: dict) -> dict[str, float]:
    errors = pair[:, ~np.eye(pair.shape[1], dtype=bool)]
    lower = _lower(errors)
    columns = {
        f"violation_pair_{name}": (lower - np.minimum(1, values[name])).max() for name in PAIRWISE
    }
    for name, terms in bound_terms(pairs, m).items():
        columns[f"directional_{name}"], columns[f"dispersion_{name}"] = (t.mean() for t in terms)
    finite = np.isfinite(values["theorem_c_2"])
    ratio = values["theorem_4_1"][finite] / values["theorem_c_2"][finite]
    return columns | {
        "violation_order": ratio.max(initial=0) - 1,
        "failed_margins": (~finite).mean(),
    }


def _lower(errors: np.ndarray) -> np.ndarray:
    """Mean over the draws (R, ...) less what sampling may have added to it."""
    return errors.mean(axis=0) - BEYOND * errors.std(axis=0, ddof=1) / np.sqrt(len(errors))


def limit_row(pairs: Pairs, known: np.ndarray) -> dict[str, float]:
    """The row at m = inf: two-way errors (C, C) with known centres, limits, and where curves cross.

    `violation_pair_known` is the worst pair's excess over 4 V_dir / (1 + 4 V_dir); `violation_V_dir` the
    worst directional - single CDNV of a pair; `limit_*` the relative distance of a bound at
    m = 1e16 from its limit. In shots: `crossing`, above which theorem_4_1 is below neurips;
    `half_*`, above which a bound is below 1/2; `directional_from_*`, above which its directional
    term is the larger one. Never is inf.
    """
    V, V_root, V_dir = averages(pairs)
    bound = few_shot.known_centroid_bound(directional(pairs))
    pair = known[~np.eye(len(known), dtype=bool)]
    far = bound_values(pairs, FAR)
    limits = {
        "theorem_4_1": 4 * V_dir,
        "theorem_c_2": 4 * V_dir,
        "neurips": 4 * V_dir,
        "older": 4 * V_dir,
        "cantelli": bound.mean(),
    }
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
        "crossing": smallest_m(
            lambda m: (
                bound_values(pairs, m)["theorem_4_1"].mean() < bound_values(pairs, m)["neurips"]
            )
        ),
    }
    for name, limit in limits.items():
        row[f"limit_{name}"] = abs(far[name].mean() / limit - 1)
    for name in ("theorem_4_1", "neurips", "cantelli"):
        row[f"half_{name}"] = smallest_m(lambda m, n=name: bound_values(pairs, m)[n].mean() < 0.5)
        row[f"directional_from_{name}"] = smallest_m(
            lambda m, n=name: np.greater(*(term.mean() for term in bound_terms(pairs, m)[n]))
        )
    return row


def smallest_m(holds) -> float:
    """The m >= 1 from which `holds(m)` is true, for a condition that stays true once it is."""
    if holds(1.0):
        return 1.0
    if not holds(FAR):
        return np.inf
    return float(
        np.exp(bisect(lambda t: 1.0 if holds(np.exp(t)) else -1.0, 0, np.log(FAR), rtol=1e-9))
    )


def _counted(law: gaussian.GaussianClasses, centres: np.ndarray, z: np.ndarray) -> Errors:
    bias = -0.5 * (centres**2).sum(axis=1)
    labels = np.repeat(np.arange(len(centres)), z.shape[1])
    return affine_errors(
        centres[None], bias[None], np.arange(len(centres)), z.reshape(-1, z.shape[2]), labels
    )
