"""Which of the processes that torchrun started this one is; without it there is one. No torch."""

import os

STARTED = "TORCHELASTIC_RUN_ID"  # torchrun sets it; others may set WORLD_SIZE for reasons of theirs


def _number(name: str, alone: int) -> int:
    return int(os.environ.get(name, alone)) if STARTED in os.environ else alone


def world() -> int:
    """The number of processes."""
    return _number("WORLD_SIZE", 1)


def rank() -> int:
    """The number of this process, from 0."""
    return _number("RANK", 0)


def local_rank() -> int:
    """The number of this process among those of its machine."""
    return _number("LOCAL_RANK", 0)
