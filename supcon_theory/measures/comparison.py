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

from torch import Tensor

from supcon_theory import inputs
from supcon_theory.measures.covariances import (
    centred,
    covariance_square,
    product_square,
    unbiased_covariance_square,
)
from supcon_theory.measures.moments import COINCIDE, Features, Measure

FEWEST = 4  # samples of a U-statistic of order 4


def cka(x: Features, y: Features, *, debiased: bool = False) -> Measure:
    """Linear CKA of two embeddings of the same samples.

    Args:
        x: (N, p) or (N, K, p), whose views are averaged.
        y: (N, q) or (N, L, q) of the same samples in the same order.
        debiased: Without the bias of few samples.

    Returns:
        In [0, 1], debiased in [-1, 1]; NaN with a reason for a constant embedding or fewer than 2
        samples (4 debiased).
    """
    u, v = _same_samples(x, y)
    reason = _too_few(len(u), FEWEST if debiased else 2)
    reason = reason or _constant((u.any(), v.any()))
    if reason:
        return Measure(math.nan, reason)
    square = unbiased_covariance_square if debiased else covariance_square
    return _ratio(square(u, v), square(u, u), square(v, v))


def rsa(x: Features, y: Features, *, debiased: bool = False) -> Measure:
    """Correlation over pairs of samples of their cosine in one embedding and in the other.

    With m the mean unit row, u = x - m, p_i = <m, u_i> and e = 1 - |m|^2 (m', v, p', e' of y):
    a_ij - |m|^2 = p_i + p_j + <u_i, u_j>, whose rows sum to N p_i and whose diagonal is e. So

        sum over i != j of (a - mean a)(b - mean b) = 2 N sum p p' + |u'v|^2 - N^2 e e' / (N-1)

    which needs no N x N matrix and loses no digits where all cosines are near one value.

    Args:
        x: (N, p) or (N, K, p), whose views are averaged; rows of any length but 0.
        y: (N, q) or (N, L, q) of the same samples in the same order.
        debiased: Moments over disjoint pairs.

    Returns:
        In [-1, 1]; NaN with a reason where all cosines are one or there are fewer than 3 samples (4
        debiased).
    """
    a, b = (Cosines(inputs.unit_rows(_averaged(z, name))) for z, name in ((x, "x"), (y, "y")))
    _check_lengths(len(a.u), len(b.u))
    if reason := _too_few(len(a.u), FEWEST if debiased else 3):
        return Measure(math.nan, reason)
    found = [cosine_covariance(*of, debiased=debiased) for of in ((a, b), (a, a), (b, b))]
    flat = [w <= COINCIDE**2 for w in found[1:]]
    if any(flat):
        return Measure(math.nan, f"all cosines of {'xy'[flat.index(True)]} are equal")
    return _ratio(*found)


class Cosines:
    """What `rsa` needs of unit rows (N, D): u, p and e."""

    def __init__(self, rows: Tensor) -> None:
        mean = rows.mean(0)
        self.u = rows - mean
        self.p = self.u @ mean
        self.e = self.u.square().sum(1).mean().item()  # 1 - |m|^2 without its cancellation


def cosine_covariance(a: Cosines, b: Cosines, *, debiased: bool) -> float:
    """Covariance of a_ij and b_ij over pairs i != j; debiased, over disjoint pairs of samples."""
    N, shared = len(a.u), (a.p @ b.p).item()
    off_diagonal = 2 * N * shared + product_square(a.u, b.u) - N * a.e * b.e
    if not debiased:
        return (off_diagonal - N * a.e * b.e / (N - 1)) / (N * (N - 1))
    # over disjoint pairs: (sum a)(sum b) - 4 sum of row sums + 2 sum a b, rows N p_i - e
    rows = N * N * shared + N * a.e * b.e
    disjoint = N * N * a.e * b.e - 4 * rows + 2 * off_diagonal
    return (off_diagonal - disjoint / ((N - 2) * (N - 3))) / (N * (N - 1))


def _ratio(xy: float, xx: float, yy: float) -> Measure:
    if not (xx > 0 and yy > 0):
        return Measure(math.nan, "an embedding has no variance that two pairs of samples share")
    value = xy / math.sqrt(xx) / math.sqrt(yy)
    return Measure(min(max(value, -1.0), 1.0))  # Cauchy-Schwarz: what is beyond is rounding


def _averaged(z: Features, name: str) -> Tensor:
    rows = inputs.features(z, name).detach()
    return rows.double().mean(1) if rows.ndim == 3 else rows


def _same_samples(x: Features, y: Features) -> tuple[Tensor, Tensor]:
    u, v = centred(x, "x"), centred(y, "y")
    _check_lengths(len(u), len(v))
    return u, v


def _check_lengths(one: int, other: int) -> None:
    if one != other:
        raise ValueError(
            f"x has {one} samples and y {other}: pass embeddings of the same samples, row by row."
        )


def _too_few(N: int, fewest: int) -> str:
    return f"{N} samples: this takes at least {fewest}" if N < fewest else ""


def _constant(varies: tuple[Tensor, Tensor]) -> str:
    names = [name for name, of in zip("xy", varies, strict=True) if not bool(of)]
    return f"{' and '.join(names)} constant: there is nothing to compare" if names else ""
