"""How alike two embeddings of the same samples are: CKA and RSA, exact, linear in the samples.

    cka           |Cov(x, y)|_F^2 / (|Cov(x, x)|_F |Cov(y, y)|_F)      Kornblith et al. 2019, linear
    cka debiased  the same of unbiased squares (`measures.covariances`)   Nguyen et al. 2021
    rsa           Pearson correlation of the cosines of x and of y over pairs of samples
    rsa debiased  the same with moments over disjoint pairs

CKA is 1 for embeddings that differ by a rotation and a scale. Biased, it lies in [0, 1] and tends
to 1 with D/N, whatever the embeddings are. Debiased, it is a ratio of U-statistics, each unbiased:
independent embeddings have a numerator of mean 0. By Cauchy-Schwarz it lies in [-1, 1] (a negative
value is a number like any other: nothing below 0 is a fault). Shuffled rows are its null.

The Pearson correlation of all pairs i < j takes the product of the two means over pairs that share
samples. Debiased, the covariance is the mean of (a_12 - a_34)(b_12 - b_34)/2 over disjoint pairs, a
U-statistic of order 4 without bias; a positive form as well, so the ratio lies in [-1, 1].
Distances 1 - cosine have the same correlation. The ratios themselves are unbiased in neither case.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor

from supcon_theory import inputs
from supcon_theory.measures.covariances import (
    FEWEST,
    centred,
    product_square,
    unbiased_covariance_square,
)
from supcon_theory.measures.moments import COINCIDE, Features, Measure


class Likeness(NamedTuple):
    """How alike two embeddings are, as they stand and without the bias of few samples."""

    biased: Measure
    debiased: Measure


def cka(x: Features, y: Features) -> Likeness:
    """Linear CKA of two embeddings of the same samples.

    Args:
        x: (N, p) or (N, K, p), whose views are averaged.
        y: (N, q) or (N, L, q) of the same samples in the same order.

    Returns:
        Biased in [0, 1], debiased in [-1, 1]; NaN with a reason for a constant embedding or fewer
        than 2 samples (4 debiased).
    """
    u, v = centred(x, "x"), centred(y, "y")
    _check_lengths(len(u), len(v))
    constant = [name for name, of in (("x", u), ("y", v)) if not of.any()]
    reason = f"{' and '.join(constant)} constant: there is nothing to compare" if constant else ""
    squares = [product_square(*of) for of in ((u, v), (u, u), (v, v))]
    k, l = u.square().sum(1), v.square().sum(1)
    lengths = ((k, l), (k, k), (l, l))
    unbiased = [
        unbiased_covariance_square(*of, square) for of, square in zip(lengths, squares, strict=True)
    ]
    return Likeness(
        _ratio(squares, _too_few(len(u), 2) or reason),
        _ratio(unbiased, _too_few(len(u), FEWEST) or reason),
    )


def rsa(x: Features, y: Features) -> Likeness:
    """Correlation over pairs of samples of their cosine in one embedding and in the other.

    With m the mean unit row, u = x - m, p_i = <m, u_i> and e = 1 - |m|^2 (m', v, p', e' of y):
    a_ij - |m|^2 = p_i + p_j + <u_i, u_j>, whose rows sum to N p_i and whose diagonal is e. So

        sum over i != j of (a - mean a)(b - mean b) = 2 N sum p p' + |u'v|^2 - N^2 e e' / (N-1)

    which needs no N x N matrix and loses no digits where all cosines are near one value.

    Args:
        x: (N, p) or (N, K, p), whose views are averaged; rows of any length but 0.
        y: (N, q) or (N, L, q) of the same samples in the same order.

    Returns:
        Both in [-1, 1], debiased with moments over disjoint pairs; NaN with a reason where all
        cosines are one or there are fewer than 3 samples (4 debiased).
    """
    a, b = (Cosines(inputs.unit_rows(_averaged(z, name))) for z, name in ((x, "x"), (y, "y")))
    N = len(a.u)
    _check_lengths(N, len(b.u))
    if reason := _too_few(N, 3):
        return Likeness(Measure(math.nan, reason), Measure(math.nan, reason))
    found = [cosine_covariance(*of) for of in ((a, b), (a, a), (b, b))]
    flat = [w <= COINCIDE**2 for w, _ in found[1:]]
    reason = f"all cosines of {'xy'[flat.index(True)]} are equal" if any(flat) else ""
    plain, disjoint = ([of[which] for of in found] for which in (0, 1))
    return Likeness(_ratio(plain, reason), _ratio(disjoint, _too_few(N, FEWEST) or reason))


class Cosines:
    """What `rsa` needs of unit rows (N, D): u, p and e."""

    def __init__(self, rows: Tensor) -> None:
        mean = rows.mean(0)
        self.u = rows - mean
        self.p = self.u @ mean
        self.e = self.u.square().sum(1).mean().item()  # 1 - |m|^2 without its cancellation


def cosine_covariance(a: Cosines, b: Cosines) -> tuple[float, float]:
    """Covariance of a_ij and b_ij over pairs i != j, and over disjoint pairs of samples.

    Args:
        a: Of N samples.
        b: Of the same samples.

    Returns:
        Both; the second NaN for fewer than 4 samples.
    """
    N, shared, own = len(a.u), (a.p @ b.p).item(), a.e * b.e
    off_diagonal = 2 * N * shared + product_square(a.u, b.u) - N * own
    plain = (off_diagonal - N * own / (N - 1)) / (N * (N - 1))
    if N < FEWEST:
        return plain, math.nan
    # over disjoint pairs: (sum a)(sum b) - 4 sum of row sums + 2 sum a b, rows N p_i - e
    rows = N * N * shared + N * own
    disjoint = N * N * own - 4 * rows + 2 * off_diagonal
    return plain, (off_diagonal - disjoint / ((N - 2) * (N - 3))) / (N * (N - 1))


def _ratio(squares: Sequence[float], reason: str) -> Measure:
    """Xy / sqrt(xx yy), unless there is a reason that it is none."""
    xy, xx, yy = squares
    if not reason and not (xx > 0 and yy > 0):
        reason = "an embedding has no variance that two pairs of samples share"
    if reason:
        return Measure(math.nan, reason)
    value = xy / math.sqrt(xx) / math.sqrt(yy)
    return Measure(min(max(value, -1.0), 1.0))  # Cauchy-Schwarz: what is beyond is rounding


def _averaged(z: Features, name: str) -> Tensor:
    rows = inputs.features(z, name).detach()
    return rows.double().mean(1) if rows.ndim == 3 else rows


def _check_lengths(one: int, other: int) -> None:
    if one != other:
        raise ValueError(
            f"x has {one} samples and y {other}: pass embeddings of the same samples, row by row."
        )


def _too_few(N: int, fewest: int) -> str:
    return f"{N} samples: this takes at least {fewest}" if N < fewest else ""
