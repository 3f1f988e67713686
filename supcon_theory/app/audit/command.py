"""The command: what is asked, the refusals that come before any work, and the order of the work.

Started by torchrun, all processes read and audit the same, each with its part of all pairs; the
first alone prints and writes.
"""

import warnings
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from supcon_theory.app.audit import printed, written
from supcon_theory.app.audit.clock import Clock
from supcon_theory.data.embeddings import Embeddings, Fault, Second, read, second
from supcon_theory.runs.exits import Refused
from supcon_theory.runs.launched import rank, world

TAUS = (1.0, 0.1)


class Audit(NamedTuple):
    """What was read, and what was found."""

    of: Embeddings
    against: str  # what the second model was read from, with its shape
    tables: dict[str, pd.DataFrame]


def arguments(parser: ArgumentParser) -> None:
    """Files, temperatures, and where to write."""
    add = parser.add_argument
    add("file", type=Path, help=".npy .npz .csv .parquet .safetensors .pt; (N, d) or (N, K, d)")
    add("--labels", type=Path, metavar="FILE", help="labels beside the file, one a row (or .txt)")
    add("--column", default="", metavar="NAME", help="name of the labels in their file")
    add("--key", default="", metavar="NAME", help="name of the embeddings in their file")
    add("--against", type=Path, metavar="FILE", help="the same samples by a second model")
    add("--against-key", default="", metavar="NAME", help="name of the embeddings in that file")
    add("--tau", type=float, nargs="+", default=list(TAUS), help="temperatures of the losses")
    add("--raw", action="store_true", help="add the measures that are defined with lengths kept")
    add("--budget", type=int, default=3000, metavar="SAMPLES", help="for few-shot errors (3000)")
    add("--seed", type=int, default=0, help="key of every draw")
    add("--report", type=Path, metavar="FILE", help="write one self-contained HTML page there")
    add("--out", type=Path, default=Path("audit"), help="folder for tables and figure (audit)")


def main(given: Namespace) -> int:
    """Read, audit, print, write.

    Args:
        given: what `arguments` added.

    Returns:
        0.

    Raises:
        Refused: anything in the files or flags is wrong; nothing is written then.
    """
    try:
        check(given.tau, given.budget, given.seed)
        written.check(given.out, given.report)
        of = read(given.file, given.key, given.labels, given.column)
        other = None
        if given.against is not None:
            other = second(given.against, given.against_key, of)
    except (Fault, ValueError, OSError) as error:
        raise Refused(str(error)) from None
    with _together():
        found = Audit(of, "" if other is None else other.source, _audit(given, of, other))
    if rank() > 0:
        return 0
    paths = written.write(found, given.out, given.report, flags(given))
    printed.show(found)
    print(f"Written: {', '.join(map(str, paths))}.")
    return 0


def check(taus: Iterable[float], budget: int, seed: int) -> None:
    """Refuse flags that no data could be audited with.

    Raises:
        ValueError: in one sentence.
    """
    from supcon_theory.inputs import SEEDS
    from supcon_theory.measures.losses import LEAST_TAU

    for tau in taus:
        if not LEAST_TAU <= tau < np.inf:
            raise ValueError(
                f"tau is {tau:g}; it must be a number of at least 1/{1 / LEAST_TAU:.0f}."
            )
    if budget < 4:
        raise ValueError(f"budget is {budget}; it must be at least 4 samples.")
    if not 0 <= seed < SEEDS:
        raise ValueError(f"seed is {seed}; it must be 0 or more, and below {SEEDS}.")


@contextmanager
def _together() -> Iterator[None]:
    """Inside, the processes that torchrun started share what is about all pairs."""
    if world() == 1:
        yield
        return
    import torch.distributed as dist

    from supcon_theory.processes import shared_over_processes

    dist.init_process_group("gloo")
    with shared_over_processes():
        yield
    dist.destroy_process_group()


def _audit(given: Namespace, of: Embeddings, other: Second | None) -> dict[str, pd.DataFrame]:
    from supcon_theory.audits.embeddings import audit

    warnings.filterwarnings("ignore", "The number of unique classes")  # few labels are meant
    if rank() > 0:
        warnings.simplefilter("ignore")  # the first process says them
    with Clock() as clock, np.errstate(divide="ignore", invalid="ignore"):  # NaN: not defined
        tables = audit(
            of.z,
            of.y,
            given.tau,
            budget=given.budget,
            seed=given.seed,
            against=None if other is None else other.z,
            raw=given.raw,
            progress=clock.report if rank() == 0 else None,
        )
    if of.rows is not None:  # numbers in the file, not among the rows that are left
        tables["mislabelled"]["row"] = of.rows[tables["mislabelled"]["row"]]
    return tables


def flags(given: Namespace) -> dict[str, object]:
    """The flags as JSON holds them."""
    return {name: str(v) if isinstance(v, Path) else v for name, v in vars(given).items()}
