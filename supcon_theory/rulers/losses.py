"""The loss of an anchor from what it sees: every id of `objectives.ids`, in NumPy.

The same formulas as `supcon_theory.objectives`, read off cosines instead of embeddings; the tests
hold one to the other. What an id needs is a row of `LOSSES`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from supcon_theory.objectives.ids import options_of
from supcon_theory.pairs.sets import SETS
from supcon_theory.rulers.cosines import Rows, Seen
from supcon_theory.theory.counts import Floats, checked_whole, log1p_exp, require


def with_positive(seen: Seen, log_negatives: Floats, positives: str | Rows = "own") -> Floats:
    """Mean over the positives p of log(e^{s_ap} + X) - s_ap, from log X (anchors,)."""
    return seen.mean(positives, lambda s: log1p_exp(log_negatives[:, None] - s))


def without_positive(seen: Seen, log_negatives: Floats, pairs: str) -> Floats:
    """Log X minus the mean of s_ap over own views, the anchor itself among them for "all" pairs."""
    own = np.nan_to_num(seen.mean("own")) * (seen.K - 1)  # no other view: nothing to add
    of_all = (own + 1 / seen.tau) / seen.K
    return log_negatives - (of_all if pairs == "all" else seen.mean("own"))


def dcl(seen: Seen, pairs: str = "all") -> Floats:
    """log(S + D) - s_ap."""
    return without_positive(seen, seen.log_sum("ins"), pairs)


def nscl(seen: Seen, pairs: str = "all") -> Floats:
    """Log D - s_ap."""
    return without_positive(seen, seen.log_sum("oth"), pairs)


def dhel(seen: Seen, anchors: str = "all") -> Floats:
    """Log E(view) - s_ap; the views are alike, so all anchors have the loss of the first view's."""
    return seen.log_sum("view") - seen.mean("own")


def dhel_official(seen: Seen) -> Floats:
    """2 log E(view) - s_ap."""
    return 2 * seen.log_sum("view") - seen.mean("own")


def n_dhel(seen: Seen) -> Floats:
    """Log E(view and oth) - s_ap."""
    return seen.log_sum("view_oth") - seen.mean("own")


def nt_xent(seen: Seen) -> Floats:
    """log(e^{s_ap} + S + D) - s_ap."""
    return with_positive(seen, seen.log_sum("ins"))


def nscl_coupled(seen: Seen) -> Floats:
    """log(e^{s_ap} + D) - s_ap."""
    return with_positive(seen, seen.log_sum("oth"))


def n_pairs(seen: Seen) -> Floats:
    """log(e^{s_ak} + D) - s_ak, k in another sample of the class."""
    return with_positive(seen, seen.log_sum("oth"), seen.sis.first(1))


def supcon(seen: Seen, max_positives: int | None = None) -> Floats:
    """log(E(P) + D) - s_ap, p in P."""
    if max_positives is None:
        return seen.log_sum("rest") - seen.mean("P")
    positives = seen.sets["P"].first(max_positives)
    return seen.log_sum(positives + seen.oth) - seen.mean(positives)


def supcon_in(seen: Seen) -> Floats:
    """log(E(P) + D) - log(E(P) / |P|)."""
    return seen.log_sum("rest") - seen.log_sum("P") + np.log(seen.sets["P"].size)


def hucl(seen: Seen, beta: float = 1.0) -> Floats:
    """log(e^{s_ap} + Q M_beta(ins)) - s_ap."""
    return with_positive(seen, seen.log_tilted("ins", beta) + np.log(seen.sets["ins"].size))


def h_nscl(seen: Seen, beta: float = 1.0) -> Floats:
    """log(e^{s_ap} + |oth| M_beta(oth)) - s_ap."""
    return with_positive(seen, seen.log_tilted("oth", beta) + np.log(seen.sets["oth"].size))


def hscl(seen: Seen, beta: float = 1.0, positives: str = "class") -> Floats:
    """log(e^{s_ap} + Q M_beta(oth)) - s_ap, p in P or own."""
    tilted = seen.log_tilted("oth", beta) + np.log(seen.sets["ins"].size)
    return with_positive(seen, tilted, "P" if positives == "class" else "own")


