"""`supcon-theory completion SHELL`: a script that completes the command line.

The script knows everything that it completes, so a Tab starts nothing. Print it again after an
experiment or a flag was added.
"""

import argparse
import dataclasses
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, get_type_hints

SHELLS = {  # where each shell looks for it
    "bash": "supcon-theory completion bash > "
    "~/.local/share/bash-completion/completions/supcon-theory",
    "zsh": "supcon-theory completion zsh > ~/.zfunc/_supcon-theory   (with fpath+=~/.zfunc and "
    "compinit in ~/.zshrc)",
    "fish": "supcon-theory completion fish > ~/.config/fish/completions/supcon-theory.fish",
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """The shell."""
    parser.add_argument("shell", choices=list(SHELLS), help="whose syntax the script has")
    places = "\n".join(f"  {place}" for place in SHELLS.values())
    parser.epilog = f"{parser.epilog}\n\nto install it:\n{places}"


def main(given: argparse.Namespace) -> int:
    """Print the script.

    Args:
        given: `shell`.

    Returns:
        0.

    """
    import shtab

    print(shtab.complete(whole(), given.shell))
    return 0


def whole() -> argparse.ArgumentParser:
    """One parser of all subcommands, with the names, presets and flags of all experiments."""
    import shtab

    from supcon_theory.app import command

    made = argparse.ArgumentParser(command.PROGRAM)
    made.add_argument("-V", "--version", action="store_true", help="print the version")
    below = made.add_subparsers()
    for name, row in command.SUBCOMMANDS.items():
        one = command.parser(name, partial(below.add_parser, name, help=row.does))
        if name == "run":
            _experiments(one)
        for action in one._actions:
            if action.type is Path:
                action.complete = shtab.FILE  # type: ignore[attr-defined]  # shtab's own protocol
    return made


def _experiments(parser: argparse.ArgumentParser) -> None:
    """Let the parser of `run` know what else experiments parse themselves."""
    from supcon_theory.app import experiments

    known = {name: experiments.experiment(name).presets for name in experiments.names()}
    presets = {preset: None for found in known.values() for preset in found}
    for action in parser._actions:
        if action.dest == "name":
            action.choices = ["all", *known]
        if action.dest == "rest":
            action.nargs = argparse.ZERO_OR_MORE
            action.choices = [*known, *presets]
    configs = [config for found in known.values() for config in found.values()]
    kinds: dict[str, set[type]] = {}  # of each flag; experiments differ
    for name, kind in (flag for config in configs for flag in _flags(type(config))):
        kinds.setdefault(name, set()).add(kind)
    for name, found in kinds.items():
        what: dict[str, Any] = {"type": Path if Path in found else str}
        if found == {bool}:
            what = {"action": "store_true"}
        elif tuple in found:
            what["nargs"] = argparse.ZERO_OR_MORE
        parser.add_argument(f"--{name.replace('_', '-')}", **what)


def _flags(kind: type) -> Iterator[tuple[str, type]]:
    """The fields of a configuration that are flags, nested ones too, and of what kind they are."""
    from tyro.conf import Suppress

    hints = get_type_hints(kind, include_extras=True)
    for field in dataclasses.fields(kind):
        hint = hints[field.name]
        if Suppress in getattr(hint, "__metadata__", ()):
            continue
        inner = getattr(hint, "__origin__", hint)
        if isinstance(inner, type) and dataclasses.is_dataclass(inner):
            yield from _flags(inner)
        else:
            yield field.name, inner
