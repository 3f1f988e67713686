"""The statistics behind the claims on augmentation."""

import numpy as np
import pytest

from supcon_theory.claims import augmentation
from supcon_theory.claims.accuracy import LEFT
from supcon_theory.claims.augmentation import NONE, OURS, depends_less, log_ratio, lost, measured
from tests.claims.tables import augmented

CLAIMS = {
    claim.id: claim
    for claim in augmentation.claims(
        (5,), ("dcl", *augmentation.SUPERVISED), (1.0,), 1.0, (0.0, 2.0), ("crop",), ("mixup",)
    )
}


def test_what_is_lost_is_the_error_above_that_with_our_augmentation():
    table = augmented()
    h = table[table["layer"] == "h"]
    error = h.set_index(["objective", "level", "seed"])["error"]
    for seed, value in lost(h, "dcl", "strength 2").items():
        at = [error["dcl", level, seed] for level in ("strength 2", OURS)]
        assert value == pytest.approx(at[0] - at[1])
    z = table[(table["layer"] == "z") & (table["tau"] == 1)].set_index(
        ["objective", "level", "seed"]
    )
    for seed, value in log_ratio(z.reset_index(), "cdnv", "supcon").items():
        at = [z.loc[("supcon", level, seed), "cdnv"] for level in (NONE, OURS)]
        assert value == pytest.approx(np.log(at[0] / at[1]))


def test_an_encoder_that_is_trained_too_little_decides_nothing():
    table = augmented()
    short = (table["objective"] == "supcon") & (table["level"] == OURS) & (table["seed"] == 3)
    claim = CLAIMS["AU1-supcon-none"]
    assert claim.verdict(table).verdict == "PASS"
    table.loc[short, "left"] = LEFT + 1e-6
    h = table[table["layer"] == "h"]
    assert (
        measured(h, "error", "supcon", OURS).isna().tolist() == [False] * 3 + [True] + [False] * 2
    )
    assert claim.verdict(table).reason == "NaN among the values"
    assert CLAIMS["AU1-nscl-none"].verdict(table).verdict == "PASS"


def test_encoders_whose_least_loss_is_unknown_are_judged():
    table = augmented()
    table.loc[table["level"] == "mixup", "left"] = np.nan
    assert CLAIMS["AU6-supcon-mixup"].verdict(table).verdict == "PASS"


def test_views_that_vary_without_augmentation_break_the_control():
    table = augmented()
    assert CLAIMS["AU0"].verdict(table).verdict == "PASS"
    bare = table.index[table["level"] == NONE][0]
    table.loc[bare, "own_variance"] = 1e-6
    assert CLAIMS["AU0"].verdict(table).verdict == "FAIL"


def test_claims_on_what_is_not_trained_are_not_asked():
    few = augmentation.claims((5,), ("nscl",), (1.0,), 1.0, (), (), ())
    assert not any(claim.asked for claim in few if claim.kind == "trend")
    assert (
        depends_less(objective="supcon", level="without crop", short="crop").id == "AU1-supcon-crop"
    )
