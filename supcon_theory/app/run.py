"""`supcon-theory run all|NAME... [preset] [--flags]`: answer one question, several, or all."""

import sys
import time
from argparse import REMAINDER, ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from supcon_theory.app import experiments
from supcon_theory.app.remaining import Remaining, remaining
from supcon_theory.app.status import counts
from supcon_theory.runs import flags, terminal
from supcon_theory.runs.exits import Refused, worst
from supcon_theory.runs.experiment import Experiment
from supcon_theory.runs.progress import duration

JUDGED, INTERRUPTED = (0, 1, 3), 130


class Job(NamedTuple):
    """One experiment of several, with what it is asked and what is left of it."""

    experiment: Experiment
    config: flags.Common
    folder: Path
    left: Remaining

    @property
    def seconds(self) -> float:
        """What it will take."""
        return self.left.seconds / min(self.config.workers, max(len(self.left.missing), 1))


def arguments(parser: ArgumentParser) -> None:
    """Names, a preset and flags; each experiment has flags of its own and parses them itself."""
    parser.usage = "%(prog)s [-h] (all | NAME...) [smoke|laptop|full|paper] [--flags]"
    what = "`all`, or experiments; `NAME --help` lists the flags of one"
    parser.add_argument("name", metavar="NAME", help=what)
    more = "more names, then smoke (seconds), laptop (minutes; the default), full or paper"
    parser.add_argument("rest", nargs=REMAINDER, metavar="...", help=more)


def main(given: Namespace) -> int:
    """Run what is asked for.

    Args:
        given: `name` and `rest`.

    Returns:
        the exit code, of several experiments that of the one which ended worst.

    """
    words = [given.name, *given.rest]
    first_flag = next((k for k, word in enumerate(words) if word.startswith("-")), len(words))
    words, flagged = words[:first_flag], words[first_flag:]
    names = experiments.names()
    preset = [words.pop()] if len(words) > 1 and words[-1] not in (*names, "all") else []
    if words == ["all"]:
        words = names
    asked = [experiments.experiment(name) for name in dict.fromkeys(words)]
    if len(asked) == 1:
        return asked[0].run([*preset, *flagged])
    return several(asked, [*preset, *flagged])


def several(asked: Sequence[Experiment], argv: Sequence[str]) -> int:
    """Run experiments one after another; one that fails or cannot run does not stop the others.

    What is answered from the store comes first, then what takes least, so that results come early.

    Args:
        asked: the experiments.
        argv: a preset or none, then flags that all of them have.

    Returns:
        the exit code of the one that ended worst.

    Raises:
        Refused: not all of them have the preset.

    """
    preset = argv[0] if argv and not argv[0].startswith("-") else "laptop"
    if lacking := [one.name for one in asked if preset not in one.presets]:
        having = " ".join(one.name for one in asked if preset in one.presets) or "none of them"
        raise Refused(
            f"{', '.join(lacking)} {'has' if len(lacking) == 1 else 'have'} no preset {preset!r}: "
            f"name those that have it ({having})"
        )
    jobs, rows = [], []
    for one in asked:
        try:
            jobs.append(_job(one, argv))
        except ValueError as error:
            print(f"{one.name} cannot run: {error}", file=sys.stderr)
            rows.append({"experiment": one.name, "exit": 2, "verdicts": "refused"})
    jobs.sort(key=lambda job: job.left.seconds)
    for k, job in enumerate(jobs):
        later = sum(other.seconds for other in jobs[k + 1 :])
        print(
            f"\n[{k + 1}/{len(jobs)}] {job.experiment.name} {preset}: "
            f"{len(job.left.missing)} cells to compute, about {duration(job.seconds)} "
            f"(by {job.left.basis}); over all about {duration(job.seconds + later)}",
            file=sys.stderr,
            flush=True,
        )
        began = time.monotonic()
        code = job.experiment.run(argv, later)
        row = {"experiment": job.experiment.name, "exit": code}
        row["verdicts"] = counts(job.folder) if code in JUDGED else "none"
        rows.append(row | {"took": duration(time.monotonic() - began), "folder": str(job.folder)})
        if code == INTERRUPTED:
            break
    print()
    terminal.show(pd.DataFrame(rows).fillna(""))
    return worst(row["exit"] for row in rows)


def _job(one: Experiment, argv: Sequence[str]) -> Job:
    preset, config = flags.parse(one.name, one.presets, argv)
    return Job(one, config, one.folder(preset, config), remaining(one, preset, config))
