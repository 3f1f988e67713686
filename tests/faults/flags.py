"""Every flag of every experiment, and values that none of them should choke on."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_origin, get_type_hints

from supcon_theory.app import experiments

INTEGERS = ("0", "-1", "1", "999999999", "1" + "0" * 30, "nan", "1.5", "")
FLOATS = ("nan", "inf", "-inf", "0", "-1", "1e308", "1e-308", "x", "")
WORDS = (
    "",
    "~nobody/x",
    "../x",
    "x" * 5000,
    "a\nb",
    "\udcff",
    "nan",
    "/dev/null",
    "/proc/self/mem",
)


def flags(config: Any) -> Iterator[tuple[str, Any, Any]]:
    """Flag, type, value of the fields of a configuration, nested ones without prefix."""
    hints = get_type_hints(type(config))
    full = get_type_hints(type(config), include_extras=True)
    for field in fields(config):
        value = getattr(config, field.name)
        if is_dataclass(value):
            yield from flags(value)
        elif "Suppress" not in str(full[field.name]):
            yield "--" + field.name.replace("_", "-"), hints[field.name], value


def values(kind: Any) -> list[list[str]]:
    """Words to put after a flag of this type."""
    if get_origin(kind) is tuple:
        inner = get_args(kind)[0]
        if get_origin(inner) is tuple:
            width = len(get_args(inner))
            each = ("0", "-1", "1", "2", "4", "999999999", "nan")
            rows = [[word] * width for word in each] + [["4", "2", "-1"], ["4", "2", "1"], ["4"]]
            return [[], *rows]
        return [[], *([word] for (word,) in values(inner)), ["2", "2"], ["4", "-1"]]
    if kind is int or int in get_args(kind):
        return [[word] for word in INTEGERS]
    if kind is float:
        return [[word] for word in FLOATS]
    if kind is bool:
        return [["yes"]]
    return [[word] for word in WORDS]


def cases() -> list[tuple[str, list[str]]]:
    """Experiment and arguments, one flag after another."""
    found = []
    for name in experiments.names():
        config = experiments.experiment(name).presets["smoke"]
        for flag, kind, _ in flags(config):
            if flag not in ("--out", "--force", "--strict", "--retrain"):
                found += [(name, [flag, *words]) for words in values(kind)]
    return found
