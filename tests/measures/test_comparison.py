"""CKA and RSA against dense oracles, their ranges, and what they do not see."""

import importlib.util
import itertools

import numpy as np
import pytest
import torch

from supcon_theory.measures.comparison import cka, rsa
from supcon_theory.measures.spectrum import participation_ratio, singular_values

SHAPES = [(6, 4, 3), (30, 5, 8), (12, 40, 3), (9, 50, 60), (200, 20, 10)]  # N, p, q
BOTH = [False, True]


def of(measure, x, y, debiased: bool):
    """One of the two values of a measure."""
    return measure(x, y)[debiased]


def draw(N: int, p: int, q: int, seed: int = 0, offset: float = 2.0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(N, p)) + offset
    mixed = x @ rng.normal(size=(p, q))
    return x, mixed / mixed.std() + rng.normal(size=(N, q))


def dense_cka(x: np.ndarray, y: np.ndarray, debiased: bool) -> float:
    """Kernels as N x N matrices; debiased, U-centred without the diagonal (Song et al. 2012)."""
    N = len(x)

    def hsic(a: np.ndarray, b: np.ndarray) -> float:
        K, L = a @ a.T, b @ b.T
        if not debiased:
            H = np.eye(N) - 1 / N
            return np.trace(H @ K @ H @ L)
        np.fill_diagonal(K, 0)
        np.fill_diagonal(L, 0)
        ones = np.ones(N)
        return (
            np.trace(K @ L)
            + K.sum() * L.sum() / ((N - 1) * (N - 2))
            - 2 * (ones @ K @ L @ ones) / (N - 2)
        )

    return hsic(x, y) / np.sqrt(hsic(x, x) * hsic(y, y))


def cosines(x: np.ndarray) -> np.ndarray:
    z = x / np.linalg.norm(x, axis=1, keepdims=True)
    return z @ z.T


def dense_rsa(x: np.ndarray, y: np.ndarray, debiased: bool) -> float:
    a, b = cosines(x), cosines(y)
    if not debiased:
        above = np.triu_indices(len(x), 1)
        return np.corrcoef(a[above], b[above])[0, 1]
    i, j, k, l = np.array(list(itertools.permutations(range(len(x)), 4))).T

    def over_disjoint_pairs(a: np.ndarray, b: np.ndarray) -> float:
        return np.mean((a[i, j] - a[k, l]) * (b[i, j] - b[k, l])) / 2

    xy, xx, yy = (over_disjoint_pairs(*of) for of in ((a, b), (a, a), (b, b)))
    return xy / np.sqrt(xx * yy)


@pytest.mark.parametrize("debiased", BOTH)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_cka_is_what_n_by_n_kernels_say(shape, debiased):
    x, y = draw(*shape)
    assert of(cka, x, y, debiased).value == pytest.approx(dense_cka(x, y, debiased), abs=1e-10)


@pytest.mark.parametrize("debiased", BOTH)
@pytest.mark.parametrize("shape", [(6, 4, 3), (12, 40, 3), (9, 50, 60), (14, 5, 8)], ids=str)
def test_rsa_is_the_correlation_of_all_pairs_or_of_disjoint_ones(shape, debiased):
    x, y = draw(*shape)
    assert of(rsa, x, y, debiased).value == pytest.approx(dense_rsa(x, y, debiased), abs=1e-10)


def test_rsa_loses_no_digits_where_all_cosines_are_near_one():
    x, y = draw(50, 5, 8, offset=0.0)
    x, y = 1 + 1e-4 * x, 1 - 1e-4 * y
    assert rsa(x, y).biased.value == pytest.approx(
        dense_rsa(x, y, False), abs=1e-6
    )  # the oracle loses 8


@pytest.mark.parametrize("measure", [cka, rsa])
@pytest.mark.parametrize("debiased", BOTH)
def test_ranges_hold_for_few_and_odd_samples_and_nothing_is_nan(measure, debiased):
    rng, low = np.random.default_rng(0), 0 if measure is cka and not debiased else -1
    lowest = 1.0
    for N, p, q in itertools.product((4, 5, 7), (1, 3, 50), (1, 2)):
        for seed in range(5):
            x, y = rng.normal(size=(N, p)), rng.standard_cauchy(size=(N, q))
            x = np.column_stack([x, np.ones(N)])  # so that one dimension has angles
            y = np.column_stack([y, np.ones(N)])
            found = of(measure, x, y, debiased)
            assert low <= found.value <= 1 and found.reason == "", seed
            lowest = min(lowest, found.value)
    assert lowest < 0 or low == 0  # negative is a number like any other


