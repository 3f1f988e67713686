"""Axes of independent tasks: the bound by hand; what reaches it is tested with the audit."""

import numpy as np
import pytest

from supcon_theory.theory.multitask import axis_bound


def test_the_bound_by_hand_and_binary_as_published():
    assert axis_bound(1, 1, 2, 2, 0.01, 1) == pytest.approx(0.2)
    d1, d2, V1 = 2.0, 3.0, 0.04  # 2 (d1/d2) sqrt(V)
    assert axis_bound(d1, d2, 2, 2, V1 * d1**2, 9) == pytest.approx(2 * d1 / d2 * np.sqrt(V1))
    assert axis_bound(1, 2, 3, 5, 1, 0.08) == pytest.approx(np.sqrt(2 * 3 * 0.08))
