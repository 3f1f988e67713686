"""The studies of free embeddings: each takes a `Study` and returns tidy tables.

"table" has a row per critical point (`MINIMISERS`), told apart by `part`; "descent" the measures
while optimising; "spectrum" Hessian eigenvalues; "gram" cosines of the first views in class order.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from supcon_theory.audits.collapse import long_matrix
from supcon_theory.audits.columns import MINIMISERS
from supcon_theory.audits.critical_points import (
    curvature_row,
    distinct,
    ends,
    measured,
    spreading_direction,
    trapped,
)
from supcon_theory.audits.studies import Study
from supcon_theory.free.optimise import antipodal_starts, gaussian_starts, optimise
from supcon_theory.free.polish import polished
from supcon_theory.theory.ceiling import etf_ceiling
from supcon_theory.theory.gap import equal_similarity_gap
from supcon_theory.theory.minima import cdnv_at_instance_simplex, nscl_floor

COLUMNS, VERSION = MINIMISERS.columns, MINIMISERS.version
ABOVE = 1e-3  # an excess that no rounding explains: the start ended in another critical point
NO_ETF = 0.1  # an ETF deviation that no rounding explains
DRAWN = 2  # spurious minima of a setting whose Gram matrices are kept, the lowest
Tables = dict[str, pd.DataFrame]


def landscape(study: Study) -> Tables:
    """Gaussian starts at every temperature, and the constructed minimiser where it exists."""
    name, y, rows = study.objective, study.labels, []
    for tau in study.taus:
        z, found = study.minimised(name, tau)
        floor = study.minimum(name, tau)
        rows += [study.about(tau=tau) | row for row in ends(z, found, y, name, tau, floor)]
        if study.d >= study.C - 1:
            row = measured(study.constructed(), y, name, tau, floor)
            about = study.about(part="constructed", tau=tau, seed=-1)
            rows.append(about | row | {"distance": abs(row["excess"])})
    return {"table": pd.DataFrame(rows)}


def instances(study: Study) -> Tables:
    """`dcl` in N - 1 dimensions: the N-point simplex, under the true and under shuffled labels."""
    y, tau, n = study.labels, study.tau, study.n
    z, found = study.minimised("dcl", tau)
    shuffled = y[torch.randperm(len(y), generator=torch.Generator().manual_seed(0))]
    tables = []
    for name, under in (("true", y), ("shuffled", shuffled)):
        rows = pd.DataFrame(ends(z, found, under, "dcl", tau, study.minimum("dcl", tau)))
        tables.append(
            rows.assign(
                **study.about(objective="dcl", labels=name),
                cdnv_error=(rows["cdnv"] - cdnv_at_instance_simplex(n)).abs(),
                gap_error=(rows["gap"] - equal_similarity_gap(study.sizes)).abs(),
                nscl_excess=rows["loss_nscl"] - study.minimum("nscl", tau),
            )
        )
    return {"table": pd.concat(tables, ignore_index=True)}


def imbalance(study: Study) -> Tables:
    """`nscl` with unequal classes: collapse, but not to a simplex ETF."""
    y, tau, counts = study.labels, study.tau, " ".join(map(str, study.sizes))
    z, found = study.minimised("nscl", tau)
    simplex = measured(study.constructed(), y, "nscl", tau)["loss"]
    rows = pd.DataFrame(ends(z, found, y, "nscl", tau, nscl_floor(study.sizes, study.K, tau)))
    best = int(rows["loss"].to_numpy().argmin())
    rows = rows.assign(
        **study.about(counts=counts),
        violation_not_etf=NO_ETF - rows["etf_deviation"],
        above_class_simplex=rows["loss"] - simplex,
    )
    return {"table": rows, "gram": _gram(z[best], f"nscl, classes of {counts}, d = {study.d}")}


def descent(study: Study) -> Tables:
    """Every measure at iterations a factor of about 1.2 apart, and the Gram matrix at the end."""
    name, y, tau, S = study.objective, study.labels, study.tau, min(study.seeds, 10)
    floor = study.minimum(name, tau)
    wanted = {0, *np.unique(np.geomspace(1, 2000, 50).astype(int)).tolist()}
    starts = gaussian_starts(S, len(y), study.K, study.d, seed=0)
    now, rows = starts.clone(), []

    def write(step: int) -> None:
        for k in range(S):
            row = measured(now[k], y, name, tau, floor)
            rows.append(study.about(seed=k, iteration=step) | row)

    def watch(step: int, moving: Tensor, z: Tensor) -> None:
        now[moving] = z
        if step in wanted:
            write(step)

    write(0)
    z, found = optimise(name, starts, y, tau, study.iterations, watch=watch)
    for row in ends(z, found, y, name, tau, floor):
        rows.append(study.about(iteration=row["iterations"]) | row)
    best = z[int(found.value.argmin())]
    return {"descent": pd.DataFrame(rows), "gram": _gram(best, f"{name}, d = {study.d}")}


def saddle(study: Study) -> Tables:
    """The Hessians of `nscl` and `dcl` at the class simplex, one spare dimension."""
    z, y, rows, spectra = study.constructed(), study.labels, [], []
    for name in ("nscl", "dcl"):
        spreading = spreading_direction(z, y)
        row, eigenvalues = curvature_row(z, y, name, study.tau, direction=spreading)
        about = study.about(objective=name)
        lowest = -row["smallest_but_rotations"]
        rows.append(about | row | {"seed": -1, "descent": lowest})
        spectra.append(eigenvalues.assign(**about))
    return {"table": pd.DataFrame(rows), "spectrum": pd.concat(spectra)}


def spurious(study: Study) -> Tables:
    """All critical points of `nscl` above its minimum that starts ended in, polished by Newton."""
    y, tau = study.labels, study.tau
    floor = study.minimum("nscl", tau)
    z, found = study.minimised("nscl", tau)
    over = torch.nonzero((found.value - floor > ABOVE) & ~found.stalled).flatten().tolist()
    rows, spectra, grams = [], [], []
    for k in distinct(found.value[over].tolist()):
        start = over[k]
        end = polished("nscl", z[start], y, tau)
        row, eigenvalues = curvature_row(end, y, "nscl", tau, floor=floor)
        row |= trapped(row, end.numel() // study.d, study.d, tau)
        about = study.about(seed=start)
        account = {
            "hits": int(((found.value[over] - found.value[start]).abs() < 1e-6).sum()),
            "gradient_norm": float(found.gradient_norm[start]),
            "stalled": False,
        }
        rows.append(about | row | account)
        spectra.append(eigenvalues.assign(**about))
        where = f"nscl, C = {study.C}, d = {study.d}, tau = {tau:g}"
        if len(grams) < DRAWN:
            grams.append(_gram(end, f"{where}, {row['excess']:.3g} above L*, start {start}"))
    if not rows:
        return {}
    return {"table": pd.DataFrame(rows), "spectrum": pd.concat(spectra), "gram": pd.concat(grams)}


def ascent(study: Study) -> Tables:
    """The largest mean gap: Gaussian and two-pole starts, one and two views, few and many axes."""
    C, n, tau, y = study.C, study.n, study.tau, study.labels
    ceiling = float(etf_ceiling(C, n, tau))
    tables = []
    for kind, starts in _ascents(study):
        z, found = optimise("gap", starts, y, tau, 600, gradient_tolerance=1e-7)
        rows = pd.DataFrame(ends(z, found, y, "dcl", tau, np.nan))
        K, d = starts.shape[2:]
        about = study.about(objective="gap", K=K, d=d, start=kind)
        over = {"bound_ceiling": ceiling, "violation_ceiling": rows["gap"] - ceiling}
        tables.append(rows.assign(**about, **over))
    return {"table": pd.concat(tables, ignore_index=True)}


def _ascents(study: Study) -> Iterator[tuple[str, Tensor]]:
    """Kinds of starts; fewer where (N K)^2, their cost, is large."""
    C, N, S = study.C, study.C * study.n, max(study.seeds // 4, 2)
    for K, d in ((1, C - 1), (1, 3), (2, C - 1)) if N <= 100 else ((1, C - 1),):
        yield "Gaussian", gaussian_starts(S, N, K, d, 0)
        yield "two poles", antipodal_starts(S, study.labels, K, d, 0)


def _gram(z: Tensor, panel: str) -> pd.DataFrame:
    return long_matrix((z[:, 0] @ z[:, 0].T).numpy()).assign(panel=panel)


STUDIES = {
    "landscape": landscape,
    "dcl": instances,
    "class simplex": saddle,
    "imbalance": imbalance,
    "spurious": spurious,
    "descent": descent,
    "ascent": ascent,
}


def study_tables(study: Study) -> Tables:
    """The tables of one study, by its `part`."""
    return STUDIES[study.part](study)
