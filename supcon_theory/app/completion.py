"""`supcon-theory completion SHELL`: a script that completes the command line.

The script knows everything that it completes, so a Tab starts nothing. Print it again after an
experiment or a flag was added.
"""

import argparse
from functools import partial
from pathlib import Path

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
    from tyro.extras import get_parser

    from supcon_theory.app import experiments

    names = experiments.names()
    presets = [p for name in names for p in experiments.experiment(name).presets]
    for action in parser._actions:
        if action.dest == "name":
            action.choices = ["all", *names]
        if action.dest == "rest":
            action.nargs = argparse.ZERO_OR_MORE
            action.choices = [*names, *dict.fromkeys(presets)]
    known: set[str] = {"--help"}
    for name in names:
        for flag in get_parser(type(experiments.experiment(name).presets["smoke"]))._actions:
            words = [w for w in flag.option_strings if w.startswith("--") and w not in known]
            known.update(words)
            if words and flag.nargs == 0:
                parser.add_argument(*words, action="store_true", help=flag.help)
            elif words:
                kind = Path if words[0] == "--out" else str
                parser.add_argument(*words, nargs=flag.nargs, type=kind, help=flag.help)
