"""Claims on training: A8 (the two losses move together), A9, A10 (transfer to NSCL), B1 (its
floor).

Rows differ by `protocol`: "exact" (a checkpoint, true labels), "control" (the same under shuffled
labels, or of a random walk), "batch" (means over mini-batches), "surrogate" (earlier theory).
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from supcon_theory.audits.loss_curves import (
    CURVE,
    at_end,
    batch_bias,
    curves,
    least,
    premise,
    trained_pairs,
    untrained_excess,
)
from supcon_theory.claims import Claim, Verdict, lies_within, obeys, select
from supcon_theory.claims.gap import gap_theorems, published_bound

ROUNDING, FLOAT32 = 1e-9, 1e-6
P1 = "arXiv 2506.04411"
EARLIER = {
    "arora": "arXiv 1902.09229",
    "nozawa_sato": "arXiv 2102.06866",
    "bao": "arXiv 2110.02501",
    "bao_lower": "arXiv 2110.02501",
}
WITHIN = {
    10: 0.1,
    100: 0.05,
}  # nats at tau = 1 after training, published for CIFAR-10 and CIFAR-100


def dynamics_claims(tau_train: float, tau: float, classes: tuple[int, ...]) -> list[Claim]:
    """Theorems at every checkpoint, split and temperature; trends at the published one, `tau`."""
    needs = {"seed": 2}
    gaps = [*gap_theorems(needs), published_bound("A3", tau, needs)]
    if tau_train != tau:
        gaps.append(published_bound("A3-train", tau_train, needs))
    found = [replace(claim, check=on("exact", claim.check)) for claim in gaps]
    found += [
        Claim(
            "A8-forced",
            "Pearson of DCL and NSCL loss >= sqrt(1 - (bound / (2 sd L_NSCL))^2)",
            "own",
            "theorem",
            on_curves(
                obeys({"excess_forced": ROUNDING}, needs=needs, vacuous=lambda t: t["forced"] <= 0)
            ),
        ),
        Claim(
            "A9",
            "where L_DCL(f) <= L_DCL(g): L_NSCL(f) - L_NSCL(g) <= gap(g); f CL-, g NSCL-trained, "
            "any two checkpoints",
            f"{P1}, corollary",
            "theorem",
            obeys({"excess_transfer": FLOAT32}, premise, needs),
        ),
        Claim(
            "A9-identity",
            "L_NSCL(f) - L_NSCL(g) = L_DCL(f) - L_DCL(g) + gap(g) - gap(f), always",
            "own",
            "theorem",
            obeys({"error_transfer": FLOAT32}, trained_pairs, needs),
        ),
        Claim(
            "B1",
            "L_NSCL >= log(Kn(C-1)) - C/((C-1) tau), every encoder",
            f"{P1}, Theorem 2",
            "theorem",
            obeys({"excess_floor": FLOAT32}, {"protocol": "exact"}, needs, ("floor", "loss_nscl")),
        ),
        Claim(
            "A2-batch",
            "in a mini-batch each anchor's gap obeys the bounds with the batch's counts",
            "own",
            "theorem",
            obeys({"excess_batch": ROUNDING}, {"protocol": "batch"}, needs),
        ),
    ]
    for name, source in EARLIER.items():
        found.append(
            Claim(
                f"S-{name}",
                f"earlier {'lower' if name == 'bao_lower' else 'upper'} bound on the loss of "
                "the class-mean classifier, for every number of negatives tried",
                source,
                "theorem",
                obeys(
                    {f"excess_{name}": ROUNDING},
                    {"protocol": "surrogate"},
                    needs,
                    None,
                    lambda t, n=name: says_nothing(t, n),
                ),
            )
        )
    return found + trends(tau_train, tau, classes)


def says_nothing(rows: pd.DataFrame, name: str) -> pd.Series:
    """Where an earlier bound is not within what any encoder's loss is: a constant one has log C, and
    cosines in [-1, 1] leave at least log(1 + (C - 1) e^(-2/tau)).
    """
    if name == "bao_lower":
        return rows["bound_bao_lower"] <= np.log1p((rows["C"] - 1) * np.exp(-2 / rows["tau"]))
    return rows[f"bound_{name}"] >= rows["chance"]


def trends(tau_train: float, tau: float, classes: tuple[int, ...]) -> list[Claim]:
    cl = {"objective": "dcl", "labels": "true", "tau": tau}
    shuffled, walk = cl | {"labels": "shuffled"}, cl | {"objective": "walk"}
    held = {"split": "test"}
    found = [
        Claim(
            "A8",
            "Pearson of DCL and NSCL loss over training >= .99, train and held-out",
            P1,
            "trend",
            lies_within(
                0.99,
                np.inf,
                lambda t: least(t, cl, "pearson"),
                null=lambda t: least(t, shuffled, "pearson"),
            ),
            expect="VACUOUS",
            null="shuffled labels",
        ),
        Claim(
            "A8-walk",
            "the same, held-out",
            P1,
            "trend",
            lies_within(
                0.99,
                np.inf,
                lambda t: least(t, cl | held, "pearson"),
                null=lambda t: least(t, walk, "pearson"),
            ),
            expect="VACUOUS",
            null="a random walk that moves as far as training",
        ),
        Claim(
            "A8-gap",
            "Pearson of the gap and its centred bound over training >= .9",
            "own",
            "trend",
            lies_within(
                0.9,
                np.inf,
                lambda t: least(t, cl, "pearson_gap"),
                null=lambda t: least(t, shuffled, "pearson_gap"),
            ),
            null="shuffled labels",
        ),
        Claim(
            "A9-premise",
            "CL-trained encoders end with the lower DCL loss on the images and at the "
            "temperature trained at",
            "own",
            "trend",
            lies_within(
                -np.inf,
                0,
                lambda t: at_end(
                    t, {"tau": tau_train, "split": "train"}, "excess_dcl", pd.Series.max
                ),
            ),
        ),
    ]
    for C, nats in WITHIN.items():
        if C in classes:
            where = {"tau": tau, "split": "train", "C": C}
            found.append(
                Claim(
                    f"A10-{C}",
                    f"NSCL loss of the CL-trained within {nats} of the NSCL-trained encoder, "
                    f"C = {C}, end of training",
                    P1,
                    "trend",
                    lies_within(
                        -np.inf,
                        nats,
                        lambda t, w=where: at_end(t, w, "excess_nscl"),
                        null=lambda t, w=where: untrained_excess(t, w),
                    ),
                    null="the untrained encoder in place of the CL-trained one",
                )
            )
    return [
        *found,
        Claim(
            "batch-low",
            "log-mean negatives of DCL are underestimated in the smallest batches (Jensen)",
            "own",
            "trend",
            lies_within(-np.inf, 0, lambda t: batch_bias(t, tau, "bias_dcl", "min")),
        ),
        Claim(
            "batch-limit",
            "the batch mean of the gap is within .01 of the exact one in the largest batches",
            "own",
            "trend",
            lies_within(-np.inf, 0.01, lambda t: batch_bias(t, tau, "bias_gap", "max")),
        ),
    ]


def on(
    protocol: str, check: Callable[[pd.DataFrame], Verdict]
) -> Callable[[pd.DataFrame], Verdict]:
    return lambda table: check(select(table, {"protocol": protocol}))


def on_curves(check: Callable[[pd.DataFrame], Verdict]) -> Callable[[pd.DataFrame], Verdict]:
    """Check the table of `curves`; a table without the columns for it decides nothing."""
    return lambda table: check(
        curves(table) if {*CURVE, "protocol"} <= set(table) else table.iloc[:0]
    )
