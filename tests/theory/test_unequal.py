"""Floors and ceilings for classes of any size: nothing found is beyond, balanced they are exact."""

import numpy as np
import pytest
import torch
from scipy.optimize import linprog

from supcon_theory.objectives import OBJECTIVES
from supcon_theory.theory import gap, minima, unequal
from supcon_theory.theory.ceiling import etf_ceiling
from supcon_theory.theory.simplex import class_simplex, labels_of

COUNTS = ([12, 4, 2, 2], [9, 3, 3], [2, 2, 2, 1], [20, 1, 1, 1], [5, 5, 5], [3, 2])
TAUS = (1.0, 0.3, 0.1)


def losses(z, y, tau):
    return {name: OBJECTIVES[name](z, y, tau=tau).item() for name in ("dcl", "nscl", "supcon")}


def configurations(counts, seed):
    """Random, clustered, antipodal and collapsed embeddings (N, K, d) of these classes."""
    rng = np.random.default_rng(seed)
    y, C = labels_of(counts), len(counts)
    for K, d in ((1, 2), (2, 3), (2, 8)):
        noise = rng.normal(size=(len(y), K, d))
        centres = rng.normal(size=(C, 1, d))
        poles = rng.choice([-1, 1], (C, 1, 1)) * np.eye(1, d)
        for z in (
            noise,
            centres[y] + 0.2 * noise,
            poles[y] + 1e-3 * noise,
            poles[y] * (1 + 0 * noise),
        ):
            yield torch.nn.functional.normalize(torch.from_numpy(z), dim=-1), torch.from_numpy(y)
    yield torch.from_numpy(class_simplex(counts, 2, C)[0]), torch.from_numpy(y)


@pytest.mark.parametrize("counts", COUNTS)
def test_no_configuration_goes_beyond(counts):
    for z, y in configurations(counts, 0):
        K = z.shape[1]
        for tau in TAUS:
            found = losses(z, y, tau)
            assert found["nscl"] >= unequal.nscl_floor_any_counts(counts, K, tau) - 1e-9
            floor = unequal.supcon_floor_any_counts(counts, K, tau)
            assert np.isnan(floor) if min(counts) * K < 2 else found["supcon"] >= floor - 1e-9
            assert (
                found["dcl"] - found["nscl"]
                <= unequal.relaxed_ceiling_any_counts(counts, tau) + 1e-9
            )
            anchors = [OBJECTIVES[n](z, y, tau=tau, reduction="none") for n in ("dcl", "nscl")]
            n_c = np.array(counts)[y.numpy()][:, None]
            alignment = torch.einsum("nkd,d->nk", z, z.mean((0, 1))).numpy()
            bound = unequal.centred_bound_any_counts(alignment, n_c, len(y), tau)
            assert ((anchors[0] - anchors[1]).numpy() <= bound + 1e-9).all()


def optimised(counts, tau, objective, steps=60, seed=0):
    """The value that descent from a random start reaches; `gap` is ascended."""
    y = torch.from_numpy(labels_of(counts))
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(len(y), 2, 6, generator=generator, dtype=torch.float64).requires_grad_()
    optimiser = torch.optim.Adam([x], lr=0.2)
    for _ in range(steps):
        z = torch.nn.functional.normalize(x, dim=-1)
        if objective == "gap":
            value = OBJECTIVES["nscl"](z, y, tau=tau) - OBJECTIVES["dcl"](z, y, tau=tau)
        else:
            value = OBJECTIVES[objective](z, y, tau=tau)
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
    return value.item()


@pytest.mark.parametrize(("counts", "tau"), [([8, 3, 1], 1.0), ([8, 3, 1], 0.2), ([6, 2, 2], 0.3)])
def test_optimised_embeddings_stay_within_and_come_close(counts, tau):
    floor = unequal.nscl_floor_any_counts(counts, 2, tau)
    least = optimised(counts, tau, "nscl")
    assert floor - 1e-9 <= least <= floor + 0.8 / tau
    assert unequal.supcon_floor_any_counts(counts, 2, tau) - 1e-9 <= optimised(
        counts, tau, "supcon"
    )
    ceiling = unequal.relaxed_ceiling_any_counts(counts, tau)
    most = -optimised(counts, tau, "gap")
    assert ceiling - 0.6 / tau <= most <= ceiling + 1e-9


