"""Every geometric measure of one labelled embedding set, in one go."""

from torch import Tensor

from supcon_theory.measures.class_distances import cdnv, directional_cdnv
from supcon_theory.measures.collapse import (
    augmentation_variance,
    equiangularity,
    equinorm,
    etf_deviation,
    max_angle,
    nc1,
    within_class_variance,
)
from supcon_theory.measures.moments import PairMeasure, class_moments
from supcon_theory.measures.similarity import alignment, uniformity
from supcon_theory.measures.spectrum import rankme, singular_values


class Geometry(dict):
    """Name to float, and in `reasons` name to why it is NaN or says nothing."""

    reasons: dict[str, str]


def geometry(
    features: Tensor, labels: Tensor, *, uniformity_samples: int | None = 2048
) -> Geometry:
    """Collapse, separation, spread and rank of features (N, D) or (N, K, D) with labels (N,).

    One pass of moments feeds all of it, so this costs little more than CDNV alone. Conventions are
    the defaults of each function (CDNV half-symmetric, ETF deviation of cosines, RankMe of the
    features as they are); alignment and uniformity scale rows to unit norm, and uniformity looks at
    `uniformity_samples` evenly spaced samples (None: all, quadratic in N).

    Raises what `class_moments` raises. A measure that is undefined here is NaN; `.reasons` says why.
    """
    moments = class_moments(features, labels)
    measured = {
        "augmentation_variance": augmentation_variance(moments),
        "within_class_variance": within_class_variance(moments),
        "cdnv": cdnv(moments),
        "directional_cdnv": directional_cdnv(moments),
        "nc1": nc1(moments),
        "equinorm": equinorm(moments),
        "equiangularity": equiangularity(moments),
        "max_angle": max_angle(moments),
        "etf_deviation": etf_deviation(moments),
        "alignment": alignment(features),
        "uniformity": uniformity(features, max_samples=uniformity_samples),
    }
    result = Geometry()
    for name, m in measured.items():
        result[name] = m.mean if isinstance(m, PairMeasure) else m.value
    result["rankme"] = rankme(singular_values(features))
    result.reasons = {name: m.reason for name, m in measured.items() if m.reason}
    return result
