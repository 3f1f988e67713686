"""What training would take: hours, memory and disk, from steps that were measured."""

from collections.abc import Sequence
from dataclasses import replace
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
    every = {path: one for cell in cells for path, one in cell.shared.items()}
    left = [one for p, one in every.items() if not (out / p / "manifest.json").exists()]
    kinds = list(dict.fromkeys(one.kind for one in every.values())) or [recipe.encoder]
    core, count = sum(one.seconds for one in left), len(left)
    lines = [
        f"{len(cells)} cells, {len(every)} encoders ({', '.join(kinds)}), {len(every) - count} of "
        "them trained already"
    ]
    hours = f"training: about {duration(core)} of one core"
    if H100_SECONDS.keys() >= {*kinds}:
        gpu = sum(one.seconds * H100_SECONDS[one.kind] / SECONDS[one.kind] for one in left)
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
    weights = {kind: _weights(replace(recipe, encoder=kind)) for kind in kinds}
    kept = max(len(recipe.checkpoints), 2) * sum(weights[one.kind] for one in left)
    most = 3 * max(weights.values())
    lines.append(f"disk: {_size(kept)} of checkpoints, and {_size(most)} while one trains")
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
