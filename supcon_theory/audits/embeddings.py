"""Everything about somebody's embeddings: all tables, or a few floats to log while training."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from supcon_theory import inputs
from supcon_theory.audits.anatomy import anatomy_audit
from supcon_theory.audits.collapse import geometry_row, pairs_table, spectrum_table
from supcon_theory.audits.columns import EMBEDDINGS
from supcon_theory.audits.comparison import comparison_table
from supcon_theory.audits.few_shot import feature_audit
from supcon_theory.audits.gap import labelling_audit
from supcon_theory.audits.small_samples import (
    dimension_row,
    finite_sample_rows,
    small_samples_row,
)
from supcon_theory.measures import spectrum
from supcon_theory.measures.centres import nearest_centre, way_error
from supcon_theory.measures.losses import global_losses
from supcon_theory.measures.probes import knn_error, linear_probe, probe_error, ridge_probe
from supcon_theory.measures.supports import draw_supports
from supcon_theory.theory.gap import equal_similarity_gap
from supcon_theory.theory.transfer import effective_ratio

COLUMNS, VERSION = EMBEDDINGS.columns, EMBEDDINGS.version
SHOTS = (1, 5, 20, 100)
FEW = 100  # classes up to which few-shot errors and bounds are affordable
DRAWS = 20  # support draws
PROBED = 5  # support draws of the probes
MOST = 50  # labelled examples per class that a probe is fitted to


def audit(
    z: Tensor | np.ndarray,
    y: object,
    taus: Sequence[float] = (1.0, 0.1),
    shots: Sequence[int] | None = None,
    *,
    against: Tensor | np.ndarray | None = None,
) -> dict[str, pd.DataFrame]:
    """Every measure of embeddings beside every bound on it.

    Rows are scaled to unit norm first: all tables are about the scaled ones.

    Args:
        z: Embeddings (N, d) or (N, K, d), tensor or array, of any norm but 0.
        y: Labels (N,), of any kind.
        taus: Temperatures of the losses.
        shots: Labelled examples per class in few-shot classification. By default 1, 5, 20 and 100,
            or none with more than 100 classes, where they take minutes.
        against: Embeddings of the same samples by another model, of any dimension and views.

    Returns:
        By the name of the table: `gap` (a row per temperature: the losses, their gap, its bounds
        and the distance from the floors), `anatomy` (the same: what the excess over the minimum is
        made of, how much of it is collapse, bounds on the gap from two moments), `geometry` (one
        row: collapse, CDNV, rank, what corrects them for few samples, and the norms of the rows as
        given), `pairs` (CDNV of every ordered pair of classes), `spectrum`, `ranks` and, if any
        shots are asked for, `few_shot` (error of the nearest class centre and its bounds, the
        embeddings being the population; m = inf: known centres), `finite_samples` (the bounds that
        hold for the law behind them) and `probes`
        (errors of four classifiers on samples that they were not fitted to); with `against`,
        `comparison` (CKA and RSA, beside shuffled rows). What is about balanced classes is NaN for
        others. `audits.columns` says what each column means.

    Example:
        >>> import numpy as np
        >>> z, y = np.random.default_rng(0).normal(size=(60, 8)), np.arange(60) % 3
        >>> print(*audit(z, y))
        gap anatomy geometry pairs spectrum ranks few_shot finite_samples probes
    """
    rows, norms = _scaled(z)
    of, names = inputs.labels(y, len(rows)).to(rows.device), inputs.class_names(y)
    compared = {} if against is None else {"comparison": _compared(rows, against)}
    N, K, d = rows.shape
    about = {"C": len(names), "n": N / len(names), "K": K, "d": d}
    tables = {
        "gap": pd.DataFrame([about | row for row in labelling_audit(rows, of, taus)]),
        "anatomy": pd.DataFrame([about | row for row in anatomy_audit(rows, of, taus)]),
        "geometry": pd.DataFrame(
            [about | geometry_row(rows, of) | small_samples_row(rows, of) | norms]
        ),
        "pairs": pairs_table(rows, of, names),
        "spectrum": spectrum_table(rows),
        "ranks": pd.DataFrame([about | ranks_row(rows) | dimension_row(rows)]),
    }
    shots = (SHOTS if len(names) <= FEW else ()) if shots is None else shots
    if len(shots):
        ways = sorted({2, len(names)})
        flat, labels = rows.flatten(0, 1), of.repeat_interleave(K)
        found = feature_audit(flat, labels, shots, ways, draws=DRAWS, seed=0)
        tables["few_shot"] = pd.DataFrame([about | row for row in found])
        proved = finite_sample_rows(rows[:, 0], of, (*shots, np.inf), ways)
        tables["finite_samples"] = pd.DataFrame([about | row for row in proved])
        tables["probes"] = pd.DataFrame([about | row for row in probe_rows(rows[:, 0], of)])
    return tables | compared


def _compared(rows: Tensor, against: Tensor | np.ndarray) -> pd.DataFrame:
    """The table `comparison`, of unit rows."""
    other = inputs.features(against, "against").detach()
    return comparison_table(rows, inputs.unit_rows(other if other.ndim == 3 else other[:, None]))


def ranks_row(rows: Tensor) -> dict[str, float]:
    """How many directions embeddings (N, K, d) use: `RANKS`; lidar is NaN for a single view."""
    singular = spectrum.singular_values(rows, centred=True)
    half = int((singular > singular.max() * 1e-9).sum()) // 2
    return {
        "rankme": spectrum.rankme(spectrum.singular_values(rows)),
        "participation_ratio": spectrum.participation_ratio(singular),
        "stable_rank": spectrum.stable_rank(singular),
        "power_law": spectrum.power_law(singular, last=half) if half > 1 else np.nan,
        "lidar": spectrum.lidar(rows) if rows.shape[1] > 1 else np.nan,
    }


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


def scalars(z: Tensor | np.ndarray, y: object, *, tau: float) -> dict[str, float]:
    """What to log in a training loop: gap, losses, r, CDNV, collapse, effective rank, norms.

    Quick: 10,000 x 128 takes less than a second on one core. Rows are scaled to unit norm first.

    Args:
        z: Embeddings (N, d) or (N, K, d), tensor or array, of any norm but 0.
        y: Labels (N,), of any kind.
        tau: Temperature of the losses.

    Returns:
        The columns of `EMBEDDINGS` by name, plain floats; NaN for what is not defined here.

    Example:
        >>> import numpy as np
        >>> z, y = np.random.default_rng(0).normal(size=(60, 8)), np.arange(60) % 3
        >>> 0 < scalars(z, y, tau=1.0)["gap"] < 1
        True
    """
    rows, norms = _scaled(z)
    rows, of = rows.float(), inputs.labels(y, len(rows)).to(rows.device)
    (losses,) = global_losses(rows, of, [tau]).values()
    gap = {
        "loss_dcl": losses.mean_dcl,
        "loss_nscl": losses.mean_nscl,
        "gap": losses.mean_gap,
        "r": effective_ratio(losses.mean_gap, equal_similarity_gap(of.bincount().cpu().numpy())),
    }
    found = gap | geometry_row(rows, of) | norms
    return {name: float(value) for name, value in found.items()}


def _scaled(z: Tensor | np.ndarray) -> tuple[Tensor, dict[str, float]]:
    """(N, K, d) float64 unit rows, without a graph, and the norms that the rows had."""
    given = inputs.features(z, "z").detach()
    given = given if given.ndim == 3 else given[:, None]
    norms = torch.linalg.vector_norm(given.double(), dim=-1)
    account = {
        "norm_mean": norms.mean(),
        "norm_sd": norms.std(correction=0),
        "norm_min": norms.min(),
        "norm_max": norms.max(),
    }
    return inputs.unit_rows(given), {name: float(value) for name, value in account.items()}
