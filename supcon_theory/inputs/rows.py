"""Embeddings (N, K, d) and features (N, D), as tensors or as a NumPy matrix; unit rows."""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from supcon_theory.inputs.readable import refuse_unreadable, unmasked

# Largest | ||z|| - 1 | of a row: rounding of rows that were normalised in that precision.
UNIT_TOLERANCE = {torch.float16: 2e-2, torch.bfloat16: 2e-2}
UNIT_TOLERANCE_ELSE = 1e-3


def embeddings(z: object, name: str = "z", *, unit: bool = True) -> Tensor:
    """Embeddings (N, K, d), samples x views x dimensions, as a float tensor.

    Args:
        z: tensor or array; integers become float64, other floats stay as they are.
        name: how an error calls it.
        unit: rows must have norm 1, to 1e-3 (2e-2 for float16 and bfloat16); else any finite norm.

    Returns:
        The same numbers as a tensor, with the graph of z. Rows are never rescaled.

    Raises:
        TypeError: not an array of numbers.
        ValueError: another shape, NaN, infinite, zero or (unit) longer or shorter rows.
    """
    z = _numbers(z, name)
    if z.ndim != 3 or 0 in z.shape:
        raise ValueError(
            f"{name} has shape {tuple(z.shape)}; it must be (N, K, d), samples x views x "
            f"dimensions, none of them 0: use {name}[:, None] for one view."
        )
    _check_rows(z, name, unit)
    return z


def features(x: object, name: str = "features", first: int = 0) -> Tensor:
    """Finite features (N, D) or (N, K, D) of any length, as a float tensor with its graph.

    Args:
        x: tensor or array; integers become float64.
        name: how an error calls it.
        first: number of the first row, where x is a part of something longer.

    Returns:
        The same numbers as a tensor.

    Raises:
        TypeError: not an array of numbers.
        ValueError: another shape, NaN or infinite entries.
    """
    x = _numbers(x, name)
    if x.ndim not in (2, 3) or 0 in x.shape:
        raise ValueError(
            f"{name} have shape {tuple(x.shape)}; pass (N, D) or (N, K, D), none of them 0."
        )
    seen = torch.func.debug_unwrap(x.detach())  # inside vmap: the whole stack
    if not seen.sum(dtype=torch.float64).isfinite():  # rarely: then look at each
        bad = ~seen.isfinite().flatten(1).all(1)
        if bad.any():
            raise ValueError(
                f"{name} are NaN or infinite in {int(bad.sum())} of {len(bad)} samples, first in "
                f"{first + int(bad.int().argmax())}: remove them or find their cause."
            )
    return x


def sliceable(x: Any, name: str = "features") -> tuple[Any, torch.dtype]:
    """An array (N, D) or (N, K, D) that is read a slice at a time, each through `features`.

    A NumPy memory map stays on disk: nothing is copied here, and no number is looked at.

    Args:
        x: tensor or array.
        name: how an error calls it.

    Returns:
        The array as it is, and the type that `features` gives its slices.

    Raises:
        ValueError: another shape. Also raises what `features` raises of its first row.
    """
    shape = tuple(getattr(x, "shape", ()))
    if len(shape) in (2, 3) and 0 not in shape:
        x = x if isinstance(x, Tensor) else unmasked(x, name)
        return x, features(x[:1], name).dtype
    return x, features(x, name).dtype  # which refuses it


def matrix(x: object, name: str = "features") -> np.ndarray:
    """Finite features (N, D) as a float64 array, for what is computed with NumPy.

    Args:
        x: tensor (bfloat16, with a graph, on a device) or array.
        name: how an error calls it.

    Returns:
        (N, D) float64.

    Raises:
        ValueError: another shape. Also raises what `features` raises.
    """
    found = features(x, name)
    if found.ndim != 2:
        raise ValueError(f"{name} have shape {tuple(found.shape)}; pass a matrix (N, D).")
    return found.double().numpy(force=True)


