"""Maps of embeddings in two dimensions, with the numbers that say what they are worth."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from supcon_theory.audits.columns import MAPS, NEAREST
from supcon_theory.measures.maps import joint_map
from supcon_theory.measures.neighbours import purity, trustworthiness

COLUMNS, VERSION = MAPS.columns, MAPS.version

Panel = tuple[str, int]  # objective and step


def map_audit(
    panels: Mapping[Panel, np.ndarray], y: np.ndarray, shuffled: np.ndarray, method: str, seed: int
) -> tuple[list[dict[str, Any]], dict[Panel, np.ndarray]]:
    """One map of all panels, and how its neighbours compare with those of the embeddings.

    Args:
        panels: Embeddings (N, d) of the same images by objective and step.
        y: Labels (N,).
        shuffled: The same labels, shuffled.
        method: "tsne", "pca" or "umap".
        seed: Seed of the map.

    Returns:
        A row per panel and labelling, with `COLUMNS`, `objective`, `step`, `labels` and `method`;
        and the coordinates (N, 2) of each panel.
    """
    maps = joint_map(np.stack(list(panels.values())), method, seed)
    found = dict(zip(panels, maps, strict=True))
    difference = _start_difference([z for (_, step), z in panels.items() if step == 0])
    rows = []
    for (objective, step), z in panels.items():
        low = found[objective, step]
        shared = {
            "neighbours": NEAREST,
            "trustworthiness": trustworthiness(z, low),
            "start_difference": difference if step == 0 else np.nan,
        }
        for name, of in (("true", y), ("shuffled", shuffled)):
            about = {"objective": objective, "step": step, "labels": name, "method": method}
            pure = {"purity": purity(z, of, NEAREST), "purity_map": purity(low, of, NEAREST)}
            rows.append(about | pure | shared)
    return rows, found


def _start_difference(starts: Sequence[np.ndarray]) -> float:
    """Largest distance of an entry between any two embeddings before training; NaN for one."""
    return float(np.ptp(np.stack(starts), axis=0).max()) if len(starts) > 1 else np.nan