def scl_jiang(seen: Seen, positives: str = "class") -> Floats:
    """`hscl` with beta = 0."""
    return hscl(seen, 0.0, positives)


def hcl(seen: Seen, beta: float = 1.0, tau_plus: float = 0.1) -> Floats:
    """log(e^{s_ap} + Q G) - s_ap, G = max(e^{-1/tau}, (M_beta - tau_plus e^s)/(1 - tau_plus))."""
    log_M = seen.log_tilted("ins", beta)[:, None]
    log_Q = np.log(seen.sets["ins"].size)[:, None]

    def of(s: Floats) -> Floats:
        # log of tau_plus e^s over M, so that nothing overflows; above 0 the clamp holds
        ratio = np.minimum(np.log(tau_plus) + s - log_M if tau_plus > 0 else -np.inf, 0.0)
        with np.errstate(divide="ignore"):
            corrected = log_M + np.log(-np.expm1(ratio)) - np.log1p(-tau_plus)
        return log1p_exp(log_Q + np.maximum(corrected, -1 / seen.tau) - s)

    return seen.mean("own", of)


def debiased(seen: Seen, tau_plus: float = 0.1) -> Floats:
    """`hcl` with beta = 0."""
    return hcl(seen, 0.0, tau_plus)


def scl_ball(seen: Seen, beta: float = 0.0) -> Floats:
    """log(e^{s_ap} + M_beta(oth)) - s_ap, p in the class, the anchor too."""
    return with_positive(seen, seen.log_tilted("oth", beta), "class")


def ucl_ball(seen: Seen, beta: float = 0.0) -> Floats:
    """log(e^{s_ap} + M_beta(all)) - s_ap, p in the class, the anchor too."""
    return with_positive(seen, seen.log_tilted("all", beta), "class")


def ssem(seen: Seen, alpha: float = 0.5) -> Floats:
    """Log E(all) - alpha mean of s_ap over own and itself - (1 - alpha) mean over sis."""
    sis = (1 - alpha) * seen.mean("sis") if alpha < 1 else 0.0
    return seen.log_sum("all") - alpha * seen.mean("own0") - sis


def soft_supcon(seen: Seen, softness: float = 0.15) -> Floats:
    """Log E(rest) - weighted mean of s_ap, 1 on P and softness on oth."""
    P, oth = seen.sets["P"].size, softness * seen.oth.size
    return seen.log_sum("rest") - (P * seen.mean("P") + oth * seen.mean("oth")) / (P + oth)


def kcl(seen: Seen, gamma: float = 16.0, kernel_name: str = "gaussian") -> Floats:
    """2 gamma mean of k over view - 2 mean of k_ap."""

    def of(s: Floats) -> Floats:
        apart = 1 / seen.tau - s
        return np.exp(-apart) if kernel_name == "gaussian" else (1 + apart) ** -0.5

    return 2 * gamma * seen.mean("view", of) - 2 * seen.mean("own", of)


def sigmoid(seen: Seen, bias: float = -10.0) -> Floats:
    """softplus(-s_ap - b) + sum of softplus(s + b) over another view of the other samples."""

    def total(name: str) -> Floats:
        return seen.mean(name, lambda s: log1p_exp(s + bias)) * seen.sets[name].size

    apart = (total("ins") - total("view")) / (seen.K - 1)
    return seen.mean("own", lambda s: log1p_exp(-s - bias)) + apart


def triplet(seen: Seen, margin: float = 0.1) -> Floats:
    """Mean over p in P, n in oth of max(0, margin + cos_an - cos_ap) / tau, by one sort."""
    P, oth = seen.sets["P"], seen.oth
    found = np.concatenate([P.cosine - margin, oth.cosine], -1)
    p, n = (
        (P + Rows(oth.cosine, 0 * oth.number)).number,
        (Rows(P.cosine, 0 * P.number) + oth).number,
    )
    order = np.argsort(found, -1)
    p, n, found = (np.take_along_axis(x, order, -1) for x in (p, n, found))
    opened = (n * (found * np.cumsum(p, -1) - np.cumsum(p * found, -1))).sum(-1)
    with np.errstate(invalid="ignore"):
        return opened / (P.size * oth.size * seen.tau)


