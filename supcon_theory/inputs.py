"""The one reading of what a person brings: embeddings, features, labels, temperatures, knobs.

Every public function reads its arguments here, so that what training accepts measuring accepts.
Arrays may be tensors or NumPy arrays, read-only, strided, of any float or integer type and byte
order; a tensor keeps its graph, its device and its float type. Each fault is one sentence: the
argument with its value (or its first bad row), what is allowed, what to do.
"""

import math
from collections.abc import Iterable, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch
from torch import Tensor

# Largest | ||z|| - 1 | of a row: rounding of rows that were normalised in that precision.
UNIT_TOLERANCE = {torch.float16: 2e-2, torch.bfloat16: 2e-2}
UNIT_TOLERANCE_ELSE = 1e-3
SEEDS = 2**32  # a seed is below it, so that its streams' numbers fit into 64 bits
LEAST_TAU = 1e-30  # so that 1 / tau, times what hardens it, is a number in float32


# ---- embeddings and features --------------------------------------------------------------------
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
        x = x if isinstance(x, Tensor) else _unmasked(x, name)
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
        row, *view = zero.nonzero()[0].tolist()
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
        x = np.asarray(_unmasked(x, name))
        if x.dtype.kind not in "fiu":
            raise TypeError(f"{name} has dtype {x.dtype}; pass real numbers, such as float32.")
        short = x.dtype.kind == "f" and x.dtype.itemsize <= 8
        x = torch.from_numpy(
            np.require(x, x.dtype.newbyteorder("=") if short else "f8", ["C", "W"])
        )
    _refuse_unreadable(x, name)
    if x.is_complex() or x.dtype == torch.bool:
        raise TypeError(f"{name} has dtype {x.dtype}; pass real numbers, such as float32.")
    if not x.is_floating_point():
        return x.double()
    return x if x.dtype.itemsize > 1 else x.float()


def _refuse_unreadable(x: Tensor, name: str) -> None:
    """Refuse tensors that hold no numbers, or not one at every place."""
    dense = x.layout == torch.strided and not (x.is_nested or x.is_quantized or x.is_meta)
    if not dense or isinstance(x, torch.masked.MaskedTensor):
        kind = "meta" if x.is_meta else "quantized" if x.is_quantized else type(x).__name__
        kind = kind if x.layout == torch.strided else str(x.layout)
        raise TypeError(f"{name} is a {kind} tensor; pass a plain dense one, as x.to_dense() is.")


def _unmasked(x: Any, name: str) -> Any:
    """What is masked is missing: it must not come back as the number under the mask."""
    mask = np.ma.getmask(x)
    if mask.any():
        first = int(np.argwhere(mask)[0, 0]) if mask.ndim else 0
        raise ValueError(
            f"{name} is masked in {int(mask.sum())} entries, first in row {first}: remove such "
            "samples or fill them in."
        )
    return x


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


# ---- labels -------------------------------------------------------------------------------------
def labels(y: object, count: int | None = None, name: str = "y") -> Tensor:
    """Labels renumbered 0 .. C-1 in the sorted order of those that occur, int64 (N,).

    Args:
        y: one label a sample: integers of any width or sign, whole floats, booleans or strings, as
            a tensor, array, pandas series or list. Time and memory do not depend on their values.
        count: the number of samples, if known.
        name: how an error calls it.

    Returns:
        Numbers of the classes, on the device of y (the CPU if it is no tensor).

    Raises:
        ValueError: None, missing values, fractions, another shape.
        TypeError: values that are no labels.
    """
    return _distinct(y, count, name)[1]


def class_names(y: object, name: str = "y") -> list:
    """The distinct labels, sorted: what the numbers that `labels` gives stand for."""
    return _distinct(y, None, name)[0].tolist()


def _distinct(y: object, count: int | None, name: str) -> tuple[Tensor | np.ndarray, Tensor]:
    if y is None:
        raise ValueError(f"{name} is None; labels are needed: pass {name} of shape (N,).")
    if isinstance(y, Tensor):
        _refuse_batched(y, name)
        _refuse_unreadable(y, name)
        # NumPy sorts every integer type; PyTorch keeps the rest on their device
        wide = not y.is_floating_point() and not y.is_complex() and y.dtype != torch.int64
        y = y.detach().cpu().numpy() if wide and y.device.type == "cpu" else y.detach()
    else:
        y = _unmasked(y, name)
        try:
            found = np.asarray(y)
            # a list of several types becomes one: keep a NaN from being the class "nan"
            listed = isinstance(y, (list, tuple)) and found.ndim == 1
            y = np.array(y, object) if listed and not _of_one_kind(y, found) else found
        except ValueError:
            raise ValueError(
                f"{name} is ragged; pass one label per sample, not per view."
            ) from None
    shape = tuple(y.shape)
    if len(shape) != 1 or count not in (None, shape[0]) or shape[0] == 0:
        wanted = f"({'N' if count is None else count},)"
        raise ValueError(
            f"{name} has shape {shape}; it must be {wanted}: one label per sample, not per view."
        )
    if isinstance(y, Tensor):
        if y.is_complex():
            raise TypeError(f"{name} has dtype {y.dtype}; labels are integers or strings.")
        if y.is_floating_point():
            _refuse_first(~(y.isfinite() & (y == y.floor())).cpu().numpy(), y, name)
            _refuse_rounded(float(y.abs().max()), 2 / torch.finfo(y.dtype).eps, name)
        elif y.dtype == torch.uint64:  # on a device that does not sort it
            y = y.cpu()
        return torch.unique(y, return_inverse=True)
    if y.dtype.kind == "f":
        _refuse_first(~(np.isfinite(y) & (y == np.floor(y))), y, name)
        _refuse_rounded(float(np.abs(y).max()), 2 / float(np.finfo(y.dtype).eps), name)
    elif y.dtype.kind == "O":
        kind = next((kind for kind in (str, bytes) if isinstance(y[0], kind)), Integral)
        _refuse_first(np.array([not isinstance(v, kind) for v in y]), y, name)
    elif y.dtype.kind not in "iubUST":
        raise TypeError(f"{name} has dtype {y.dtype}; labels are integers or strings.")
    distinct, numbers = np.unique(y, return_inverse=True)
    return distinct, torch.from_numpy(numbers.astype(np.int64, copy=False))


