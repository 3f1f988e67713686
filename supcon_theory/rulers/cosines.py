"""What an anchor sees: the cosines of the rows of each set, at given levels or drawn at random.

The sets are those of `supcon_theory.pairs.sets`. An array of cosines (anchors, m) comes with how
many rows have each, so that a set of thousand equal cosines is one number.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import logsumexp

from supcon_theory.theory.counts import Floats


@dataclass(frozen=True)
class Rows:
    """Cosines (anchors, m) of the rows of a set, and how many rows have each."""

    cosine: Floats
    number: Floats

    def __add__(self, other: "Rows") -> "Rows":
        """Both sets together."""
        return Rows(
            np.concatenate([self.cosine, other.cosine], -1),
            np.concatenate([self.number, other.number], -1),
        )

    def first(self, most: float) -> "Rows":
        """The first so many rows."""
        until = np.minimum(np.cumsum(self.number, -1), most)
        return Rows(self.cosine, np.diff(until, axis=-1, prepend=0))

    def beyond(self, most: float) -> "Rows":
        """All but the first so many rows."""
        return Rows(self.cosine, self.number - self.first(most).number)

    @property
    def size(self) -> Floats:
        """(anchors,) number of rows."""
        return self.number.sum(-1)


@dataclass(frozen=True)
class Seen:
    """Anchors of a batch of N samples x K views at tau, each with the rows of its sets."""

    N: int
    K: int
    tau: float
    own: Rows
    sis: Rows
    oth: Rows
    sis_view: Rows  # those of sis in the anchor's view
    oth_view: Rows
    weights: Rows  # cosines with the class weights of `cross_entropy`, the anchor's own class first

    @cached_property
    def sets(self) -> dict[str, Rows]:
        """The rows of every set of `pairs.sets`, by name."""
        own, sis, oth = self.own, self.sis, self.oth
        itself = Rows(*2 * (np.ones((len(oth.size), 1)),))
        return {
            **{"class": itself + own + sis, "own0": itself + own, "all": itself + own + sis + oth},
            **{"own": own, "sis": sis, "oth": oth, "ins": sis + oth, "P": own + sis},
            **{"rest": own + sis + oth, "view": self.sis_view + self.oth_view},
            **{"view_oth": self.oth_view, "weights": self.weights},
        }

    def log_sum(self, rows: str | Rows, scale: float = 1.0) -> Floats:
        """Log of the sum over a set of e^{scale s}, (anchors,); -inf for an empty one."""
        rows = self.sets[rows] if isinstance(rows, str) else rows
        with np.errstate(divide="ignore"):
            logs = rows.cosine * (scale / self.tau) + np.log(rows.number)
            return np.asarray(logsumexp(logs, axis=-1))

    def log_tilted(self, rows: str, beta: float) -> Floats:
        """Log of M_beta of a set: the mean of e^s weighted by e^{beta s}, (anchors,)."""
        return self.log_sum(rows, 1 + beta) - self.log_sum(rows, beta)

    def mean(self, rows: str | Rows, of: Callable[[Floats], Floats] = lambda s: s) -> Floats:
        """Mean over a set of a function of s = cosine / tau, (anchors,); NaN for an empty one."""
        rows = self.sets[rows] if isinstance(rows, str) else rows
        with np.errstate(invalid="ignore"):
            return (rows.number * of(rows.cosine / self.tau)).sum(-1) / rows.size


def levels(
    n: Floats, N: int, K: int, tau: float, C: int, own: float, same: float, other: float
) -> Seen:
    """Anchors of classes of n samples whose cosines depend only on who is paired with whom.

    Args:
        n: (anchors,) size of the anchor's class.
        N: samples.
        K: views of each.
        tau: temperature.
        C: number of classes, of which there are weights.
        own: cosine with the other views of the sample.
        same: cosine with other samples of the class.
        other: cosine with samples of other classes.

    Returns:
        What they see.
    """
    n = np.asarray(n, float)

    def rows(cosine: float, number: Floats) -> Rows:
        return Rows(np.full((len(n), 1), cosine), number[:, None])

    one = np.ones_like(n)
    return Seen(
        *(N, K, tau),
        *(rows(own, one * (K - 1)), rows(same, K * (n - 1)), rows(other, K * (N - n))),
        *(rows(same, n - 1), rows(other, N - n)),
        rows(same, one) + rows(other, one * (C - 1)),
    )


def random_directions(
    n: int, N: int, K: int, tau: float, C: int, d: int, rng: np.random.Generator
) -> Seen:
    """Two anchors in a class of n; all rows are independent uniform directions in d dimensions.

    The cosines of an anchor with the others are independent, g / sqrt(g^2 + chi^2) with a normal g
    and a chi^2 of d - 1 degrees. The second anchor sees the positives of the first negated, which
    is as likely: the mean of the two is free of the noise that is odd in the positives.

    Args:
        n: samples in the anchor's class.
        N: samples.
        K: views of each.
        tau: temperature.
        C: number of class weights, random directions too.
        d: dimensions.
        rng: where the draws come from.

    Returns:
        What the two anchors see.
    """
    own, sis, oth, weights = np.split(
        _cosines(N * K - 1 + C, d, rng), np.cumsum([K - 1, K * (n - 1), K * (N - n)])
    )

    def rows(cosine: Floats, sign: float = 1.0) -> Rows:
        both = np.stack([cosine, sign * cosine])
        return Rows(both, np.ones_like(both))

    return Seen(
        *(N, K, tau, rows(own, -1), rows(sis, -1), rows(oth)),
        *(rows(sis[: n - 1], -1), rows(oth[: N - n]), rows(weights[:1], -1) + rows(weights[1:])),
    )


def _cosines(number: int, d: int, rng: np.random.Generator) -> Floats:
    normal = rng.standard_normal(number)
    rest = rng.chisquare(d - 1, number) if d > 1 else np.zeros(number)
    return normal / np.sqrt(normal**2 + rest)
