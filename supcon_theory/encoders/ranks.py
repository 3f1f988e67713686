"""One training on several processes, those that torchrun starts; everything here is a no-op on one.

Rank 0 runs the experiment as ever: it alone reads and writes the store, measures and prints. The
others wait (`serve`) until it asks them to train with it (`ask`), or for their part of losses over
all pairs of many rows (`train.ask_for_losses`). A batch is cut into equal parts,
the parts' embeddings are gathered, and every process has the loss of the whole batch, so negatives
are global. Let L be that loss and z_p the embeddings of process p, a function of the weights with
Jacobian J_p. The gradient with respect to the gathered embeddings is summed over the W processes,
each of which has the same: W dL/dz_p arrives at process p, and DistributedDataParallel averages
J_p^T W dL/dz_p over processes, which is sum_p J_p^T dL/dz_p, the gradient on one process. (A gather
whose backward only cuts out the own part gives 1/W of it.)
"""

import json
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from supcon_theory.encoders.recipe import BATCH_NORMALISED
from supcon_theory.processes import help_through
from supcon_theory.runs.exits import Refused
from supcon_theory.runs.launched import local_rank, rank, world

PATIENCE = timedelta(days=7)  # rank 0 may measure for long between two trainings
_messages: list[Tensor] = []  # emptied, until the group has ended


def start(device: str) -> str:
    """Join the processes that torchrun started.

    Args:
        device: as asked for, the same on all.

    Returns:
        the device of this process: of several GPUs, its own.

    """
    if world() == 1:
        return device
    on_gpu = torch.device(device).type == "cuda"
    if on_gpu:
        device = f"cuda:{local_rank()}"
        torch.cuda.set_device(device)
    if not dist.is_initialized():
        dist.init_process_group("cpu:gloo,cuda:nccl" if on_gpu else "gloo", timeout=PATIENCE)
    return device


def part(batch: Tensor) -> Tensor:
    """This process' part of the places of a batch, all of it on one process."""
    if not dist.is_initialized():
        return batch
    return batch.unflatten(0, (dist.get_world_size(), -1))[dist.get_rank()]


def parallel(network: nn.Module) -> nn.Module:
    """The network as it is called in training: with its gradients averaged over processes."""
    if not dist.is_initialized():
        return network
    on_gpu = next(network.parameters()).is_cuda
    if on_gpu:  # statistics of the whole batch, as on one process
        network = nn.SyncBatchNorm.convert_sync_batchnorm(network)
    return nn.parallel.DistributedDataParallel(network)


class _Gather(torch.autograd.Function):
    """The rows of all processes in the order of their ranks; backward: sum, then the own rows."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        parts = [torch.empty_like(rows) for _ in range(dist.get_world_size())]
        dist.all_gather(parts, rows.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].contiguous().clone()
        dist.all_reduce(total)
        return part(total)


def gather(rows: Tensor) -> Tensor:
    """The rows (b, ...) of all processes, (W b, ...), with their gradients."""
    if not dist.is_initialized():
        return rows
    gathered = _Gather.apply(rows)
    assert isinstance(gathered, Tensor)
    return gathered


def mean(gradients: Sequence[Tensor]) -> None:
    """Average gradients over processes, in place: of weights that no wrapped network holds."""
    if dist.is_initialized():
        for gradient in gradients:
            dist.all_reduce(gradient)
            gradient /= dist.get_world_size()


def tell(data: bytes) -> None:
    """Rank 0: send bytes to the others."""
    if dist.is_initialized():
        _broadcast(torch.tensor([len(data)]))
        _broadcast(torch.frombuffer(bytearray(data), dtype=torch.uint8))


def told() -> bytes:
    """The other ranks: the bytes that rank 0 sends."""
    length = int.from_bytes(_broadcast(torch.zeros(1, dtype=torch.int64)), sys.byteorder)
    return _broadcast(torch.empty(length, dtype=torch.uint8))


def _broadcast(x: Tensor) -> bytes:
    """Rank 0's bytes of x. What is left of x stays: see the end of `shared_over_processes`."""
    _messages.append(x)
    dist.broadcast(x, 0)
    data = x.numpy().tobytes()
    x.data = x.new_empty(0)
    return data


def ask(job: object) -> None:
    """Rank 0: have the others do a job with it, one that JSON holds."""
    tell(json.dumps(job).encode())


def serve(do: Callable[[Any], None]) -> None:
    """The other ranks: do what rank 0 asks for until it asks for nothing more.

    Args:
        do: does a job; a FloatingPointError in it is rank 0's too, who tells of it.
    """
    while (job := json.loads(told())) is not None:
        try:
            do(job)
        except FloatingPointError:
            continue


def dismiss() -> None:
    """Rank 0: there is nothing more to do."""
    if dist.is_initialized():
        help_through(None)
        if rank() == 0:
            ask(None)
        dist.destroy_process_group()
        _messages.clear()


def check(encoder: str, batch: int, device: str) -> None:
    """Refuse what several processes cannot share.

    Args:
        encoder: its name.
        batch: images in a batch.
        device: where it is trained.

    Raises:
        Refused: in one sentence.

    """
    count = world()
    if batch < count:
        raise Refused(f"{count} processes have no image each in a batch of {batch}: start fewer")
    if batch % count:
        raise Refused(
            f"batch is {batch} but {count} processes must have equal parts of it: choose a "
            f"multiple of {count}, or another number of processes"
        )
    if count > 1 and encoder in BATCH_NORMALISED and torch.device(device).type != "cuda":
        raise Refused(
            f"encoder is {encoder}, which normalises over the batch, and several processes share "
            "that on GPUs only: choose --device cuda, or one process"
        )


def description() -> dict[str, int]:
    """What a manifest says of the processes: nothing of one."""
    return {"processes": world()} if world() > 1 else {}
