"""The studies of free embeddings: each takes a plain configuration and returns tidy tables.

"table" has a row per start (see `ends`), told apart by `part`; "descent" the measures while
optimising; "spectrum" Hessian eigenvalues; "gram" cosines of the first views in class order.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from supcon_theory.audits.critical_points import ends, measured
from supcon_theory.free.optimise import gaussian_starts, optimise
from supcon_theory.theory.gap import equal_similarity_gap
from supcon_theory.theory.minima import MINIMA, cdnv_at_instance_simplex, nscl_floor
from supcon_theory.theory.simplex import class_simplex, labels_of

Tables = dict[str, pd.DataFrame]


def labels(C: int, n: int) -> Tensor:
    return torch.from_numpy(labels_of([n] * C))


def about(cell: Mapping, **more: object) -> dict[str, object]:
    """The columns that say what a row is about."""
    names = ("part", "objective", "C", "n", "K", "d", "tau")
    found = {name: cell[name] for name in names if name in cell} | more
    return found | {"labels": found.get("labels", "true")}


def constructed(C: int, n: int, K: int, d: int) -> tuple[Tensor, Tensor]:
    z, y = class_simplex([n] * C, K, d)
    return torch.from_numpy(z), torch.from_numpy(y)


def gram(z: Tensor, panel: str) -> pd.DataFrame:
    cosines = (z[:, 0] @ z[:, 0].T).numpy()
    i, j = np.indices(cosines.shape)
    return pd.DataFrame({"panel": panel, "i": i.ravel(), "j": j.ravel(), "cosine": cosines.ravel()})


def landscape(cell: Mapping) -> Tables:
    """Gaussian starts at every temperature, and the constructed minimiser where it exists."""
    objective, C, n, K, d = (cell[name] for name in ("objective", "C", "n", "K", "d"))
    y, rows = labels(C, n), []
    for tau in cell["taus"]:
        starts = gaussian_starts(cell["seeds"], C * n, K, d, seed=0)
        z, found = optimise(objective, starts, y, tau, cell["iterations"])
        floor = float(MINIMA[objective](C, n, K, tau))
        rows += [about(cell, tau=tau) | row for row in ends(z, found, y, objective, tau, floor)]
        if d >= C - 1:
            row = measured(*constructed(C, n, K, d), objective, tau)
            rows.append(
                about(cell, part="constructed", tau=tau)
                | row
                | {
                    "seed": -1,
                    "floor": floor,
                    "excess": row["loss"] - floor,
                    "shortfall": floor - row["loss"],
                    "distance": abs(row["loss"] - floor),
                }
            )
    return {"table": pd.DataFrame(rows)}


def instances(cell: Mapping) -> Tables:
    """`dcl` in N - 1 dimensions: the N-point simplex, under the true and under shuffled labels."""
    C, n, K, d, tau = (cell[name] for name in ("C", "n", "K", "d", "tau"))
    y = labels(C, n)
    starts = gaussian_starts(cell["seeds"], C * n, K, d, seed=0)
    z, found = optimise("dcl", starts, y, tau, cell["iterations"])
    shuffled = y[torch.randperm(len(y), generator=torch.Generator().manual_seed(0))]
    rows = []
    for name, under in (("true", y), ("shuffled", shuffled)):
        for row in ends(z, found, under, "dcl", tau, float(MINIMA["dcl"](C, n, K, tau))):
            rows.append(
                about(cell, objective="dcl", labels=name)
                | row
                | {
                    "cdnv_error": abs(row["cdnv"] - cdnv_at_instance_simplex(n)),
                    "gap_error": abs(row["gap"] - equal_similarity_gap([n] * C)),
                    "nscl_excess": row["nscl"] - MINIMA["nscl"](C, n, K, tau),
                }
            )
    return {"table": pd.DataFrame(rows)}


def imbalance(cell: Mapping) -> Tables:
    """`nscl` with unequal classes: collapse, but not to a simplex ETF."""
    counts, K, d, tau = (cell[name] for name in ("counts", "K", "d", "tau"))
    y = torch.from_numpy(labels_of(counts))
    z, found = optimise(
        "nscl", gaussian_starts(cell["seeds"], len(y), K, d, 0), y, tau, cell["iterations"]
    )
    simplex = measured(torch.from_numpy(class_simplex(counts, K, d)[0]), y, "nscl", tau)["loss"]
    of = about(cell, objective="nscl", C=len(counts), n=sum(counts) // len(counts))
    rows = [
        of
        | row
        | {
            "etf_excess": 0.1 - row["etf_deviation"],
            "above_class_simplex": row["loss"] - simplex,
            "counts": " ".join(map(str, counts)),
        }
        for row in ends(z, found, y, "nscl", tau, nscl_floor(counts, K, tau))
    ]
    best = min(range(len(rows)), key=lambda k: rows[k]["loss"])
    return {
        "table": pd.DataFrame(rows),
        "gram": gram(z[best], f"nscl, classes of {rows[0]['counts']}, d = {d}"),
    }


def descent(cell: Mapping) -> Tables:
    """Every measure at iterations a factor of about 1.2 apart, and the Gram matrix at the end."""
    objective, C, n, K, d, tau = (cell[name] for name in ("objective", "C", "n", "K", "d", "tau"))
    y, S = labels(C, n), min(cell["seeds"], 10)
    floor = float(MINIMA[objective](C, n, K, tau))
    starts = gaussian_starts(S, C * n, K, d, seed=0)
    wanted = {0, *np.unique(np.geomspace(1, 2000, 50).astype(int)).tolist()}
    now, rows = starts.clone(), []

    def write(step: int) -> None:
        for k in range(S):
            row = measured(now[k], y, objective, tau)
            rows.append(about(cell, seed=k, iteration=step) | row | {"excess": row["loss"] - floor})

    def watch(step: int, moving: Tensor, z: Tensor) -> None:
        now[moving] = z
        if step in wanted:
            write(step)

    write(0)
    z, found = optimise(objective, starts, y, tau, cell["iterations"], watch=watch)
    rows += [
        about(cell, seed=row["seed"], iteration=row["iterations"]) | row
        for row in ends(z, found, y, objective, tau, floor)
    ]
    return {
        "descent": pd.DataFrame(rows),
        "gram": gram(z[int(found.value.argmin())], f"{objective}, d = {d}"),
    }
