"""What the objectives accept: everything else is refused, in one sentence, before any work."""

import contextlib
import math
from numbers import Real

import torch
from torch import Tensor

# Largest | ||z||^2 - 1 | of a row: rounding of rows that were normalised in that precision.
UNIT_TOLERANCE = {
    torch.float64: 1e-3,
    torch.float32: 1e-3,
    torch.float16: 2e-2,
    torch.bfloat16: 2e-2,
}
LEAST_TAU = 1e-30  # so that 1 / tau, times what hardens it, is a number in float32


def check_embeddings(z: Tensor) -> None:
    """Refuse anything but (N, K, d) floating-point rows of unit norm (NaN rows are not unit)."""
    if not isinstance(z, Tensor):
        raise TypeError(f"z is a {type(z).__name__}; pass a torch tensor of shape (N, K, d)")
    if z.dtype not in UNIT_TOLERANCE:
        allowed = ", ".join(str(dtype) for dtype in UNIT_TOLERANCE)
        raise TypeError(f"z has dtype {z.dtype}; allowed are {allowed}: convert it with z.float()")
    if z.ndim != 3 or 0 in z.shape:
        raise ValueError(
            f"z has shape {tuple(z.shape)}; it must be (N, K, d), samples x views x dimensions, "
            "none of them 0: use z[:, None] for one view"
        )
    wide = z.detach().to(working_dtype(z))
    ends = torch.linalg.vector_norm(wide, dim=-1).aminmax()  # both NaN if any row has one
    error = max(abs(end.item() ** 2 - 1) for end in ends)
    if not error <= UNIT_TOLERANCE[z.dtype]:  # written so that NaN fails
        raise ValueError(
            f"rows of z have | ||z||^2 - 1 | up to {error:.3g}; at most {UNIT_TOLERANCE[z.dtype]} "
            "is allowed: pass torch.nn.functional.normalize(z, dim=-1), free of NaN"
        )


def check_labels(y: Tensor | None, z: Tensor) -> None:
    """Refuse labels that are not (N,) integers on the device of z; None is allowed here."""
    if y is None:
        return
    if not isinstance(y, Tensor):
        raise TypeError(f"y is a {type(y).__name__}; pass an integer torch tensor of shape (N,)")
    if y.is_floating_point() or y.is_complex() or y.dtype == torch.bool:
        raise TypeError(f"y has dtype {y.dtype}; labels must be integers: use y.long()")
    if y.shape != z.shape[:1]:
        raise ValueError(
            f"y has shape {tuple(y.shape)}; z has {z.shape[0]} samples, so it must be "
            f"({z.shape[0]},): one label per sample, not per view"
        )
    if y.device != z.device:
        raise ValueError(f"y is on {y.device} and z on {z.device}; move y with y.to(z.device)")


def check_number(name: str, value: float, low: float, high: float = math.inf) -> None:
    """Refuse a value outside [low, high); finite in any case."""
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{name} is {value!r}; it must be a plain number, such as float({name})")
    if not low <= value < high or not math.isfinite(value):
        raise ValueError(
            f"{name} is {value!r}; it must lie in [{low:g}, {high:g}): choose such a value"
        )


def check_count(name: str, value: int) -> None:
    """Refuse anything but an integer of at least 1."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} is {value!r}; it must be an integer of at least 1")
    if value < 1:
        raise ValueError(f"{name} is {value!r}; it must be at least 1: choose such an integer")


def check_choice(name: str, value: object, allowed: tuple) -> None:
    """Refuse a value that is not one of `allowed`."""
    if value not in allowed:
        raise ValueError(f"{name} is {value!r}; it must be one of {allowed}: choose one of these")


def full_precision(z: Tensor):
    """A context without autocast; where there is none, one that costs nothing."""
    device = z.device.type
    on = torch.is_autocast_enabled(device)
    return torch.autocast(device, enabled=False) if on else contextlib.nullcontext()


def working_dtype(z: Tensor) -> torch.dtype:
    """float64 stays, everything shorter is accumulated in float32."""
    return torch.float64 if z.dtype == torch.float64 else torch.float32
