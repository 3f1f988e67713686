"""The spectrum of a feature matrix, and how many dimensions it fills.

Each effective dimension is a function of the singular values alone:

    rankme               exp(entropy of sigma_k / sum sigma)     Garrido et al., arXiv 2210.02885
    participation_ratio  (sum sigma^2)^2 / sum sigma^4           dimensions of equal variance
    stable_rank          sum sigma^2 / max sigma^2
    power_law            -slope of log sigma_k^2 in log k        alpha-ReQ, Agrawal et al., 2022

`lidar` needs the views as well: it is RankMe's entropy of a spectrum whitened by what the
augmentations change.
"""

import numpy as np
import torch
from torch import Tensor

from supcon_theory import inputs
from supcon_theory.measures.moments import COINCIDE, ROWS
from supcon_theory.measures.rows import Rows, each_tile

_BLOCKS = 4  # column blocks of the Gram matrix: its lower triangle is not computed


def singular_values(features: Tensor | np.ndarray, *, centred: bool = False) -> Tensor:
    """Singular values of the feature matrix of all rows.

    Note: from the eigenvalues of the smaller float64 Gram matrix. This is four to ten times faster
    than a decomposition of the tall matrix and loses what lies below 1e-8 of the largest value
    (those come out as rounding, or 0); float32 features carry nothing there.

    Args:
        features: (N, D) or (N, K, D).
        centred: Subtract the mean row first (covariance spectrum: sigma^2 / N K); RankMe does not.

    Returns:
        min(N K, D) values, descending, float64; centred all 0 where the rows are one point up to
        rounding, whose spectrum would look as healthy as any noise.
    """
    rows = inputs.features(features).detach().flatten(0, -2)
    total = rows.sum(0, dtype=torch.float64)
    mean = total / len(rows) if centred else torch.zeros_like(total)
    values = _singular(rows, mean)
    size = torch.linalg.vector_norm(rows, dtype=torch.float64)
    constant = centred and bool(values[0] <= COINCIDE * size)
    return torch.zeros_like(values) if constant else values


def _singular(rows: Tensor, mean: Tensor) -> Tensor:
    """Singular values of the rows (M, D) less the mean."""
    if len(rows) <= rows.shape[1]:
        wide = rows.double() - mean
        return torch.linalg.svdvals(wide)
    _, power = torch.frexp(rows.abs().max().double())  # exact, and the squares are numbers
    one = torch.ones_like(mean[0])
    gram = _gram(rows, mean, torch.ldexp(one, (-power).clamp(max=1000)))
    eigenvalues = torch.linalg.eigvalsh(gram).flip(0)
    # A Gram matrix has no negative eigenvalue: what is below zero is rounding of a zero.
    return torch.ldexp(eigenvalues.clamp_min(0).sqrt(), power.clamp(min=-1000))


