"""One anchor of SupCon: whom it pulls how hard as negatives become more; the limits of a triplet.

Nothing is drawn: an anchor sees only the cosines of its positives and negatives.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from supcon_theory.audits.columns import SUPCON
from supcon_theory.theory import supcon as theory
from supcon_theory.theory.counts import Floats

COLUMNS, VERSION = SUPCON.columns, SUPCON.version
COSINES = np.linspace(-1, 1, 81)
POSITIVES = {  # their cosines; the negatives of these anchors are orthogonal to it
    "spread": COSINES,
    "one hard": np.zeros(1),
    "one hard of nine": np.array([0.0] + 8 * [0.9]),
}
Row = dict[str, Any]


def anchor_rows(tau: float, negatives: Sequence[int]) -> Iterator[Row]:
    """The pull on the positives of each anchor, and the push on negatives of all cosines.

    Args:
        tau: temperature.
        negatives: numbers of negatives, rising.

    Yields:
        A row for each anchor, form, number of negatives and different row that it sees.
    """
    for law, cosines in POSITIVES.items():
        for form in ("supcon", "supcon_in"):
            before = positive_weights(cosines, 0, tau, form)
            for count in negatives:
                weight = positive_weights(cosines, count, tau, form)
                about = {"law": law, "objective": form, "tau": tau, "negatives": count}
                found = {"weight": weight, "violation_growth": before - weight}
                if law == "one hard":
                    found["count_error"] = np.abs(weight - count / (count + 1))
                worst = beyond_peak(cosines, weight, tau, form) if law == "spread" else -np.inf
                yield from _rows(about, cosines, found, worst)
                before = weight
    sees = np.array([0.0, *COSINES])
    pushed = np.arange(len(sees)) > 0
    weight = theory.logit_gradient(sees / tau, ~pushed, pushed, "supcon")[pushed]
    about = {"law": "negatives", "objective": "supcon", "tau": tau, "negatives": len(COSINES)}
    worst = beyond_peak(COSINES, weight, tau, "supcon_in")
    yield from _rows(about, COSINES, {"weight": weight}, worst)


def positive_weights(cosines: Floats, count: int, tau: float, form: theory.Form) -> Floats:
    """X - p of positives with these cosines beside `count` orthogonal negatives."""
    sees = np.concatenate([cosines, np.zeros(count)])
    P = np.arange(len(sees)) < len(cosines)
    return -theory.logit_gradient(sees / tau, P, ~P, form)[P]


def beyond_peak(cosines: Floats, weight: Floats, tau: float, form: theory.Form) -> float:
    """How far the pull through normalised rows is from falling away from its peak.

    Of L_in it rises up to c* and falls beyond; of L_out it falls from cosine 0 on.

    Args:
        cosines: rising.
        weight: of each.
        tau: temperature.
        form: of the loss.

    Returns:
        The largest change in the wrong direction; -inf where no row is beyond the peak.
    """
    rise = np.diff(pulls(cosines, weight))
    if form == "supcon":
        return float(rise[(cosines[:-1] >= 0) & (weight[:-1] >= 0)].max(initial=-np.inf))
    peak = theory.strongest_pull(tau)
    below, beyond = -rise[cosines[1:] <= peak], rise[cosines[:-1] >= peak]
    return float(max(below.max(), beyond.max(initial=-np.inf)))


def pulls(cosines: Floats, weight: Floats) -> Floats:
    """The weight times sqrt(1 - c^2), what normalising the anchor leaves of a row."""
    return weight * np.sqrt(1 - cosines**2)


def _rows(about: Row, cosines: Floats, found: dict[str, Floats], worst: float) -> Iterator[Row]:
    common = {"part": "anchor", "violation_peak": worst}
    found = {"cosine": cosines, "pull": pulls(cosines, found["weight"]), **found}
    for k in np.unique(cosines, return_index=True)[1]:
        yield common | about | {name: float(values[k]) for name, values in found.items()}


def triplet_rows(tau: float) -> Iterator[Row]:
    """One positive and one negative: the loss beside its limits and the published triplet form.

    Args:
        tau: temperature.

    Yields:
        A row for each difference of the two cosines.
    """
    difference = 2 * COSINES
    u = difference / tau
    forms = theory.triplet_forms(u)
    loss = forms["loss"]
    found = {
        "u": u,
        "loss": loss,
        **{name: forms[name] for name in ("small", "hinge", "published")},
        "violation_small": np.abs(loss - forms["small"]) - forms["small_within"],
        "violation_hinge": np.abs(loss - forms["hinge"]) - forms["hinge_within"],
        "published_off": np.abs(loss - forms["published"]),
    }
    for k in range(len(u)):
        yield {"part": "triplet", "tau": tau} | {name: float(x[k]) for name, x in found.items()}
