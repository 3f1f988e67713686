"""What collapses: geometry of labelled features, its controls, and the NSCL losses over floors."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from supcon_theory.audits.columns import COLLAPSE
from supcon_theory.audits.gap import floor_audit
from supcon_theory.measures.class_distances import cdnv, directional_cdnv
from supcon_theory.measures.class_geometry import geometry
from supcon_theory.measures.moments import Moments, class_moments
from supcon_theory.measures.similarity import class_gram
from supcon_theory.measures.spectrum import singular_values
from supcon_theory.theory.simplex import instance_simplex

COLUMNS, VERSION = COLLAPSE.columns, COLLAPSE.version
MOST = 2000  # samples of an instance simplex, which needs one dimension less


def collapse_audit(
    features: Tensor, y: Tensor, shuffled: Tensor, taus: Sequence[float] = ()
) -> list[dict[str, Any]]:
    """All measures under the true labels; CDNV and directional CDNV under shuffled ones.

    Args:
        features: (N, K, d), of any length.
        y: Labels (N,).
        shuffled: The same labels, shuffled.
        taus: Temperatures of the losses; none unless the rows are unit.

    Returns:
        A row of geometry with `labels` "true", one with "shuffled", and one of `FLOORS` with
        "true" for each temperature.
    """
    rows: list[dict[str, Any]] = [
        {"labels": "true"} | geometry_row(features, y),
        {"labels": "shuffled"} | _separation(features, shuffled),
    ]
    floors = floor_audit(features, y, taus) if len(taus) else []
    return rows + [{"labels": "true"} | row for row in floors]


def geometry_row(features: Tensor, y: Tensor) -> dict[str, float]:
    """The measures of `GEOMETRY` of features (N, D) or (N, K, D) with labels (N,)."""
    return dict(geometry(features, y)) | debiased_columns(class_moments(features, y))


def debiased_columns(moments: Moments) -> dict[str, float]:
    """CDNV over debiased distances, averaged over the pairs where those are positive."""
    return {
        "cdnv_debiased": cdnv(moments, debiased=True).defined_mean,
        "directional_cdnv_debiased": directional_cdnv(moments, debiased=True).defined_mean,
    }


def _separation(features: Tensor, y: Tensor) -> dict[str, float]:
    moments = class_moments(features, y)
    return {"cdnv": cdnv(moments).mean, "directional_cdnv": directional_cdnv(moments).mean}


def instance_simplex_row(C: int, n: int) -> dict[str, Any]:
    """The control: every sample apart from every other, whatever its label.

    There DCL is smallest. The values depend on n only.

    Args:
        C: Number of classes.
        n: Samples per class.

    Returns:
        `cdnv` and `directional_cdnv`, with `objective` "instance simplex" and `labels` "true"; NaN
        for more than 2000 samples, which need as many dimensions.
    """
    about: dict[str, Any] = {"objective": "instance simplex", "labels": "true"}
    if C * n > MOST:
        return about | {"cdnv": np.nan, "directional_cdnv": np.nan}
    z, y = instance_simplex([n] * C, 1, C * n - 1)
    return about | _separation(torch.as_tensor(z), torch.as_tensor(y))


def gram_table(features: Tensor, y: Tensor, names: Sequence[object]) -> pd.DataFrame:
    """Cosines of the centred class means: `GRAM`.

    Args:
        features: (N, D) or (N, K, D).
        y: Labels (N,), 0 .. C-1.
        names: What the classes are called, C of them.

    Returns:
        A row per ordered pair of classes, a class with itself included.
    """
    table = long_matrix(class_gram(features, y).cpu().numpy())
    return table.assign(**{f"class_{k}": [names[place] for place in table[k]] for k in "ij"})


def long_matrix(matrix: np.ndarray) -> pd.DataFrame:
    """A square matrix of cosines as rows `i`, `j`, `cosine`."""
    i, j = np.indices(matrix.shape)
    return pd.DataFrame({"i": i.ravel(), "j": j.ravel(), "cosine": matrix.ravel()})


def spectrum_table(features: Tensor) -> pd.DataFrame:
    """Singular values of the centred features over the largest: `SPECTRUM`."""
    return spectrum_of(singular_values(features, centred=True))


def spectrum_of(singular: Tensor) -> pd.DataFrame:
    """`spectrum_table` from the singular values."""
    values = singular.cpu().numpy()
    ranks = np.arange(1, len(values) + 1)
    with np.errstate(invalid="ignore"):  # a constant embedding has no spectrum: NaN
        relative = values / values[0]
    return pd.DataFrame({"rank": ranks, "singular_value": relative})


def pairs_table(moments: Moments, names: Sequence[object]) -> pd.DataFrame:
    """CDNV and directional CDNV of every ordered pair of classes: `PAIRS`.

    Args:
        moments: Of the features and their labels.
        names: What the classes are called, C of them.

    Returns:
        A row per ordered pair of different classes; `.nlargest(10, "directional_cdnv")` of it are
        the worst, found in a tenth of a second at C = 1000.
    """
    off = ~np.eye(len(moments.classes), dtype=bool)
    i, j = np.nonzero(off)
    named = np.array([*names, None], dtype=object)[:-1]  # an array even of tuples or arrays
    values = {
        "cdnv": cdnv(moments).pairs,
        "directional_cdnv": directional_cdnv(moments).pairs,
        "distance": moments.square_distances.sqrt(),
    }
    return pd.DataFrame(
        {"class_i": named[i], "class_j": named[j]}
        | {name: matrix.cpu().numpy()[off] for name, matrix in values.items()}
    )
