"""A law that breaks the older 1/m form of the few-shot bound, and every other bound beside it.

Two classes with means one apart and the same rank-one Gaussian nuisance, orthogonal to the line
between the means, of variance V. The directional CDNV is 0.
"""

import numpy as np
from scipy.integrate import quad
from scipy.special import ndtr

from supcon_theory.audits.columns import COUNTEREXAMPLE, COUNTEREXAMPLE_VALID
from supcon_theory.theory.few_shot import averages, pairs

COLUMNS, VERSION = COUNTEREXAMPLE.columns, COUNTEREXAMPLE.version
BLOCK = 250_000  # episodes drawn at once


def counterexample_audit(m: int, scale: float, draws: int, seed: int) -> dict[str, float]:
    """Error of the nearest class centre beside its bounds, for V = scale sqrt(m).

    Args:
        m: Supports per class.
        scale: V in units of sqrt(m).
        draws: Episodes (supports and one test point).
        seed: Key of the draws, with m and scale.

    Returns:
        A row with `COLUMNS`, but for `ways`, which is 2.
    """
    V = scale * np.sqrt(m)
    rng = np.random.default_rng([seed, m, int(1000 * scale)])
    exact, bounds = exact_error(V, m), law_bounds(V, m)
    return (
        {"m": m, "ways": 2, "scale": scale, "V": V, "draws": draws}
        | {"error": sampled_error(V, m, draws, rng), "error_exact": exact}
        | {f"bound_{name}": value for name, value in bounds.items()}
        | {f"violation_{name}": exact - bounds[name] for name in COUNTEREXAMPLE_VALID}
    )


def sampled_error(V: float, m: int, draws: int, rng: np.random.Generator) -> float:
    """Share of episodes in which the other centre is at least as near, test points of one class.

    The centre of m normal draws is itself normal with variance V/m: it is drawn directly.

    Args:
        V: Variance of the nuisance.
        m: Supports per class.
        draws: Episodes.
        rng: Where the numbers come from.

    Returns:
        The share.
    """
    wrong = 0
    for start in range(0, draws, BLOCK):
        size = min(BLOCK, draws - start)
        point = rng.normal(0, np.sqrt(V), size)
        own, other = rng.normal(0, np.sqrt(V / m), (2, size))
        wrong += np.count_nonzero(1 + (point - other) ** 2 <= (point - own) ** 2)
    return wrong / draws


def exact_error(V: float, m: int) -> float:
    """P(p r <= -1) for independent normals p, r of variances 2V/m and 4V + 2V/m.

    The margin is 1 + (own - other)(2 point - own - other), and the factors are uncorrelated.

    Args:
        V: Variance of the nuisance.
        m: Supports per class.

    Returns:
        The two-way error.
    """
    s = np.sqrt(2 * V / m * (4 * V + 2 * V / m))

    def density(x: float) -> float:
        return np.exp(-x * x / 2) / np.sqrt(2 * np.pi) * ndtr(-1 / (s * x))

    return 2 * quad(density, 0, np.inf, limit=400, epsabs=1e-13, epsrel=1e-12)[0]


def law_bounds(V: float, m: int) -> dict[str, float]:
    """Every bound from the exact moments: both classes have covariance V along one direction."""
    root, fourth = np.sqrt(V), 3 * V * V
    pair = (1.0, V, V, 0.0, fourth, fourth, m)
    found = {
        "older": averages.older_bound(V, 0.0, m),
        "neurips": averages.neurips_bound(V, root, 0.0, m),
        "neurips_rounded": averages.neurips_bound_rounded(V, root, 0.0, m),
        "tightened": averages.tightened_bound(V, root, 0.0, m),
        "cantelli_tightened": averages.cantelli_tightened_bound(V, 0.0, m),
        "theorem_4_1": pairs.theorem_4_1(*pair),
        "theorem_c_2": pairs.theorem_c_2(*pair),
        "cantelli": pairs.cantelli_certificate(
            1.0, V, V, 0.0, 0.0, V * V, V * V, V * V, 0.0, fourth, fourth, m
        ),
    }
    return {name: float(value) for name, value in found.items()}
