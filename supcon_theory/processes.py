"""All pairs divided over processes: each computes its part, and all have the sum.

It has to be asked for: in `with shared_over_processes():` every process makes the same calls with
the same data. Outside of it nothing here communicates, so a process that measures alone never
waits for others, whatever they do.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

T = TypeVar("T")
CLOSE = 1e-4  # more than rounding on another machine does, less than another row among 10^6
WORTH_HELP = 2**13  # rows: all pairs of them take a tenth of a second
_ask: ContextVar[Callable[..., None] | None] = ContextVar("ask", default=None)


class Shared(NamedTuple):
    """A group of processes, and every tensor that it has reduced so far."""

    group: Any
    reduced: list[Tensor]

    def reduce(self, x: Tensor, *, largest: bool = False) -> None:
        """The sum over all processes, or the largest, in place."""
        self.reduced.append(x)
        dist.all_reduce(x, dist.ReduceOp.MAX if largest else dist.ReduceOp.SUM, self.group)


_shared: ContextVar[Shared | None] = ContextVar("shared", default=None)  # of this thread


@contextmanager
def shared_over_processes() -> Iterator[None]:
    """Divide measures over all pairs among the processes of `torch.distributed`.

    All processes of the default group enter, and inside make the same calls with the same data,
    whole on each: `global_losses`, `audit`, `cosine_shapes`, `nearest_others`, `sampled_losses`
    compute a part each, add up in float64, and return the whole on every process. Sums go
    through the CPU (gloo), whatever the backend. Without an initialised group it does nothing.

    Example:
        dist.init_process_group("gloo")  # torchrun --nproc_per_node=8 script.py
        with shared_over_processes():
            losses = global_losses(z, y, taus=[1.0])  # on every rank, all rows on each
    """
    if not (dist.is_available() and dist.is_initialized()):
        yield
        return
    shared = Shared(dist.new_group(backend="gloo"), [])
    token = _shared.set(shared)
    try:
        yield
    finally:
        _shared.reset(token)
        dist.destroy_process_group(shared.group)
        # The group ends when nothing names it, and waits for its threads. If one of them were the
        # last to hold a tensor, it would wait for Python's lock, held here: so with PyTorch 2.7.
        reduced = shared.reduced
        del shared, token
        reduced.clear()


def help_through(ask: Callable[..., None] | None) -> None:
    """Have processes that wait for calls help this one, told by `ask`; None: no more."""
    _ask.set(ask)


@contextmanager
def helped(rows: int, *call: Any) -> Iterator[None]:
    """Inside, what is about all pairs is shared with processes that wait, if there are any.

    Whatever fails in one process breaks the group that it shares, and the others fail at once.

    Args:
        rows: Number of rows; few are quicker alone.
        call: What the others are told, to enter `shared_over_processes` and do the same.
    """
    ask = _ask.get()
    if ask is None or rows < WORTH_HELP:
        yield
        return
    ask(*call)
    with shared_over_processes():
        yield


def mine(items: Sequence[T], cost: Callable[[T], float]) -> list[T]:
    """This process' part of the items: each goes to the process that has least to do so far.

    Args:
        items: The same on all processes, in the same order.
        cost: Of an item. What two processes have differs by the cost of one item at most.

    Returns:
        Items in their order; all of them on a process that is alone.
    """
    shared = _shared.get()
    if shared is None:
        return list(items)
    group = shared.group
    costs, kept = [0.0] * dist.get_world_size(group), []
    for item in items:
        process = costs.index(min(costs))
        costs[process] += cost(item)
        if process == dist.get_rank(group):
            kept.append(item)
    return kept


def total(part: Tensor) -> Tensor:
    """The sum of a tensor over processes, in place.

    Args:
        part: Of this process. Where a place is zero on all processes but one, it is a
            concatenation, to the bit.

    Returns:
        The same tensor, with the same bits on each process; on one that is alone, as it was.
    """
    if shared := _shared.get():
        sums = part.cpu().contiguous()
        shared.reduce(sums)
        part.copy_(sums)
    return part


def check_same(*data: Tensor) -> None:
    """Refuse processes that hold different data, whose parts would be of nothing.

    Args:
        data: What a measure is about, (rows, ...) each.

    Raises:
        ValueError: on all processes, for other shapes, rows or order.
    """
    shared = _shared.get()
    if shared is None:
        return
    mark = torch.zeros(3, dtype=torch.float64)
    for k, x in enumerate(data, start=1):
        rows = x.detach().reshape(len(x), -1).cpu().double()
        left, right = (torch.arange(1.0, n + 1, dtype=torch.float64).sin() for n in rows.shape)
        seen = float(left @ rows @ right) / len(x) ** 0.5
        mark += k * torch.tensor([*rows.shape, seen], dtype=torch.float64)
    high_low = torch.cat([mark, -mark])
    shared.reduce(high_low, largest=True)
    if (high_low[:3] + high_low[3:]).max() > CLOSE:
        raise ValueError(
            f"this process holds data of {len(data[0])} rows, another process other data: inside "
            "shared_over_processes() give all of them the same rows, labels and options."
        )