def unit_rows(z: Tensor, first: int = 0) -> Tensor:
    """Rows (..., d) divided by their norms, in float64: the one normalisation of the package.

    A row is zero only if all its entries are: tiny rows are scaled before they are squared.

    Args:
        z: finite rows of any length.
        first: number of the first row, where z is a part of something longer.

    Returns:
        float64 rows of norm 1.

    Raises:
        ValueError: a row of zeros, which has no direction.
    """
    z = z.double()
    largest = z.abs().amax(-1, keepdim=True)
    if (zero := (largest == 0).squeeze(-1)).any():
        row, *view = _first(zero)
        raise ValueError(_zero_row("a feature or embedding", [first + row, *view]))
    z = z / largest
    return z / torch.linalg.vector_norm(z, dim=-1, keepdim=True)


def working_dtype(z: Tensor) -> torch.dtype:
    """float64 stays, everything shorter is accumulated in float32."""
    return torch.float64 if z.dtype == torch.float64 else torch.float32


def _numbers(x: object, name: str) -> Tensor:
    if not isinstance(x, Tensor):
        if isinstance(x, (list, tuple, str)) or not hasattr(x, "__array__"):
            raise TypeError(f"{name} is a {type(x).__name__}; pass a torch tensor or NumPy array.")
        x = np.asarray(unmasked(x, name))
        if x.dtype.kind not in "fiu":
            raise TypeError(f"{name} has dtype {x.dtype}; pass real numbers, such as float32.")
        short = x.dtype.kind == "f" and x.dtype.itemsize <= 8
        x = torch.from_numpy(
            np.require(x, x.dtype.newbyteorder("=") if short else "f8", ["C", "W"])
        )
    refuse_unreadable(x, name)
    if x.is_complex() or x.dtype == torch.bool:
        raise TypeError(f"{name} has dtype {x.dtype}; pass real numbers, such as float32.")
    if not x.is_floating_point():
        return x.double()
    return x if x.dtype.itemsize > 1 else x.float()


def _check_rows(z: Tensor, name: str, unit: bool) -> None:
    allowed = UNIT_TOLERANCE.get(z.dtype, UNIT_TOLERANCE_ELSE)
    norms = torch.linalg.vector_norm(z.detach().to(working_dtype(z)), dim=-1)
    norms = torch.func.debug_unwrap(norms)  # inside vmap: those of the whole stack
    low, high = (end.item() for end in norms.aminmax())  # both NaN if any row has one
    if math.isfinite(high) and (not unit or max(1 - low, high - 1) <= allowed):
        return
    if unit:  # say what is wrong with it even where its square is 0 or infinite
        rows = torch.func.debug_unwrap(z.detach()).double()
        largest = rows.abs().amax(-1, keepdim=True)
        norms = torch.linalg.vector_norm(rows / largest.masked_fill(largest == 0, 1), dim=-1)
        norms = norms * largest[..., 0]
        low, high = (end.item() for end in norms.aminmax())
    if not math.isfinite(high):
        row = _first(~norms.isfinite())
        raise ValueError(
            f"{name} has NaN or infinite entries (or their squares are), first in row {row}: "
            "remove such samples or find their cause."
        )
    if low == 0:
        raise ValueError(_zero_row(name, _first(norms == 0)))
    worst = low if 1 - low > high - 1 else high
    raise ValueError(
        f"{name} has a row of norm {worst:.6g}, row {_first(norms == worst)}; it "
        f"must be 1 to {allowed:g} in {z.dtype}: pass "
        f"torch.nn.functional.normalize({name}.float(), dim=-1)."
    )


def _first(bad: Tensor) -> list[int]:
    return [int(k) for k in bad.nonzero()[0]]  # tolist() fails inside vmap with PyTorch 2.7


def _zero_row(name: str, row: list[int]) -> str:
    return (
        f"{name} has a row of zeros, row {row}: it has no direction, and normalize leaves it zero; "
        "remove the sample or find the cause (empty input, dead ReLU)."
    )