def cross_entropy(seen: Seen, margin: float = 0.0) -> Floats:
    """log(1 + sum over other classes of e^{(<z, w_c - w_y> + margin)/tau}), unit class weights."""
    lowered = seen.mean(seen.weights.first(1)) - margin / seen.tau
    return log1p_exp(seen.log_sum(seen.weights.beyond(1)) - lowered)


@dataclass(frozen=True)
class Loss:
    """An anchor's loss and what belongs to it."""

    of: Callable[..., Floats]  # (seen, **options) -> (anchors,)
    needs: tuple[str, ...]  # sets in which an anchor must have a row
    equal: str  # formula of the value when all similarities are equal
    least: str  # formula of the least value, balanced classes
    per_pair: int | None = None  # the mean is over pairs: so many of an anchor's class are none
    random: str = ""  # formula near which it is for many random directions
    rise: str = ""  # what the most is above equal similarities, where that is not 2/tau

    @property
    def labelled(self) -> bool:
        """Whether it asks the labels."""
        return any(name not in SETS or SETS[name].labelled for name in self.needs)

    def weight(self, n: Floats, N: int, K: int, options: Mapping[str, Any]) -> Floats:
        """Weight of an anchor in a class of n in the mean; 0 where it has no loss."""
        has = n > 0
        for name in self.sets(options):
            has = has & (SETS[name].size(N, K, n) > 0)
        if self.per_pair is None or "own" in self.sets(options):
            return np.where(has, 1.0, 0.0)
        return np.where(has, K * n - self.per_pair, 0.0)

    def sets(self, options: Mapping[str, Any]) -> list[str]:
        """The sets of `pairs.sets` in which an anchor must have a row."""
        own = options.get("positives") == "own"
        needs = ["own" if own and name == "P" else name for name in self.needs if name in SETS]
        return [] if options.get("alpha") == 1 else needs  # of `ssem`: no other sample is wanted

    def __call__(self, seen: Seen, options: Mapping[str, Any]) -> Floats:
        """(anchors,) losses."""
        names = self.of.__code__.co_varnames[1 : self.of.__code__.co_argcount]
        return self.of(seen, **{name: options[name] for name in names if name in options})


