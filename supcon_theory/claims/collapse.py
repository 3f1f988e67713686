"""Claims on what collapses in training: B1 (the floor of NSCL), B4 (trends), C8 (the control).

Two of the published trends are declared to FAIL at the scale of the embedded images: an untrained
encoder maps all images to nearly one point, so augmentation variance can only rise from there, and
CDNV falls by much more than the modest factor of the published runs (`figures/collapse/README.md`).
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from supcon_theory.claims import Claim, lies_within, obeys, select

PAPER = "arXiv 2506.04411"
FALLS = {  # measure: (its name, what is declared)
    "augmentation_variance": ("augmentation variance", "FAIL"),
    "cdnv": ("CDNV", "PASS"),
    "etf_deviation": ("ETF deviation", "PASS"),
}


def collapse_claims(classes: Sequence[int], taus: Sequence[float]) -> list[Claim]:
    """B1 for all encoders, and for each number of classes what CL and NSCL do to the geometry."""
    floors = {
        f"{loss}_above_floor_tau{tau:g}": 1e-6 for tau in taus for loss in ("nscl", "nscl_coupled")
    }
    found = [
        Claim(
            "B1",
            "L_NSCL and coupled L_NSCL are never below their floors",
            f"{PAPER}, Theorem 2",
            "theorem",
            obeys(
                {f"below_{name}": limit for name, limit in floors.items()},
                below(floors),
                {"seed": 2},
            ),
        )
    ]
    for C in classes:
        held_out = {"C": C, "layer": "z", "split": "test", "labels": "true"}
        found += [
            Claim(
                f"B4-{measure}-{C}",
                f"NSCL lowers the {name} (held-out z, C = {C}): log(end / start) < 0",
                PAPER,
                "trend",
                lies_within(-np.inf, 0, lambda t, at=held_out, of=measure: fall(t, at, "nscl", of)),
                expect=expected,
            )
            for measure, (name, expected) in FALLS.items()
        ]
        found += [
            Claim(
                f"B4-directional-{C}",
                f"CL lowers directional CDNV at least 5 times (held-out z, "
                f"C = {C}): log(start / end) >= 1.61",
                PAPER,
                "trend",
                lies_within(
                    np.log(5),
                    np.inf,
                    lambda t, at=held_out: -fall(t, at, "dcl", "directional_cdnv"),
                    null=lambda t, at=held_out: (
                        -fall(t, at | {"labels": "shuffled"}, "dcl", "directional_cdnv")
                    ),
                ),
                null="shuffled labels",
            ),
            Claim(
                f"B4-modest-{C}",
                f"CL lowers CDNV less than 5 times (held-out z, C = {C}): log(start / end) < 1.61",
                PAPER,
                "trend",
                lies_within(-np.inf, np.log(5), lambda t, at=held_out: -fall(t, at, "dcl", "cdnv")),
                expect="FAIL",
            ),
            Claim(
                f"C8-{C}",
                "control: held-out directional CDNV of CL is at least twice as large under "
                f"shuffled labels (z, C = {C}): log(shuffled / true) >= .69",
                "own",
                "trend",
                lies_within(np.log(2), np.inf, lambda t, at=held_out: shuffled_ratio(t, at)),
            ),
        ]
    return found


def below(floors):
    """Select the rows with losses, with how far each is below its floor (positive is broken)."""

    def rows(table: pd.DataFrame) -> pd.DataFrame:
        found = select(table, {"layer": "z", "labels": "true"})
        found = found[found["objective"] != "instance simplex"] if len(found) else found
        return found.assign(**{f"below_{name}": -found[name] for name in floors if name in found})

    return rows


def at_ends(table: pd.DataFrame, where: dict, objective: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows at the first and at the last checkpoint, by seed."""
    rows = select(table, where | {"objective": objective})
    return tuple(
        rows[rows["step"] == step].set_index("seed")
        for step in (rows["step"].min(), rows["step"].max())
    )


def fall(table: pd.DataFrame, where: dict, objective: str, column: str) -> pd.Series:
    """Per seed, log(end / start) of a measure."""
    start, end = at_ends(table, where, objective)
    return np.log(end[column] / start[column])


def shuffled_ratio(table: pd.DataFrame, where: dict) -> pd.Series:
    """Per seed, log of directional CDNV under shuffled over true labels, at the end."""
    _, true = at_ends(table, where, "dcl")
    _, shuffled = at_ends(table, where | {"labels": "shuffled"}, "dcl")
    return np.log(shuffled["directional_cdnv"] / true["directional_cdnv"])
