"""Hard negatives of free embeddings: orders, minima, the critical tilt, gradients held constant.

Every function returns rows of `HARD_GEOMETRY`, told apart by `part`. The tilt b is that on the
cosine, so an objective's `beta` is b tau.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from supcon_theory.audits.columns import HARD_GEOMETRY
from supcon_theory.free.optimise import follow, gaussian_starts, losses, optimise
from supcon_theory.measures import means_geometry, means_spectrum, within_class_variance
from supcon_theory.objectives import OBJECTIVES
from supcon_theory.theory.minima import scl_jiang_minimum
from supcon_theory.theory.tilt import best_cosine, critical_tilt, equal_cosine_loss

COLUMNS, VERSION = HARD_GEOMETRY.columns, HARD_GEOMETRY.version
Row = dict[str, Any]
ORDERED = {  # hardened id: the options of both, and those of the plain loss
    "hucl": ("nt_xent", {}),
    "h_nscl": ("nscl_coupled", {}),
    "hscl": ("scl_jiang", {}),
    "scl_ball": ("scl_ball", {"beta": 0.0}),
    "ucl_ball": ("ucl_ball", {"beta": 0.0}),
}
SPREADS = (0.1, 0.5, 3.0)  # of classes about their centres: tight, mixed, hardly any
SLOPE_ROUNDING = 1e-12  # of a directional derivative, below which its sign is not asked


def labels(C: int, n: int) -> Tensor:
    """(C n,) labels in class order."""
    return torch.arange(C).repeat_interleave(n)


def order_audit(C: int, n: int, d: int, tau: float, tilts: Iterable[float], seed: int) -> list[Row]:
    """Every hardened loss less its plain form, anchor by anchor, on embeddings drawn at random."""
    y, rows = labels(C, n), []
    noise = gaussian_starts(1, C * n, 2, d, seed)[0]
    centres = gaussian_starts(1, C, 1, d, seed + 1)[0]
    for spread in SPREADS:
        z = normalize(centres[y] + spread * noise, dim=-1)
        for name, (plain, options) in ORDERED.items():
            easy = OBJECTIVES[plain](z, y, tau=tau, reduction="none", **options)
            for tilt in tilts:
                hard = OBJECTIVES[name](z, y, tau=tau, beta=tilt * tau, reduction="none")
                about = {"part": "order", "objective": name, "tilt": tilt, "value": str(spread)}
                account = {"loss": hard.mean().item(), "excess": (hard - easy).mean().item()}
                rows.append(about | account | {"violation_order": (easy - hard).max().item()})
    return rows


def measured(z: Tensor, y: Tensor, rho: float) -> Row:
    """Geometry of the class means of one configuration, beside the cosine wanted."""
    at = means_geometry(z, y)
    far = max(abs(at.cosine + sign * at.spread - rho) for sign in (-0.5, 0.5))
    variance = within_class_variance(z, y).value
    return {**at._asdict(), "rho": rho, "rho_error": far, "within_class_variance": variance}


def minimum_audit(
    objective: str, C: int, n: int, d: int, tau: float, tilt: float, surface: str, starts: int
) -> list[Row]:
    """Where L-BFGS takes `scl_ball`, `hscl`, or `ucl_ball` without tilt: the simplex ETF."""
    y, ball = labels(C, n), surface == "ball"
    floor = float(equal_cosine_loss(C, tau, 0.0, -1 / (C - 1)))
    if objective == "scl_ball":
        floor = float(np.log1p(np.exp(-C / ((C - 1) * tau))))
    if objective == "hscl":
        floor = float(scl_jiang_minimum(C, n, 1, tau))
    z = gaussian_starts(starts, C * n, 1, d, 0)
    z, found = optimise(objective, z, y, tau, 3000, ball=ball, beta=tilt * tau)
    about = {"part": "minimum", "objective": objective, "tilt": tilt, "surface": surface}
    rows = []
    for k in range(starts):
        loss = float(found.value[k])
        row = about | {"seed": k, "loss": loss, "floor": floor, "excess": loss - floor}
        row |= {"violation_minimum": floor - loss} | measured(z[k], y, -1 / (C - 1))
        rows.append(row | _account(found, k))
    return rows


def threshold_audit(
    C: int, n: int, d: int, tau: float, tilts: Iterable[float], starts: int
) -> tuple[list[Row], list[Row]]:
    """Where L-BFGS takes `ucl_ball`, gradients through the weights, below and above b_c.

    Args:
        C: Number of classes.
        n: Samples in each.
        d: Dimensions; in d = C - 1 the cosines above b_c cannot all be equal.
        tau: Temperature.
        tilts: b, in units of the critical one.
        starts: Gaussian starts.

    Returns:
        A row per start; and the singular values of the class means of the best of each tilt.
    """
    y, critical, rows, spectra = labels(C, n), critical_tilt(C, tau), [], []
    for ratio in tilts:
        tilt = ratio * critical
        rho = best_cosine(C, tau, tilt)
        etf = float(equal_cosine_loss(C, tau, tilt, -1 / (C - 1)))
        best = float(equal_cosine_loss(C, tau, tilt, rho))
        z = gaussian_starts(starts, C * n, 1, d, 0)
        z, found = optimise("ucl_ball", z, y, tau, 3000, beta=tilt * tau)
        about = {"part": "threshold", "objective": "ucl_ball", "tilt": tilt, "surface": "sphere"}
        about |= {"weights": "differentiated", "critical_tilt": critical, "floor": best}
        for k in range(starts):
            loss = float(found.value[k])
            row = about | {"seed": k, "loss": loss, "excess": loss - best}
            row["loss_error"] = abs(loss - best)
            row["violation_etf"] = loss - etf if ratio > 1 else np.nan
            rows.append(row | measured(z[k], y, rho) | _account(found, k))
        spectra += spectrum_rows(z[int(found.value.argmin())], y, about)
    return rows, spectra


def held_audit(
    C: int, n: int, d: int, tau: float, tilt: float, starts: int, steps: int
) -> tuple[list[Row], list[Row]]:
    """Where Adam takes `ucl_ball` when the tilting weights are held constant in its gradient.

    Args:
        C: Number of classes.
        n: Samples in each.
        d: Dimensions.
        tau: Temperature.
        tilt: b.
        starts: Gaussian starts.
        steps: Of Adam.

    Returns:
        A row per start, and singular values as `threshold_audit` has them.
    """
    y = labels(C, n)
    options = {"beta": tilt * tau, "detach_weights": True}
    z = follow("ucl_ball", gaussian_starts(starts, C * n, 1, d, 0), y, tau, steps, **options)
    value = losses("ucl_ball", y, tau, beta=tilt * tau)(z)
    about = {"part": "held", "objective": "ucl_ball", "tilt": tilt, "surface": "sphere"}
    about |= {"weights": "held constant", "critical_tilt": critical_tilt(C, tau)}
    about["iteration"] = steps
    rows = [
        about | {"seed": k, "loss": float(value[k])} | measured(z[k], y, -1 / (C - 1))
        for k in range(starts)
    ]
    return rows, spectrum_rows(z[int(value.argmin())], y, about)


def slope_audit(C: int, tau: float, tilts: Iterable[float], points: int = 12) -> list[Row]:
    """The sign of d loss / d rho of collapsed classes at equal cosines, by automatic derivatives.

    With the weights differentiated it is that of rho - rho*; held constant it is positive: all
    cosines are driven down, to the ETF.

    Args:
        C: Number of classes.
        tau: Temperature.
        tilts: b.
        points: Cosines rho between the ETF and .95.

    Returns:
        Two rows for each tilt and rho.
    """
    rows, critical = [], critical_tilt(C, tau)
    for tilt in tilts:
        rho_best = best_cosine(C, tau, tilt)
        for rho in np.linspace(-1 / (C - 1) + 1e-3, 0.95, points):
            for held in (False, True):
                slope = _slope(C, tau, tilt, float(rho), held)
                wanted = 1.0 if held else float(np.sign(rho - rho_best))
                wrong = abs(slope) > SLOPE_ROUNDING and np.sign(slope) != wanted
                rows.append(
                    {"part": "slope", "objective": "ucl_ball", "tilt": tilt, "cosine": rho}
                    | {"weights": "held constant" if held else "differentiated", "rho": rho_best}
                    | {"critical_tilt": critical, "violation_slope": float(wrong)}
                )
    return rows


def _slope(C: int, tau: float, tilt: float, rho: float, held: bool) -> float:
    """Derivative along z(rho): the rows of a square root of the Gram matrix of cosine rho."""
    one = torch.ones(C, C, dtype=torch.float64) / C
    rest = torch.eye(C, dtype=torch.float64) - one

    up, down = (1 + (C - 1) * rho) ** 0.5, (1 - rho) ** 0.5  # roots of its eigenvalues
    z, direction = up * one + down * rest, (C - 1) / (2 * up) * one - rest / (2 * down)
    z = z[:, None].requires_grad_()
    options = {"beta": tilt * tau, "detach_weights": held}
    loss = OBJECTIVES["ucl_ball"](z, torch.arange(C), tau=tau, unit=False, **options)
    (gradient,) = torch.autograd.grad(loss, z)
    return float((gradient[:, 0] * direction).sum())


def spectrum_rows(z: Tensor, y: Tensor, about: Row) -> list[Row]:
    """Singular values of the centred class means over the largest."""
    values = means_spectrum(z, y)
    about = {key: about[key] for key in about if key not in ("floor", "iteration")}
    return [
        about | {"part": "spectrum", "rank": k + 1, "singular_value": float(v / values[0])}
        for k, v in enumerate(values)
    ]


def _account(found, k: int) -> Row:
    stalled = bool(found.stalled[k])
    return {"gradient_norm": float(found.gradient_norm[k]), "stalled": stalled}
