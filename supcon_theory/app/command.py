"""The command `supcon-theory`: parse first, import later."""

import importlib
import pkgutil
import sys
from importlib import metadata
from pathlib import Path
from typing import NoReturn

from supcon_theory.runs.exits import Refused, guard, leave

USAGE = """\
supcon-theory run NAME [smoke|laptop|full|paper] [--flags]   answer a question; --help lists flags
supcon-theory list                                           the questions
supcon-theory status [FOLDER]                                what is in a results folder
supcon-theory verify claims.json table.csv                   verdicts again, and those of mutants
supcon-theory --version"""


def main() -> NoReturn:
    """Do what the command line asks; ends the process with its exit code."""
    leave(run(sys.argv[1:]))


def run(argv: list[str]) -> int:
    """Do what `argv` asks.

    Args:
        argv: the command line after the program's name.

    Returns:
        the exit code, one of `runs.exits`.

    """
    return guard(lambda: _run(argv))


def _run(argv: list[str]) -> int:
    match argv:
        case ["-h" | "--help"]:
            print(USAGE)
        case ["--version"]:
            print(f"supcon-theory {metadata.version('supcon_theory')}")
        case ["run", name, *rest]:
            return _experiment(name).run(rest)
        case ["list"]:
            for name in names():
                print(f"{name:25}{_experiment(name).question}")
        case ["status", *folder] if len(folder) < 2:
            from supcon_theory.app.status import status

            status(Path(folder[0] if folder else "results"))
        case ["verify", claims, table]:
            from supcon_theory.app.verify import verify

            return verify(Path(claims), Path(table))
        case _:
            raise Refused(f"The command line is none of these:\n{USAGE}")
    return 0


def names() -> list[str]:
    """The names of all experiments, found by the files that hold them."""
    package = importlib.import_module("supcon_theory.experiments")
    return sorted(module.name for module in pkgutil.iter_modules(package.__path__))


def _experiment(name: str):
    if name not in names():
        raise Refused(f"There is no experiment {name!r}: choose one of {', '.join(names())}.")
    return importlib.import_module(f"supcon_theory.experiments.{name}").EXPERIMENT
