"""Every geometric measure of one labelled embedding set, in one go."""

import numpy as np
from torch import Tensor

from supcon_theory.measures import collapse
from supcon_theory.measures.class_distances import cdnv, directional_cdnv
from supcon_theory.measures.moments import Measure, Moments, PairMeasure, class_moments
from supcon_theory.measures.rows import UnitRows, each_tile
from supcon_theory.measures.sampling import sampled_rows
from supcon_theory.measures.similarity import alignment, uniformity
from supcon_theory.measures.spectrum import rankme, singular_values

UNIFORMITY_SAMPLES = 2048
OF_MOMENTS = (
    *(collapse.augmentation_variance, collapse.within_class_variance, cdnv, directional_cdnv),
    *(collapse.nc1, collapse.equinorm, collapse.equiangularity, collapse.max_angle),
    collapse.etf_deviation,
)


class Geometry(dict[str, float]):
    """Name to float, and in `reasons` name to why it is NaN or says nothing."""

    reasons: dict[str, str]


def geometry(
    features: Tensor | np.ndarray,
    labels,
    *,
    weights: Tensor | np.ndarray | None = None,
    uniformity_samples: int | None = UNIFORMITY_SAMPLES,
    seed: int = 0,
) -> Geometry:
    """Collapse, separation, spread and rank of labelled features.

    One pass of moments feeds all of it, so this costs little more than CDNV alone. Conventions are
    the defaults of each function (CDNV half-symmetric, ETF deviation of cosines, RankMe of the
    features as they are); alignment and uniformity scale rows to unit norm.

    Args:
        features: (N, D) or (N, K, D).
        labels: (N,) labels of any kind.
        weights: (C, D) of a linear classifier of these features: adds `self_duality`.
        uniformity_samples: Samples that uniformity looks at, drawn by `sampled_rows` (None: all,
            quadratic in N).
        seed: Key of that draw.

    Returns:
        A number for each measure. One that is undefined here is NaN; `.reasons` says why.
    """
    moments = class_moments(features, labels)
    measured: dict[str, Measure | PairMeasure] = {f.__name__: f(moments) for f in OF_MOMENTS}
    measured["alignment"] = alignment(features)
    measured["uniformity"] = uniformity(features, max_samples=uniformity_samples, seed=seed)
    if weights is not None:
        measured["self_duality"] = collapse.self_duality(moments, weights)
    return _geometry(measured, singular_values(features))


def streamed_geometry(source: UnitRows, moments: Moments, singular: Tensor, seed: int) -> Geometry:
    """`geometry` of rows that are read in tiles.

    Args:
        source: The rows.
        moments: Theirs, of a labeling.
        singular: Singular values of the rows as they are.
        seed: Key of the samples that uniformity looks at.

    Returns:
        A number for each measure.
    """
    measured: dict[str, Measure | PairMeasure] = {f.__name__: f(moments) for f in OF_MOMENTS}
    N, K, _ = source.shape
    measured["alignment"] = alignment(source.at(np.array([0])))  # a single view has none
    if K > 1:
        parts = [len(x) / N * alignment(x).value for _, x in each_tile(source)]
        measured["alignment"] = Measure(sum(parts))
    looked_at = source.at(sampled_rows(N, UNIFORMITY_SAMPLES, seed))
    measured["uniformity"] = uniformity(looked_at, max_samples=None)
    return _geometry(measured, singular)


def _geometry(measured: dict[str, Measure | PairMeasure], singular: Tensor) -> Geometry:
    result = Geometry()
    for name, m in measured.items():
        result[name] = m.mean if isinstance(m, PairMeasure) else m.value
    result["rankme"] = rankme(singular)
    result.reasons = {name: m.reason for name, m in measured.items() if m.reason}
    return result
