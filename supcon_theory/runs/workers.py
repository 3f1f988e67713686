"""Where cells are computed: one to a process and one thread each, or here if that is as quick.

A worker takes seconds to start (it loads torch), so a few small cells are computed in this process,
with the same numbers, since one thread is all that a cell has anywhere.
"""

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from threadpoolctl import threadpool_limits

from supcon_theory.runs.cells import Cell, Context, Done, Measure, work
from supcon_theory.runs.exits import KILLED, Broken
from supcon_theory.runs.progress import Progress
from supcon_theory.runs.slurm import Launch, in_jobs
from supcon_theory.runs.store import Entry

WORTH_A_PROCESS = 15.0  # seconds of work in all cells together
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
Work = Sequence[tuple[Cell, Entry]]


def run(
    cells: Work,
    measure: Measure,
    context: Context,
    jobs: int | None,
    force: bool,
    later: float = 0.0,
    launch: Launch | None = None,
) -> dict[str, Done]:
    """Compute cells, the longest first.

    Args:
        cells: what is missing, each with its entry.
        measure: turns a cell's config into tables.
        context: places and device; its `report` is replaced by the progress shown.
        jobs: processes at the same time; of SLURM, None for as many as it allows.
        force: compute what is there as well.
        later: seconds that what follows will take, for the time left.
        launch: what jobs of SLURM are told, if they compute the cells.

    Returns:
        how each ended, by name.

    Raises:
        Broken: what the program rests on did, so that the others would end as the first one; what
            is finished is kept.

    """
    if not cells:
        return {}
    since = context.retrain_before
    seconds = {cell.name: cell.seconds(context.out, since) for cell, _ in cells}
    cells = sorted(cells, key=lambda pair: -seconds[pair[0].name])
    at_once = min(jobs or len(cells), len(cells))
    here = at_once == 1 or sum(seconds.values()) < WORTH_A_PROCESS
    many = f"{len(cells)} cell{'s' * (len(cells) > 1)} to compute"
    where = "in this process" if here else f"starting {at_once} workers"
    where = "in jobs of SLURM" if launch else where
    print(f"{many}, {where} ...", file=sys.stderr, flush=True)  # PyTorch takes seconds to load
    with Progress(seconds, later) as progress, one_thread():
        if launch:
            ends = in_jobs(cells, launch, context, jobs, force)
        else:
            compute = _here if here else _in_workers
            ends = compute(cells, measure, context, at_once, force, progress)
        ended = {}
        for name, done in ends:
            if done.state == "broken":
                raise Broken(f"{name}: {done.text.rstrip('.')}")
            progress.finish(name, done.text if done.state == "failed" else "")
            ended[name] = done
    return ended


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for what is loaded here and what is started or loaded meanwhile."""
    kept = {name: os.environ[name] for name in THREADS if name in os.environ}
    torch = sys.modules.get("torch")
    threads = torch.get_num_threads() if torch else 1
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        if torch:
            torch.set_num_threads(1)
        with threadpool_limits(1):
            yield
    finally:
        if torch:
            torch.set_num_threads(threads)
        for name in THREADS:
            del os.environ[name]
        os.environ.update(kept)


def _here(cells, measure, context, jobs, force, progress) -> Iterator[tuple[str, Done]]:
    waiting = [(*pair, False) for pair in cells]
    while waiting:
        cell, entry, patient = waiting.pop(0)
        told = replace(context, report=lambda part, name=cell.name: progress.report(name, part))
        done = work(measure, cell.config, entry, told, patient, force)
        if done.state == "busy":  # another command computes it: come back and wait for it
            progress.waits(cell.name)
            waiting.append((cell, entry, True))
        else:
            yield cell.name, done


def _in_workers(cells, measure, context, jobs, force, progress) -> Iterator[tuple[str, Done]]:
    """A worker that dies takes all with it: those that it can have been are tried alone."""
    groups = [(list(cells), jobs)]
    while groups:
        some, at_once = groups.pop(0)
        left = {cell.name: (cell, entry) for cell, entry in some}
        try:
            for name, done in _pool(some, measure, context, at_once, force, progress):
                del left[name]
                yield name, done
        except BrokenProcessPool:
            pairs = list(left.values())
            if len(some) == 1:
                yield pairs[0][0].name, Done("failed", KILLED)
                continue
            suspects, others = pairs[:at_once], pairs[at_once:]  # they are begun in order
            groups = [([pair], 1) for pair in suspects] + groups
            groups += [(others, at_once)] if others else []


def _pool(cells, measure, context, jobs, force, progress) -> Iterator[tuple[str, Done]]:
    spawn = multiprocessing.get_context("spawn")
    events = spawn.Queue()
    others = set(multiprocessing.active_children())
    start = (events, os.getpid())
    workers = ProcessPoolExecutor(min(jobs, len(cells)), spawn, _start_worker, start)
    place = Context(context.out, context.device, context.retrain_before)

    def submit(cell: Cell, entry: Entry, patient: bool):
        return workers.submit(_work, cell.name, measure, cell.config, entry, place, patient, force)

    try:
        with _deaf():
            running = {submit(cell, entry, False): (cell, entry) for cell, entry in cells}
        while running:
            done, _ = wait(running, timeout=0.2, return_when=FIRST_COMPLETED)
            while not events.empty():
                progress.report(*events.get())
            for future in done:
                cell, entry = running.pop(future)
                ended = future.result()
                if ended.state == "busy":
                    progress.waits(cell.name)
                    running[submit(cell, entry, True)] = (cell, entry)
                else:
                    yield cell.name, ended
    except BaseException:
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
        workers.shutdown(wait=False, cancel_futures=True)
        raise
    workers.shutdown()


@contextmanager
def _deaf() -> Iterator[None]:
    """Processes started meanwhile never hear Ctrl-C, not even while they load; it waits here."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_events: Any = None  # a worker's way to tell its parent how far it is


def _start_worker(events, parent: int) -> None:
    """One thread, no reaction to Ctrl-C (the parent has it), and no life without the parent."""
    global _events
    _events = events
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threadpool_limits(1)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.2)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _work(name: str, measure, config, entry, place: Context, patient: bool, force: bool) -> Done:
    report = lambda part: _events.put((name, part))  # noqa: E731
    return work(measure, config, entry, replace(place, report=report), patient, force)
