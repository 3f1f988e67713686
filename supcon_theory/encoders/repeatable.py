"""The same bits again on a GPU, whose fastest algorithms add in whatever order numbers come."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

WORKSPACE = ":4096:8"  # of cuBLAS, one of the two that its sums have one order with


@contextmanager
def repeatable(device: str) -> Iterator[None]:
    """On a GPU only algorithms whose sums have one order; afterwards what the caller had chosen.

    On the CPU nothing changes: one thread adds in one order anyway.

    Args:
        device: where it is computed.

    Raises:
        RuntimeError: of PyTorch's, at an operation that has no such algorithm.
    """
    if torch.device(device).type != "cuda":
        yield
        return
    chosen = torch.are_deterministic_algorithms_enabled()
    warned = torch.is_deterministic_algorithms_warn_only_enabled()
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", WORKSPACE)  # cuBLAS reads it when it starts
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(chosen, warn_only=warned)
