"""Measures that are defined without the sphere, of the rows as given: their lengths are kept."""

import numpy as np
import pandas as pd
from torch import Tensor

from supcon_theory import inputs
from supcon_theory.audits.collapse import geometry_row
from supcon_theory.audits.columns import RAW
from supcon_theory.measures import spectrum

COLUMNS, VERSION = RAW.columns, RAW.version


def raw_row(z: Tensor | np.ndarray, y: Tensor) -> dict[str, float]:
    """Collapse, separation and ranks of embeddings of any length.

    Args:
        z: (N, d) or (N, K, d).
        y: (N,) class numbers.

    Returns:
        The columns of `RAW`.
    """
    given = inputs.features(z, "z").detach().cpu()
    given = given if given.ndim == 3 else given[:, None]
    plain, centred = (spectrum.singular_values(given, centred=c) for c in (False, True))
    found = geometry_row(given, y) | spectrum.rank_columns(plain, centred)
    return {name: found[name] for name in RAW.names}


def raw_table(z: Tensor | np.ndarray, y: Tensor, about: dict[str, float]) -> pd.DataFrame:
    """`raw_row` as a table, with what it is about."""
    return pd.DataFrame([about | raw_row(z, y)])
