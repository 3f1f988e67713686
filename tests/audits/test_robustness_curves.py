"""Statistics over the grid of settings, beside NumPy's on the same numbers."""

import numpy as np
import pandas as pd
import pytest

from supcon_theory.audits.robustness_curves import encoder_means, grid_means, log_variance_ratio

SETTINGS = [("adamw", 0.1, 1.0), ("adamw", 0.2, 1.0), ("sgd", 0.1, 1.0), ("adamw", 0.1, 2.0)]


def table(rng: np.random.Generator) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Errors (2 seeds, settings) of two objectives, as rows in random order, and as arrays."""
    errors = {name: rng.random((2, len(SETTINGS))) for name in ("supcon", "cross_entropy")}
    rows = [
        dict(part="grid", C=10, seed=seed, objective=name, error=of[seed, k])
        | dict(zip(("optimiser", "lr", "strength"), setting, strict=True))
        for name, of in errors.items()
        for seed in range(2)
        for k, setting in enumerate(SETTINGS)
    ]
    other = dict(rows[0], part="corrupted", error=9.0)
    return pd.DataFrame([*rows, other]).sample(frac=1, random_state=0), errors


def test_variances_are_over_settings_those_of_the_augmentation_too():
    rows, errors = table(np.random.default_rng(0))
    found = log_variance_ratio(rows, "supcon", "cross_entropy")
    for seed in range(2):
        ours, theirs = (np.var(of[seed], ddof=1) for of in errors.values())
        assert found[seed] == pytest.approx(np.log(ours / theirs), rel=1e-12)


def test_a_setting_that_one_of_them_lacks_decides_nothing():
    rows, _ = table(np.random.default_rng(1))
    lacking = rows[(rows["objective"] != "supcon") | (rows["strength"] != 2) | (rows["seed"] != 1)]
    found = log_variance_ratio(lacking, "supcon", "cross_entropy")
    assert found.notna().to_dict() == {0: True, 1: False}


def test_a_setting_has_a_row_of_means_over_seeds_in_per_cent():
    rows, errors = table(np.random.default_rng(2))
    found = grid_means(rows).set_index(["optimiser", "lr", "strength"])
    assert len(found) == len(SETTINGS)
    for k, setting in enumerate(SETTINGS):
        for name, of in errors.items():
            assert found.loc[setting, name] == pytest.approx(100 * of[:, k].mean(), rel=1e-12)


def test_an_encoder_of_half_the_errors_has_half_the_corruption_error_in_per_cent():
    clean, worse = 0.1, {("blur", 1): 0.2, ("blur", 2): 0.4, ("noise", 1): 0.3, ("noise", 2): 0.5}
    rows = [
        dict(part="corrupted", C=10, seed=seed, level=level, layer=layer, corruption=kind)
        | dict(severity=severity, error=share * error, ece=share * error / 10)
        for level, layer, share in (("cross_entropy", "z", 1), ("supcon", "h", 0.5))
        for seed in range(2)
        for (kind, severity), error in ({("none", 0): clean} | worse).items()
    ]
    found = encoder_means(pd.DataFrame(rows)).set_index("level")
    for level, share in (("cross_entropy", 1), ("supcon", 0.5)):
        wanted = {"clean": 10 * share, "corrupted": 35 * share, "mCE": 100 * share}
        wanted |= {"relative mCE": 100 * share, "ECE": 0.01 * share, "ECE corrupted": 0.035 * share}
        assert found.loc[level, list(wanted)].to_dict() == pytest.approx(wanted)
