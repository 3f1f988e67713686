"""Who is what to an anchor: the one vocabulary of losses, measures, oracles and documentation.

An anchor a = (i, l) is view l of sample i, one of the N K rows of a batch. With s_ab = <z_a, z_b> /
tau, E(X) is the sum of e^{s_ab} over the rows b of a set X. The papers' letters: S = E(sis), D =
E(oth), so that E(ins) = S + D.
"""

from collections.abc import Callable
from typing import Any, NamedTuple


class Set(NamedTuple):
    """Rows in the anchor's group `same` that are not in its group `different`."""

    same: str | None
    different: str
    size: Callable[[int, int, Any], Any]  # (N, K, n) -> rows; n = size of the anchor's class
    meaning: str  # of one of its rows

    @property
    def labelled(self) -> bool:
        """Whether it depends on the labels."""
        return "class" in (self.same, self.different)

    @property
    def remedy(self) -> str:
        """What to do where the anchors of a batch have none of its rows."""
        if self.same in REMEDIES:
            return REMEDIES[self.same]
        return "give the batch at least two classes" if self.labelled else "use more samples"


REMEDIES = {"sample": "use K >= 2 views", "class": "draw at least two samples per class"}
SETS = {
    "own": Set("sample", "row", lambda N, K, n: K - 1, "other view"),
    "ins": Set(None, "sample", lambda N, K, n: K * (N - 1), "row of another sample"),
    "sis": Set("class", "sample", lambda N, K, n: K * (n - 1), "other sample of their class"),
    "oth": Set(None, "class", lambda N, K, n: K * (N - n), "row of another class"),
    "P": Set("class", "row", lambda N, K, n: K * n - 1, "other row of their class"),
    "rest": Set(None, "row", lambda N, K, n: N * K - 1, "other row"),
    "view": Set("view", "sample", lambda N, K, n: N - 1, "other sample"),
    "view_oth": Set("view", "class", lambda N, K, n: N - n, "other class"),
}
