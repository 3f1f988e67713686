"""The one reading of what a person brings: embeddings, features, labels, temperatures, knobs.

Every public function reads its arguments here, so that what training accepts measuring accepts.
Arrays may be tensors or NumPy arrays, read-only, strided, of any float or integer type and byte
order; a tensor keeps its graph, its device and its float type. Each fault is one sentence: the
argument with its value (or its first bad row), what is allowed, what to do.
"""

from supcon_theory.inputs.classes import class_names, labels
from supcon_theory.inputs.knobs import (
    LEAST_TAU,
    SEEDS,
    choice,
    number,
    temperature,
    temperatures,
    whole,
)
from supcon_theory.inputs.rows import (
    embeddings,
    features,
    matrix,
    sliceable,
    unit_rows,
    working_dtype,
)

__all__ = [
    "LEAST_TAU",
    "SEEDS",
    "choice",
    "class_names",
    "embeddings",
    "features",
    "labels",
    "matrix",
    "number",
    "sliceable",
    "temperature",
    "temperatures",
    "unit_rows",
    "whole",
    "working_dtype",
]
