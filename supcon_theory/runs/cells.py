"""Cells: the units of work of an experiment, each computed once, in parallel, and kept.

A cell is a configuration (plain JSON values). `measure(config, context)` turns it into a table, or
several by name; that is a function of the configuration alone, so a stored result is as good as a
new one. Cells run one to a process, one thread each; a cell that another command is computing is
left to it and read when it is done.
"""

import io
import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
from filelock import Timeout
from threadpoolctl import threadpool_limits

from supcon_theory.runs import machine, store
from supcon_theory.runs.progress import Progress

Tables = dict[str, pd.DataFrame]


@dataclass(frozen=True)
class Cell:
    """A configuration, a name for people, and a guess of the work in it (in any unit)."""

    config: Mapping[str, object]
    name: str
    cost: float = 1.0

    @property
    def key(self) -> str:
        return store.key(self.config)


@dataclass(frozen=True)
class Context:
    """What a cell may use but must not depend on: places, device, and how to report progress."""

    encoders: Path
    device: str = "cpu"
    retrain_before: float = 0.0  # encoders older than this (Unix time) are trained again
    report: Callable[[float], None] = field(default=lambda fraction: None, compare=False)


@dataclass(frozen=True)
class Outcome:
    """All tables, rows in the order of the cells; why cells ended early; damage found on the way."""

    tables: Tables
    failed: dict[str, str]
    damaged: list[str]
    computed: int


def compute(
    cells: Sequence[Cell],
    measure: Callable[[Mapping[str, object], Context], pd.DataFrame | Tables],
    folder: Path,
    context: Context,
    jobs: int,
    force: bool = False,
) -> Outcome:
    """Compute what is missing, read the rest, and put the tables together.

    A `FloatingPointError` (a loss that is not finite) ends its own cell only. Any other exception is
    raised after the remaining cells are done and stored.
    """
    if len({cell.name for cell in cells}) < len(cells):
        raise ValueError("two cells have the same name: name each after what tells it apart")
    entries = {cell.key: store.Entry(folder / cell.key) for cell in cells}
    damaged: list[str] = []
    missing = []
    for cell in cells:
        try:
            finished = entries[cell.key].finished()
        except store.Damaged as error:
            finished = False
            damaged.append(str(error))
        if force or not finished:
            missing.append(cell)
    failed, errors = _run(missing, measure, entries, context, jobs, force, damaged)
    if errors:
        raise RuntimeError("a cell broke:\n" + "\n".join(errors))
    tables: dict[str, list[pd.DataFrame]] = {}
    for cell in cells:
        if cell.name in failed:
            continue
        entry = entries[cell.key]
        for name in sorted(entry.files()):
            table = pd.read_csv(io.BytesIO(entry.read(name)))
            table.insert(0, "cell", cell.key)
            tables.setdefault(name.removesuffix(".csv"), []).append(table)
    joined = {name: pd.concat(parts, ignore_index=True) for name, parts in tables.items()}
    return Outcome(joined, failed, damaged, len(missing))


def _run(missing, measure, entries, context, jobs, force, damaged):
    """Run the missing cells, the longest first; return why cells failed, and tracebacks."""
    failed: dict[str, str] = {}
    errors: list[str] = []
    if not missing:
        return failed, errors
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[variable] = "1"  # read by the workers when they load their libraries
    spawn = multiprocessing.get_context("spawn")
    events = spawn.Queue()
    waiting = sorted(missing, key=lambda cell: -cell.cost)
    progress = Progress({cell.key: cell.cost for cell in missing}, events)
    others = set(multiprocessing.active_children())
    workers = ProcessPoolExecutor(
        min(jobs, len(missing)), spawn, _start_worker, (events, os.getpid())
    )

    def submit(cell: Cell, patient: bool):
        work = (measure, dict(cell.config), entries[cell.key], cell.key, context_fields)
        return workers.submit(_work, *work, patient, force)

    context_fields = (context.encoders, context.device, context.retrain_before)
    try:
        with progress:
            running = {submit(cell, patient=False): cell for cell in waiting}
            while running:
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    cell = running.pop(future)
                    state, text = future.result()
                    if state == "busy":  # another command computes it: come back and wait for it
                        running[submit(cell, patient=True)] = cell
                        continue
                    if state == "failed":
                        failed[cell.name] = text
                    elif state == "error":
                        errors.append(f"{cell.name}: {text}")
                    elif text:
                        damaged.append(text)
                    progress.finish(cell.key, cell.name, failed.get(cell.name, ""))
    except BaseException:
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
        workers.shutdown(wait=False, cancel_futures=True)
        raise
    workers.shutdown()
    return failed, errors


_events = None  # a worker's way to tell its parent how far it is


def _start_worker(events, parent: int) -> None:
    """One thread, no reaction to Ctrl-C (the parent's business), and no life without the parent."""
    global _events
    _events = events
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threadpool_limits(1)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.2)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _work(
    measure, config, entry: store.Entry, key: str, context_fields, patient: bool, force: bool
):
    """Compute one cell in a worker: ("done" | "busy" | "failed" | "error", text)."""
    encoders, device, retrain_before = context_fields
    context = Context(encoders, device, retrain_before, lambda part: _events.put((key, part)))
    damage = ""
    try:
        with entry.lock().acquire(timeout=-1 if patient else 0):
            try:
                if force:
                    entry.reopen()
                if entry.finished():
                    return "done", ""
            except store.Damaged as error:
                damage = str(error)
            cpu = time.process_time()
            result = measure(config, context)
            tables = result if isinstance(result, dict) else {"table": result}
            for name, table in tables.items():
                entry.add(f"{name}.csv", table.to_csv(index=False).encode())
            entry.finish(
                {
                    "config": config,
                    "seconds": round(time.process_time() - cpu, 1),
                    **machine.description(),
                }
            )
            return "done", damage
    except Timeout:
        return "busy", ""
    except FloatingPointError as error:
        return "failed", str(error)
    except Exception:
        return "error", traceback.format_exc()
