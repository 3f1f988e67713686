"""Looking for a law that breaks a certificate: exact errors of small laws, a search over them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import lgamma

import numpy as np

from supcon_theory.theory.few_shot.certificates import Kind, certificate

TIE = 1e-12  # distances this close, relative to the largest, count as ties, hence as errors


@dataclass(frozen=True)
class Attack:
    """The law with the largest error / bound that a search found."""

    ratio: float
    classes: list[np.ndarray]
    m: int
    evaluations: int


def exact_error(classes: Sequence[np.ndarray], m: int) -> tuple[np.ndarray, np.ndarray]:
    """(pairs (C, C), all_way (C,)): the errors that `certificate` bounds, by enumeration.

    All outcomes of m draws from the distinct rows of every class with their multinomial
    probabilities: binomial(m + atoms - 1, m) of them, so for laws of a few atoms only.
    """
    C = len(classes)
    outcomes = [_centres(np.asarray(x, float), m) for x in classes]
    pairs, all_way = np.full((C, C), np.nan), np.zeros(C)
    for i, x in enumerate(classes):
        wrong, either = np.zeros(C), 0.0
        for z in x:
            distances = [np.sum((z - centres) ** 2, 1) for centres, _ in outcomes]
            slack = TIE * max(d.max() for d in distances)
            right = np.ones(len(distances[i]))
            for j in set(range(C)) - {i}:
                order = np.argsort(distances[j])
                below = np.concatenate([[0.0], np.cumsum(outcomes[j][1][order])])
                reach = np.searchsorted(distances[j][order], distances[i] + slack, side="right")
                wrong[j] += outcomes[i][1] @ below[reach]
                right *= 1 - below[reach]
            either += outcomes[i][1] @ (1 - right)
        pairs[i] = wrong / len(x)
        pairs[i, i] = np.nan
        all_way[i] = either / len(x)
    return pairs, all_way


def _centres(rows: np.ndarray, m: int) -> tuple[np.ndarray, np.ndarray]:
    """Every empirical centre of m draws and its probability."""
    atoms, counts = np.unique(rows, axis=0, return_counts=True)
    k = len(atoms)
    bars = np.array(list(combinations(range(m + k - 1), k - 1)), int)  # (outcomes, k - 1)
    edges = np.concatenate(
        [np.full((len(bars), 1), -1), bars, np.full((len(bars), 1), m + k - 1)], 1
    )
    hits = np.diff(edges, axis=1) - 1
    log = lgamma(m + 1) - np.vectorize(lgamma)(hits + 1).sum(1) + hits @ np.log(counts / len(rows))
    return hits @ atoms / m, np.exp(log)


def attack(
    kind: Kind,
    m: int,
    rng: np.random.Generator,
    evaluations: int = 200,
    classes: int = 2,
    atoms: int = 6,
    dimension: int = 2,
    below: float = 0.5,
    bound: Callable | None = None,
) -> Attack:
    """Search laws of at most `atoms` atoms in all for the largest error / bound.

    Each class has atoms // classes atoms with 1 to 40 copies each. Half of the evaluations are
    spent on random laws over many scales, half on random changes of the worst one. `bound(classes,
    m)` replaces the certificate (pairs, all_way), to attack something else. Errors above `below` do
    not count: near 1 every bound is tight. A ratio above 1 is a violation.
    """
    each = atoms // classes

    def bounds(law: list[np.ndarray], m: int) -> tuple[np.ndarray, np.ndarray]:
        found = certificate(law, m, kind)
        return found.pairs, found.all_way

    def ratio(points: np.ndarray, copies: np.ndarray) -> tuple[float, list[np.ndarray]]:
        law = [np.repeat(points[c], copies[c], axis=0) for c in range(classes)]
        largest = 0.0
        for exact, limit in zip(exact_error(law, m), (bound or bounds)(law, m), strict=False):
            known = (exact > 1e-9) & (exact <= below)  # False for NaN
            if known.any():
                largest = max(largest, float(np.max(exact[known] / limit[known])))
        return largest, law

    def anything() -> tuple[np.ndarray, np.ndarray]:
        spread = 10 ** rng.uniform(-2, 1, (classes, each, 1))
        centre = rng.normal(size=(classes, 1, dimension))
        points = centre + spread * rng.normal(size=(classes, each, dimension))
        return points, np.exp(rng.uniform(0, np.log(40), (classes, each))).astype(int)

    worst = (-1.0, [], None)
    for step in range(evaluations):
        if step < evaluations // 2 or worst[2] is None:
            points, copies = anything()
        else:
            points, copies = worst[2]
            size = 10 ** rng.uniform(-4, 0)
            points = points * (
                1 + size * rng.normal(size=points.shape) * (rng.random(points.shape) < 0.5)
            )
            copies = np.clip(copies + rng.integers(-2, 3, copies.shape), 1, 40)
        found, law = ratio(points, copies)
        if found > worst[0]:
            worst = (found, law, (points, copies))
    return Attack(worst[0], worst[1], m, evaluations)
