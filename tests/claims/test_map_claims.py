"""Claims on maps, and the measures behind them."""

import numpy as np
import pandas as pd
import pytest

from supcon_theory.claims.maps import map_claims
from supcon_theory.measures.maps import joint_map
from supcon_theory.measures.neighbours import purity, trustworthiness

CLAIMS = {c.id: c for c in map_claims("tsne")}


def table(
    cl: float = 0.6, nscl: float = 0.8, off: float = 0.02, start: float = 0.0
) -> pd.DataFrame:
    rows = []
    for seed in range(3):
        for objective, end in (("dcl", cl), ("nscl", nscl)):
            for step, found in ((0, 0.4), (800, end)):
                for labels in ("true", "shuffled"):
                    true = (
                        found + 0.001 * seed * (step > 0) if labels == "true" else 0.1 - 1e-3 * seed
                    )
                    rows.append(
                        dict(
                            C=10,
                            seed=seed,
                            objective=objective,
                            step=step,
                            labels=labels,
                            purity=true,
                            purity_map=true + off,
                            start_difference=start if step == 0 else np.nan,
                        )
                    )
    return pd.DataFrame(rows)


BROKEN = {
    "F1-start": (table(start=1e-7), table(start=0.0)),
    "F1-cl": (table(cl=0.445), table(cl=0.5)),
    "F1-nscl": (table(nscl=0.61), table(nscl=0.63)),
    "F1-map": (table(off=-0.101), table(off=-0.05)),
}


@pytest.mark.parametrize("name", CLAIMS)
def test_map_claims_pass_fail_and_pass_again_within_the_edge(name):
    assert CLAIMS[name].check(table()).verdict == "PASS"
    broken, fine = BROKEN[name]
    assert CLAIMS[name].check(broken).verdict == "FAIL"
    assert CLAIMS[name].check(fine).verdict == "PASS"


@pytest.mark.parametrize("name", CLAIMS)
def test_map_claims_on_tables_that_cannot_decide_are_inconclusive(name):
    good = table()
    for broken in (
        good.iloc[:0],
        good.assign(purity=np.nan, purity_map=np.nan, start_difference=np.nan),
        good[good["seed"] == 0],
    ):
        assert CLAIMS[name].check(broken).verdict == "INCONCLUSIVE"


def test_purity_that_shuffled_labels_gain_as_well_is_vacuous():
    good = table()
    shuffled = good["labels"] == "shuffled"
    gained = good["purity"].where(~shuffled, 0.1 + 0.2 * (good["step"] > 0))
    assert CLAIMS["F1-cl"].check(good.assign(purity=gained)).verdict == "VACUOUS"


def test_two_principal_components_are_not_asked_to_keep_neighbours():
    assert "F1-map" not in {c.id for c in map_claims("pca")}


def clusters(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(3), 12)
    x = 4 * np.eye(5)[y] + rng.normal(size=(36, 5)) * 0.3
    return x / np.linalg.norm(x, axis=1, keepdims=True), y


def test_purity_is_that_of_a_loop_and_of_counting_for_random_labels():
    x, y = clusters(0)
    assert purity(x, y, 5) == 1.0
    shuffled = np.random.default_rng(1).permutation(y)
    distance = np.linalg.norm(x[:, None] - x[None], axis=2) + 1e9 * np.eye(36)
    loop = [np.mean(shuffled[np.argsort(distance[i])[:5]] == shuffled[i]) for i in range(36)]
    assert purity(x, shuffled, 5) == pytest.approx(np.mean(loop))


@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_a_rotated_panel_gets_the_same_map(method):
    x, y = clusters(0)
    turn = np.linalg.qr(np.random.default_rng(2).normal(size=(5, 5)))[0]
    maps = joint_map(np.stack([x @ turn, x]), method, seed=0)
    assert np.abs(maps[0] - maps[1]).max() < 0.2 * np.ptp(maps)
    assert purity(maps[1], y, 5) == 1.0 and trustworthiness(x, maps[1]) > 0.8
    np.testing.assert_array_equal(maps, joint_map(np.stack([x @ turn, x]), method, seed=0))


@pytest.mark.parametrize(
    "panels, method, word",
    [
        (np.ones((2, 9, 4)), "pca", "constant"),
        (np.ones((9, 4)), "pca", "shape"),
        (np.full((2, 9, 4), np.nan), "tsne", "NaN"),
        (np.eye(9)[None], "mds", "tsne"),
    ],
)
def test_what_cannot_be_mapped_is_refused_in_a_sentence(panels, method, word):
    with pytest.raises(ValueError, match=word):
        joint_map(panels, method, 0)