CLASS, INSTANCE = "e^(-C/((C-1)tau))", "e^(-N/((N-1)tau))"
NEAR = "near equal + log 0F1(; d/2; 1/(4 tau^2))"  # no tilt, mean positive outside the logarithm
LOSSES = {
    "dcl": Loss(dcl, ("ins",), "log(K(N-1))", f"log(K(N-1) {INSTANCE})"),
    "nscl": Loss(nscl, ("oth",), "log(nK(C-1))", f"log(nK(C-1) {CLASS})"),
    "dhel": Loss(dhel, ("own", "view"), "log(N-1)", f"log((N-1) {INSTANCE})", random=NEAR),
    "dhel_official": Loss(
        dhel_official, ("own", "view"), "2 log(N-1) + 1/tau", "2 log(N-1) - (N+1)/((N-1)tau)"
    ),
    "n_dhel": Loss(n_dhel, ("own", "view_oth"), "log(n(C-1))", f"log(n(C-1) {CLASS})", random=NEAR),
    "nt_xent": Loss(
        nt_xent, ("own", "ins"), "log(1 + K(N-1))", f"log(1 + K(N-1) {INSTANCE})", random=NEAR
    ),
    "nscl_coupled": Loss(
        nscl_coupled, ("own", "oth"), "log(1 + nK(C-1))", f"log(1 + nK(C-1) {CLASS})", random=NEAR
    ),
    "n_pairs": Loss(
        n_pairs, ("sis", "oth"), "log(1 + nK(C-1))", f"log(1 + nK(C-1) {CLASS})", random=NEAR
    ),
    "supcon": Loss(supcon, ("P",), "log(NK - 1)", f"log(nK - 1 + nK(C-1) {CLASS})", random=NEAR),
    "supcon_in": Loss(supcon_in, ("P",), "log(NK - 1)", f"log(nK - 1 + nK(C-1) {CLASS})"),
    "hucl": Loss(hucl, ("own", "ins"), "log(1 + K(N-1))", f"log(1 + K(N-1) {INSTANCE})"),
    "h_nscl": Loss(h_nscl, ("own", "oth"), "log(1 + nK(C-1))", f"log(1 + nK(C-1) {CLASS})"),
    "hscl": Loss(hscl, ("oth", "P"), "log(1 + K(N-1))", f"log(1 + K(N-1) {CLASS})", 1),
    "scl_jiang": Loss(
        scl_jiang, ("oth", "P"), "log(1 + K(N-1))", f"log(1 + K(N-1) {CLASS})", 1, random=NEAR
    ),
    "hcl": Loss(hcl, ("own", "ins"), "log(1 + K(N-1))", ""),
    "debiased": Loss(debiased, ("own", "ins"), "log(1 + K(N-1))", ""),
    "scl_ball": Loss(scl_ball, ("oth", "class"), "log 2", f"log(1 + {CLASS})", 0),
    "ucl_ball": Loss(ucl_ball, ("class",), "log 2", f"log(1 + (1 + (C-1) {CLASS})/C)", 0),
    "ssem": Loss(ssem, ("sis",), "log(NK)", "log(K Z(a*)) - (alpha + (1-alpha) a*)/tau"),
    "soft_supcon": Loss(
        soft_supcon, ("P",), "log(NK - 1)", "entropy of the weights, or at the simplex", random=NEAR
    ),
    "kcl": Loss(
        kcl, ("own", "view"), "2 gamma - 2", "2 gamma k(-1/(N-1)) - 2", rise="at most 2 more"
    ),
    "sigmoid": Loss(
        sigmoid,
        ("own", "ins"),
        "softplus(-1/tau - b) + (N-1) softplus(1/tau + b)",
        "softplus(-o/tau - b) + (N-1) softplus(c/tau + b)",
    ),
    "triplet": Loss(triplet, ("oth", "P"), "margin/tau", "max(0, margin - C/(C-1))/tau"),
    "cross_entropy": Loss(
        cross_entropy,
        ("weights",),
        "log(1 + (C-1) e^(margin/tau))",
        "log(1 + (C-1) e^((margin - C/(C-1))/tau))",
    ),
}


def read_options(id: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The options of an objective with its defaults.

    Args:
        id: of the objective.
        given: those that are not the default.

    Returns:
        All of them but class weights, which the ruler takes as unit rows that are free.

    Raises:
        ValueError: an option that it does not have, or one that leaves it without a scale.
    """
    known = {name: value for name, value in options_of(id).items() if name != "weights"}
    for name, value in given.items():
        if name not in known:
            has = f"its options are {', '.join(known)}" if known else "it has none"
            raise ValueError(f"{id} has no option {name!r}: {has}.")
        _check_option(name, value)
    return {**known, **given}


CHOICES = {
    "pairs": ("all", "distinct"),
    "positives": ("class", "own"),
    "anchors": ("all", "first_view"),
    "detach_weights": (False, True),
    "kernel_name": ("gaussian", "inverse_multiquadric"),
    "clamp": (True,),  # without it the loss is undefined for many embeddings and has no scale
}
UNIT = (0.0, np.nextafter(1.0, 2.0))  # both ends allowed
RANGES = {
    "bias": (-np.inf, np.inf),
    "gamma": (0.0, np.inf),
    "beta": (0.0, np.inf),
    "margin": (0.0, np.inf),
    "tau_plus": (0.0, 1.0),
    "alpha": UNIT,
    "softness": UNIT,
}


def _check_option(name: str, value: object) -> None:
    if name in CHOICES:
        if value not in CHOICES[name]:
            raise ValueError(f"{name} is {value!r}; the ruler takes one of {CHOICES[name]}.")
        return
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name} is {value!r}; pass a number.")
    if name in RANGES:
        low, high = RANGES[name]
        require(low <= value < high, f"pass a number in [{low:g}, {high:g})", **{name: value})
    else:
        checked_whole(1, **{name: value})
