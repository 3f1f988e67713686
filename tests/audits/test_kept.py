"""What is kept of a feature: probes that know the coarser label, and the variance."""

import numpy as np
import pytest

from supcon_theory.audits.kept import Labelled, kept_row


def sets(coarse_size, fine_size, seed=0, each=30, d=6):
    """Three coarse classes of two subclasses: how large either is against noise of .1."""
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(6), each)
    centres = coarse_size * rng.normal(size=(3, d))[np.arange(6) // 2]
    centres = centres + fine_size * rng.normal(size=(6, d))
    return [Labelled(centres[y] + 0.1 * rng.normal(size=(len(y), d)), y, y // 2) for _ in range(2)]


def test_a_subclass_that_is_gone_gives_the_error_of_guessing_however_plain_the_class_is():
    row = kept_row(*sets(3.0, 0.0))
    assert row["chance"] == 0.5
    for name in ("error_centre", "error_linear"):
        assert row[name] == pytest.approx(0.5, abs=0.1)
    assert row["share_coarse"] > 0.98 and row["share"] < 0.01


def test_a_subclass_that_is_there_is_read_at_any_scale():
    fitted, new = sets(3.0, 1.0)
    row = kept_row(fitted, new)
    assert row["error_centre"] == row["error_linear"] == row["of_chance"] == 0
    assert row["unconverged"] == 0
    parts = [row[name] for name in ("share_coarse", "share", "share_rest")]
    assert sum(parts) == pytest.approx(1, abs=1e-12) and min(parts) > 0

    means = np.stack([fitted.x[fitted.coarse == c].mean(0) for c in range(3)])

    def small(of):  # everything within a class a thousand times smaller: collapse, nearly
        centre = means[of.coarse]
        return of._replace(x=centre + 1e-3 * (of.x - centre))

    collapsed = kept_row(small(fitted), small(new))
    assert collapsed["error_linear"] < 0.1 and collapsed["share"] < 1e-5


def test_without_a_coarser_label_it_is_the_error_over_all_classes():
    fitted, new = (of._replace(coarse=np.zeros_like(of.y)) for of in sets(0.0, 0.08))
    row = kept_row(fitted, new)
    centres = np.stack([fitted.x[fitted.y == c].mean(0) for c in range(6)])
    guess = np.square(new.x[:, None] - centres).sum(-1).argmin(1)
    assert row["error_centre"] == pytest.approx((guess != new.y).mean())
    assert row["chance"] == pytest.approx(5 / 6)
    assert row["share_coarse"] == pytest.approx(0, abs=1e-20)
