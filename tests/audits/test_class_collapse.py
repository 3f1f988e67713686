"""Class collapse of free embeddings: the rows say what the embeddings are."""

import pytest

from supcon_theory.audits.class_collapse import ends, features_audit
from supcon_theory.theory.mixture import collapse_threshold, within_cosine


@pytest.mark.parametrize("step", [-0.02, 0.02])
def test_classes_collapse_on_one_side_of_the_threshold_only(step):
    alpha = collapse_threshold(2, 3, 0.5) + step
    (row,) = ends("ssem", 2, 3, 2, 0.5, 1, alpha)
    wanted = within_cosine(2, 3, 0.5, alpha)
    assert row["within_cosine"] == pytest.approx(wanted, abs=1e-4)
    assert row["within_class_variance"] == pytest.approx(2 / 3 * (1 - wanted), abs=1e-4)
    assert (row["within_class_variance"] > 1e-3) == (step > 0)
    assert row["part"] == "mixture" and row["excess"] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(("objective", "cosine"), [("supcon", 1.0), ("nt_xent", -1 / 5)])
def test_other_losses_collapse_classes_or_part_samples(objective, cosine):
    (row,) = ends(objective, 2, 3, 2, 0.5, 1)
    assert row["part"] == "others" and row["alpha"] is None
    assert row["within_cosine"] == pytest.approx(cosine, abs=1e-4)
    assert row["within_cosine_error"] < 1e-4 and row["variance_error"] < 1e-4


def test_a_linear_encoder_keeps_the_subclass_unless_supervised():
    rows = {row["method"]: row for row in features_audit([(1.0, 2.0)], 1)}
    kept = {name: round(row["subclass_energy"], 3) for name, row in rows.items()}
    assert kept == {
        "supervised": 0,
        "joint": 0.5,
        "self-supervised": 1,
        "negatives of other classes": 1,
    }
    assert max(row["energy_error"] for row in rows.values()) < 1e-4
