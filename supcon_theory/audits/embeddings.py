"""Everything about somebody's embeddings: all tables, or a few floats to log while training."""

import sys
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from torch import Tensor

from supcon_theory import inputs
from supcon_theory.audits import comparison, losses, nulls
from supcon_theory.audits.anatomy import anatomy_rows
from supcon_theory.audits.collapse import debiased_columns, geometry_row, pairs_table, spectrum_of
from supcon_theory.audits.columns import EMBEDDINGS, SMALL_SAMPLES
from supcon_theory.audits.few_labels import few_label_tables
from supcon_theory.audits.gap import evaluated
from supcon_theory.audits.nearest import mislabelled_table, voted
from supcon_theory.audits.opened import Opened, Progress, opened
from supcon_theory.audits.raw import raw_table
from supcon_theory.audits.small_samples import DIMENSION, dimension_row, small_samples_row
from supcon_theory.measures import spectrum
from supcon_theory.measures.class_geometry import streamed_geometry
from supcon_theory.measures.losses import LEAST_TAU, global_losses
from supcon_theory.measures.sampling import sampled_rows
from supcon_theory.theory.gap import equal_similarity_gap
from supcon_theory.theory.transfer import effective_ratio

COLUMNS, VERSION = EMBEDDINGS.columns, EMBEDDINGS.version
EXACT = 65_536  # rows up to which every one is an anchor
ANCHORS = 4096  # anchors drawn above that
BUDGET = 3000  # samples of the subset for few-shot errors, probes and certificates


def audit(
    z: Tensor | np.ndarray,
    y: object,
    taus: Sequence[float] = (1.0, 0.1),
    shots: Sequence[int] | None = None,
    *,
    exact: int = EXACT,
    anchors: int = ANCHORS,
    budget: int = BUDGET,
    seed: int = 0,
    against: Tensor | np.ndarray | None = None,
    raw: bool = False,
    progress: Progress | None = None,
) -> dict[str, pd.DataFrame]:
    """Every measure of embeddings beside every bound on it, and beside what it is by chance.

    Rows are scaled to unit norm first: all tables are about the scaled ones. A memory map is read a
    few thousand rows at a time and never copied whole.

    Args:
        z: Embeddings (N, d) or (N, K, d), tensor, array or NumPy memory map, of any norm but 0.
        y: Labels (N,), of any kind.
        taus: Temperatures of the losses.
        shots: Labelled examples per class in few-shot classification. By default 1 to 100 on
            held-out samples and 1 to 1000 in the population, or none with more than 100 classes,
            where they take minutes.
        exact: Rows N K up to which losses are taken over all anchors, and the rows kept in memory.
        anchors: Anchors drawn above that, each against all rows; means then have an interval.
        budget: Samples of the subset on which few-shot errors, probes and certificates are taken:
            of every class as many, as far as it has them. Time grows as its square.
        seed: Key of every draw.
        against: Embeddings of the same samples by another model, of any dimension and views.
        raw: Add the table `raw`: measures that are defined without the sphere, with lengths kept.
        progress: Called as progress(what, share) while it runs, share from 0 to 1.

    Returns:
        Tables by name, as `docs/audit_measures.md` lists them; `audits.columns` says what each
        column means. Losses that need two views, and what is about balanced classes, are NaN where
        they do not exist. `few_shot`, `held_out`, `labels_needed` and `probes` are left out where
        no shots are asked for or a class has too few samples.

    Example:
        >>> import numpy as np
        >>> z, y = np.random.default_rng(0).normal(size=(60, 8)), np.arange(60) % 3
        >>> ", ".join(audit(z, y, shots=(1, 5)))
        'gap, per_class, geometry, pairs, spectrum, ranks, anatomy, neighbours, mislabelled, \
few_shot, held_out, labels_needed, finite_samples, probes, nulls, subsets'
    """
    exact, anchors = inputs.whole(exact, "exact", 0), inputs.whole(anchors, "anchors", 2)
    budget, seed = inputs.whole(budget, "budget", 4), inputs.whole(seed, "seed", 0, inputs.SEEDS)
    shots = None if shots is None else [inputs.whole(m, "shots") for m in shots]
    taus = inputs.temperatures(taus, least=LEAST_TAU)
    report = progress or (lambda what, share: None)
    report("reading", 0.0)
    found = opened(z, y, exact=exact, seed=seed)
    about, K = found.about, found.source.shape[1]

    def part(what: str, start: float, end: float) -> Callable[[float], None]:
        return lambda share: report(what, start + (end - start) * share)

    report("losses", 0.05)
    if found.rows is not None:
        full = evaluated(found.rows, found.y, taus)
        over = losses.all_anchors(found, full)
        anatomy = anatomy_rows(full)
    else:
        anatomy, over = [], losses.drawn_anchors(found, taus, anchors, part("losses", 0.05, 0.3))
    gap = losses.gap_rows(found, over)
    report("geometry", 0.3)
    plain, centred = _singular(found)
    geometry = _geometry(found, plain)
    ranks = spectrum.rank_columns(plain, centred)
    ranks["lidar"] = np.nan if K == 1 or found.rows is None else spectrum.lidar(found.rows)
    corrected = dict.fromkeys(SMALL_SAMPLES.names, np.nan)
    dimension = dict.fromkeys(DIMENSION, np.nan)
    if found.rows is not None:  # in longer sets classes are large, and there is little to correct
        report("few samples", 0.33)
        corrected = small_samples_row(found.rows, found.y, seed)
        dimension = dimension_row(found.rows, seed)
    tables = {
        "gap": pd.DataFrame([about | row for row in gap]),
        "per_class": losses.class_table(found, over),
        "geometry": pd.DataFrame([about | geometry | corrected | found.norm_columns()]),
        "pairs": pairs_table(found.moments, found.names),
        "spectrum": spectrum_of(centred),
        "ranks": pd.DataFrame([about | ranks | dimension]),
    }
    if anatomy:
        tables["anatomy"] = pd.DataFrame([about | row for row in anatomy])
    if against is not None:
        report("second model", 0.37)
        tables["comparison"] = _compared(found, against)
    if raw:
        tables["raw"] = raw_table(z, found.y, about)
    report("nearest others", 0.4)
    near, samples, error = voted(found.source, found.y.numpy())
    chance = 1 - float(((found.counts / found.counts.sum()) ** 2).sum())
    row = {"neighbours": near.shape[1], "error": error, "chance": chance, "rows": len(samples)}
    tables["neighbours"] = pd.DataFrame([about | row])
    tables["mislabelled"] = mislabelled_table(found)
    null = nulls.neighbour_null_row(found, error, near, samples)
    report("chance", 0.5)
    rows = nulls.loss_null_rows(found, gap, part("chance", 0.5, 0.6))
    rows += nulls.class_null_rows(found, geometry)
    rows += nulls.label_free_rows(found, {**geometry, **ranks})
    rows.append(null)
    report("few labels", 0.7)
    chosen, why = found.chosen(budget)
    few, null_rows = few_label_tables(found, chosen, shots, part("few labels", 0.7, 1.0))
    tables |= {name: pd.DataFrame([about | row for row in rows]) for name, rows in few.items()}
    rows += null_rows
    tables["nulls"] = pd.DataFrame([about | row for row in rows])
    tables["subsets"] = pd.DataFrame(
        [
            {"tables": "few_shot held_out labels_needed probes", "rows": len(chosen), "why": why},
            {"tables": "neighbours", "rows": len(samples), "why": "time grows as N times these"},
            {"tables": "gap per_class", "rows": len(over.owners), "why": "anchors (rows N K)"},
        ]
    ).assign(of=len(found.y), key=seed)
    report("done", 1.0)
    return tables


