"""Two-dimensional maps of several sets of embeddings of the same images, on common axes."""

import numpy as np
from scipy.linalg import orthogonal_procrustes
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE, trustworthiness
from sklearn.neighbors import NearestNeighbors

METHODS = ("tsne", "pca", "umap")


def joint_map(panels: np.ndarray, method: str, seed: int) -> np.ndarray:
    """(P, N, 2) maps of P panels of embeddings (P, N, d) of the same N images, fitted all at once.

    A loss of cosines knows an embedding up to a rotation only, so each panel is first rotated onto
    the last one (orthogonal Procrustes), which changes no cosine. Then one map is fitted to all
    P N points together: the axes mean the same in every panel.

    Raises ValueError on an unknown method, "umap" without umap-learn, panels that are not (P, N, d)
    with d >= 2, or features that are all the same.
    """
    if method not in METHODS:
        raise ValueError(f"method is {method!r} but must be one of {', '.join(METHODS)}")
    panels = np.asarray(panels, dtype=np.float64)
    if panels.ndim != 3 or panels.shape[2] < 2:
        raise ValueError(
            f"the panels have shape {panels.shape}: pass (panels, images, d) with d >= 2"
        )
    if (
        not np.isfinite(panels).all()
        or np.ptp(panels.reshape(-1, panels.shape[2]), axis=0).max() == 0
    ):
        raise ValueError("the features are constant, NaN or infinite: there is nothing to map")
    aligned = np.stack([panel @ orthogonal_procrustes(panel, panels[-1])[0] for panel in panels])
    points = aligned.reshape(-1, panels.shape[2])
    if method == "pca":
        found = PCA(2, random_state=seed).fit_transform(points)
    elif method == "tsne":
        perplexity = min(30.0, (len(points) - 1) / 3)
        found = TSNE(2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(points)
    else:
        found = umap_class()(random_state=seed, n_jobs=1).fit_transform(points)
    return found.reshape(*panels.shape[:2], 2)


def umap_class():
    """UMAP of umap-learn, or one sentence on how to get it."""
    try:
        from umap import UMAP
    except ImportError:
        raise ValueError(
            "method is 'umap' but umap-learn is not installed: pip install "
            "umap-learn, or choose tsne or pca"
        ) from None
    return UMAP


def purity(x: np.ndarray, y: np.ndarray, neighbours: int = 10) -> float:
    """Mean fraction of the nearest neighbours, the point itself left out, that share its class.

    x (N, d), Euclidean (for unit rows the order of cosines); y (N,) labels. Labels that say nothing
    of x give about (n - 1)/(N - 1).
    """
    if not 1 <= neighbours < len(x):
        raise ValueError(f"neighbours is {neighbours} but must be from 1 to {len(x) - 1}")
    near = NearestNeighbors(n_neighbors=neighbours).fit(x).kneighbors(return_distance=False)
    return float((np.asarray(y)[near] == np.asarray(y)[:, None]).mean())


def faithfulness(x: np.ndarray, low: np.ndarray, neighbours: int = 10) -> float:
    """scikit-learn's trustworthiness: 1 if the map makes no neighbours that the features lack."""
    return float(trustworthiness(x, low, n_neighbors=min(neighbours, (len(x) - 1) // 2)))
