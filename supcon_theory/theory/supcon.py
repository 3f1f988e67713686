"""The two forms of SupCon: how far apart they are, what they pull, what they are in special cases.

arXiv 2004.11362. An anchor has positives P and negatives N; s = cosine / tau are its logits, S_P
and S_N the sums of e^s over them:

    L_out = log(S_P + S_N) - mean_P s          L_in = log(S_P + S_N) - log(S_P / |P|)
    p_b = e^{s_b} / (S_P + S_N)                X_b = 1/|P| (out), e^{s_b} / S_P (in); 0 on N

so that dL/ds_b = p_b - X_b: a positive is pulled with the weight X_b - p_b, a negative pushed away
with p_b.
"""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from supcon_theory.theory.counts import Floats, checked_tau, checked_whole, log1p_exp, require

Form = Literal["supcon", "supcon_in"]


def form_gap(s: ArrayLike, positives: ArrayLike) -> Floats:
    """L_out - L_in = log mean_P e^s - mean_P s of every anchor: only the positives matter.

    Args:
        s: (..., M) logits.
        positives: (..., M) Boolean, at least one for each anchor.

    Returns:
        (...) gaps, at least 0 by Jensen.
    """
    s, P = np.asarray(s, np.float64), np.asarray(positives)
    size = P.sum(-1)
    require(size >= 1, "every anchor needs a positive", positives=size)
    return _log_sum(s, P) - np.log(size) - np.where(P, s, 0).sum(-1) / size


def form_gap_range(spread: ArrayLike, positives: ArrayLike) -> tuple[Floats, Floats]:
    """The least and the most that L_out - L_in can be, for the range R of the positives' logits.

        (2/|P|) log cosh(R/2)  <=  L_out - L_in  <=  max_k log(1 + q (e^R - 1)) - q R,  q = k/|P|

    k = 1 .. |P| - 1. Both are attained, and 0 iff R = 0: the forms agree on an anchor iff its
    positives are equally similar to it.

    Note: our proof. log mean e^s - mean s is convex and unchanged by a common shift. With extremes
    -R/2 and R/2 it is least where the others are equal (Jensen), at a common t; d/dt = 0 gives e^t
    = cosh(R/2), hence the left side. On [-R/2, R/2]^P it is largest at a vertex, k logits at the
    top; concave in q, it is so at an integer next to |P| (1/R - 1/(e^R - 1)).

    Args:
        spread: R >= 0.
        positives: |P| >= 1.

    Returns:
        Both ends, of the broadcast shape.

    Example:
        >>> [float(end.round(4)) for end in form_gap_range(2.0, 2)]
        [0.4338, 0.4338]
    """
    (size,), R = checked_whole(1, positives=positives), np.asarray(spread, np.float64)
    require((R >= 0) & (R < np.inf), "a range is finite and not negative", spread=spread)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        best = np.where(R < 1e-3, 0.5 - R / 12, 1 / R - 1 / np.expm1(R)) * size

        def top(k: Floats) -> Floats:
            q = np.clip(k, 1, size - 1) / size
            return np.logaddexp(np.log1p(-q), np.log(q) + R) - q * R

        high = np.maximum(top(np.floor(best)), top(np.ceil(best)))
    low = 2 / size * (np.logaddexp(R / 2, -R / 2) - np.log(2))
    alone = size == 1  # one positive has no range
    return np.where(alone, 0.0, low), np.where(alone, 0.0, high)


def logit_gradient(s: ArrayLike, positives: ArrayLike, negatives: ArrayLike, form: Form) -> Floats:
    """dL/ds = p - X of every anchor: minus the weight of a positive, the weight of a negative.

    Args:
        s: (..., M) logits.
        positives: (..., M) Boolean, at least one for each anchor.
        negatives: (..., M) Boolean, of other rows.
        form: "supcon" (L_out) or "supcon_in".

    Returns:
        (..., M) derivatives; 0 for rows that are neither.
    """
    s, P = np.asarray(s, np.float64), np.asarray(positives)
    A = P | np.asarray(negatives)
    p = np.exp(np.where(A, s, -np.inf) - _log_sum(s, A)[..., None])
    if form == "supcon":
        return p - P / P.sum(-1, keepdims=True)
    require(form == "supcon_in", "pass 'supcon' or 'supcon_in'", form=form)
    return p - np.exp(np.where(P, s, -np.inf) - _log_sum(s, P)[..., None])


