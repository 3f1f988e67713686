"""Bounds of flags: they stand in the type of the field, and are checked here and nowhere else.

A field is `steps: Annotated[int, Between(1, 10**7)]`, or a tuple of numbers with bounds for all of
them. A number without bounds of its own has those of `ANY`: what is beyond them would hang or
overflow whatever it stands for.
"""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any, NamedTuple, get_type_hints


class Between(NamedTuple):
    """The least and the greatest value."""

    low: float
    high: float


ANY = {int: Between(-(10**8), 10**8), float: Between(-1e30, 1e30)}
MOST = 1000  # values of one flag


def check(config: Any) -> None:
    """Refuse a flag whose value, or one of whose values, lies outside its bounds.

    Args:
        config: a dataclass, with others nested in it.

    Raises:
        ValueError: in one sentence, with what is allowed.

    """
    hints = get_type_hints(type(config), include_extras=True)
    for field in fields(config):
        value, flag = getattr(config, field.name), field.name.replace("_", "-")
        if is_dataclass(value):
            check(value)
            continue
        own = [b for b in getattr(hints[field.name], "__metadata__", ()) if isinstance(b, Between)]
        if isinstance(value, tuple) and len(value) > MOST:
            raise ValueError(f"{flag} has {len(value)} values but may have at most {MOST}")
        for number in _numbers(value):
            low, high = own[0] if own else ANY[type(number)]
            verb = "has" if isinstance(value, tuple) else "is"
            if number != number:
                raise ValueError(f"{flag} {verb} {number} but must be a number")
            if not low <= number <= high:
                allowed = f"at least {low:g}" if number < low else f"at most {high:g}"
                raise ValueError(f"{flag} {verb} {number:g} but must be {allowed}")


def _numbers(value: object) -> Iterator[int | float]:
    """The numbers in a value, at whatever depth; truth values are none."""
    if isinstance(value, tuple):
        for inner in value:
            yield from _numbers(inner)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield value