def _of_one_kind(y: Any, found: np.ndarray) -> bool:
    """Whether a list of labels holds what the array made of it does."""
    kind = {"U": str, "S": bytes}.get(found.dtype.kind)
    if kind is not None:
        return all(isinstance(label, kind) for label in y)
    return found.dtype.kind != "f" or not all(isinstance(label, Integral) for label in y)


def _refuse_first(bad: np.ndarray, y: Sequence | np.ndarray | Tensor, name: str) -> None:
    if bad.any():
        first = int(bad.argmax())
        value = y[first]
        value = value.item() if isinstance(value, (Tensor, np.generic)) else value
        raise ValueError(
            f"{name} is {value!r} in row {first}; labels are integers, or strings throughout: name "
            "or remove what is missing."
        )


def _refuse_rounded(largest: float, exact: float, name: str) -> None:
    """From `exact` on, floats of this type skip integers: two classes may have become one."""
    if largest >= exact:
        raise ValueError(
            f"{name} is {largest:.0f} somewhere, a float of a type that skips integers from "
            f"{exact:.0f} on, so that classes may have merged: pass integers."
        )


# ---- temperatures and knobs ---------------------------------------------------------------------
def temperature(tau: float | Tensor, name: str = "tau") -> float | Tensor:
    """A temperature: a finite number above 0, or a 0-dim float tensor, as a learned one is.

    Args:
        tau: what is checked.
        name: how an error calls it.

    Returns:
        A float, or the tensor with its graph.

    Raises:
        TypeError: neither a number nor a 0-dim float tensor.
        ValueError: not above 0, or not finite.
    """
    if not isinstance(tau, Tensor):
        return number(tau, name, LEAST_TAU)
    _refuse_unreadable(tau, name)
    if tau.ndim != 0 or not tau.is_floating_point():
        raise TypeError(
            f"{name} has shape {tuple(tau.shape)} and dtype {tau.dtype}; pass a number or a "
            "0-dim float tensor, such as log_scale.exp()."
        )
    _refuse_batched(tau, name)
    number(tau.detach().item(), name, LEAST_TAU)
    return tau


def _refuse_batched(x: Tensor, name: str) -> None:
    if torch.func.debug_unwrap(x).ndim != x.ndim:
        raise TypeError(
            f"{name} is batched by torch.func.vmap, which hides its values: use a loop."
        )


def temperatures(
    taus: float | Iterable[float], name: str = "tau", least: float = LEAST_TAU
) -> list:
    """Temperatures as floats, each once, in the order given; a single number is a list of one.

    Args:
        taus: one or several numbers of at least `least`.
        name: how an error calls each.
        least: the smallest that is allowed.

    Returns:
        The distinct values.

    Raises:
        ValueError: none, or one out of range.
    """
    given: list = [taus]
    if isinstance(taus, Iterable) and not isinstance(taus, str) and getattr(taus, "ndim", 1):
        given = list(taus)
    if not given:
        raise ValueError(f"no temperature was given as {name}: pass at least one, such as 1.0.")
    known = (temperature(tau, name) for tau in given)  # a learned one is read, without its graph
    plain = [tau.item() if isinstance(tau, Tensor) else tau for tau in known]
    return list(dict.fromkeys(number(tau, name, least) for tau in plain))


def number(value: object, name: str, low: float = -math.inf, high: float = math.inf) -> float:
    """A finite number in [low, high), as a float.

    Args:
        value: what is checked.
        name: how an error calls it.
        low: smallest allowed.
        high: smallest too large.

    Returns:
        The value.

    Raises:
        TypeError: not a number.
        ValueError: out of range or not finite.
    """
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{name} is {value!r}; it must be a plain number, such as float({name}).")
    try:
        plain = float(value)
    except OverflowError:  # of an integer or a fraction
        plain = math.inf
    if not low <= plain < high or not math.isfinite(plain):
        raise ValueError(
            f"{name} is {value!r}; it must lie in [{low:g}, {high:g}): choose such a value."
        )
    return plain


def whole(value: object, name: str, low: int = 1, high: float = math.inf) -> int:
    """An integer of at least `low`, below `high`.

    Args:
        value: what is checked.
        name: how an error calls it.
        low: smallest allowed.
        high: smallest that is too large.

    Returns:
        The value.

    Raises:
        TypeError: not an integer.
        ValueError: too small or too large.
    """
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(f"{name} is {value!r}; it must be an integer of at least {low}.")
    if value < low:
        raise ValueError(f"{name} is {value!r}; it must be at least {low}: choose such an integer.")
    if int(value) >= high:
        raise ValueError(f"{name} is {value!r}; it must be below {high}: choose such an integer.")
    return int(value)


def choice(value: object, name: str, allowed: tuple) -> None:
    """Refuse a value that is not one of `allowed`.

    Args:
        value: what is checked.
        name: how an error calls it.
        allowed: the values there are.

    Raises:
        ValueError: another value.
    """
    if value not in allowed:
        raise ValueError(f"{name} is {value!r}; it must be one of {allowed}: choose one of these.")
