"""Studies of critical points: Hessians at the class simplex and at spurious minima, largest gaps.

Like those of `studies`, from a plain configuration to tidy tables.
"""

from collections.abc import Mapping

import pandas as pd
import torch

from supcon_theory.audits.critical_points import curvature_row, distinct, ends, spreading_direction
from supcon_theory.audits.minimisers import Tables, about, constructed, gram, labels
from supcon_theory.free.optimise import antipodal_starts, gaussian_starts, optimise
from supcon_theory.theory.ceiling import condition, etf_ceiling
from supcon_theory.theory.minima import MINIMA

ABOVE = 1e-3  # an excess that no rounding explains: the start ended in another critical point


def class_simplex(cell: Mapping) -> Tables:
    """The Hessians of `nscl` and `dcl` at the class simplex, one spare dimension."""
    C, n, K, d, tau = (cell[name] for name in ("C", "n", "K", "d", "tau"))
    z, y = constructed(C, n, K, d)
    rows, spectra = [], []
    for objective in ("nscl", "dcl"):
        row, eigenvalues = curvature_row(z, y, objective, tau, spreading_direction(z, y))
        of = about(cell, objective=objective)
        rows.append(of | row | {"seed": -1, "descent": -row["smallest_but_rotations"]})
        spectra.append(eigenvalues.assign(**of))
    return {"table": pd.DataFrame(rows), "spectrum": pd.concat(spectra)}


def spurious(cell: Mapping, most: int = 6) -> Tables:
    """The different critical points of `nscl` above its minimum that the starts ended in."""
    C, n, K, d, tau = (cell[name] for name in ("C", "n", "K", "d", "tau"))
    y, floor = labels(C, n), float(MINIMA["nscl"](C, n, K, tau))
    z, found = optimise(
        "nscl", gaussian_starts(cell["seeds"], C * n, K, d, 0), y, tau, cell["iterations"]
    )
    above = torch.nonzero((found.value - floor > ABOVE) & ~found.stalled).flatten().tolist()
    rows, spectra, grams = [], [], []
    for k in distinct(found.value[above].tolist())[:most]:
        start = above[k]
        row, eigenvalues = curvature_row(z[start], y, "nscl", tau)
        of = about(cell, objective="nscl", seed=start)
        excess = row["loss"] - floor
        hits = int(((found.value[above] - found.value[start]).abs() < 1e-6).sum())
        rows.append(
            of
            | row
            | {
                "floor": floor,
                "excess": excess,
                "shortfall": -excess,
                "hits": hits,
                "gradient_norm": float(found.gradient_norm[start]),
                "stalled": False,
            }
        )
        spectra.append(eigenvalues.assign(**of))
        grams.append(
            gram(
                z[start],
                f"nscl, C = {C}, d = {d}, tau = {tau:g}, {excess:.3g} above L*, start {start}",
            )
        )
    if not rows:
        return {}
    return {"table": pd.DataFrame(rows), "spectrum": pd.concat(spectra), "gram": pd.concat(grams)}


def ascent(cell: Mapping) -> Tables:
    """The largest mean gap: Gaussian and two-pole starts, one and two views, few and many axes."""
    C, n, tau = (cell[name] for name in ("C", "n", "tau"))
    y, ceiling, answer = labels(C, n), float(etf_ceiling(C, n, tau)), condition(C, n, tau)
    rows, S = [], max(cell["seeds"] // 4, 2)
    kinds = ((1, C - 1), (1, 3), (2, C - 1)) if C * n <= 100 else ((1, C - 1),)  # cost: (N K)^2
    for K, d in kinds:
        for kind, starts in (
            ("Gaussian", gaussian_starts(S, C * n, K, d, 0)),
            ("two poles", antipodal_starts(S, y, K, d, 0)),
        ):
            z, found = optimise("gap", starts, y, tau, 600, gradient_tolerance=1e-7)
            for row in ends(z, found, y, "dcl", tau, float("nan")):
                rows.append(
                    about(cell, objective="gap", K=K, d=d)
                    | row
                    | {
                        "start": kind,
                        "ceiling": answer,
                        "bound_ceiling": ceiling,
                        "excess": row["gap"] - ceiling,
                        "shortfall": ceiling - row["gap"],
                    }
                )
    return {"table": pd.DataFrame(rows)}
