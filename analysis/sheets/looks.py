"""How things look, the same in every figure, and told apart in grey print too."""

from typing import NamedTuple

import pandas as pd

SMALL = 6.5  # points, of what is least important
PALETTE = (  # seaborn's "colorblind": told apart with every kind of colour vision
    *("#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc"),
    *("#ca9161", "#fbafe4", "#949494", "#ece133", "#56b4e9"),
)
EXTRA = {  # Paul Tol's "muted", for what is no objective: bounds, labellings, nulls
    **dict(indigo="#332288", rose="#cc6677", wine="#882255", teal="#44aa99", olive="#999933"),
    **dict(purple="#aa4499", sand="#ddcc77"),
}
DOTTED, DASHED, DASHDOT = (0, (1, 1.5)), (0, (4, 1.5)), (0, (5, 1.5, 1, 1.5))
PAIR = ("dcl", "nscl")  # objectives that most figures compare
OTHERS = {  # color, name
    "nt_xent": ("#d55e00", "NT-Xent"),
    "supcon_in": ("#ca9161", "SupCon, in"),
    "hscl": ("#7570b3", "H-SCL"),
    "h_nscl": ("#e7298a", "H-NSCL"),
    "hucl": ("#66a61e", "H-UCL"),
    "dhel": ("#806000", "DHEL"),
    "n_dhel": ("#6a3d9a", "N-DHEL"),
    "n_pairs": ("#ece133", "N-pairs"),
    "dhel_official": ("#fbafe4", "DHEL, published code"),
    "scl_jiang": ("#a50026", "SCL"),
    "scl_ball": ("#004c6d", "SCL, ball"),
    "ucl_ball": ("#8c2d04", "UCL, ball"),
    "ssem": ("#5e8c31", "SSEM"),
    "triplet": ("#1b3a57", "triplet"),
}


class Look(NamedTuple):
    """How an objective looks in every figure, and what it is called."""

    color: str
    marker: str
    ls: object
    name: str
    size: float = 3.0  # of the marker; where curves meet, each is seen around the next

    def line(self, **more: object) -> dict:
        """Arguments of `Panel.curve`, labelled "<name>-trained"; `more` wins.

        Args:
            more: Further arguments, or others for those of the look.

        Returns:
            Arguments of a matplotlib line.
        """
        thick = dict(ms=self.size, lw=0.6 + self.size / 6, zorder=2.6 - self.size / 10)
        found = dict(color=self.color, marker=self.marker, ls=self.ls, label=self.trained)
        return found | thick | more

    @property
    def trained(self) -> str:
        """What an encoder trained with it is called."""
        return self.name if self.name in ("untrained", "cross-entropy") else f"{self.name}-trained"


LOOKS = {
    "dcl": Look(PALETTE[0], "o", "-", "CL", 2.6),
    "nscl": Look(PALETTE[1], "s", DASHED, "NSCL", 4.6),
    "supcon": Look(PALETTE[2], "^", DASHDOT, "SupCon", 3.6),
    "cross_entropy": Look(PALETTE[4], "D", (0, (7, 2)), "cross-entropy"),
    "nscl_coupled": Look(PALETTE[9], "v", DOTTED, "coupled NSCL", 3.6),
    "soft_supcon": Look("#b8860b", "D", DOTTED, "Soft SupCon"),
    "kcl": Look("#c51b7d", "*", DASHED, "KCL", 4.6),
    "init": Look("0.55", "x", DOTTED, "untrained"),
    "untrained": Look("0.55", "x", DOTTED, "untrained"),
    "instance simplex": Look("0.35", "+", DASHDOT, "instance simplex"),
} | {
    id: Look(color, "PX*<>"[k // 2 % 5], (DASHED, DASHDOT)[k % 2], name)
    for k, (id, (color, name)) in enumerate(OTHERS.items())
}


def look(objective: str) -> Look:
    """The look of any objective; one that has none of its own is grey, with its id as name."""
    return LOOKS.get(objective, Look("0.4", "h", DASHED, str(objective)))


def objectives(rows: pd.DataFrame) -> list[str]:
    """The objectives in a table, those with a look of their own first, in one order everywhere."""
    there = {str(name) for name in rows["objective"].dropna()}
    return [name for name in LOOKS if name in there] + sorted(there.difference(LOOKS))


RULER = {  # the levels that a gap can lie at
    "bound_published": dict(color="k", ls="-", label="published bound"),
    "bound_ceiling": dict(color="0.3", ls=DASHED, label="ETF ceiling"),
    "bound_equal": dict(color="0.5", ls=DOTTED, label="equal similarities"),
}
BOUNDS = {  # on the few-shot error
    "older": dict(color=EXTRA["wine"], ls="-", label="1/m form (refuted)"),
    "neurips": dict(color=EXTRA["olive"], ls="-", label="NeurIPS form"),
    "tightened": dict(color=EXTRA["olive"], ls=DASHED, label="NeurIPS form, tightened"),
    "theorem_4_1": dict(color=EXTRA["indigo"], ls=DASHDOT, label="Theorem 4.1"),
    "cantelli": dict(color=EXTRA["teal"], ls=(0, (7, 2)), label="Cantelli certificate"),
    "conditional_cantelli": dict(color=EXTRA["rose"], ls=DASHED, label="Cantelli given z"),
    "conditional_trigonometric": dict(
        color=EXTRA["rose"], ls="-", label="trigonometric certificate"
    ),
}
