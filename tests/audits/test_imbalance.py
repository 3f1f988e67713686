"""The best geometry of unequal classes, where it is known in closed form."""

import pytest

from supcon_theory.audits.imbalance import solved
from supcon_theory.theory.merging import least_gram


@pytest.mark.parametrize("tau", [1.0, 0.5])
def test_classes_that_weigh_next_to_nothing_in_the_loss_find_their_place_too(tau):
    ratio = 100_000  # a small class moves the loss by 1e-5 of what a large one does
    M = solved("nscl", [2 * ratio] * 2 + [2] * 2, 2, tau)[0].M
    assert M == pytest.approx(least_gram(ratio, (2, 2), 2, tau), abs=1e-4)