def _compared(found: Opened, against: Tensor | np.ndarray) -> pd.DataFrame:
    """The table `comparison`, of unit rows."""
    if len(against) != len(found.y):
        raise ValueError(
            f"z has {len(found.y)} samples and against {len(against)}: pass embeddings of the same "
            "samples, row by row."
        )
    chosen = sampled_rows(len(found.y), comparison.MOST, found.seed)
    mine = found.source.at(chosen) if found.rows is None else found.rows[chosen]
    other = inputs.features(against[chosen], "against").detach()
    other = other if other.ndim == 3 else other[:, None]
    return comparison.comparison_table(mine.double(), inputs.unit_rows(other), found.seed)


def _singular(found: Opened) -> tuple[Tensor, Tensor]:
    """Singular values of the rows as they are and of the centred ones."""
    if found.rows is None:
        return spectrum.streamed_singular_values(found.source)
    plain, centred = (spectrum.singular_values(found.rows, centred=c) for c in (False, True))
    return plain, centred


def _geometry(found: Opened, plain: Tensor) -> dict[str, float]:
    if found.rows is not None:
        return geometry_row(found.rows, found.y)
    of_moments = debiased_columns(found.moments)
    return dict(streamed_geometry(found.source, found.moments, plain, found.seed)) | of_moments


def scalars(z: Tensor | np.ndarray, y: object, *, tau: float) -> dict[str, float]:
    """What to log in a training loop: gap, losses, r, CDNV, collapse, neighbours, rank, norms.

    Quick: 10,000 x 128 takes about a second on one core. Rows are scaled to unit norm first.
    Nearest neighbours are looked up among all other samples; of more than 16,384 samples for
    2,048, drawn.

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
    found = opened(z, y, exact=sys.maxsize, seed=0)
    assert found.rows is not None
    rows, of = found.rows.float(), found.y
    (whole,) = global_losses(rows, of, [tau]).values()
    gap = {
        "loss_dcl": whole.mean_dcl,
        "loss_nscl": whole.mean_nscl,
        "gap": whole.mean_gap,
        "r": effective_ratio(whole.mean_gap, equal_similarity_gap(found.counts)),
    }
    near = {"neighbour_error": voted(found.source, of.numpy())[2]}
    columns = gap | geometry_row(rows, of) | near | found.norm_columns()
    return {name: float(value) for name, value in columns.items()}
