"""How far the NSCL losses of a balanced set are above the least that any embedding can reach."""

import numpy as np
import torch
from torch import Tensor

from supcon_theory.measures.losses import global_losses
from supcon_theory.theory.minima import nscl_coupled_minimum, nscl_minimum


def above_floor(z: Tensor, y: Tensor, tau: float) -> dict[str, float]:
    """`nscl` and `nscl_coupled` of z (N, K, d) minus their minima (arXiv 2506.04411, Theorem 2).

        nscl          log(K n (C-1)) - C / ((C-1) tau)
        nscl_coupled  log(1 + K n (C-1) exp(-C / ((C-1) tau)))

    NaN if the classes are not balanced: the minima are then others. Raises what `global_losses`
    raises.
    """
    counts = y.unique(return_counts=True)[1]
    if counts.min() != counts.max():
        return {"nscl_above_floor": np.nan, "nscl_coupled_above_floor": np.nan}
    C, n, K = len(counts), int(counts[0]), z.shape[1]
    losses = global_losses(z, y, [tau])[tau]
    z = z.double()
    positive = torch.einsum("nkd,nld->nkl", z, z).cpu().numpy() / tau
    coupled = np.logaddexp(positive, losses.log_D[:, :, None]) - positive
    distinct = ~np.eye(K, dtype=bool)
    return {
        "nscl_above_floor": losses.mean_nscl - float(nscl_minimum(C, n, K, tau)),
        "nscl_coupled_above_floor": coupled[:, distinct].mean()
        - float(nscl_coupled_minimum(C, n, K, tau)),
    }