def anchor_gradient(z: ArrayLike, slopes: ArrayLike, tau: ArrayLike) -> Floats:
    """R z, R = slopes / tau: gradient of each anchor's loss in that anchor alone (Eq. 4 and 5).

    Note: the rows of a batch are one another's positives and negatives, so the batch's loss has
    another gradient, `batch_gradient`.

    Args:
        z: (M, d) rows.
        slopes: (M, M) `logit_gradient` of every row as anchor.
        tau: temperature.

    Returns:
        (M, d) of the sum of the losses.
    """
    return np.asarray(slopes) / checked_tau(tau) @ np.asarray(z, np.float64)


def batch_gradient(z: ArrayLike, slopes: ArrayLike, tau: ArrayLike) -> Floats:
    """(R + R^T) z: gradient of the summed losses of a batch in all its rows.

    s_ab = <z_a, z_b>/tau is the same function of either row, so each slope pulls both ends.

    Args:
        z: (M, d) rows.
        slopes: (M, M) `logit_gradient` of every row as anchor.
        tau: temperature.

    Returns:
        (M, d).
    """
    slopes = np.asarray(slopes)
    return anchor_gradient(z, slopes + slopes.T, tau)


def through_normalisation(w: ArrayLike, gradient: ArrayLike) -> Floats:
    """(I - z z^T) g / ||w||, z = w / ||w||: what is left of a gradient in z before normalisation.

    Args:
        w: (M, d) rows of any length but 0.
        gradient: (M, d) gradient in z.

    Returns:
        (M, d), orthogonal to w.
    """
    w, g = np.asarray(w, np.float64), np.asarray(gradient, np.float64)
    norms = np.linalg.norm(w, axis=-1, keepdims=True)
    require(norms > 0, "a row of zeros has no direction", norm=norms.min())
    z = w / norms
    return (g - (g * z).sum(-1, keepdims=True) * z) / norms


def strongest_pull(tau: ArrayLike) -> Floats:
    """c* = (sqrt(tau^2 + 4) - tau)/2: where e^{c/tau} sqrt(1 - c^2) is largest.

    So hard are negatives pushed, and (L_in) positives of one anchor pulled, through normalised
    rows: 1/tau = c/(1 - c^2) at the top.

    Args:
        tau: temperature.

    Returns:
        Cosines.

    Example:
        >>> round(float(strongest_pull(0.1)), 3)
        0.951
    """
    tau = checked_tau(tau)
    return (np.sqrt(tau * tau + 4) - tau) / 2


def triplet_forms(u: ArrayLike) -> dict[str, Floats]:
    """What log(1 + e^u), the loss of one positive and one negative, is near to, with the limits.

    u = s_an - s_ap = (d_ap - d_an)/(2 tau), d squared distances of unit rows.

        small      log 2 + u/2       within u^2/8    (its second derivative is at most 1/4)
        hinge      max(0, u)         within log 2    (tau L -> a triplet loss without a margin)
        published  1 + u             Sec. 3.2.4: a triplet loss with margin 2 tau, over 2 tau

    Note: the published chain replaces log(1 + x) by x, for small x, then e^u by 1 + u, for small u,
    where x = e^u is near 1: at u = 0 it is 1, the loss log 2.

    Args:
        u: differences of logits.

    Returns:
        Arrays "loss", "small", "hinge", "published", "small_within", "hinge_within".
    """
    u = np.asarray(u, np.float64)
    return {
        "loss": log1p_exp(u),
        "small": np.log(2) + u / 2,
        "hinge": np.maximum(0, u),
        "published": 1 + u,
        "small_within": u * u / 8,
        "hinge_within": np.full_like(u, np.log(2)),
    }


def _log_sum(s: Floats, rows: np.ndarray) -> Floats:
    """Log of the sum of e^s over the rows of a Boolean mask, along the last axis."""
    kept = np.where(rows, s, -np.inf)
    top = kept.max(-1, keepdims=True)
    return (top + np.log(np.exp(kept - top).sum(-1, keepdims=True)))[..., 0]
