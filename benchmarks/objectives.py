"""Forward and backward of every objective beside public libraries and a plain matrix product.

    pip install -e '.[bench]'
    python benchmarks/objectives.py                       256 to 4096 images, about 10 minutes
    python benchmarks/objectives.py --sizes 256 1024      a part of it, added to the same table

Two views per image, d = 128, tau = 0.5, 100 classes, float32, one thread. First every value that
the conventions make equal is checked to be equal. Then each function and size gets a process of its
own: peak memory of one call, then the median CPU time of at least 5 calls that take turns with the
plain NT-Xent. Only ratios mean anything across machines: `of_plain` is against those turns.
Writes figures/benchmarks/benchmark_objectives.{csv,md,png,pdf}.
"""

import os

for _variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_variable] = "1"  # before torch loads its BLAS

import gc
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from time import process_time

import pandas as pd
import torch
import torch.nn.functional as F
import tyro
from torch import Tensor

import figures
from supcon_theory.objectives import IDS, OBJECTIVES, options_of

TAU, VIEWS, DIMENSIONS, CLASSES = 0.5, 2, 128, 100
NAMED = ("dcl", "nscl", "nt_xent", "supcon", "nscl_coupled")


@dataclass(frozen=True)
class Config:
    """What to measure."""

    sizes: tuple[int, ...] = (256, 512, 1024, 2048, 4096)
    """Numbers of images."""
    only: tuple[str, ...] = ()
    """Functions to measure, by the names in the table; all by default."""
    repeats: int = 5
    """Calls per function; fast ones get more."""
    others: int = 1024
    """Largest size for the ids that the speed targets do not name."""
    memory_limit: float = 6.0
    """GB: a function whose memory would exceed it, by growth 4 per doubling, is not run."""
    folder: Path = Path("figures/benchmarks")
    """Where the table and the figure go."""


def plain(z: Tensor, y: Tensor) -> Tensor:
    """NT-Xent for two views as one would write it: a matrix product and autograd."""
    rows = z.transpose(0, 1).flatten(0, 1)
    s = rows @ rows.T / TAU
    s.fill_diagonal_(-torch.inf)
    return F.cross_entropy(s, torch.arange(len(rows)).roll(len(z)))


def peers() -> dict[str, tuple[Callable, str | None]]:
    """Function of (z, y) and the id of ours that it equals, with its options, of each peer."""
    from lightly.loss import DCLLoss, NTXentLoss
    from pytorch_metric_learning import losses as pml

    def numbered(z):  # every image is its own class
        return torch.arange(len(z)).repeat_interleave(VIEWS)

    def rows(z):
        return z.flatten(0, 1)

    lightly_nt_xent, lightly_dcl = NTXentLoss(TAU), DCLLoss(TAU)
    pml_nt_xent, pml_supcon = pml.NTXentLoss(TAU), pml.SupConLoss(TAU)
    return {
        "lightly NTXentLoss": (lambda z, y: lightly_nt_xent(z[:, 0], z[:, 1]), "nt_xent"),
        "lightly DCLLoss": (lambda z, y: lightly_dcl(z[:, 0], z[:, 1]), "dcl"),
        "pml SupConLoss": (lambda z, y: pml_supcon(rows(z), y.repeat_interleave(VIEWS)), "supcon"),
        "pml NTXentLoss": (lambda z, y: pml_nt_xent(rows(z), numbered(z)), "nt_xent"),
    }


def ours(name: str, z: Tensor, y: Tensor) -> Tensor:
    """One of our losses, with class weights where it has any."""
    weights = {"weights": torch.eye(int(y.max()) + 1, DIMENSIONS)}
    given = weights if "weights" in options_of(name) else {}
    return OBJECTIVES[name](z, y, tau=TAU, **given)


def pml_triplet(z: Tensor, y: Tensor) -> Tensor:
    """All triplets of the batch, formed one by one: for small batches, so it is not timed."""
    from pytorch_metric_learning import distances, reducers
    from pytorch_metric_learning import losses as pml

    cosines, every = distances.CosineSimilarity(), reducers.MeanReducer()
    loss = pml.TripletMarginLoss(0.1, distance=cosines, reducer=every)
    return loss(z.flatten(0, 1), y.repeat_interleave(VIEWS)) / TAU


def functions() -> dict[str, Callable]:
    ours_by_id = {name: partial(ours, name) for name in IDS}
    return {"plain": plain, **ours_by_id, **{name: f for name, (f, _) in peers().items()}}


