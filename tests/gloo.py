"""A function on two processes of gloo, forked from a process of their own.

A module that measures on two processes what it then measures alone prints JSON when it is run, and
its tests read that: the module's process has computed nothing before it forks.
"""

import json
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
import torch.distributed as dist

ROOT = Path(__file__).parents[1]
WORLD = 2


def together(work: Callable[[int], Any]) -> list[Any]:
    """What `work(rank)` returns on each of the processes, which are gone when this returns."""
    fork = multiprocessing.get_context("fork")
    with TemporaryDirectory() as folder:
        forked = [fork.Process(target=_process, args=(work, r, folder)) for r in range(WORLD)]
        for process in forked:
            process.start()
        for process in forked:
            process.join()
            assert process.exitcode == 0
        return [torch.load(f"{folder}/{r}.pt", weights_only=False) for r in range(WORLD)]


def _process(work: Callable[[int], Any], rank: int, folder: str) -> None:
    store = dist.FileStore(f"{folder}/store", WORLD)
    dist.init_process_group("gloo", store=store, rank=rank, world_size=WORLD)
    torch.save(work(rank), f"{folder}/{rank}.pt")
    dist.barrier()
    dist.destroy_process_group()


def printed(module: str) -> dict:
    """The JSON that a module of tests prints when it is run."""
    env = os.environ | {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    done = subprocess.run(
        [sys.executable, "-m", module],
        cwd=ROOT, env=env, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
