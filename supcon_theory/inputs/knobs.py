"""Temperatures, numbers in a range, whole numbers, one of several words."""

import math
from collections.abc import Iterable
from numbers import Integral, Real

import numpy as np
from torch import Tensor

from supcon_theory.inputs.readable import refuse_batched, refuse_unreadable

SEEDS = 2**32  # a seed is below it, so that its streams' numbers fit into 64 bits
LEAST_TAU = 1e-30  # so that 1 / tau, times what hardens it, is a number in float32


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
    refuse_unreadable(tau, name)
    if tau.ndim != 0 or not tau.is_floating_point():
        raise TypeError(
            f"{name} has shape {tuple(tau.shape)} and dtype {tau.dtype}; pass a number or a "
            "0-dim float tensor, such as log_scale.exp()."
        )
    refuse_batched(tau, name)
    number(tau.detach().item(), name, LEAST_TAU)
    return tau


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
    plain = int(value)
    if plain < low:
        raise ValueError(f"{name} is {value!r}; it must be at least {low}: choose such an integer.")
    if plain >= high:
        raise ValueError(f"{name} is {value!r}; it must be below {high}: choose such an integer.")
    return plain


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
