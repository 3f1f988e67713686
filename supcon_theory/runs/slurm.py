"""Where cells are computed: in jobs of SLURM, an array with a task for each cell.

A job is told the experiment's name, its command line and the key of a cell, from which it works out
the rest; it computes the cell into the store as any process does, and says how it ended in a file
of JSON. So a job that is killed and requeued goes on from the last checkpoint, and running the same
command again is the retry. submitit writes and reads jobs as pickles of its own in
`<out>/slurm/`; nothing of them is read here.
"""

import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path

from threadpoolctl import threadpool_limits

from supcon_theory.runs import flags, sbatch, store
from supcon_theory.runs.cells import Cell, Context, Done, work
from supcon_theory.runs.exits import Broken, Refused
from supcon_theory.runs.store import Entry

EVERY = 2.0  # seconds between two looks at the queue
LOOKS = 3  # at which a task without an answer is absent from it before it counts as lost
ENDS = 30  # looks at the queue, a minute, for jobs that have answered to be gone from it
LOST = "its job ended without a word, see {log}: run the same command again"


@dataclass(frozen=True)
class Launch:
    """What a job must know to work out its cells: the experiment and its command line."""

    experiment: str
    argv: tuple[str, ...]
    options: tuple[str, ...] = ()  # of sbatch, name=value


def in_jobs(
    cells: Sequence[tuple[Cell, Entry]],
    launch: Launch,
    context: Context,
    jobs: int | None,
    force: bool,
) -> Iterator[tuple[str, Done]]:
    """Compute cells in the tasks of one job array.

    Args:
        cells: what is missing, each with its entry.
        launch: what the jobs are told.
        context: places and device.
        jobs: tasks at the same time; None for as many as SLURM allows.
        force: compute what is there as well.

    Yields:
        how each cell ended, by name.

    Raises:
        Broken: SLURM refuses the jobs, in its own words.

    """
    import submitit
    from submitit.core.utils import FailedJobError

    folder = context.out / "slurm" / f"{launch.experiment}-{time.time_ns()}"
    folder.mkdir(parents=True)
    executor = submitit.SlurmExecutor(folder)
    executor.update_parameters(
        job_name=launch.experiment,
        cpus_per_task=1,
        array_parallelism=jobs or len(cells),
        stderr_to_stdout=True,
        additional_parameters=sbatch.parameters(launch.options),
    )
    tasks = [
        (launch.experiment, launch.argv, entry.folder.name, context.retrain_before, force, folder)
        for _, entry in cells
    ]
    try:
        submitted = executor.map_array(compute, *map(list, zip(*tasks, strict=True)))
    except FailedJobError as error:
        raise Broken(f"SLURM refuses the jobs: {' '.join(str(error).split())}") from None
    running = {job.job_id: pair for job, pair in zip(submitted, cells, strict=True)}
    array = submitted[0].job_id.split("_")[0]
    print(
        f"{len(running)} tasks of SLURM job {array}, logs in {folder}", file=sys.stderr, flush=True
    )
    absent: Counter[str] = Counter()
    try:
        while running:
            queue = queued(array)
            for task, (cell, entry) in list(running.items()):
                answer = folder / f"{entry.folder.name}.json"
                if not answer.exists():
                    absent[task] += queue is not None and task not in queue
                    if absent[task] < LOOKS:
                        continue
                del running[task]
                yield cell.name, _ended(answer, task)
            time.sleep(EVERY if running else 0)
        _sweep(folder, array)
    except BaseException:
        subprocess.run(["scancel", array], check=False)
        raise


def _sweep(folder: Path, array: str) -> None:
    """Remove submitit's pickles, the last of which a job writes after its answer."""
    for _ in range(ENDS):
        if not queued(array):
            break
        time.sleep(EVERY)
    for pickle in folder.glob("*.pkl"):
        pickle.unlink()


def queued(array: str) -> set[str] | None:
    """The tasks of a job array that wait or run, "12_0", "12_1" ...; None if SLURM does not say."""
    asked = ["squeue", "--noheader", "--array", "--jobs", array, "--format", "%i"]
    found = subprocess.run(asked, capture_output=True, text=True, check=False)
    if found.returncode and "Invalid job id" not in found.stderr:
        return None
    return set(found.stdout.split())


def _ended(answer: Path, task: str) -> Done:
    if answer.exists():
        said = store.read_json(answer)
        return Done(said["state"], said["text"], tuple(said["damaged"]))
    log = next(iter(sorted(answer.parent.glob(f"{task}_*.out"))), answer.parent)
    return Done("failed", LOST.format(log=log))


def compute(
    experiment: str,
    argv: Sequence[str],
    key: str,
    retrain_before: float,
    force: bool,
    folder: Path,
) -> None:
    """What a job does: compute one cell and say how it ended.

    Args:
        experiment: its name.
        argv: the command line after the name.
        key: of the cell.
        retrain_before: stored encoders older than this (Unix time) are trained again.
        force: compute the cell although it is there.
        folder: where the answer goes, as `<key>.json`.
    """
    found = import_module(f"supcon_theory.experiments.{experiment}").EXPERIMENT
    try:
        _, config = flags.parse(experiment, found.presets, [*argv, "--where", "processes"])
        cell, entry = next((c, e) for c, e in found.work(config) if e.folder.name == key)
        context = Context(config.out.resolve(), getattr(config, "device", "cpu"), retrain_before)
        with threadpool_limits(1):
            done = work(found.measure, cell.config, entry, context, True, force)
    except Refused as error:  # a GPU that this node does not have, say
        done = Done("broken", f"on {socket.gethostname()}: {error}")
    store.write_json(folder / f"{key}.json", asdict(done))
