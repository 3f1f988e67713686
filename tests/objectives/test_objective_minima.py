"""The closed-form minima: attained, and by no better batch."""

import math

import pytest
import torch
from torch.nn import functional as F

from tests.objectives.batches import value


def simplex(count):
    """`count` unit rows with inner products -1 / (count - 1), in `count` dimensions."""
    centred = torch.eye(count, dtype=torch.float64) - 1 / count
    return F.normalize(centred, dim=-1)


def minima(C, n, K, tau):
    N = C * n
    q, r = math.exp(-C / ((C - 1) * tau)), math.exp(-N / ((N - 1) * tau))
    Q, other = K * (N - 1), K * n * (C - 1)
    instances = {
        "nt_xent": math.log1p(Q * r),
        "hucl": math.log1p(Q * r),
        "dcl": math.log(Q * r),
        "dhel": math.log((N - 1) * r),
        "dhel_official": 2 * math.log(N - 1) - (N + 1) / ((N - 1) * tau),
    }
    classes = {
        "nscl": math.log(other * q),
        "nscl_coupled": math.log1p(other * q),
        "h_nscl": math.log1p(other * q),
        "supcon": math.log(K * n - 1 + other * q),
        "supcon_in": math.log(K * n - 1 + other * q),
        "scl_jiang": math.log1p(Q * q),
        "hscl": math.log1p(Q * q),
        "n_dhel": math.log(n * (C - 1) * q),
        "scl_ball": math.log1p(q),
        "ucl_ball": math.log1p((1 + (C - 1) * q) / C),
    }
    return instances, classes


@pytest.mark.parametrize(("C", "n", "K", "tau"), [(3, 2, 2, 0.5), (4, 3, 3, 1.0), (2, 4, 2, 0.2)])
def test_closed_form_minima_are_attained_at_the_simplex_and_by_no_better_batch(C, n, K, tau):
    y = torch.arange(C * n) % C
    instances, classes = minima(C, n, K, tau)
    for wanted, z in (
        (instances, simplex(C * n)),
        (classes, simplex(C)[y]),
    ):
        z = z[:, None].repeat(1, K, 1)
        for name, lowest in wanted.items():
            assert abs(value(name, z, y, tau) - lowest) < 1e-12 * max(1, abs(lowest)), name
            for seed in range(5):  # nearby and far batches
                for size in (0.03, 0.3, 3.0):
                    g = torch.Generator().manual_seed(seed)
                    noise = torch.randn(z.shape, generator=g, dtype=torch.float64)
                    other = F.normalize(z + size * noise, dim=-1)
                    assert value(name, other, y, tau) > lowest, name


@pytest.mark.parametrize(("C", "n", "K"), [(3, 2, 2), (2, 4, 1), (5, 2, 3)])
def test_triplets_are_at_rest_where_classes_are_apart_by_the_margin(C, n, K):
    y, edge = torch.arange(C * n) % C, C / (C - 1)
    z = simplex(C)[y][:, None].repeat(1, K, 1)
    for margin in (0.0, 0.1, edge - 1e-9, edge + 0.2, 2.0):
        least = max(0.0, margin - edge) / 0.5
        assert abs(value("triplet", z, y, margin=margin) - least) < 1e-12
        for size in (0.03, 0.3, 3.0):
            g = torch.Generator().manual_seed(0)
            noise = torch.randn(z.shape, generator=g, dtype=torch.float64)
            other = value("triplet", F.normalize(z + size * noise, dim=-1), y, margin=margin)
            assert other >= least
            if size == 0.03 and margin == 0.1:  # not collapsed, and at rest
                assert other == 0
    assert value("triplet", F.normalize(z + 0.03 * noise, dim=-1), y, margin=edge + 0.2) > 0.4


@pytest.mark.parametrize("name", ["dcl", "nscl_coupled", "supcon_in", "hucl"])
def test_free_embeddings_descend_to_the_closed_form_minimum(name):
    C, n, K, tau = 3, 2, 2, 1.0
    y = torch.arange(C * n) % C
    lowest = {k: v for part in minima(C, n, K, tau) for k, v in part.items()}[name]
    g = torch.Generator().manual_seed(0)
    w = torch.randn(C * n, K, 8, generator=g, dtype=torch.float64).requires_grad_()
    options = {"beta": 0.2} if name == "hucl" else {}
    search = torch.optim.LBFGS(
        [w], max_iter=500, tolerance_grad=1e-9, line_search_fn="strong_wolfe"
    )

    def closure():
        search.zero_grad()
        loss = value(name, F.normalize(w, dim=-1), y, tau, **options)
        loss.backward()
        return loss

    search.step(closure)
    assert abs(closure().item() - lowest) < 1e-6
