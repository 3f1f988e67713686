"""Means over all samples of a small law, by enumeration; and the law that attains Cantelli's bound.

A sample of n from a law of a few atoms of equal weight is a composition: how often each atom was
drawn, with its multinomial probability. So the mean of an estimate over all samples is a finite
sum, and whether it is unbiased is no matter of chance.
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from supcon_theory.audits.estimates import Row, summarised_upper
from supcon_theory.audits.small_samples import DELTA
from supcon_theory.measures.comparison import Cosines, cosine_covariance
from supcon_theory.measures.corrected import unbiased_moments
from supcon_theory.measures.covariances import (
    product_square,
    unbiased_covariance_square,
    unbiased_trace_square,
)
from supcon_theory.measures.moments import Moments, class_moments
from supcon_theory.measures.pair_moments import directional_scatter
from supcon_theory.theory.few_shot.averages import known_centroid_bound
from supcon_theory.theory.few_shot.finite_samples import moment_bounds

RARE = 0.1  # probability of the rare atom of the two-point law
Values = dict[str, Tensor]


def compositions(n: int, atoms: int) -> Iterator[tuple[float, list[int]]]:
    """All samples of n from equally likely atoms: their probability and the atoms drawn."""

    def counts(left: int, places: int) -> Iterator[tuple[int, ...]]:
        if places == 1:
            yield (left,)
            return
        for k in range(left + 1):
            for rest in counts(left - k, places - 1):
                yield (k, *rest)

    for of in counts(n, atoms):
        ways = math.factorial(n) / math.prod(map(math.factorial, of))
        yield ways / atoms**n, [atom for atom, k in enumerate(of) for _ in range(k)]


def enumeration_audit(n: int, seed: int) -> list[Row]:
    """Every moment that corrected measures are made of: mean over all samples less the truth.

    Args:
        n: Samples, of each of two classes of three atoms, or of four atoms with two embeddings.
        seed: Key of the atoms.

    Returns:
        A row of `ESTIMATES` for each moment (the first entry where it is a matrix).
    """
    rng = np.random.default_rng((seed, n))
    rows = torch.from_numpy(rng.normal(size=(2, 3, 3)))
    y = torch.arange(2)
    samples = [(p, rows[0][i]) for p, i in compositions(n, 3)]
    others = [(p, rows[1][i]) for p, i in compositions(n, 3)]
    both = [(p * q, torch.cat([a, b])) for p, a in samples for q, b in others]
    of_classes = _compared(
        class_values(class_moments(rows.flatten(0, 1), y.repeat_interleave(3))),
        [(p, class_values(class_moments(z, y.repeat_interleave(n)))) for p, z in both],
        [(p, corrected_class_values(z, y.repeat_interleave(n))) for p, z in both],
    )
    x, z = (torch.from_numpy(rng.normal(size=(4, d))) for d in (3, 2))
    pairs = [(p, x[i], z[i]) for p, i in compositions(n, 4)]
    everything = torch.cartesian_prod(torch.arange(4), torch.arange(4))
    truth = pair_values(x, z) | {"covariance of cosines": _of_cosines(x, z, everything)}
    of_pairs = _compared(
        truth,
        [(p, pair_values(a, b)) for p, a, b in pairs],
        [(p, corrected_pair_values(a, b)) for p, a, b in pairs],
    )
    about = {"law": "atoms", "n": n, "draws": 0}
    return [about | row for row in (*of_classes, *of_pairs)]


def class_values(moments: Moments) -> Values:
    """Plug-in moments of two classes."""
    m = moments.means - moments.means.mean(0)
    scatter = directional_scatter(moments)
    through = (scatter[0, 1] + scatter[1, 0]) / 8  # m = D/2, Sigma_W the mean of two
    return {
        "variance": moments.variances,
        "squared distance": moments.square_distances[0, 1],
        "directional scatter": scatter[[0, 1], [1, 0]],
        "Gram matrix": m @ m.T,
        "scatter through the means": through,
    }


def corrected_class_values(z: Tensor, y: Tensor) -> Values:
    """The same moments without bias."""
    found = unbiased_moments(z, y)
    return {
        "variance": found.variances,
        "squared distance": found.distances[0, 1],
        "directional scatter": found.along[[0, 1], [1, 0]],
        "Gram matrix": found.gram,
        "scatter through the means": found.through[0, 0],
    }


def pair_values(x: Tensor, y: Tensor) -> Values:
    """Plug-in squares of two embeddings of the same samples."""
    n, u, v = len(x), x - x.mean(0), y - y.mean(0)
    cosines = [Cosines(z / z.norm(dim=1, keepdim=True)) for z in (x, y)]
    return {
        "squared covariance": _number(product_square(u, v) / n**2),
        "squared trace": u.square().sum().square() / n**2,
        "trace of the square": _number(product_square(u, u) / n**2),
        "covariance of cosines": _number(cosine_covariance(*cosines)[0]),
    }


def corrected_pair_values(x: Tensor, y: Tensor) -> Values:
    """The same squares without bias."""
    u, v = x - x.mean(0), y - y.mean(0)
    k, l, square = u.square().sum(1), v.square().sum(1), product_square(u, u)
    cosines = [Cosines(z / z.norm(dim=1, keepdim=True)) for z in (x, y)]
    found = {
        "squared covariance": unbiased_covariance_square(k, l, product_square(u, v)),
        "squared trace": unbiased_trace_square(k, k, square),
        "trace of the square": unbiased_covariance_square(k, k, square),
        "covariance of cosines": cosine_covariance(*cosines)[1],
    }
    return {name: _number(value) for name, value in found.items()}


def _number(value: float) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)


def _of_cosines(x: Tensor, y: Tensor, pairs: Tensor) -> Tensor:
    """Covariance of both cosines over these pairs of atoms."""
    i, j = pairs.T
    a, b = (torch.cosine_similarity(z[i], z[j]) for z in (x, y))
    return ((a - a.mean()) * (b - b.mean())).mean()


def _compared(
    truth: Values, plug_in: list[tuple[float, Values]], corrected: list[tuple[float, Values]]
) -> list[Row]:
    """A row for each moment from its values in all samples with their probabilities."""
    rows = []
    for name, true in truth.items():
        plain, right = (
            torch.stack([p * values[name] for p, values in of]).sum(0).flatten()
            for of in (plug_in, corrected)
        )
        true = true.flatten()
        row: Row = {"measure": name, "truth": true[0].item(), "plug_in": plain[0].item()}
        row["corrected"] = right[0].item()
        for which in ("plug_in", "corrected"):
            row[f"bias_{which}"] = row[which] / row["truth"] - 1
        row["unbiased_error"] = ((right - true).abs().max() / true.abs().max()).item()
        rows.append(row)
    return rows


def two_points_audit(n: int, draws: int, seed: int) -> Row:
    """Cantelli's bound with known centres fed with estimates, on the law that attains it.

    Two classes on a line at -1/2 and 1/2: a share p of class 1 sits at 0, half-way, the rest at
    -1/2 - p/(2 (1-p)); class 2 mirrors it. Every point half-way is an error: the error is p, and
    4 V_dir/(1 + 4 V_dir) = p. Samples without a point half-way give the bound 0.

    Args:
        n: Samples of each class.
        draws: Independent samples of that size.
        seed: Key of the draws.

    Returns:
        A row of `ESTIMATES` for the measure "known-centre bound".
    """
    rng, p = np.random.default_rng((seed, n)), RARE
    rest = -0.5 - p / (2 * (1 - p))
    shares = rng.binomial(n, p, (draws, 2)) / n  # of points half-way
    means, grow = (1 - shares) * rest, n / (n - 1)
    v = shares * (1 - shares) * rest**2
    distance = -means.sum(1)
    unbiased = distance**2 - (v * grow / n).sum(1)  # of the squared distance
    estimates = {
        "plug_in": _bound(v, distance[:, None] ** 2),
        "corrected": _bound(v * grow, unbiased[:, None]),
        "upper": np.array([_proved(n, *of) for of in zip(v * grow, means, strict=True)]),
    }
    row: dict[str, Any] = {"law": "two points", "measure": "known-centre bound", "n": n}
    row |= {"draws": draws, "truth": p, "missed": np.mean(estimates["plug_in"] < p)}
    row |= {name: values.mean() for name, values in estimates.items()}
    row |= {f"bias_{name}": row[name] / p - 1 for name in ("plug_in", "corrected")}
    return row | {"defined": 1.0} | summarised_upper(estimates["upper"], p, chance=0.5)


def _bound(v: np.ndarray, square: np.ndarray) -> np.ndarray:
    """Mean over both classes of the bound, 1 where the distance is not above 0."""
    known = np.broadcast_to(square > 0, v.shape)
    ratio = np.divide(v, square, out=np.zeros_like(v), where=known)
    return np.where(known, known_centroid_bound(ratio), 1.0).mean(axis=1)


def _proved(n: int, v: np.ndarray, means: np.ndarray) -> float:
    """The bound of moments bounded by concentration; all variance is along the line."""
    distance = -means.sum()
    square = distance * (1 - np.eye(2))
    along = v[:, None] * square**2
    found = moment_bounds([n, n], v, v, -means, square, along, DELTA)
    line = found.V_dir[[0, 1], [1, 0]]
    known = np.isfinite(line)
    return float(_bound(np.where(known, line, 0.0)[None], np.where(known, 1.0, 0.0)[None])[0])
