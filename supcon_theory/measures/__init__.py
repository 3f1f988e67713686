"""What is measured on embeddings: losses, geometry of the classes, similarities, spectra."""

from supcon_theory.measures.cdnv import cdnv, centre_distances, directional_cdnv, root_cdnv
from supcon_theory.measures.collapse import (
    augmentation_variance,
    centre_agreement,
    equiangularity,
    equinorm,
    etf_deviation,
    max_angle,
    nc1,
    self_duality,
    within_class_variance,
)
from supcon_theory.measures.geometry import Geometry, geometry
from supcon_theory.measures.losses import global_losses
from supcon_theory.measures.moments import Measure, Moments, PairMeasure, class_moments
from supcon_theory.measures.pair_moments import (
    directional_scatter,
    fourth_moments,
    scatter_products,
    third_moments,
    third_moments_along,
)
from supcon_theory.measures.similarity import alignment, class_gram, etf_gram, uniformity
from supcon_theory.measures.spectrum import (
    lidar,
    participation_ratio,
    power_law,
    rankme,
    singular_values,
    stable_rank,
)

__all__ = [
    "Geometry",
    "Measure",
    "Moments",
    "PairMeasure",
    "alignment",
    "augmentation_variance",
    "cdnv",
    "centre_agreement",
    "centre_distances",
    "class_gram",
    "class_moments",
    "directional_cdnv",
    "directional_scatter",
    "equiangularity",
    "equinorm",
    "etf_deviation",
    "etf_gram",
    "fourth_moments",
    "geometry",
    "global_losses",
    "lidar",
    "max_angle",
    "nc1",
    "participation_ratio",
    "power_law",
    "rankme",
    "root_cdnv",
    "scatter_products",
    "self_duality",
    "singular_values",
    "stable_rank",
    "third_moments",
    "third_moments_along",
    "uniformity",
    "within_class_variance",
]