@pytest.mark.parametrize("tau", TAUS)
@pytest.mark.parametrize(("C", "n", "K"), [(2, 5, 1), (3, 4, 2), (10, 7, 2)])
def test_balanced_they_are_the_closed_forms(C, n, K, tau):
    counts = [n] * C
    assert unequal.relaxed_ceiling_any_counts(counts, tau) == pytest.approx(
        float(etf_ceiling(C, n, tau))
    )
    for ours, closed in (
        (unequal.nscl_floor_any_counts, minima.nscl_minimum),
        (unequal.supcon_floor_any_counts, minima.supcon_minimum),
    ):
        assert ours(counts, K, tau) == pytest.approx(float(closed(C, n, K, tau)), abs=1e-12)
    a = np.linspace(-(C - 2) / C, 1, 20)
    ours = unequal.centred_bound_any_counts(a, n, C * n, tau)
    assert ours == pytest.approx(gap.centred_bound(a, C, n, tau))
    worst = unequal.centred_bound_any_counts(-1.0, n, C * n, tau)
    assert worst == pytest.approx(gap.anchor_upper_bound(n, C * n, tau))


@pytest.mark.parametrize("counts", COUNTS)
def test_they_are_at_least_as_sharp_as_what_there_was(counts):
    for tau in TAUS:
        ceiling = unequal.relaxed_ceiling_any_counts(counts, tau)
        assert ceiling <= gap.class_averaged_bound(counts, tau) + 1e-9
        assert ceiling >= gap.equal_similarity_gap(counts) - 1e-9
        assert unequal.nscl_floor_any_counts(counts, 2, tau) >= minima.nscl_floor(counts, 2, tau)


def test_the_filling_of_classes_solves_its_linear_programme():
    """On cells of S, against scipy's solver: minimise sum of rate x paid over the a_c."""
    rng = np.random.default_rng(0)
    for _ in range(30):
        C = int(rng.integers(2, 6))
        w, ends = rng.dirichlet(np.ones(C)), np.sort(rng.random(2))[None]
        low, high = ends[0]
        free, rate = rng.random((1, C)) * 2 * high, rng.random((1, C))
        found = unequal._least_spent(w, free, rate, ends)[0]
        # variables: free part, paid part of each class
        best = linprog(
            np.concatenate([np.zeros(C), w * rate[0]]),
            A_ub=-np.concatenate([w, w])[None],
            b_ub=[-(high + low**2)],
            bounds=[(0, f) for f in free[0]] + [(0, 2 * high - f) for f in free[0]],
        )
        assert best.status == 0 and found == pytest.approx(best.fun, abs=1e-9)


@pytest.mark.parametrize("counts", [[12, 4, 2, 2], [6, 1], [50, 30, 20]])
def test_a_cell_bound_covers_every_S_inside_of_it(counts):
    """The ceiling at exact S, by a dense search over the a_c that it allows, is below."""
    rng, tau = np.random.default_rng(0), 0.5
    n_c = np.array(counts, float)
    w, N = n_c / n_c.sum(), n_c.sum()
    ceiling = unequal.relaxed_ceiling_any_counts(counts, tau)
    for S in np.linspace(0.05, 1, 20):
        a = rng.uniform(-S, S, (2000, len(w)))
        a += (S**2 - a @ w)[:, None]  # onto the constraint
        a = a[(np.abs(a) <= S + 1e-12).all(1)]
        values = unequal.centred_bound_any_counts(a, n_c, N, tau) @ w
        assert not len(values) or values.max() <= ceiling + 1e-9
