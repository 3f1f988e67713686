"""Bounds on the gap from range and moments of cosines, and where there are none."""

import numpy as np
import torch

from supcon_theory.audits.anatomy import anatomy_audit
from supcon_theory.audits.columns import MOMENT_BOUNDS
from tests.audits.instances import embeddings


def test_more_moments_know_more_of_the_mean_gap():
    (row,) = anatomy_audit(*embeddings([6, 3, 5]), [0.2])
    assert row["bound_four_low"] < row["bound_eight_low"] < row["gap"]
    assert row["gap"] < row["bound_eight"] < row["bound_four"]


def test_a_class_of_one_sample_leaves_its_bounds_unknown_and_the_gap_known():
    z, _ = embeddings([8])
    for counts in ([1, 3, 4], [1, 1, 6]):
        y = torch.arange(3).repeat_interleave(torch.tensor(counts))
        (row,) = anatomy_audit(z, y, [0.5])
        assert np.isnan([row[name] for name in MOMENT_BOUNDS.names]).all()
        assert row["gap"] > 0
