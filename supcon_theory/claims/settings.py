"""Claims K18 on where SupCon's lead depends; the table is that of `audits.accuracy`.

Errors are those of a linear probe on h with all labelled images, on held-out images, in settings
that differ from the base in one factor.
"""

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from supcon_theory.audits.rows import select
from supcon_theory.claims.accuracy import ONLY, PAPER, far_enough, floor
from supcon_theory.claims.checks import Within
from supcon_theory.claims.claim import Change, Claim, trend

BASE = "base"
WRONG, IMAGES, BATCH, LAYERS = "wrong labels", "images", "batch", "hidden layers"
SURFACE, ENCODER, MARGIN = "surface", "encoder", "margin"
RIGHT, GIVEN = "right", "as trained on"  # labels of the images that the probe is fitted to
CLASSIFIER = "cross_entropy"


def level(factor: str, value: object) -> str:
    """What a setting is called."""
    return f"{factor} {value}"


def error(
    rows: pd.DataFrame, objective: str, factor: str = BASE, value: str = "", labels: str = RIGHT
) -> pd.Series:
    """Per seed, the error of h; NaN for an encoder that is not trained far enough."""
    at = {"objective": objective, "labels": labels, "layer": "h", "probe": "linear"}
    found = select(rows, at | {"level": level(factor, value) if value else BASE})
    return pd.Series(far_enough(found).set_index("seed")["error"])


def rise(rows: pd.DataFrame, objective: str, share: str) -> pd.Series:
    """Per seed, what wrong labels in training and in the probe add to the error."""
    return error(rows, objective, WRONG, share, GIVEN) - error(rows, objective)


def _worse(factor: str) -> Change:
    """SupCon with a larger error in the settings of a factor."""
    return Change("error", "error + @t", f"objective == 'supcon' and factor == '{factor}'")


@trend("K18-wrong", "ours", {}, _worse(WRONG))
def wrong(share: str) -> Within:
    """A share of {share} wrong labels costs cross-entropy more than SupCon."""
    return Within(
        f"rise of the error, cross-entropy's less SupCon's {ONLY}",
        0,
        np.inf,
        lambda r: rise(r, CLASSIFIER, share) - rise(r, "supcon", share),
    )


@trend("K18-few", "ours", {}, _worse(IMAGES))
def few(images: str) -> Within:
    """With {images} training images a class SupCon's features classify better."""
    return Within(
        f"error, cross-entropy less SupCon {ONLY}",
        0,
        np.inf,
        lambda r: error(r, CLASSIFIER, IMAGES, images) - error(r, "supcon", IMAGES, images),
    )


@trend("K18-batch", f"{PAPER}, Section 4.4", {}, _worse(BASE))
def batch(images: str) -> Within:
    """SupCon's features are worse if trained in as many batches of {images} images."""
    return Within(
        f"error, such less usual batches {ONLY}",
        0,
        np.inf,
        lambda r: error(r, "supcon", BATCH, images) - error(r, "supcon"),
    )


@trend("K18-projector", f"{PAPER}, Section 3.1", {}, _worse(BASE))
def projector() -> Within:
    """SupCon's features are better behind a projector with a hidden layer than a linear one."""
    return Within(
        f"error, no less one hidden layer {ONLY}",
        0,
        np.inf,
        lambda r: error(r, "supcon", LAYERS, "0") - error(r, "supcon"),
    )


@trend("K18-unit", f"{PAPER}, Section 3.1", {}, _worse(BASE))
def unit() -> Within:
    """SupCon's features are better where embeddings are normalised."""
    return Within(
        f"error, without less with normalisation {ONLY}",
        0,
        np.inf,
        lambda r: error(r, "supcon", SURFACE, "none") - error(r, "supcon"),
    )


@trend("K18-{rival}", f"{PAPER}, Tables 2 and 5", {}, _worse(BASE))
def beats(rival: str) -> Within:
    """SupCon gives better features than {rival}."""
    return Within(
        f"error, {rival} less SupCon {ONLY}",
        0,
        np.inf,
        lambda r: error(r, rival) - error(r, "supcon"),
    )


@trend("K18-margin", f"{PAPER}, Table 2", {}, _worse(BASE))
def beats_margin(margin: str) -> Within:
    """SupCon gives better features than cross-entropy with a margin of {margin}."""
    return Within(
        f"error, cross-entropy with a margin less SupCon {ONLY}",
        0,
        np.inf,
        lambda r: error(r, CLASSIFIER, MARGIN, margin) - error(r, "supcon"),
    )


def claims(C: int, objectives: Collection[str], settings: Sequence[tuple[str, str]]) -> list[Claim]:
    """All claims on settings.

    Args:
        C: Number of classes.
        objectives: What encoders are trained with in the base setting.
        settings: Factor and value of each other setting; claims on others are NOT ASKED.

    Returns:
        The theorem, then the trends.
    """
    at = {"C": C}
    both = {"supcon", CLASSIFIER} <= set(objectives)

    def values(factor: str, *usual: str) -> list[str]:
        return sorted((v for f, v in settings if f == factor), key=float) or list(usual)

    def asked(*names: str, other: bool = True) -> bool:
        return "supcon" in objectives and other and set(names) <= {f for f, _ in settings}

    margin = values(MARGIN, "0.2")[0]
    rivals = [name for name in objectives if name not in ("supcon", CLASSIFIER)]
    zero = (LAYERS, "0") in settings
    return [
        floor(),
        wrong(scope=at, asked=asked(WRONG, other=both), share=values(WRONG, "0.6")[-1]),
        few(scope=at, asked=asked(IMAGES, other=both), images=values(IMAGES, "5")[0]),
        batch(scope=at, asked=asked(BATCH), images=values(BATCH, "16")[0]),
        projector(scope=at, asked=asked(other=zero)),
        unit(scope=at, asked=asked(other=(SURFACE, "none") in settings)),
        beats(scope=at, asked=asked(other=both), rival=CLASSIFIER),
        *(beats(scope=at, asked=asked(), rival=rival) for rival in rivals),
        beats_margin(scope=at, asked=asked(MARGIN), margin=margin),
    ]
