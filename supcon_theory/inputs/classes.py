"""Labels of any kind, renumbered; what the numbers stand for."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np
import torch
from torch import Tensor

from supcon_theory.inputs.readable import refuse_batched, refuse_unreadable, unmasked


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
    distinct = _distinct(y, None, name)[0]
    if isinstance(distinct, Tensor):  # tolist() fails inside torch.func with PyTorch 2.7
        return [label.item() for label in distinct.cpu()]
    return distinct.tolist()


def _distinct(y: object, count: int | None, name: str) -> tuple[Tensor | np.ndarray, Tensor]:
    if y is None:
        raise ValueError(f"{name} is None; labels are needed: pass {name} of shape (N,).")
    if isinstance(y, Tensor):
        refuse_batched(y, name)
        refuse_unreadable(y, name)
        # NumPy sorts every integer type; PyTorch keeps the rest on their device
        wide = not y.is_floating_point() and not y.is_complex() and y.dtype != torch.int64
        y = y.detach().cpu().numpy() if wide and y.device.type == "cpu" else y.detach()
    else:
        y = unmasked(y, name)
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
