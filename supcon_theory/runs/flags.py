"""The command line that all experiments share: presets, flags, checks, and one-sentence errors."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import tyro

from supcon_theory.runs import store
from supcon_theory.runs.exits import Refused

RUNNING = {"jobs", "out", "name", "force", "retrain", "strict"}
"""Flags that say how to run, not what is asked."""


def available_cores() -> int:
    """Cores that this process may use, which on a shared machine can be fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class Common:
    """Flags of every experiment."""

    seeds: int = 5
    """Number of seeds."""
    jobs: int | None = None
    """Cells computed at the same time, one thread each; as many as cores, but 1 on a GPU."""
    out: Path = Path("results")
    """Folder for results."""
    name: str = ""
    """A name for this configuration, in the name of its results folder."""
    force: bool = False
    """Measure again what is stored already."""
    strict: bool = False
    """End with exit code 1 where a trend differs from the published run."""

    @property
    def workers(self) -> int:
        """Cells computed at the same time: `jobs`, or one a core, or one on a GPU."""
        default = available_cores() if getattr(self, "device", "cpu") == "cpu" else 1
        return default if self.jobs is None else self.jobs

    def identity(self) -> dict[str, object]:
        """What is asked, as JSON holds it: all but how to run."""
        return {name: value for name, value in store.plain(self).items() if name not in RUNNING}

    def at_least(self, **least: int) -> None:
        """Refuse a flag that is lower than its least value.

        Raises:
            ValueError: in one sentence.

        """
        for flag, bound in least.items():
            if getattr(self, flag) < bound:
                raise ValueError(f"{flag} is {getattr(self, flag)} but must be at least {bound}")

    def check(self) -> None:
        """Refuse what the experiment cannot work with.

        Raises:
            ValueError: in one sentence, with what is allowed.

        """
        self.at_least(seeds=1)
        if self.workers < 1:
            raise ValueError(f"jobs is {self.jobs} but must be at least 1")
        if set(self.name) & set("/\\") or self.name.startswith("."):
            raise ValueError(f"name is {self.name!r} but must be a plain word, part of a folder's")
        check_writable(self.out)


def parse(name: str, presets: Mapping[str, Common], arguments: Sequence[str]) -> tuple[str, Common]:
    """The preset and configuration that a command line asks for.

    Args:
        name: of the experiment, for the help.
        presets: name -> configuration.
        arguments: the command line after the name: a preset or none, then flags.

    Returns:
        the name of the preset (laptop unless given) and its configuration with the flags applied.

    Raises:
        Refused: anything in it is wrong (`--help` and unknown flags end with a SystemExit).

    """
    arguments = list(arguments)
    preset = "laptop"
    if arguments and not arguments[0].startswith("-"):
        preset = arguments.pop(0)
    if preset not in presets:
        raise Refused(f"preset is {preset!r} but must be one of {', '.join(presets)}")
    try:
        config = tyro.cli(
            type(presets[preset]),
            args=arguments,
            default=presets[preset],
            prog=f"{name} {preset}",
            description=f"Presets: {', '.join(presets)}; these are the flags of {preset}.",
        )
        config.check()
    except (ValueError, TypeError, OSError) as error:
        raise Refused(str(error)) from None
    return preset, config


def check_writable(folder: Path) -> None:
    """Results can be written there.

    Raises:
        ValueError: in one sentence, with the system's reason.

    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ValueError(
            f"out is {str(folder)!r} but that cannot be written to "
            f"({error.strerror}): choose another folder with --out"
        ) from None