def inputs(images: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(images)
    z = torch.randn(images, VIEWS, DIMENSIONS, generator=generator)
    return F.normalize(z, dim=-1), torch.arange(images) % min(CLASSES, images // 2)


def check_values() -> None:
    """Values and gradients that must be equal where conventions coincide."""
    z, y = inputs(96)
    named = {"plain": (plain, "nt_xent"), "pml TripletMarginLoss": (pml_triplet, "triplet")}
    for name, (function, id_) in {**named, **peers()}.items():
        options = {"pairs": "distinct"} if id_ == "dcl" else {}
        gradients, values = [], []
        for loss in (function, partial(OBJECTIVES[id_], tau=TAU, **options)):
            x = z.clone().requires_grad_()
            raw = F.normalize(x, dim=-1)  # peers normalise: compare gradients along the sphere
            value = loss(raw, y)
            (gradient,) = torch.autograd.grad(value, x)
            values.append(value.item())
            gradients.append(gradient)
        off = abs(values[0] - values[1])
        turned = ((gradients[0] - gradients[1]).norm() / gradients[1].norm()).item()
        if off > 1e-5 or turned > 1e-4:
            raise SystemExit(f"{name}: {values[0]}, {id_}: {values[1]}, gradients {turned:.1e} off")
        print(f"{name:21} = {id_:8} value off by {off:.1e}, gradient by {turned:.1e} (relative)")


def call(function: Callable, z: Tensor, y: Tensor) -> float:
    x = z.clone().requires_grad_()
    start = process_time()
    function(x, y).backward()
    return process_time() - start


def kilobytes(field: str) -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.split(f"{field}:")[1].split()[0])


def measure(name: str, images: int, repeats: int) -> dict:
    """Peak extra memory of the first call, then median CPU times beside the plain loss."""
    torch.set_num_threads(1)
    function = functions()[name]
    call(function, *inputs(32))  # load what is loaded lazily
    z, y = inputs(images)
    gc.collect()
    before = kilobytes("VmRSS")
    first = call(function, z, y)
    memory = (kilobytes("VmHWM") - before) / 1024
    if first < 0.2:  # at least 5 calls and about 2 seconds, at most 401 calls
        repeats = max(repeats, min(401, int(2 / first)))
    times, floor = [], []
    call(plain, z, y)
    for _ in range(repeats):
        times.append(call(function, z, y))
        floor.append(call(plain, z, y))
    return {
        "function": name, "images": images, "cpu_ms": 1e3 * median(times),
        "plain_ms": 1e3 * median(floor), "of_plain": median(times) / median(floor),
        "memory_mb": memory, "calls": repeats,
    }  # fmt: skip


def alone(function: Callable, *arguments):
    """The result of a call in a process of its own, so that peak memory is its own."""
    with get_context("fork").Pool(1) as pool:
        return pool.apply(function, arguments)


def run(config: Config, known: pd.DataFrame | None) -> pd.DataFrame:
    rows, last = [], {}  # last: images and memory of each function at the size before
    if known is not None:
        smaller = known[known["images"] < min(config.sizes)].sort_values("images")
        last = {row.function: (row.images, row.memory_mb) for row in smaller.itertuples()}
    for images in sorted(config.sizes):
        for name in config.only or functions():
            previous, memory = last.get(name, (images, 0))
            if memory * (images / previous) ** 2 > 1024 * config.memory_limit:
                print(f"{name} at {images}: not run, it would take > {config.memory_limit} GB")
                continue
            if images > config.others and name in IDS and name not in NAMED:
                continue
            row = alone(measure, name, images, config.repeats)
            last[name] = images, row["memory_mb"]
            rows.append(row)
            print("{function:20}{images:6}{cpu_ms:11.2f} ms{of_plain:8.2f} of plain"
                  "{memory_mb:9.0f} MB{calls:5} calls".format(**row), flush=True)  # fmt: skip
    return pd.DataFrame(rows)


def against_peers(table: pd.DataFrame) -> pd.DataFrame:
    """Our time over that of the fastest peer that computes the same value, per size."""
    ratio = table.pivot(index="function", columns="images", values="of_plain")
    same = {}
    for name, (_, id_) in peers().items():
        same.setdefault(id_, []).append(name)
    ratio = ratio.reindex([*same, *peers()])
    rows = {id_: ratio.loc[id_] / ratio.loc[names].min() for id_, names in same.items()}
    return pd.DataFrame(rows).T


def markdown(table: pd.DataFrame, digits: int) -> str:
    head = ["function", *(f"{size} images" for size in table.columns)]
    rows = [
        [str(name), *("" if pd.isna(value) else f"{value:.{digits}f}" for value in row)]
        for name, row in zip(table.index, table.to_numpy(), strict=True)
    ]
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows])


def report(table: pd.DataFrame) -> str:
    order = table["function"].drop_duplicates()
    time, memory = (
        table.pivot(index="function", columns="images", values=column).loc[order]
        for column in ("of_plain", "memory_mb")
    )
    return (
        "Written by `python benchmarks/objectives.py`; empty: not measured.\n\n"
        f"CPU time over that of the plain matrix product:\n\n{markdown(time, 2)}\n\n"
        f"Peak extra memory (MB):\n\n{markdown(memory, 0)}\n\n"
        "Our CPU time over that of the fastest peer that computes the same value:\n\n"
        f"{markdown(against_peers(table), 2)}\n"
    )


def main(config: Config) -> None:
    try:
        peers()
    except ImportError as error:
        sys.exit(f"{error}: the peers are missing, install them with pip install -e '.[bench]'")
    alone(check_values)
    path = config.folder / "benchmark_objectives.csv"
    known = pd.read_csv(path) if path.exists() else None
    table = run(config, known).round(4)
    if known is not None:  # what was not measured now stays
        table = pd.concat([known, table]).drop_duplicates(["function", "images"], keep="last")
        names = list(functions())
        table = table.sort_values(
            ["images", "function"], key=lambda column: column.map(names.index)
            if column.name == "function" else column
        )  # fmt: skip
    table.to_csv(path, index=False)
    figures.draw(config.folder)
    text = report(table)
    print(text)
    (config.folder / "benchmark_objectives.md").write_text(text)


if __name__ == "__main__":
    main(tyro.cli(Config, description=__doc__))
