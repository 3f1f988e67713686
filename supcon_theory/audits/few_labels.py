"""What a few labels are worth on somebody's embeddings: errors, bounds, probes."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from supcon_theory import inputs
from supcon_theory.audits import labels_needed, nulls
from supcon_theory.audits.few_shot import feature_audit
from supcon_theory.audits.opened import Opened
from supcon_theory.audits.small_samples import finite_sample_rows
from supcon_theory.measures.centres import nearest_centre, way_error
from supcon_theory.measures.moments import class_moments
from supcon_theory.measures.probes import knn_error, linear_probe, probe_error, ridge_probe
from supcon_theory.measures.supports import draw_supports

SHOTS = (1, 2, 5, 10, 20, 50, 100)
FAR_SHOTS = (200, 500, 1000)  # more, in the population only
CERTIFIED = (5, 20, 100, 500)  # shots at which certificates are found, where none are asked for
FEW = 100  # classes up to which few-shot errors and bounds are affordable
DRAWS = 20  # support draws in the population
HELD_OUT_DRAWS = 100  # of held-out errors
PROBED = 5  # support draws of the probes
MOST = 50  # labelled examples per class that a probe is fitted to


def few_label_tables(
    found: Opened,
    chosen: np.ndarray,
    shots: Sequence[int] | None,
    progress: Callable[[float], None],
) -> tuple[dict[str, list], list[nulls.Row]]:
    """The tables about few labels, and their rows of `NULLS`.

    Args:
        found: Embeddings and labels.
        chosen: The samples that are used.
        shots: Labelled examples per class; None for the usual ones, or none with many classes.
        progress: Called with the share that is done.

    Returns:
        Rows of `few_shot`, `held_out`, `labels_needed`, `finite_samples` and `probes`, by table,
        and rows of `nulls`; nothing where no shots are asked for or a class has too few samples.
    """
    y = found.y[torch.from_numpy(chosen)].unique(return_inverse=True)[1]
    asked = len(found.names) <= FEW if shots is None else len(shots) > 0
    if not asked or len(y.unique()) < 2:  # none, where every class has one sample
        return {}, []
    wanted, population, certified = (
        (SHOTS, (*SHOTS, *FAR_SHOTS), CERTIFIED) if shots is None else (shots, shots, shots)
    )
    x = found.source.at(chosen).double() if found.rows is None else found.rows[chosen]
    first, seed, ways = x[:, 0], found.seed, labels_needed.ways_of(int(y.max()) + 1)
    held_out = labels_needed.held_out_rows(
        first, y, wanted, draws=HELD_OUT_DRAWS, linear=True, seed=seed
    )
    progress(0.2)
    centres = [row for row in held_out if row["probe"] == "nearest centre"]
    shuffled = [
        labels_needed.held_out_rows(first, of, wanted, draws=DRAWS, linear=False, seed=seed)
        for of in found.shuffles_of(y)
    ]
    progress(0.4)
    few_shot = []
    flat, flat_y = x.flatten(0, 1), y.repeat_interleave(x.shape[1])
    if not class_moments(flat, flat_y).coincidence:  # else no theorem is about that pair
        few_shot = feature_audit(
            flat,
            flat_y,
            population,
            ways,
            draws=DRAWS,
            seed=seed,
            certified=certified,
            kinds=("chernoff",),
            progress=lambda share: progress(0.4 + 0.5 * share),
        )
    tables = {
        "few_shot": few_shot,
        "held_out": held_out,
        "labels_needed": labels_needed.needed_rows(held_out, few_shot),
        "finite_samples": finite_sample_rows(first, y, (*population, np.inf), ways),
        "probes": probe_rows(first, y),
    }
    return tables, nulls.shot_null_rows(centres, shuffled)


def probe_rows(x: Tensor, y: Tensor) -> list[dict[str, object]]:
    """All-way errors of four classifiers, fitted to one half of every class, on the other half.

    Args:
        x: Features (N, d), one row for each sample.
        y: Labels (N,), 0 .. C-1.

    Returns:
        A row of `PROBES` for each classifier; none where a class has fewer than two samples.
    """
    m = min(int(y.bincount().min()) // 2, MOST)
    if m < 1:
        return []
    features, labels = inputs.matrix(x), y.cpu().numpy()
    order = np.argsort(labels, kind="stable")
    place = np.arange(len(labels)) - np.searchsorted(labels[order], labels[order])
    halves = [(features[rows], labels[rows]) for rows in (order[place % 2 == h] for h in (0, 1))]
    (fit, of), (held, held_of) = halves
    supports = draw_supports(of, m, PROBED, seed=0)
    centres = nearest_centre(fit, of, supports, held, held_of)
    found = {
        "nearest centre": way_error(centres.beaten, supports.shape[1]),
        "linear": probe_error(linear_probe(fit, of, supports), held, held_of),
        "ridge": probe_error(ridge_probe(fit, of, supports), held, held_of),
        "nearest neighbours": knn_error(fit, of, supports, held, held_of, k=min(5, m)),
    }
    return [
        {"probe": name, "m": m, "error": float(np.mean(errors)), "draws": len(errors)}
        for name, errors in found.items()
    ]