@pytest.mark.parametrize("measure", [cka, rsa])
@pytest.mark.parametrize("debiased", BOTH)
def test_of_itself_turned_and_scaled_it_is_one_and_order_and_side_do_not_matter(measure, debiased):
    x, y = draw(20, 6, 4)
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(6, 6)))[0]
    assert of(measure, x, 7 * x @ turn, debiased).value == pytest.approx(1, abs=1e-12)
    value = of(measure, x, y, debiased).value
    assert of(measure, y, x, debiased).value == pytest.approx(value, abs=1e-14)
    assert of(measure, x[::-1], y[::-1], debiased).value == pytest.approx(value, abs=1e-12)
    assert of(measure, 1e150 * x, 1e-150 * y, debiased).value == pytest.approx(value, abs=1e-9)
    moved = of(cka, x + 100, y - 3, debiased).value
    assert moved == pytest.approx(of(cka, x, y, debiased).value, abs=1e-10)


def test_only_the_debiased_cka_of_independent_embeddings_is_0_on_average():
    rng = np.random.default_rng(0)
    pairs = [rng.normal(size=(2, 12, 20)) for _ in range(200)]
    plain, debiased = (np.array([of(cka, *p, b).value for p in pairs]) for b in BOTH)
    assert plain.mean() > 0.5 and abs(debiased.mean()) < 4 * debiased.std() / 200**0.5


def test_views_are_averaged_and_may_differ_in_number():
    x, y = draw(9, 4, 3)
    several = np.stack([x - 0.1, x + 0.1], 1)
    assert cka(several, y[:, None]).biased.value == pytest.approx(cka(x, y).biased.value, abs=1e-12)
    assert rsa(torch.from_numpy(several), y).biased.value == pytest.approx(
        rsa(x, y).biased.value, abs=1e-12
    )


@pytest.mark.parametrize("noise", [0.0, 1e-14])
def test_a_constant_embedding_has_no_likeness_and_the_reason_says_so(noise):
    x, y = draw(10, 4, 3)
    flat = np.full((10, 4), 0.3) + noise * x
    for debiased in BOTH:
        found = of(cka, x, flat, debiased)
        assert np.isnan(found.value) and "y constant" in found.reason
        found = of(rsa, flat, y, debiased)
        assert np.isnan(found.value) and "cosines of x" in found.reason
        assert np.isnan(participation_ratio(singular_values(flat, centred=True)))


@pytest.mark.parametrize("measure, fewest", [(cka, 2), (rsa, 3)])
def test_fewer_samples_than_it_takes_and_other_numbers_of_samples_are_said(measure, fewest):
    x, y = draw(10, 4, 3)
    assert "at least 4" in of(measure, x[:3], y[:3], True).reason
    assert f"at least {fewest}" in measure(x[: fewest - 1], y[: fewest - 1]).biased.reason
    with pytest.raises(ValueError, match="x has 10 samples and y 9"):
        measure(x, y[:9])
    many, alike = draw(300, 4, 3)
    assert measure(many, alike).biased.value > 0


def test_the_plug_in_participation_ratio_is_at_most_the_number_of_singular_values():
    for d in (3, 7, 49, 343):
        assert participation_ratio(torch.full((d,), 0.1 / 3)) <= d


if importlib.util.find_spec("rsatoolbox"):  # of the extra `bench`; without it there is no test

    @pytest.mark.parametrize(("measure", "method"), [(rsa, "corr"), (cka, "cosine_cov")])
    @pytest.mark.parametrize("shape", [(30, 5, 8), (12, 40, 3), (60, 20, 10)], ids=str)
    def test_library_returns_the_same_rsa_and_cka(measure, method, shape):
        """Of unit rows, whose squared Euclidean distances are 2 - 2 cosine.

        The correlation of two such RDMs is RSA; their cosine, whitened by the covariance of
        independent distances, is linear CKA (Diedrichsen et al. 2020, arXiv 2007.02789).
        """
        from rsatoolbox.data import Dataset
        from rsatoolbox.rdm import calc_rdm, compare

        unit = [z / np.linalg.norm(z, axis=1, keepdims=True) for z in draw(*shape)]
        rdms = [calc_rdm(Dataset(z), method="euclidean") for z in unit]
        theirs = float(compare(*rdms, method=method)[0, 0])
        assert measure(*unit).biased.value == pytest.approx(theirs, abs=1e-10)
