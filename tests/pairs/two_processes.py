"""Measures over all pairs on two processes against one; prints JSON. Run by test_processes.py.

    python -m tests.pairs.two_processes

Two processes of gloo on this machine, forked by their parent, which measures alone.
"""

import json
import time

import numpy as np
import torch

from supcon_theory.audits.embeddings import audit
from supcon_theory.measures import cosines, neighbours, rows, sampled_losses
from supcon_theory.measures.losses import global_losses
from supcon_theory.pairs import class_sums, tiles
from supcon_theory.processes import mine, shared_over_processes
from tests.gloo import together

torch.set_num_threads(1)
tiles.TILE["cpu"] = neighbours.QUERIES = 16  # many parts, of few rows
sampled_losses.CHUNK = sampled_losses.CHUNK_COLUMNS = 16
cosines.STRIP, rows.TILE_NUMBERS = 1500, 400
d = 6
TAUS = [2.0, 1.0, 0.1, 0.005]  # the last in float64 whatever the rows are
SIZES = {"equal": (25, 25, 25, 25), "unequal": (61, 1, 9, 30)}
CASES = {
    f"{name}, K = {K}, {str(dtype)[6:]}": (counts, K, dtype)
    for name, counts in SIZES.items()
    for K in (1, 2)
    for dtype in (torch.float32, torch.float64)
}
CELLS: list[int] = []  # of the tiles that this process computes


def count(x, scales, tile, out, *, compute=tiles.exponentials) -> None:
    CELLS.append(tile.cells)
    compute(x, scales, tile, out)


class_sums.exponentials = count
PARTS: list[tuple[int, int]] = []  # of the items of the other measures: of this process, of all


def part(items, cost, *, of=mine) -> list:
    PARTS.append((len(of(items, cost)), len(items)))
    return of(items, cost)


cosines.mine = neighbours.mine = sampled_losses.mine = part


def parts(compute, *arguments) -> tuple[np.ndarray, np.ndarray]:
    """What it computes, and how many items of how many were this process' part."""
    PARTS.clear()
    return compute(*arguments), np.array(PARTS).sum(0)


def drawn(counts, K, dtype) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    y = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
    y = y[torch.randperm(len(y), generator=generator)]
    z = torch.randn(len(y), K, d, generator=generator, dtype=torch.float64)
    return torch.nn.functional.normalize(z, dim=-1).to(dtype), y


def losses(case: str) -> np.ndarray:
    """Per-anchor values at all temperatures, in their order."""
    found = global_losses(*drawn(*CASES[case]), TAUS).values()
    fields = ("dcl", "nscl", "gap", "log_S", "log_D")
    return np.array([getattr(of, name) for of in found for name in fields])


def shapes(case: str) -> np.ndarray:
    parts = [part for of in cosines.cosine_shapes(*drawn(*CASES[case]), 5) for part in of]
    return np.concatenate([part.ravel() for part in parts])


def tables(exact: int) -> np.ndarray:
    """All numbers of an audit, in their order; unequal classes of at least nine samples."""
    z, y = drawn((61, 9, 30), 2, torch.float32)
    found = audit(z, y, (1.0, 0.1), shots=(), exact=exact, anchors=70, raw=True)
    return np.concatenate([t.select_dtypes("number").to_numpy().ravel() for t in found.values()])


def measured() -> dict[str, np.ndarray]:
    """Everything that is shared, with the cells of tiles that this process computed for it."""
    found = {}
    for case in CASES:
        CELLS.clear()
        found[f"losses, {case}"] = losses(case)
        found[f"cells, {case}"] = np.array([sum(CELLS), max(CELLS)])
        found[f"shapes, {case}"], found[f"parts, shapes, {case}"] = parts(shapes, case)
    source = rows.unit_rows_of(drawn(*CASES["unequal, K = 1, float32"])[0])
    asked = source, np.arange(1, 101, 2), 7
    measures = {
        "neighbours": (neighbours.nearest_others, *asked),
        "audit": (tables, 10**6),
        "audit, anchors drawn": (tables, 50),
    }
    for name, measure in measures.items():
        found[name], found[f"parts, {name}"] = parts(*measure)
    return found


def falsified() -> dict[str, np.ndarray]:
    """Losses where parts are not divided, and where they are not added up."""
    case, found = "equal, K = 2, float64", {}
    for name, wrong in {"mine": lambda items, cost: items, "total": lambda part: part}.items():
        right = getattr(class_sums, name)
        setattr(class_sums, name, wrong)
        found[f"without {name}"] = losses(case)
        setattr(class_sums, name, right)
    return found


def faults(rank: int) -> dict[str, np.ndarray]:
    """What is said of other data; how soon a process hears that another has left."""
    z, y = drawn(*CASES["equal, K = 1, float32"])
    said = []
    for other in (z.flip(0), z[:-1], z[:, :, :-1] / z[:, :, :-1].norm(dim=-1, keepdim=True)):
        mine = other if rank else z
        with shared_over_processes():
            try:
                global_losses(mine, y[: len(mine)], TAUS)
            except ValueError as error:
                said.append(str(error))
    began = time.monotonic()
    try:
        with shared_over_processes():
            if rank:
                raise KeyError("out of memory, say")
            global_losses(z, y, TAUS)
    except (KeyError, RuntimeError) as error:
        said.append(type(error).__name__)
    return {"said": np.array(said), "seconds": np.array(time.monotonic() - began)}


def work(rank: int) -> dict[str, np.ndarray]:
    case = "unequal, K = 2, float64"
    outside = {} if rank else {"outside": losses(case)}  # the other process calls nothing
    with shared_over_processes():
        found = measured() | falsified()
    outside |= {} if rank else {"after": losses(case)}
    return found | outside | faults(rank)


def apart(x: np.ndarray, y: np.ndarray) -> float:
    """Largest difference, relative to numbers above 1; infinite where one is not finite."""
    finite = np.isfinite(x)
    if x.shape != y.shape or not np.array_equal(x[~finite], y[~finite], equal_nan=True):
        return float("inf")
    return float((np.abs(x - y) / np.maximum(np.abs(x), 1))[finite].max())


def main() -> None:
    first, second = together(work)
    alone = measured()
    divided = {name: of for name, of in alone.items() if name.startswith(("cells", "parts"))}
    whole = {name: of for name, of in alone.items() if name not in divided}
    wrong = first["without mine"] - alone["losses, equal, K = 2, float64"]
    wrong = wrong.reshape(len(TAUS), 5, -1)
    print(
        json.dumps(
            {
                "apart": {name: apart(of, first[name]) for name, of in whole.items()},
                "same bits": {
                    name: np.array_equal(first[name], second[name], equal_nan=True)
                    for name in whole
                },
                "divided": {
                    name: [of.tolist(), first[name].tolist(), second[name].tolist()]
                    for name, of in divided.items()
                },
                "outside": [
                    apart(alone["losses, unequal, K = 2, float64"], first[name])
                    for name in ("outside", "after")
                ],
                "not divided": np.exp(wrong[:, 3:]).ravel().tolist(),
                "not added": apart(alone["losses, equal, K = 2, float64"], first["without total"]),
                "said": [first["said"].tolist(), second["said"].tolist()],
                "seconds": float(first["seconds"]),
            }
        )
    )


if __name__ == "__main__":
    main()
