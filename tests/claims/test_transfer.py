"""The statistics behind the claims on transfer."""

import itertools

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from supcon_theory.claims.accuracy import LEFT
from supcon_theory.claims.transfer import judged, on_par, rank_correlation


def encoders() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    sides = [("seen", "glyphs"), ("unseen", "glyphs"), ("unseen", "kanji")]
    grid = itertools.product(
        ("supcon", "cross_entropy", "dcl"), (10, 100), range(5), sides, (5, 40)
    )
    rows = [(o, C, seed, *side, m) for o, C, seed, side, m in grid]
    table = pd.DataFrame(rows, columns=["objective", "C", "seed", "classes", "target", "m"])
    about = dict(protocol="labelled", probe="linear", layer="h", left=0.1)
    return table.assign(error=rng.uniform(0.1, 0.5, len(table)), **about)


def test_the_correlation_is_that_of_all_encoders_of_a_seed_with_all_labels():
    table = encoders()
    for target in ("glyphs", "kanji"):
        found = rank_correlation(table, target)
        for seed in range(5):
            x, y = [], []
            for objective, C in itertools.product(("supcon", "cross_entropy", "dcl"), (10, 100)):
                of = table.query(f"objective == '{objective}' and C == {C} and seed == {seed}")
                of = of[of["m"] == 40]
                x.append(of.loc[of["classes"] == "seen", "error"].item())
                unseen = (of["classes"] == "unseen") & (of["target"] == target)
                y.append(of.loc[unseen, "error"].item())
            assert np.isclose(found[seed], spearmanr(x, y).statistic)


def test_an_encoder_that_is_trained_too_little_decides_nothing():
    table = encoders().query("target == 'kanji'").reset_index(drop=True)
    short = (table["objective"] == "supcon") & (table["seed"] == 3) & (table["C"] == 10)
    table.loc[short, "left"] = LEFT + 1e-6
    assert judged(table, 10, "supcon").isna().tolist() == [False] * 3 + [True, False]
    assert judged(table, 100, "supcon").notna().all()
    assert judged(table, 10, "cross_entropy").notna().all()
    claim = on_par(source="glyphs", at="kanji", C=10)
    assert claim.verdict(table).reason == "NaN among the values"
    table.loc[short, "left"] = LEFT
    assert claim.verdict(table).reason != "NaN among the values"
