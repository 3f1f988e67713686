"""How near to a Gaussian features are, what the test sees, what an estimate made of it is worth.

*features*: an encoder's. *power*: how often the test rejects samples of laws that are known.
*few shots*: the error of the nearest centre beside that of Gaussian classes of the same moments.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from supcon_theory.audits.columns import GAUSSIANITY
from supcon_theory.measures.few_shot import known_centre_errors, resampled_curve
from supcon_theory.measures.gaussianity import (
    bhep,
    bhep_null,
    exact_p,
    excess_kurtosis,
    norm_ratio,
    normal_distances,
    projections,
    top_components,
)
from supcon_theory.measures.sampling import sampled_rows
from supcon_theory.theory.few_shot.gaussian import GaussianClasses, pair_errors, sampled_centres

COLUMNS, VERSION = GAUSSIANITY.columns, GAUSSIANITY.version
LEVEL = 0.05  # of the test
DIRECTIONS = 200  # random projections
BEYOND = 5  # standard errors that a share of rejections may be off
Row = dict[str, Any]
Law = Callable[[np.random.Generator, int, int], np.ndarray]


def gaussian(rng: np.random.Generator, N: int, k: int) -> np.ndarray:
    """The null, in axes of its own."""
    return rng.normal(size=(N, k)) @ rng.normal(size=(k, k))


def student(rng: np.random.Generator, N: int, k: int) -> np.ndarray:
    """Multivariate t of 10 degrees of freedom."""
    return rng.normal(size=(N, k)) / np.sqrt(rng.chisquare(10, N) / 10)[:, None]


def sphere(rng: np.random.Generator, N: int, k: int) -> np.ndarray:
    """Uniform on the unit sphere."""
    x = rng.normal(size=(N, k))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def classes(rng: np.random.Generator, N: int, k: int) -> np.ndarray:
    """Ten Gaussian classes whose means vary as much as they do themselves."""
    return rng.normal(size=(10, k))[np.arange(N) % 10] + rng.normal(size=(N, k))


LAWS: dict[str, Law] = {
    "gaussian": gaussian,
    "student": student,
    "sphere": sphere,
    "classes": classes,
}


def power_rows(N: int, k: int, samples: int, draws: int, seed: int) -> Iterator[Row]:
    """How often samples of N rows and k dimensions are rejected at the level.

    Args:
        N: Rows of a sample.
        k: Dimensions.
        samples: Of each law.
        draws: Of the null.
        seed: Key.

    Yields:
        A row of the protocol "power" for each of `LAWS`.
    """
    rng, null = np.random.default_rng((seed, N, k, 7)), bhep_null(N, k, draws, seed)
    for name, law in LAWS.items():
        found = [bhep(top_components(law(rng, N, k), k)) for _ in range(samples)]
        rejected = float((exact_p(found, null) <= LEVEL).mean())
        row = {"protocol": "power", "law": name, "n": N, "k": k, "draws": samples}
        row["rejected"] = rejected
        if name == "gaussian":
            off = BEYOND * np.sqrt(LEVEL * (1 - LEVEL) * (1 / samples + 1 / draws))
            row["violation_level"] = abs(rejected - LEVEL) - off
        yield row


def feature_row(x: np.ndarray, N: int, k: int, draws: int, seed: int) -> Row:
    """Projections, norms and the multivariate test of features.

    Args:
        x: (M, D) features.
        N: Rows that the test looks at, drawn; those of `power_rows`. All, if there are fewer.
        k: Top principal components that it looks at.
        draws: Of the null.
        seed: Key.

    Returns:
        A row of the protocol "features".
    """
    along = projections(x, DIRECTIONS, seed)
    rows = x[sampled_rows(len(x), N, seed)]
    normal = np.random.default_rng((seed, len(x))).normal(size=along.shape)
    top = top_components(rows, k)
    statistic = bhep(top)
    return {
        "protocol": "features",
        "k": k,
        "distance": float(normal_distances(along).mean()),
        "distance_normal": float(normal_distances(normal).mean()),
        "distance_top": float(normal_distances(top).mean()),
        "kurtosis": float(excess_kurtosis(along).mean()),
        "norm_ratio": norm_ratio(x),
        "bhep": statistic,
        "p": float(exact_p(statistic, bhep_null(len(rows), k, draws, seed))),
    }


def error_rows(
    x: np.ndarray, y: np.ndarray, shots: Sequence[int], draws: int, seed: int
) -> Iterator[Row]:
    """The two-way error of features beside that of Gaussian classes with their moments.

    Args:
        x: (N, D) features, the population.
        y: (N,) labels 0 .. C-1.
        shots: Numbers m of supports of each class; with them m = inf, the class means themselves.
        draws: Draws of the supports.
        seed: Key.

    Yields:
        Rows of the protocol "few shots".
    """
    C = int(y.max()) + 1
    groups = [x[y == c] for c in range(C)]
    means = np.stack([of.mean(0) for of in groups])
    law = GaussianClasses(means, np.stack([np.cov(of.T, bias=True) for of in groups]))
    pairs = C * (C - 1)
    found = [(m, errors.pair) for m, errors in resampled_curve(x, y, shots, draws=draws, seed=seed)]
    estimates = [pair_errors(law, sampled_centres(law, m, draws, seed)) for m in shots]
    known = (np.inf, known_centre_errors(x, y)[None])
    for (m, pair), estimate in zip(
        [*found, known], [*estimates, pair_errors(law, means[None])], strict=True
    ):
        error, guess = (float(of.sum((1, 2)).mean() / pairs) for of in (pair, estimate))
        row = {"protocol": "few shots", "m": m, "draws": draws, "error": error, "estimate": guess}
        yield row | {"log2_ratio": float(np.log2(guess / error)) if error and guess else np.nan}
