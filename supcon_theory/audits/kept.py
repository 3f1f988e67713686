"""What embeddings keep of a feature, be it named by the training labels or not; rows of `KEPT`."""

from typing import Any, NamedTuple

import numpy as np

from supcon_theory.audits.columns import INVERSE_L2, KEPT
from supcon_theory.measures.few_shot import TOLERANCE
from supcon_theory.measures.probes import linear_probe, nearest_centre, probe_error, way_error
from supcon_theory.measures.supports import draw_supports
from supcon_theory.measures.variance_shares import variance_shares

COLUMNS, VERSION = KEPT.columns, KEPT.version


class Labelled(NamedTuple):
    """Features x (N, d), the feature y (N,) that is read, and a coarser label (N,)."""

    x: np.ndarray
    y: np.ndarray
    coarse: np.ndarray


def kept_row(fitted: Labelled, new: Labelled) -> dict[str, Any]:
    """Shares of the variance, and the error of probes that know the coarser label.

    Among the images of each coarser label a nearest centre and a linear probe are fitted to the
    feature, so that a feature of which nothing is kept gives the error of guessing, however well
    the coarser label is told. Probes do not see the scale of what they are fitted to: they say
    whether a feature is there at all, the shares how large it is.

    Args:
        fitted: What probes are fitted to and variance is measured on, as many rows of each class
            of the feature as there are of the smallest.
        new: What they are tested on, with the same labels.

    Returns:
        The columns of `KEPT` but `feature` and `contrast`; means over coarser labels, all of the
        same weight.
    """
    shares = variance_shares(fitted.x, fitted.coarse, fitted.y)
    found = []
    for label in np.unique(fitted.coarse):
        mine, theirs = fitted.coarse == label, new.coarse == label
        x, y = fitted.x[mine], fitted.y[mine]
        of = (new.x[theirs], new.y[theirs])
        count = np.unique(y, return_counts=True)[1]
        supports = draw_supports(y, int(count.min()), 1, seed=0)
        near = way_error(nearest_centre(x, y, supports, *of).beaten, len(count))
        probe = linear_probe(x, y, supports, inverse_l2=INVERSE_L2, tol=TOLERANCE)
        chance = 1 - 1 / len(count)
        linear = probe_error(probe, *of)[0]
        found.append((near[0], linear, chance, linear / chance, float(not probe.converged[0])))
    names = ("error_centre", "error_linear", "chance", "of_chance", "unconverged")
    parts = dict(zip(("share_coarse", "share", "share_rest"), shares, strict=True))
    means = dict(zip(names, np.mean(found, axis=0).tolist(), strict=True))
    return parts | {"shares_error": abs(sum(shares) - 1)} | means
