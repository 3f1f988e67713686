"""Class collapse of free embeddings and what is kept within classes; rows of `CLASS_COLLAPSE`."""

from collections.abc import Iterable
from typing import Any

import torch

from supcon_theory.audits.columns import CLASS_COLLAPSE
from supcon_theory.free.linear_features import learnt_energies
from supcon_theory.free.optimise import gaussian_starts, optimise
from supcon_theory.measures import within_class_variance
from supcon_theory.theory.features import kept_energies
from supcon_theory.theory.minima import MINIMA
from supcon_theory.theory.mixture import collapse_threshold, ssem_minimum, within_cosine

COLUMNS, VERSION = CLASS_COLLAPSE.columns, CLASS_COLLAPSE.version
Row = dict[str, Any]
COLLAPSED = ("supcon", "nscl", "nscl_coupled")  # their minimum has every class in one point
INSTANCES = ("dcl", "nt_xent")  # theirs every sample in a point of its own
TOYS = {  # weight of own positives, negatives of the other class only
    "supervised": (0.0, False),
    "joint": (0.5, False),
    "self-supervised": (1.0, False),
    "negatives of other classes": (1.0, True),
}


def ends(
    objective: str, C: int, n: int, K: int, tau: float, starts: int, alpha: float | None = None
) -> list[Row]:
    """Where L-BFGS takes each start in C n dimensions, beside the closed form.

    Args:
        objective: `ssem`, or one of `COLLAPSED` and `INSTANCES`.
        C: Number of classes.
        n: Samples in each.
        K: Views of each.
        tau: Temperature.
        starts: Gaussian starts.
        alpha: Of `ssem`.

    Returns:
        A row per start.
    """
    N, y = C * n, torch.arange(C).repeat_interleave(n)
    options: dict[str, Any] = {}
    if alpha is None:
        wanted, floor = 1.0 if objective in COLLAPSED else -1 / (N - 1), MINIMA[objective]
        least = float(floor(C, n, K, tau))
    else:
        wanted, options = within_cosine(C, n, tau, alpha), {"alpha": alpha}
        least = ssem_minimum(C, n, K, tau, alpha)
    z = gaussian_starts(starts, N, K, N, 0)
    z, found = optimise(objective, z, y, tau, 2000, **options)
    variance = (n - 1) / n * (1 - wanted)
    same = (y[:, None] == y) & ~torch.eye(N, dtype=torch.bool)
    about = {"part": "mixture" if options else "others", "objective": objective}
    about |= {"alpha": alpha, "threshold": collapse_threshold(C, n, tau)}
    rows = []
    for k in range(starts):
        cosines = (z[k, :, 0] @ z[k, :, 0].T)[same]
        measured, loss = within_class_variance(z[k], y).value, float(found.value[k])
        rows.append(
            about
            | {"seed": k, "loss": loss, "floor": least, "excess": loss - least}
            | {"violation_minimum": least - loss, "within_cosine": float(cosines.mean())}
            | {"within_cosine_predicted": wanted, "within_class_variance": measured}
            | {"within_cosine_error": float((cosines - wanted).abs().max())}
            | {"variance_error": abs(measured - variance)}
            | {"gradient_norm": float(found.gradient_norm[k]), "stalled": bool(found.stalled[k])}
        )
    return rows


def mixture_audit(
    C: int, n: int, K: int, tau: float, places: Iterable[float], starts: int
) -> list[Row]:
    """`ssem` at alphas on both sides of the threshold, and the other losses.

    Args:
        C: Number of classes.
        n: Samples in each.
        K: Views of each.
        tau: Temperature.
        places: Of alpha: p in [0, 1] is p alpha_c, p in [1, 2] alpha_c + (p - 1) (1 - alpha_c).
        starts: Gaussian starts.

    Returns:
        A row per start of each.
    """
    at, rows = collapse_threshold(C, n, tau), []
    for place in places:
        alpha = place * at if place <= 1 else min(at + (place - 1) * (1 - at), 1.0)
        rows += ends("ssem", C, n, K, tau, starts, alpha)
    for objective in (*COLLAPSED, *INSTANCES):
        rows += ends(objective, C, n, K, tau, starts)
    return rows


def features_audit(strengths: Iterable[tuple[float, float]], starts: int) -> list[Row]:
    """Energies that a linear encoder keeps of class and subclass under the spectral loss."""
    rows = []
    for pair in strengths:
        for name, (own, other_class) in TOYS.items():
            energies, losses = learnt_energies(own, other_class, pair, starts, seed=0)
            wanted = kept_energies(own)
            for k, (of_class, of_subclass) in enumerate(energies.tolist()):
                error = max(abs(of_class - wanted[0]), abs(of_subclass - wanted[1]))
                rows.append(
                    {"part": "features", "method": name, "seed": k, "loss": float(losses[k])}
                    | {"value": f"{pair[0]:g} {pair[1]:g}", "energy_error": error}
                    | {"class_energy": of_class, "subclass_energy": of_subclass}
                )
    return rows
