"""Few-shot error as a function of the number m of labelled samples per class.

Two protocols, never to be mixed. `labelled_curve`: supports are different training images, queries
are other images, as one would use an encoder; no theorem speaks about it. `resampled_curve`: the
features at hand *are* the population, supports are drawn from it with replacement and the error is
exact over all its points: what the bounds are proved for.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from supcon_theory.measures.centres import Errors, nearest_centre, way_error
from supcon_theory.measures.probes import linear_probe, probe_error
from supcon_theory.measures.supports import draw_supports


def labelled_curve(
    features,
    labels,
    queries: Mapping[str, tuple],
    shots: Sequence[int],
    ways: Sequence[int],
    *,
    draws: int,
    linear_draws: int,
    linear_shots: int,
    inverse_l2: float,
    seed: int,
) -> list[dict]:
    """Error of the nearest class centre and of the linear probe, supports all different.

    queries {name: (features, labels)}. A row per m, probe, name and, for the nearest centre, number
    of ways (the linear probe is all-way and fitted for m <= linear_shots): `error` (mean over the
    draws), `error_sd`, `draws`; for the linear probe `gradient` (the largest of the draws) and
    `unconverged` (how many draws; with any, `error` is NaN). Draws are nested in m; where m is the
    size of the class there is one draw only.

    Raises ValueError if a class has fewer than max(shots) samples, and what the probes raise.
    """
    labels = np.asarray(labels)
    every = draw_supports(labels, max(shots), max(draws, linear_draws), seed)
    whole = np.bincount(labels).max()
    rows = []
    for m in shots:
        supports = every[: 1 if m == whole else None, :, :m]
        C = supports.shape[1]
        centres, linear = supports[:draws], supports[:linear_draws]
        fitted = m <= linear_shots
        probe = linear_probe(features, labels, linear, inverse_l2=inverse_l2) if fitted else None
        for name, (z, y) in queries.items():
            about = {"m": m, "split": name}
            beaten = nearest_centre(features, labels, centres, z, y).beaten
            rows += [
                about | {"probe": "nearest centre", "ways": w} | _spread(way_error(beaten, w))
                for w in ways
            ]
            if probe is not None:
                rows.append(
                    about
                    | {"probe": "linear", "ways": C}
                    | _spread(probe_error(probe, z, y))
                    | {"gradient": probe.gradient.max(), "unconverged": (~probe.converged).sum()}
                )
    return rows


def resampled_curve(
    features, labels, shots: Sequence[int], *, draws: int, seed: int
) -> Iterator[tuple[int, Errors]]:
    """(m, errors of the nearest class centre) with the features as population, for each m.

    Two-way, C'-way and all-way errors all come from the same draws; see `Errors`, `way_error`.
    """
    every = draw_supports(labels, max(shots), draws, seed, replace=True)
    for m in shots:
        yield m, nearest_centre(features, labels, every[:, :, :m], features, labels)


def known_centre_errors(features, labels) -> np.ndarray:
    """Two-way error i -> j (C, C) when the centres are the class means of all the features.

    Classes may differ in size. Ties are errors.
    """
    labels = np.asarray(labels)
    classes = np.unique(labels)
    x = np.asarray(features, dtype=np.float64)
    means = np.stack([x[labels == c].mean(axis=0) for c in classes])
    everything = np.arange(len(classes))[None, :, None]
    return nearest_centre(means, classes, everything, x, labels).pair[0]


def _spread(errors: np.ndarray) -> dict:
    return {
        "error": errors.mean(),
        "draws": len(errors),
        "error_sd": errors.std(ddof=1) if len(errors) > 1 else np.nan,
    }
