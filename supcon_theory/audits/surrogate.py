"""Similarities that descend by themselves: CL's and NSCL's drift beside every bound on it.

The surrogate of arXiv 2510.08852: each step draws B of N samples, and row i of the batch descends
along p_i / (tau B), p_i the softmax over its candidates in the batch (all others for CL, those of
other classes for NSCL); both start at the cosines of one clustered set and see the same batches.
Entries are cut to [-1, 1], which brings two matrices never further apart. The pull of the positive
is the same in both losses and acts on entries of its own, so that it drops out of the difference.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from supcon_theory.audits.columns import ALIGNMENT
from supcon_theory.theory.alignment import reweighting
from supcon_theory.theory.drift import (
    composition_mismatch,
    log_cap,
    log_drift,
    log_published_drift,
)

COLUMNS, VERSION = ALIGNMENT.columns, ALIGNMENT.version
N, B, D = 200, 64, 32  # samples, batch, dimensions of the start
DELTA = 0.05  # probability with which the published bound may fail
CLUSTERED = 0.5  # weight of the class mean at the start
Floats = np.ndarray


PUBLISHED = {  # images, classes, epochs of the published runs: batch 1024, rates up to 1.2
    "CIFAR-100": (50_000, 100, 300),
    "Tiny-ImageNet": (100_000, 200, 300),
    "ImageNet-1k": (1_281_167, 1000, 100),
}


def start(C: int, seed: int) -> tuple[Floats, Floats]:
    """Cosines (N, N) of C clusters of unit rows, and labels (N,) of equal classes."""
    rng = np.random.default_rng((seed, C))
    y = np.arange(N) % C
    rows = CLUSTERED * rng.normal(size=(C, D))[y] + rng.normal(size=(N, D))
    z = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return z @ z.T, y


def softmax(logits: Floats, candidates: Floats) -> Floats:
    """Rows of softmax over the candidates, 0 elsewhere."""
    weights = np.where(candidates, np.exp(logits - logits.max()), 0.0)
    return weights / weights.sum(1, keepdims=True)


def step(one: Floats, other: Floats, y: Floats, rate: float, tau: float) -> Floats:
    """One step of CL on `one` and of NSCL on `other`, in place; both are those of the batch.

    Args:
        one: (B, B) similarities of the batch, CL.
        other: (B, B) the same of NSCL.
        y: (B,) labels; at least two classes.
        rate: of the similarities.
        tau: temperature.

    Returns:
        (B,) gaps log(1 + S/D) of the anchors at CL's similarities before the step.
    """
    different = y[:, None] != y
    everyone = ~np.eye(len(y), dtype=bool)
    p, q = softmax(one / tau, everyone), softmax(other / tau, different)
    for of, weights in ((one, p), (other, q)):
        np.clip(of - rate * weights / (tau * len(y)), -1.0, 1.0, out=of)
    return -np.log((p * different).sum(1))


def surrogate_row(C: int, tau: float, rate: float, steps: int, seed: int) -> dict[str, Any]:
    """Train both for so many steps, the rate falling by a cosine, and hold their drift to bounds.

    Args:
        C: Classes.
        tau: Temperature.
        rate: First learning rate of the similarities.
        steps: Of training.
        seed: Key of the start and the batches.

    Returns:
        A row of `ALIGNMENT`. `log_bound_composition` is the recursion with the class counts of the
        batches drawn, `log_bound_gaps` with the anchors' gaps; violations are those of the worst
        step, in nats.
    """
    cl, y = start(C, seed)
    nscl, before = cl.copy(), cl.copy()
    rng = np.random.default_rng((seed, steps))
    rates = rate * (1 + np.cos(np.pi * np.arange(steps) / steps)) / 2
    drift, composed, measured = [], [], []
    for eta in rates:
        batch = rng.choice(N, B, replace=False)
        at = np.ix_(batch, batch)
        one, other = cl[at], nscl[at]
        gaps = step(one, other, y[batch], float(eta), tau)
        cl[at], nscl[at] = one, other
        drift.append(np.linalg.norm(cl - nscl))
        composed.append(composition_mismatch(np.bincount(y[batch]), tau))
        measured.append(np.linalg.norm(reweighting(np.maximum(gaps, 0.0))))
    with np.errstate(divide="ignore"):
        logs = np.log(drift)
    bounds = {
        "composition": log_drift(rates, tau, B, composed),
        "gaps": log_drift(rates, tau, B, measured),
    }
    return {
        "protocol": "surrogate",
        "C": C,
        "n": N // C,
        "tau": tau,
        "rate": rate,
        "step": steps,
        "log_drift": logs[-1],
        "moved": float(np.linalg.norm(cl - before)),
        "log_cap": log_cap(N),
        "log_bound_drift": log_published_drift(rates, tau, B, 1 / C, DELTA),
        **{f"log_bound_{name}": bound[-1] for name, bound in bounds.items()},
        **{f"violation_{name}": float((logs - bound).max()) for name, bound in bounds.items()},
    }


def published_rows(taus: Sequence[float]) -> Iterator[dict[str, Any]]:
    """The published bound at the published settings, beside the most that the drift can be.

    Args:
        taus: Temperatures.

    Yields:
        Rows of the protocol "published".
    """
    size, warm_up, peak = 1024, 10, 1.2
    for name, (images, C, epochs) in PUBLISHED.items():
        per_epoch = images // size
        at = np.arange(epochs * per_epoch) / per_epoch
        cosine = (1 + np.cos(np.pi * (at - warm_up) / (epochs - warm_up))) / 2
        rates = peak * np.where(at < warm_up, at / warm_up, cosine)
        for tau in taus:
            yield {
                "protocol": "published",
                "data": name,
                "C": C,
                "tau": tau,
                "batch": size,
                "rate": peak,
                "log_cap": log_cap(images),
                "log_bound_drift": log_published_drift(rates, tau, size, 1 / C, DELTA),
            }
