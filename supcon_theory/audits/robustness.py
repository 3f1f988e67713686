"""A linear probe of frozen features on corrupted images: what it gets wrong, and how sure it is."""

import numpy as np
from torch import Tensor

from supcon_theory.audits.columns import INVERSE_L2, ROBUSTNESS
from supcon_theory.inputs import labels as numbered
from supcon_theory.measures.calibration import calibration_error, calibration_most
from supcon_theory.measures.few_shot import TOLERANCE
from supcon_theory.measures.probes import Probe, draw_supports, linear_probe, probe_probabilities

COLUMNS, VERSION = ROBUSTNESS.columns, ROBUSTNESS.version
COARSE = 5  # bins, which divide the 15 of the calibration error


def fitted(x: Tensor, y: Tensor, seed: int) -> Probe:
    """The linear probe of clean labelled images: of every class as many as the smallest has.

    Args:
        x: (N, d) features.
        y: (N,) labels.
        seed: key of the draw, where classes differ in size.

    Returns:
        One classifier.
    """
    supports = draw_supports(y, int(numbered(y).bincount().min()), 1, seed)
    return linear_probe(x, y, supports, inverse_l2=INVERSE_L2, tol=TOLERANCE)


def robustness_row(probe: Probe, x: Tensor, y: Tensor, clean: Tensor) -> dict[str, float]:
    """Error, confidence and calibration on some images, each of the same weight.

    Args:
        probe: `fitted` to clean images.
        x: (Q, d) features of the images, corrupted or not.
        y: (Q,) their labels, of the classes of the probe.
        clean: (Q, d) features of the same images as they are.

    Returns:
        The columns of `ROBUSTNESS` on the probe; NaN where it is not proved optimal.
    """
    if not probe.converged.all():
        return dict.fromkeys(NAMES, np.nan) | {"unconverged": 1}
    p = probe_probabilities(probe, x)[0]
    guess, as_clean = p.argmax(1), probe_probabilities(probe, clean)[0].argmax(1)
    truth = np.searchsorted(probe.classes, np.asarray(y))
    right, sure = guess == truth, p.max(1)
    error, before = np.mean(guess != truth), np.mean(as_clean != truth)
    flips = np.mean(guess != as_clean)
    steps = [
        abs(right.mean() - sure.mean()),
        calibration_error(sure, right, COARSE),
        calibration_error(sure, right),
        calibration_most(sure, right),
    ]
    found = error, sure.mean(), steps[2], steps[1], steps[3], flips
    broken = -np.diff(steps).min(), abs(error - before) - flips
    return dict(zip(NAMES, map(float, (*found, *broken)), strict=True)) | {"unconverged": 0}


NAMES = (
    *("error", "confidence", "ece", "ece_coarse", "ece_most", "flips"),
    *("violation_calibration", "violation_flips"),
)
