"""Two-dimensional maps of several sets of embeddings of the same images, on common axes.

Libraries are imported where they are used: the names of the methods cost nothing.
"""

from importlib import import_module

import numpy as np

METHODS = ("tsne", "pca", "umap")


def joint_map(panels: np.ndarray, method: str, seed: int) -> np.ndarray:
    """Maps of P panels of embeddings of the same N images, fitted all at once.

    A loss of cosines knows an embedding up to a rotation only, so each panel is first rotated onto
    the last one (orthogonal Procrustes), which changes no cosine. Then one map is fitted to all
    P N points together: the axes mean the same in every panel.

    Args:
        panels: (P, N, d) embeddings with d >= 2.
        method: One of `METHODS`; "umap" needs umap-learn.
        seed: Of the method.

    Returns:
        (P, N, 2) coordinates.

    Raises:
        ValueError: On an unknown method, another shape, or features that are all the same.
    """
    from scipy.linalg import orthogonal_procrustes
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    from supcon_theory import inputs

    inputs.choice(method, "method", METHODS)
    panels = inputs.features(panels, "panels").detach().cpu().double().numpy()
    if panels.ndim != 3 or panels.shape[2] < 2:
        raise ValueError(
            f"the panels have shape {panels.shape}: pass (panels, images, d) with d >= 2."
        )
    if np.ptp(panels.reshape(-1, panels.shape[2]), axis=0).max() == 0:
        raise ValueError("the features are constant: there is nothing to map.")
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
    """UMAP of umap-learn, or one sentence on how to get it.

    Returns:
        The class.

    Raises:
        ValueError: Where it is not installed.
    """
    try:
        return import_module("umap").UMAP
    except ImportError:
        raise ValueError(
            "method is 'umap' but umap-learn is not installed: pip install "
            "umap-learn, or choose tsne or pca."
        ) from None
