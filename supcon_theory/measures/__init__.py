"""What is measured on embeddings: losses, geometry of the classes, similarities, spectra.

Names are imported when first asked for, so that importing this package imports no torch.
"""

from importlib import import_module

_ROOMS = {
    "class_distances": "cdnv centre_distances directional_cdnv",
    "collapse": "augmentation_variance equiangularity equinorm etf_deviation max_angle nc1 "
    "self_duality within_class_variance",
    "comparison": "Likeness cka rsa",
    "corrected": "Unbiased corrected_cdnv corrected_directional_cdnv corrected_nc1 "
    "unbiased_moments",
    "participation": "corrected_participation_ratio",
    "class_geometry": "Geometry geometry",
    "losses": "AnchorLosses GlobalLosses anchor_losses global_losses",
    "moments": "Measure Moments PairMeasure class_moments",
    "pair_moments": "directional_scatter fourth_moments scatter_products third_moments "
    "third_moments_along",
    "sampling": "sampled_rows",
    "similarity": "alignment class_gram etf_gram uniformity wasserstein_uniformity",
    "simplex": "MeansGeometry means_geometry means_spectrum",
    "spectrum": "lidar participation_ratio power_law rankme singular_values stable_rank",
}
_HOME = {name: room for room, names in _ROOMS.items() for name in names.split()}
__all__ = sorted(_HOME)


def __getattr__(name: str):
    """The public function of that name, from its module."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
