"""How many labels a class are needed: measured on held-out samples, in the population, and proved.

`held-out` classifies one half of every class with supports from the other half: what a person who
labels samples will see. `population` takes the embeddings themselves as the law that supports and
queries come from, and `certified` is the least of the proved bounds on its error: a theorem about
that law, a plug-in estimate for any larger one that these embeddings were drawn from.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from supcon_theory import inputs
from supcon_theory.audits.columns import AVERAGED, CERTIFICATES, HELD_OUT, LABELS_NEEDED, PAIRWISE
from supcon_theory.audits.columns import TIGHTENED as TIGHTENED_BOUNDS
from supcon_theory.measures.few_shot import labelled_curve

COLUMNS, VERSION = LABELS_NEEDED.columns, LABELS_NEEDED.version
HELD_OUT_COLUMNS, HELD_OUT_VERSION = HELD_OUT.columns, HELD_OUT.version
Row = dict[str, Any]
ACCURACIES = (0.9, 0.95, 0.99)
EPISODES = (2, 5)  # ways, besides all
LINEAR_DRAWS = 5
LINEAR_SHOTS = 50  # most labelled examples per class that a linear probe is fitted to
# The 1/m form of the older paper is refuted, so it proves nothing.
PROVED = [name for name in PAIRWISE | AVERAGED | TIGHTENED_BOUNDS | CERTIFICATES if name != "older"]


def ways_of(C: int) -> list[int]:
    """Numbers of classes in an episode: 2, 5 and all, as far as there are so many."""
    return sorted({ways for ways in (*EPISODES, C) if ways <= C})


def held_out_rows(
    x: Tensor, y: Tensor, shots: Sequence[int], *, draws: int, linear: bool, seed: int
) -> list[Row]:
    """Few-shot errors with half of every class as supports and the other half as queries.

    Args:
        x: (N, d), one row for each sample.
        y: (N,) class numbers.
        shots: Labelled examples per class; those beyond half of the smallest class are left out.
        draws: Of the supports, without replacement, for the nearest centre.
        linear: Whether a linear probe is fitted too.
        seed: Key of the halves and of the draws.

    Returns:
        A row of `HELD_OUT` per m, probe and ways; none where a class has a single sample.
    """
    labels = y.numpy()
    smallest = int(np.bincount(labels).min()) // 2
    shots = [m for m in shots if m <= smallest]
    if not shots:
        return []
    features, first = inputs.matrix(x), halves(labels, seed)
    supports, queries = np.flatnonzero(first), np.flatnonzero(~first)
    found = labelled_curve(
        features[supports],
        labels[supports],
        {"held-out": (features[queries], labels[queries])},
        shots,
        ways_of(int(labels.max()) + 1),
        draws=draws,
        linear_draws=LINEAR_DRAWS,
        linear_shots=LINEAR_SHOTS if linear else 0,
        inverse_l2=1.0,
        seed=seed,
    )
    sizes = {"supports": len(supports), "queries": len(queries)}
    return [row | sizes | {"chance": 1 - 1 / row["ways"]} for row in found]


def halves(labels: np.ndarray, seed: int) -> np.ndarray:
    """Whether each sample is in the first half of its class, drawn by key; the larger is second."""
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, 6))))
    order = rng.permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    counts = np.bincount(labels)
    place = np.arange(len(labels)) - (counts.cumsum() - counts)[labels[order]]
    first = np.empty(len(labels), dtype=bool)
    first[order] = place < counts[labels[order]] // 2
    return first


def needed_rows(held_out: Sequence[Row], few_shot: Sequence[Row]) -> list[Row]:
    """The least number of labels a class from which each accuracy is reached, and stays reached.

    Args:
        held_out: Rows of `HELD_OUT`.
        few_shot: Rows of `FEW_SHOT`.

    Returns:
        A row of `LABELS_NEEDED` per protocol, probe, ways and accuracy.
    """
    curves: dict[tuple[str, str, int], list[tuple[float, float]]] = {}
    for row in held_out:
        key = ("held-out", row["probe"], row["ways"])
        curves.setdefault(key, []).append((row["m"], row["error"]))
    for row in few_shot:
        if np.isfinite(row["m"]):
            key = ("nearest centre", row["ways"])
            curves.setdefault(("population", *key), []).append((row["m"], row["error"]))
            curves.setdefault(("certified", *key), []).append((row["m"], proved_error(row)))
    return [
        {"protocol": protocol, "probe": probe, "ways": ways} | needed(curve, accuracy)
        for (protocol, probe, ways), curve in curves.items()
        for accuracy in ACCURACIES
    ]


def proved_error(row: Row) -> float:
    """The least of the proved bounds on the error of a row of `FEW_SHOT`, cut at 1."""
    bounds = [row.get(f"cut_{name}", np.nan) for name in PROVED]
    return float(min(1.0, np.nanmin(bounds)))


def needed(curve: Iterable[tuple[float, float]], accuracy: float) -> Row:
    """Of (m, error) pairs the least m from which on the error is at most 1 - accuracy.

    Args:
        curve: Numbers of labels and errors; an error may be NaN, which reaches nothing.
        accuracy: What is wanted.

    Returns:
        The columns of `LABELS_NEEDED` from `accuracy` on.
    """
    m, error = np.array(sorted(curve), float).T
    reached = error <= 1 - accuracy + 1e-12
    below = np.flatnonzero(~reached)
    start = below[-1] + 1 if len(below) else 0
    if start < len(m):
        found = {"m": m[start], "error": error[start], "reason": ""}
    else:
        why = f"not reached with m = {m[-1]:g} ({error[-1]:.1%} wrong)"
        found = {"m": np.nan, "error": error[-1], "reason": why}
    return {"accuracy": accuracy, "most_tried": m[-1]} | found
