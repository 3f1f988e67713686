"""What the excess of SupCon and NT-Xent is made of, beside the losses themselves."""

import numpy as np
import pytest
import torch

from supcon_theory.audits.coupled_anatomy import coupled_anatomy_rows
from supcon_theory.audits.gap import evaluated
from supcon_theory.objectives import OBJECTIVES
from supcon_theory.theory.minima import nt_xent_minimum, supcon_minimum


def embeddings(N, K):
    z = torch.randn(N, K, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return torch.nn.functional.normalize(z, dim=-1)


@pytest.mark.parametrize("tau", [1.0, 0.2])
def test_the_terms_of_both_losses_add_up_to_their_excess_to_rounding(tau):
    z, y = embeddings(6, 2), torch.arange(6) // 2
    (row,) = coupled_anatomy_rows(evaluated(z, y, [tau]))
    floors = {"supcon": supcon_minimum(3, 2, 2, tau), "nt_xent": nt_xent_minimum(6, 1, 2, tau)}
    for loss, floor in floors.items():
        excess = float(OBJECTIVES[loss](z, y, tau=tau)) - floor
        first = {"supcon": "collapse", "nt_xent": "alignment"}[loss]
        terms = [row[f"{loss}_{name}"] for name in (first, "centring", "anchors", "jensen")]
        assert row[f"{loss}_excess"] == pytest.approx(excess, abs=1e-12)
        assert sum(terms) == pytest.approx(excess, abs=1e-12) and min(terms) > 0
        assert row[f"{loss}_anatomy_error"] < 1e-12


def test_no_anchor_with_a_positive_leaves_every_term_unknown():
    (row,) = coupled_anatomy_rows(evaluated(embeddings(5, 1), torch.arange(5), [0.5]))
    assert np.isnan(list(row.values())).all()
