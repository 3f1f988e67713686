"""Laws whose CDNV, NC1, participation ratio, CKA and RSA are known: the truth of estimates.

Of classes: Gaussian ones, isotropic (directional CDNV V/d) or thin between the means (far below),
and a finite law of unit rows. Of two embeddings of a sample: Gaussian and related, independent, and
a finite law of unit rows. Each draws independent samples.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from supcon_theory.measures.class_distances import cdnv, directional_cdnv
from supcon_theory.measures.collapse import nc1
from supcon_theory.measures.comparison import cka
from supcon_theory.measures.moments import class_moments
from supcon_theory.theory.few_shot import gaussian

C, D = 4, 32  # classes and dimensions
ATOMS = 300  # of a finite law, in each class
Truth = dict[str, float]
Draw = Callable[[int, np.random.Generator], tuple[Tensor, Tensor]]


class Law(NamedTuple):
    """What is true of a law, and how n samples (of each class) are drawn from it.

    `draw` gives rows (C n, 1, d) and labels for classes, and x and y (n, d) for two embeddings.
    """

    truth: Truth
    draw: Draw
    unit: bool  # rows of norm 1: concentration applies


def gaussian_classes(seed: int, directional: float, dispersion: float = 0.64) -> Law:
    """C classes at distance 1 of each other, of the same diagonal covariance."""
    law = gaussian.simplex_classes(C, D, directional, dispersion)
    centred = law.means - law.means.mean(0)
    within = np.diag(law.variances[0])
    truth = {
        "cdnv": dispersion,
        "directional_cdnv": directional,
        "nc1": float(np.trace(within @ np.linalg.pinv(centred.T @ centred / C)) / C),
    }

    def draw(n: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        rows = gaussian.samples(law, n, int(rng.integers(2**62))).reshape(C * n, 1, D)
        return torch.from_numpy(rows), torch.arange(C).repeat_interleave(n)

    return Law(truth, draw, False)


def sphere_classes(seed: int) -> Law:
    """C classes of `ATOMS` unit rows, drawn with replacement: their moments are exact sums."""
    rows, y = atoms(np.random.default_rng((seed, 1)))
    moments = class_moments(rows, y)
    pairs = {"cdnv": cdnv(moments).mean, "directional_cdnv": directional_cdnv(moments).mean}
    grouped = rows.view(C, ATOMS, -1)

    def draw(n: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        chosen = torch.from_numpy(rng.integers(ATOMS, size=(C, n)))
        found = torch.stack([of[row] for of, row in zip(grouped, chosen, strict=True)])
        return found.reshape(C * n, 1, -1), torch.arange(C).repeat_interleave(n)

    return Law(pairs | {"nc1": nc1(moments).value}, draw, True)


def atoms(rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """(C ATOMS, D/2) unit rows about C random directions, a few axes varying most; labels."""
    y = np.repeat(np.arange(C), ATOMS)
    spread = 0.5 * np.arange(1, D // 2 + 1) ** -0.5
    rows = rng.normal(size=(C, D // 2))[y] / 3 + spread * rng.normal(size=(len(y), D // 2))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return torch.from_numpy(rows), torch.from_numpy(y)


def gaussian_pairs(seed: int, share: float) -> Law:
    """X of a decaying spectrum, y a rotation of it that has `share` of x and independent noise."""
    rng = np.random.default_rng((seed, 2))
    s = 1 / np.arange(1, D + 1)
    turn = np.linalg.qr(rng.normal(size=(D, D)))[0]
    covariance = share**2 * np.diag(s) + (1 - share**2) * np.eye(D) / D
    alike = share**2 * np.linalg.norm(s) / np.linalg.norm(covariance)
    truth = {"participation_ratio": float(s.sum() ** 2 / (s @ s)), "cka": float(alike)}

    def draw(n: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        x = rng.normal(size=(n, D)) * np.sqrt(s)
        noise = rng.normal(size=(n, D)) * np.sqrt((1 - share**2) / D)
        return torch.from_numpy(x), torch.from_numpy((share * x + noise) @ turn)

    return Law(truth | ({} if share else {"rsa": 0.0}), draw, False)


def sphere_pairs(seed: int) -> Law:
    """Two embeddings of C x `ATOMS` atoms, unit rows, drawn with replacement."""
    rng = np.random.default_rng((seed, 3))
    x, _ = atoms(rng)
    y = x @ torch.from_numpy(rng.normal(size=(D // 2, D // 2)) / 4)
    y = y + 0.3 * torch.from_numpy(rng.normal(size=tuple(y.shape)))
    y = y / y.norm(dim=1, keepdim=True)
    spread = x - x.mean(0)
    power = torch.linalg.eigvalsh(spread.T @ spread)
    truth = {
        "participation_ratio": (power.sum().square() / power.square().sum()).item(),
        "cka": cka(x, y).biased.value,
        # over independent samples, which may be the same atom: all pairs, with the diagonal
        "rsa": torch.corrcoef(torch.stack([(z @ z.T).flatten() for z in (x, y)]))[0, 1].item(),
    }

    def draw(n: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        rows = torch.from_numpy(rng.integers(len(x), size=n))
        return x[rows], y[rows]

    return Law(truth, draw, True)


LAWS: dict[str, Callable[[int], Law]] = {
    "isotropic": lambda seed: gaussian_classes(seed, 0.64 / D),
    "thin": lambda seed: gaussian_classes(seed, 0.002),
    "sphere classes": sphere_classes,
    "related": lambda seed: gaussian_pairs(seed, 0.8),
    "independent": lambda seed: gaussian_pairs(seed, 0.0),
    "sphere pairs": sphere_pairs,
}
