"""The energy B that whitened features capture of a balanced binary task (arXiv 2609.38393).

Y is -1 or 1 with probability 1/2 each, F in R^r has E F = 0 and Cov F = I (of the mixture), and

    B = |E[Y F]|^2 in [0, 1],   eta(x) = E[Y | x],   |eta|^2 = E eta(x)^2.

The class means are +-E[Y F], so B fixes the geometry of both classes on average:

    d^2 = 4 B     directional CDNV (1 - B)/(4 B)     CDNV (r - B)/(4 B)

with variances of single classes over d^2, averaged over the two classes.
"""

import numpy as np
from numpy.typing import ArrayLike

from supcon_theory.theory.counts import Floats, checked_shots, checked_whole, require


def captured_error_bound(B: ArrayLike, r: ArrayLike, m: ArrayLike) -> Floats:
    """(1 - B) + (r - B)/m + (1 - B)/(1 - B + 2 m B), a bound on the m-shot error.

    Of the nearest class centre in whitened features, centres from m samples of each class, ties
    counted as errors; arXiv 2609.38393. Not cut at 1: from 1/2 on, chance, it says nothing.

    Args:
        B: captured energy, in [0, 1].
        r: dimension of the features, at least 1.
        m: supports per class, at least 1.

    Returns:
        The bound, of the broadcast shape; at B = 0 its last term is 1.

    Raises:
        ValueError: for other numbers.

    Example:
        >>> float(captured_error_bound(1, 4, 10))
        0.3
    """
    B, r, m = checked_energy(B=B), *checked_whole(1, r=r), checked_shots(m)
    rest = 1 - B
    return rest + (r - B) / m + rest / (rest + 2 * m * B)


def least_telling_shots(B: ArrayLike, r: ArrayLike) -> Floats:
    """(r - B)/(B - 1/2): up to this many shots the bound is at least 1/2, which is chance.

    The first two terms alone are: (1 - B) + (r - B)/m >= 1/2 for m up to it. At B <= 1/2 at every
    m: infinite. Ours.

    Args:
        B: captured energy, in [0, 1].
        r: dimension of the features, at least 1.

    Returns:
        The number of shots, of the broadcast shape.

    Raises:
        ValueError: for other numbers.
    """
    B, (r,) = checked_energy(B=B), checked_whole(1, r=r)
    with np.errstate(divide="ignore"):
        return np.where(B > 0.5, (r - B) / np.maximum(B - 0.5, 0), np.inf)


def whitened_cdnv(B: ArrayLike, r: ArrayLike) -> tuple[Floats, Floats]:
    """CDNV (r - B)/(4 B) and directional CDNV (1 - B)/(4 B) of a balanced task; infinite at B = 0.

    The second moments of both classes add up: (Sigma_+ + Sigma_-)/2 = I - E[YF] E[YF]'.

    Args:
        B: captured energy, in [0, 1].
        r: dimension of the features, at least 1.

    Returns:
        Both, of the broadcast shape.

    Raises:
        ValueError: for other numbers.
    """
    B, (r,) = checked_energy(B=B), checked_whole(1, r=r)
    with np.errstate(divide="ignore"):
        return (r - B) / (4 * B), (1 - B) / (4 * B)


def axis_cosine_bound(
    rho: ArrayLike,
    B_i: ArrayLike,
    B_j: ArrayLike,
    eta2_i: ArrayLike = 1.0,
    eta2_j: ArrayLike = 1.0,
) -> Floats:
    """Bound on |cos| of the axes E[Y_i F] and E[Y_j F] of two tasks, F a function of x.

    (|rho| + sqrt(e_i e_j) + sqrt((|eta_i|^2 - B_i)(|eta_j|^2 - B_j)))/sqrt(B_i B_j), e = 1 -
    |eta|^2, rho = E[Y_i Y_j] (arXiv 2609.38393). Proof. E[Y F] = P eta, P the projection on the
    span of F: <P eta_i, P eta_j> = <eta_i, eta_j> less the product of what is beyond the span, of
    squared norms |eta|^2 - B; and <eta_i, eta_j> = rho - E[(Y_i - eta_i)(Y_j - eta_j)].

    Args:
        rho: correlation of the two labelings, in [-1, 1].
        B_i: captured energy of one task, in (0, eta2_i].
        B_j: of the other.
        eta2_i: |eta|^2 of the one, in (0, 1]; 1 where x decides the label.
        eta2_j: of the other.

    Returns:
        The bound, of the broadcast shape; from 1 on it says nothing.

    Raises:
        ValueError: for other numbers.
    """
    B_i, B_j = checked_energy(B_i=B_i), checked_energy(B_j=B_j)
    one, other = checked_energy(eta2_i=eta2_i), checked_energy(eta2_j=eta2_j)
    rho = np.asarray(rho, float)
    require(np.abs(rho) <= 1, "a correlation lies between -1 and 1", rho=rho)
    for B, eta2 in ((B_i, one), (B_j, other)):
        require(B <= eta2, "features of x capture at most |eta|^2", B=B, eta2=eta2)
    beyond = np.sqrt((one - B_i) * (other - B_j)) + np.sqrt((1 - one) * (1 - other))
    with np.errstate(divide="ignore"):
        return (np.abs(rho) + beyond) / np.sqrt(B_i * B_j)


def checked_energy(**energies: ArrayLike) -> Floats:
    """One captured energy, given by name: in [0, 1], but for rounding, which is taken off."""
    ((name, value),) = energies.items()
    x = np.asarray(value, float)
    near = (x >= -1e-9) & (x <= 1 + 1e-9)
    require(near, "a share of the energy of a label lies between 0 and 1", **{name: value})
    return np.clip(x, 0.0, 1.0)
