"""What is measured on embeddings: losses, geometry of the classes, similarities, spectra."""

from .cdnv import cdnv, centre_distances, directional_cdnv, root_cdnv
from .collapse import (
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
from .geometry import Geometry, geometry
from .losses import global_losses
from .moments import Measure, Moments, PairMeasure, class_moments
from .pair_moments import (
    directional_scatter,
    fourth_moments,
    scatter_products,
    third_moments,
    third_moments_along,
)
from .similarity import alignment, class_gram, etf_gram, uniformity
from .spectrum import (
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
