"""Gaussian classes with known moments: the truth that few-shot bounds are held against.

Class c is N(mu_c, diag(s_c)), or N(mu_c, S_c) where whole covariances are given. Every moment that
a bound asks for is then an exact number, the centre of m samples is N(mu_c, diag(s_c) / m), and
given the centres the two-way error of the nearest-centre rule is a value of the normal distribution
function: only the centres are sampled. With the moments of any features it is an estimate of their
error, and no bound.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from supcon_theory.theory.counts import Floats, checked_whole, require
from supcon_theory.theory.few_shot.pairs import of_every_pair


class GaussianClasses(NamedTuple):
    """Means (C, d) and variances (C, d) along the axes, or covariances (C, d, d)."""

    means: Floats
    variances: Floats


def simplex_classes(C: int, d: int, directional: float, dispersion: float) -> GaussianClasses:
    """C classes at distance 1 from each other; directional CDNV `directional`, v = `dispersion`.

    Every class has variance `directional` along each of the C axes that the means span, which is
    then also D' Sigma D / ||D||^4 for every difference D of means, and spreads the rest of its
    total variance v evenly over the other d - C axes.

    Args:
        C: number of classes.
        d: dimension, above C.
        directional: variance along the axis between two means.
        dispersion: v, at least C * directional.

    Returns:
        The law.

    Raises:
        ValueError: unless d > C >= 2 and 0 <= C * directional <= dispersion.
    """
    if not d > C >= 2:
        raise ValueError(f"{C} classes in {d} dimensions: choose at least 2 and fewer than d.")
    if not 0 <= C * directional <= dispersion:
        raise ValueError(
            f"directional = {directional}, dispersion = {dispersion}: the first may be at most "
            f"the second divided by the {C} classes, and not negative."
        )
    means = np.eye(C, d) / np.sqrt(2)
    rest = (dispersion - C * directional) / (d - C)
    variances = np.concatenate([np.full((C, C), directional), np.full((C, d - C), rest)], axis=1)
    return GaussianClasses(means, variances)


def one_nuisance(d: int, directional: float, nuisance: float) -> GaussianClasses:
    """Two classes at distance 1 that vary between their means and along one more axis.

    Args:
        d: dimension, at least 2.
        directional: variance between the means.
        nuisance: variance along the other axis.

    Returns:
        The law.

    Raises:
        ValueError: unless d >= 2 and both variances are >= 0.
    """
    if d < 2 or min(directional, nuisance) < 0:
        raise ValueError(
            f"d = {d}, variances {directional} and {nuisance}: d is at least 2, variances are >= 0."
        )
    means, variances = np.zeros((2, d)), np.zeros((2, d))
    means[1, 0] = 1
    variances[:, :2] = directional, nuisance
    return GaussianClasses(means, variances)


def sampled_centres(law: GaussianClasses, m: int, repeats: int, seed: int) -> Floats:
    """Means of m samples of every class.

    Repeat r is a function of (seed, r); all m share the same standard normal numbers.

    Args:
        law: the classes.
        m: samples in each mean.
        repeats: number of draws.
        seed: of the draws.

    Returns:
        (repeats, C, d) centres.
    """
    checked_whole(1, m=m, repeats=repeats)
    draws = (np.random.default_rng(np.random.SeedSequence((seed, r))) for r in range(repeats))
    noise = np.stack([rng.standard_normal(law.means.shape) for rng in draws])
    return law.means + _coloured(law, noise) / np.sqrt(m)


def pair_errors(law: GaussianClasses, centres: Floats) -> Floats:
    """P_{z ~ class i}(z is at least as near to centre j as to centre i), exactly.

    With g = centre_i - centre_j the event is <z, g> <= (||centre_i||^2 - ||centre_j||^2) / 2, and
    <z, g> is N(<mu_i, g>, g' Sigma_i g): the probability is Phi of the standardised threshold. Two
    equal centres tie, so 1; the diagonal is 0.

    Args:
        law: the classes.
        centres: (R, C, d).

    Returns:
        (R, C, C) errors.
    """
    square = np.einsum("rcd,rcd->rc", centres, centres)
    count = len(law.means)
    errors = np.empty((len(centres), count, count))
    for i in range(count):
        gap = centres[:, i : i + 1] - centres
        threshold = (square[:, i : i + 1] - square) / 2 - gap @ law.means[i]
        spread = np.sqrt(_along(law.variances[i], gap))
        with np.errstate(divide="ignore", invalid="ignore"):
            errors[:, i] = np.where(spread > 0, ndtr(threshold / spread), threshold >= 0)
        errors[:, i, i] = 0
    return errors


def _coloured(law: GaussianClasses, noise: Floats) -> Floats:
    """Standard normal numbers (..., C, d), given the variances or covariances of the classes."""
    if law.variances.ndim == 2:
        return noise * np.sqrt(law.variances)
    values, axes = np.linalg.eigh(law.variances)
    return np.einsum("...cd,ced->...ce", noise, axes * np.sqrt(np.maximum(values, 0))[:, None])


def _along(variance: Floats, gap: Floats) -> Floats:
    """Variance g' Sigma g along vectors (..., d), of a Sigma given by its diagonal or whole."""
    if variance.ndim == 1:
        return gap**2 @ variance
    return np.maximum(np.einsum("...d,...d->...", gap @ variance, gap), 0.0)


def moments_of_pairs(law: GaussianClasses) -> dict[str, Floats]:
    """The arguments of the bounds in `pairs`, for the ordered pairs (0, 1), (0, 2) ...

    Of N(mu, Sigma): E|w|^4 = v^2 + 2 tr Sigma^2, and E[w |w|^2] = 0.

    Args:
        law: the classes.

    Returns:
        Arrays (C (C-1),) by name.
    """
    mu, s = law
    require(s.ndim == 2, "pass variances along the axes, not covariances", shape=s.shape)
    gap = mu[None] - mu[:, None]
    v, product = s.sum(axis=1), s @ s.T
    squared, along = product.diagonal(), np.einsum("ijd,id->ij", gap**2, s)
    distance2, third = (gap**2).sum(axis=2), np.zeros_like(product)
    return of_every_pair(v, squared, v**2 + 2 * squared, distance2, along, product, third)


def samples(law: GaussianClasses, n: int, seed: int | tuple[int, ...]) -> Floats:
    """N samples of every class, (C, n, d)."""
    noise = np.random.default_rng(seed).standard_normal((len(law.means), n, law.means.shape[1]))
    return law.means[:, None] + _coloured(law, noise.swapaxes(0, 1)).swapaxes(0, 1)
