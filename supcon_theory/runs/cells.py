"""Cells: the units of work of an experiment, each computed once and kept.

A cell is a configuration, a frozen dataclass. `measure(config, context)` turns it into a table, or
several by name; that is a function of the configuration and of the versions of the audits it uses
alone, so a stored result is as good as a new one. A cell that another command is computing is left
to it and read when it is done.
"""

import json
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import Timeout

from supcon_theory.audits.columns import Table
from supcon_theory.runs import machine, store
from supcon_theory.runs.exits import NO_MEMORY, Refused, out_of_memory, refusal

Tables = dict[str, pd.DataFrame]
Measure = Callable[[Any, "Context"], pd.DataFrame | Tables]


@dataclass(frozen=True)
class Shared:
    """What several cells use and the first of them computes: of which kind, and its seconds."""

    kind: str
    seconds: float


@dataclass(frozen=True)
class Cell:
    """A configuration, a name for people, and the seconds of one core that it may take.

    `shared` are the entries of the store under the results folder that it computes or finds.
    """

    config: Any
    name: str
    cost: float = 1.0
    shared: Mapping[str, Shared] = field(default_factory=dict)

    def identity(self, experiment: str, audits: Iterable[Table]) -> dict[str, object]:
        """What the stored result depends on: the experiment, the config, versions of audits."""
        versions = {audit.name: audit.version for audit in audits}
        config = store.plain(self.config, places=False)
        return {"experiment": experiment, "config": config, "audits": versions}

    def key(self, experiment: str, audits: Iterable[Table]) -> str:
        """The name of its folder: equal identities, and only those, share it."""
        return store.key(self.identity(experiment, audits))

    def seconds(self, out: Path, since: float = 0.0) -> float:
        """What is left to do: its own cost and that of the shared entries still to be computed.

        Args:
            out: the results folder.
            since: shared entries older than this (Unix time) are computed again.

        Returns:
            seconds of one core.

        """
        found = {path: out / path / "manifest.json" for path in self.shared}
        there = {p for p, file in found.items() if file.exists() and file.stat().st_mtime >= since}
        left = (one.seconds for path, one in self.shared.items() if path not in there)
        return self.cost + sum(left)


def _ignore(told: object) -> None:
    """What happens to reports that nobody reads."""


@dataclass(frozen=True)
class Context:
    """What a cell may use but must not depend on: places, device, whom to tell how far it is."""

    out: Path
    device: str = "cpu"
    retrain_before: float = 0.0  # shared entries older than this (Unix time) are computed again
    report: Callable[[float], None] = _ignore
    say: Callable[[str], None] = _ignore


@dataclass(frozen=True)
class Done:
    """How computing one cell ended.

    "done", "found" (it was there), "busy" (another has it), "failed" (it ended early), "broken"
    (what the program rests on did) or "error" (a bug).
    """

    state: str
    text: str = ""
    damaged: tuple[str, ...] = ()


def work(
    measure: Measure,
    config: object,
    entry: store.Entry,
    context: Context,
    patient: bool,
    force: bool,
) -> Done:
    """Compute one cell unless it is there.

    Args:
        measure: the experiment's.
        config: of the cell.
        entry: where its tables go.
        context: handed to `measure`.
        patient: wait for another process that computes it, rather than return "busy".
        force: compute it although it is there.

    Returns:
        "failed" for a FloatingPointError (a loss that is not finite), with its message, and for
        memory that was refused; "broken" for what the system refuses, and for data that are not
        what they were, in one sentence; "error" for any other exception, with the traceback.

    """
    said: list[str] = []
    context = replace(context, say=said.append)
    try:
        with entry.lock().acquire(timeout=-1 if patient else 0):
            if entry.available(said.append):
                if not force:
                    return Done("found", damaged=tuple(said))
                entry.reopen()
            cpu = time.process_time()
            result = measure(config, context)
            tables = result if isinstance(result, dict) else {"table": result}
            for name, table in tables.items():
                entry.add(f"{name}.csv", table.to_csv(index=False).encode())
            entry.add("tables.json", json.dumps(sorted(tables)).encode())  # there may be none
            seconds = round(time.process_time() - cpu, 1)
            where = {"device": machine.device_name(context.device)}
            entry.finish({"seconds": seconds, **where, **machine.description()})
            return Done("done", damaged=tuple(said))
    except Timeout:
        return Done("busy")
    except FloatingPointError as error:
        return Done("failed", str(error), tuple(said))
    except (Refused, store.Damaged) as error:
        return Done("broken", str(error), tuple(said))
    except OSError as error:
        return Done("broken", refusal(error), tuple(said))
    except (Exception, SystemExit) as error:  # whatever a cell ends with is its own end only
        if out_of_memory(error):
            return Done("failed", NO_MEMORY, tuple(said))
        return Done("error", traceback.format_exc(), tuple(said))