def _gram(rows: Tensor, mean: Tensor, scale: Tensor | float = 1.0) -> Tensor:
    d = rows.shape[1]
    gram = rows.new_zeros(d, d, dtype=torch.float64)
    width = -(-d // _BLOCKS)
    for tile in rows.split(ROWS):
        x = (tile.double() - mean) * scale
        for a in range(0, d, width):
            gram[a : a + width, a:] += x[:, a : a + width].T @ x[:, a:]
    upper = gram.triu()
    return upper + upper.triu(1).T


def streamed_singular_values(source: Rows) -> tuple[Tensor, Tensor]:
    """Singular values of the rows as they are, and of the rows less their mean, descending.

    Two passes: the mean, then the float64 Gram matrix of the centred rows, to which the mean adds a
    matrix of rank one. As in `singular_values`, what is below 1e-8 of the largest is rounding.

    Args:
        source: The rows.

    Returns:
        min(N K, d) values each, float64.
    """
    N, K, d = source.shape
    mean = torch.zeros(d, dtype=torch.float64)
    for _, x in each_tile(source):
        mean += x.sum((0, 1), dtype=torch.float64) / (N * K)
    gram = torch.zeros(d, d, dtype=torch.float64)
    for _, x in each_tile(source):
        rows = x.flatten(0, 1).double() - mean
        gram += rows.T @ rows
    count = min(N * K, d)
    with_mean = gram + N * K * torch.outer(mean, mean)
    plain, centred = (
        torch.linalg.eigvalsh(matrix).flip(0)[:count].clamp_min(0).sqrt()
        for matrix in (with_mean, gram)
    )
    return plain, centred


def rank_columns(plain: Tensor, centred: Tensor) -> dict[str, float]:
    """RankMe, participation ratio, stable rank and power law.

    Args:
        plain: Singular values of the rows as they are.
        centred: Those of the rows less their mean.

    Returns:
        By name; the power law over the upper half of the ranks, NaN where that is too short.
    """
    half = int((centred > centred.max() * 1e-9).sum()) // 2
    return {
        "rankme": rankme(plain),
        "participation_ratio": participation_ratio(centred),
        "stable_rank": stable_rank(centred),
        "power_law": power_law(centred, last=half) if half > 1 else np.nan,
    }


def rankme(singular: Tensor) -> float:
    """exp(-sum p log p), p = sigma / sum sigma: between 1 and the number of singular values.

    Note: the paper adds 1e-7 to every p; here p log p is 0 at 0.

    Args:
        singular: Singular values.

    Returns:
        The effective rank; NaN when all are 0.
    """
    sigma = _descending(singular)
    p = sigma / sigma.sum()
    return torch.special.entr(p).sum().exp().item()


def participation_ratio(singular: Tensor) -> float:
    """(sum sigma^2)^2 / sum sigma^4, at most their number; NaN when all are 0."""
    power = _descending(singular).square()
    ratio = (power.sum().square() / power.square().sum()).item()
    return min(ratio, float(len(power))) if ratio > 0 else ratio  # Cauchy-Schwarz, but for rounding


def stable_rank(singular: Tensor) -> float:
    """Sum sigma^2 / max sigma^2; NaN when all are 0."""
    power = _descending(singular).square()
    return (power.sum() / power.max()).item()


def power_law(singular: Tensor, first: int = 1, last: int | None = None) -> float:
    """Alpha of sigma_k^2 ~ k^-alpha, least squares in log-log over ranks first .. last.

    Args:
        singular: Singular values.
        first: First rank, from 1 on.
        last: Last rank; None is the number of singular values.

    Returns:
        The exponent.

    Raises:
        ValueError: Where fewer than two values, or a zero, which has no logarithm, are in range.
    """
    power = _descending(singular)[first - 1 : last].square()
    if first < 1 or len(power) < 2 or power.min() <= 0:
        raise ValueError(
            f"ranks {first} to {last or len(singular)} of {len(singular)} singular "
            f"values need two or more, all positive; choose a smaller `last`."
        )
    ranks = torch.arange(first, first + len(power), device=power.device, dtype=power.dtype).log()
    ranks = ranks - ranks.mean()
    return -(ranks @ power.log() / ranks.square().sum()).item()


def lidar(z: Tensor | np.ndarray, ridge: float = 1e-4) -> float:
    """exp(entropy of lambda / sum lambda), lambda the eigenvalues of W^-1/2 B W^-1/2.

    B is the covariance of the samples' view means, W the mean covariance of views about them plus
    `ridge` times the identity (Thilak et al., arXiv 2312.04000, with population moments).

    Args:
        z: (N, K, D) with K >= 2 views.
        ridge: Positive: the views may not vary at all.

    Returns:
        The effective rank; NaN when all samples coincide.

    Raises:
        ValueError: For a single view, a ridge that is not positive or is lost in rounding, or rows
            whose squares overflow.
    """
    views = inputs.features(z, "z").detach()
    if views.ndim != 3 or views.shape[1] < 2:
        raise ValueError(f"z has shape {tuple(views.shape)}; pass (N, K, D) with at least 2 views.")
    if not ridge > 0:
        raise ValueError(
            f"ridge is {ridge}; it must be positive for the views may not vary at all."
        )
    n, k, d = views.shape
    centres = views.mean(1, dtype=torch.float64)
    between = _gram(centres, centres.mean(0)) / n
    zero = torch.zeros_like(centres[0])
    within = zero.new_zeros(d, d)
    for view in views.unbind(1):
        within += _gram(view.double() - centres, zero) / (n * k)
    within.diagonal().add_(ridge)
    if not (within.isfinite().all() and between.isfinite().all()):
        raise ValueError("the squares of z are no numbers: divide z by its largest entry first.")
    factor, lost = torch.linalg.cholesky_ex(within)
    if lost:
        raise ValueError(
            f"ridge is {ridge}, less than the rounding of a covariance of views of "
            f"{within.diagonal().max():.3g}: divide z by its largest entry, or raise ridge."
        )
    half = torch.linalg.solve_triangular(factor, between, upper=False)
    whitened = torch.linalg.solve_triangular(factor, half.T, upper=False)
    eigenvalues = torch.linalg.eigvalsh((whitened + whitened.T) / 2)
    return rankme(eigenvalues.clamp_min(0))  # below zero is rounding of a zero


def _descending(singular: Tensor) -> Tensor:
    singular = torch.as_tensor(singular).detach()
    if singular.ndim != 1 or not len(singular) or not (singular >= 0).all():
        raise ValueError(
            "singular values must be one row of numbers that are 0 or more; pass what "
            "`singular_values` returns."
        )
    return singular.sort(descending=True).values
