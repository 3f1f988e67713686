"""The command line that all experiments share: presets, flags, checks, and one-sentence errors."""

import io
import os
import random
import re
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass
from itertools import dropwhile, takewhile
from pathlib import Path
from typing import Annotated, Literal

import tyro

from supcon_theory.runs import bounds, sbatch, store
from supcon_theory.runs.bounds import Between
from supcon_theory.runs.cells import Cell
from supcon_theory.runs.exits import Parsed, Refused
from supcon_theory.runs.launched import world
from supcon_theory.runs.progress import duration

RUNNING = {
    "jobs",
    "where",
    "sbatch",
    "dry_run",
    "out",
    "name",
    "force",
    "retrain",
    "strict",
    "download",
}
"""Flags that say how to run, not what is asked."""


def available_cores() -> int:
    """Cores that this process may use, which on a shared machine can be fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class Common:
    """Flags of every experiment."""

    seeds: Annotated[int, Between(1, 10_000)] = 5
    """Number of seeds."""
    jobs: int | None = None
    """Cells computed at the same time, one thread each; as many as cores, but 1 on a GPU."""
    where: Literal["processes", "slurm"] = "processes"
    """Where cells are computed: in processes of this machine, or in jobs of SLURM."""
    sbatch: tuple[str, ...] = ()
    """Options of SLURM's sbatch as name=value: partition=gpu time=08:00:00 mem=16G."""
    out: Path = Path("results")
    """Folder for results."""
    name: str = ""
    """A name for this configuration, in the name of its results folder."""
    force: bool = False
    """Measure again what is stored already."""
    dry_run: bool = False
    """Say what would be computed, and what it would take; compute nothing."""
    strict: bool = False
    """End with exit code 1 where a trend differs from the published run."""

    @property
    def workers(self) -> int:
        """Cells computed at the same time: `jobs`, or one a core, or one on a GPU."""
        default = available_cores() if getattr(self, "device", "cpu") == "cpu" else 1
        return default if self.jobs is None else self.jobs

    def identity(self) -> dict[str, object]:
        """What is asked, as JSON holds it: all but how to run."""
        found = store.plain(self, places=False)
        return {name: value for name, value in found.items() if name not in RUNNING}

    def at_least(self, **least: int) -> None:
        """Refuse a flag that is lower than its least value.

        Raises:
            ValueError: in one sentence.

        """
        for flag, bound in least.items():
            if getattr(self, flag) < bound:
                raise ValueError(f"{flag} is {getattr(self, flag)} but must be at least {bound}")

    def check(self) -> None:
        """Refuse flags that the experiment cannot work with, whatever the machine and the data.

        Raises:
            ValueError: in one sentence, with what is allowed.

        """
        bounds.check(self)
        if self.workers < 1:
            raise ValueError(f"jobs is {self.jobs} but must be at least 1")
        if self.name and not re.fullmatch(r"\w[\w.=+-]{,49}", self.name):
            raise ValueError(
                f"name is {self.name!r} but must be a plain word, part of a folder's: at most 50 "
                "letters, digits and . = + - _"
            )

    def together(self) -> bool:
        """Join the processes that torchrun started; what trains nothing has none.

        Returns:
            whether this is another than the first, and its work is done.

        Raises:
            Refused: there are several, and nothing for them to do.

        """
        if world() > 1:
            raise Refused(f"{world()} processes were started but nothing is trained: start one")
        return False

    def estimate(self, cells: Sequence[Cell]) -> list[str]:
        """What cells would take, in lines."""
        cost = sum(cell.cost for cell in cells)
        return [f"{len(cells)} cells, about {duration(cost)} of one core"]

    def alone(self) -> None:
        """Let the other processes go; there are none."""

    def look(self) -> None:
        """Refuse what the machine and the data do not allow; only asked once `check` is through."""
        check_writable(self.out)
        if self.where == "slurm":
            sbatch.check(self.sbatch)

    def refusal(self) -> str:
        """Why the run would be refused on this machine; empty if it would not."""
        try:
            self.look()
        except (ValueError, OSError) as error:
            return str(error)
        return ""


def parse(name: str, presets: Mapping[str, Common], arguments: Sequence[str]) -> tuple[str, Common]:
    """The preset and configuration that a command line asks for.

    Args:
        name: of the experiment, for the help.
        presets: name -> configuration.
        arguments: the command line after the name: a preset or none, then flags.

    Returns:
        the name of the preset (laptop unless given) and its configuration with the flags applied.

    Raises:
        Refused: anything in it is wrong.
        Parsed: the parser has said what was asked for (`--help`).

    """
    arguments = list(arguments)
    preset = "laptop"
    if arguments and not arguments[0].startswith("-"):
        preset = arguments.pop(0)
    if preset not in presets:
        raise Refused(f"preset is {preset!r} but must be one of {', '.join(presets)}")
    said, generator = io.StringIO(), random.getstate()
    try:
        with redirect_stderr(said):
            config = tyro.cli(
                type(presets[preset]),
                args=arguments,
                default=presets[preset],
                prog=f"{name} {preset}",
                description=f"Presets: {', '.join(presets)}; these are the flags of {preset}.",
            )
    except SystemExit as ended:
        error: BaseException | None = ended
        while error := error.__context__:
            if isinstance(error, Refused):  # of the recipe: as plain a sentence as those below
                raise error from None
        if ended.code:
            sentence = f"{_first(said.getvalue())}; `{name} {preset} --help` lists flags"
            raise Refused(sentence) from None
        raise Parsed(0) from None
    finally:
        random.setstate(generator)  # the parser's caches draw from the caller's
    try:
        config.check()
        if not config.dry_run:
            config.look()
    except (ValueError, OSError) as error:
        raise Refused(str(error)) from None
    return preset, config


def _first(box: str) -> str:
    """What the parser says first below the title of the box that it draws, as one sentence."""
    rows = [line.strip("│ ") for line in box.splitlines()[1:]]
    below = dropwhile(_rule, rows)  # in ASCII the title has a rule of its own
    return " ".join(takewhile(lambda row: not _rule(row), below)).rstrip(".") or box.strip()


def _rule(row: str) -> bool:
    return set(row) <= set("─-")


def check_writable(folder: Path) -> None:
    """Results can be written there.

    Raises:
        ValueError: in one sentence, with the system's reason.

    """
    there = next(place for place in (folder, *folder.absolute().parents) if os.path.lexists(place))
    try:
        with tempfile.TemporaryFile(dir=there):  # nothing is made: other flags may be refused
            pass
    except OSError as error:
        raise ValueError(
            f"out is {str(folder)!r} but that cannot be written to "
            f"({error.strerror}): choose another folder with --out"
        ) from None
