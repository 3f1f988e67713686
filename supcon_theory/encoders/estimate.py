"""What training would take: hours, memory and disk, from steps that were measured."""

from collections.abc import Sequence
from pathlib import Path

from supcon_theory.encoders.recipe import H100_GIB, H100_SECONDS, SECONDS, Recipe
from supcon_theory.runs.cells import Cell
from supcon_theory.runs.progress import duration

GIB = 2**30
MEASURED = "one NVIDIA H100 80GB, torch 2.11, float32, TF32 in convolutions"


def estimate(cells: Sequence[Cell], recipe: Recipe, out: Path) -> list[str]:
    """What these cells would take, in lines; nothing is trained and no data are needed.

    Args:
        cells: all of a run.
        recipe: what its encoders have in common.
        out: the results folder, where some may be trained already.

    Returns:
        a line for each of encoders, training, memory, disk, measuring.

    """
    every = {path: seconds for cell in cells for path, seconds in cell.shared.items()}
    left = {p: s for p, s in every.items() if not (out / p / "manifest.json").exists()}
    core, count = sum(left.values()), len(left)
    lines = [
        f"{len(cells)} cells, {len(every)} encoders of {recipe.encoder}, {len(every) - count} of "
        "them trained already"
    ]
    hours = f"training: about {duration(core)} of one core"
    if recipe.encoder in H100_SECONDS:
        gpu = core * H100_SECONDS[recipe.encoder] / SECONDS[recipe.encoder]
        hours += (
            f"; {duration(gpu)} of one GPU, no less than {duration(gpu / 8)} on 8 (steps measured "
            f"on {MEASURED}; 8 not measured)"
        )
    lines.append(hours if count else "training: nothing")
    if recipe.encoder in H100_GIB:
        images, gib = H100_GIB[recipe.encoder]
        lines.append(
            f"memory of the GPU: {gib * recipe.batch * recipe.K / images:.0f} GiB for a batch of "
            f"{recipe.batch} in {recipe.K} views ({gib} GiB measured for {images} views)"
        )
    weights = _weights(recipe)
    kept = count * max(len(recipe.checkpoints), 2) * weights
    lines.append(f"disk: {_size(kept)} of checkpoints, and {_size(3 * weights)} while one trains")
    cost = sum(cell.cost for cell in cells)
    lines.append(f"measuring, on the CPU: about {duration(cost)} of one core")
    return lines


def _size(count: int) -> str:
    """Bytes in words."""
    return f"{count / GIB:.1f} GiB" if count > GIB / 10 else f"{count / 2**20:.1f} MiB"


def _weights(recipe: Recipe) -> int:
    """Bytes of one checkpoint."""
    import torch

    from supcon_theory.encoders.networks import network_of

    with torch.device("meta"):  # shapes only
        network = network_of(recipe, 3)
    return sum(value.nbytes for value in network.state_dict().values())
