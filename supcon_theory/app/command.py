"""The command `supcon-theory`: parse first, import later.

A subcommand is a row of `SUBCOMMANDS` and the module of its name in `supcon_theory/app/`, with

    arguments(parser)        adds its arguments to an `argparse.ArgumentParser`
    main(given) -> int       does what they ask and returns an exit code of `runs.exits`

The module is imported when the subcommand is asked for. At its top it imports what is quick; what
loads PyTorch it imports inside `main`.
"""

import argparse
import sys
from collections.abc import Callable
from importlib import import_module, metadata
from typing import NamedTuple, NoReturn

from supcon_theory.runs.exits import Parsed, Refused, guard, leave

PROGRAM = "supcon-theory"


class Subcommand(NamedTuple):
    """What it does, in a line, and the words of an example after the program's name."""

    does: str
    example: str


SUBCOMMANDS = {
    "loss": Subcommand(
        "what a loss value means",
        "loss 6.92 --objective supcon --batch 512 --tau 0.07 --classes 100",
    ),
    "run": Subcommand("answer a question, several, or all", "run gap_vs_classes laptop --seeds 5"),
    "list": Subcommand("the questions, and how long answering each takes", "list"),
    "status": Subcommand("what is done, what is missing, how long it will take", "status results"),
    "report": Subcommand("all results on one page", "report results --out report"),
    "audit": Subcommand("how good embeddings are", "audit embeddings.npy --labels labels.csv"),
    "verify": Subcommand("verdicts again from a table", "verify claims.json table.csv"),
    "export": Subcommand(
        "trained weights as a file of safetensors", "export results/encoders/78b93c2c3527a29b"
    ),
    "completion": Subcommand("completion for a shell", "completion bash"),
}


class Parser(argparse.ArgumentParser):
    """Ends as `runs.exits` says: bad usage is one sentence, help is no error."""

    def error(self, message: str) -> NoReturn:
        """Refuse the command line.

        Raises:
            Refused: always, with the message.

        """
        raise Refused(f"{self.prog}: {message} (see `{self.prog} --help`)")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """End the command, after `--help`.

        Raises:
            Parsed: always, with the status.

        """
        raise Parsed(status)


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
            print(usage())
        case ["-V" | "--version"]:
            print(f"{PROGRAM} {metadata.version('supcon_theory')}")
        case [name, *rest] if name in SUBCOMMANDS:
            return import_module(f"supcon_theory.app.{name}").main(parser(name).parse_args(rest))
        case [name, *_]:
            raise Refused(f"There is no command {name!r}: choose one of {', '.join(SUBCOMMANDS)}.")
        case _:
            raise Refused(usage())
    return 0


def usage() -> str:
    """What `supcon-theory --help` prints."""
    width = max(map(len, SUBCOMMANDS))
    rows = [
        f"  {name:{width}}  {row.does}\n  {'':{width}}  {PROGRAM} {row.example}\n"
        for name, row in SUBCOMMANDS.items()
    ]
    head = f"usage: {PROGRAM} COMMAND ...  (each has --help), or {PROGRAM} --version"
    return "\n".join([head, "", *rows]).rstrip()


def parser(name: str, make: Callable[..., argparse.ArgumentParser] = Parser):
    """The parser of a subcommand, with its example in the help.

    Args:
        name: one of `SUBCOMMANDS`.
        make: makes the parser; `add_parser`, to get one that knows all subcommands.

    Returns:
        the parser.

    """
    row = SUBCOMMANDS[name]
    made = make(
        prog=f"{PROGRAM} {name}",
        description=f"{row.does[0].upper()}{row.does[1:]}.",
        epilog=f"example: {PROGRAM} {row.example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    import_module(f"supcon_theory.app.{name}").arguments(made)
    return made
