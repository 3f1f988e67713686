"""The scale: exact minima are reached by free embeddings, bounds never beaten, means are right."""

import math

import numpy as np
import pytest
import torch
from scipy.special import hyp0f1
from scipy.stats import binom
from torch.nn.functional import normalize

from supcon_theory.free.optimise import gaussian_starts, optimise
from supcon_theory.objectives import IDS, OBJECTIVES
from supcon_theory.rulers import batches
from supcon_theory.rulers import scale as module
from supcon_theory.rulers.cosines import levels
from supcon_theory.rulers.floors import FLOORS
from supcon_theory.rulers.losses import LOSSES, read_options
from supcon_theory.rulers.scale import random_mean, scale
from supcon_theory.rulers.setting import Setting, apart

FREE = [id for id in IDS if id != "cross_entropy"]


def setting(id, batch, classes=None, tau=0.5, views=2, dim=None, balanced=True, **options):
    p = None if classes is None else np.full(classes, 1 / classes)
    read = read_options(id, options)
    return Setting(
        LOSSES[id], FLOORS[id], read, batch, views, tau, dim, p, balanced and p is not None
    )


@pytest.fixture
def quick(monkeypatch):
    """Few draws, for what does not depend on them."""
    monkeypatch.setattr(module, "ANCHORS", (4, 8))
    monkeypatch.setattr(batches, "DRAWS", 20)


def named(lines):
    return {line.name: line for line in lines}


def lowest(id, y, K, d, tau, starts=3):
    _, found = optimise(id, gaussian_starts(starts, len(y), K, d, 0), y, tau, 300, 1e-8)
    return float(found.value.min())


# ---- least --------------------------------------------------------------------------------------
@pytest.mark.parametrize("id", FREE)
def test_free_embeddings_reach_the_exact_minimum_and_nothing_lower(id):
    y = torch.arange(3).repeat(2)
    line = setting(id, 6, 3 if LOSSES[id].labelled else None)
    (least, *best) = line.floor(line)
    found = lowest(id, y, 2, 6, 0.5)
    assert least.status == "exact minimum" and not best
    assert found == pytest.approx(least.value, abs=1e-6)


@pytest.mark.parametrize("id", ["debiased", "hcl"])
def test_free_embeddings_find_nothing_below_the_best_found(id):
    ruler = setting(id, 6, tau=1.0)
    least, best = ruler.floor(ruler)
    assert (least.status, best.status) == ("bound, not attained", "best found")
    found = lowest(id, torch.arange(6), 2, 6, 1.0)
    assert found == pytest.approx(best.value, abs=1e-6) and found > least.value


@pytest.mark.parametrize("margin", [0.0, 0.4])
def test_free_embeddings_and_class_weights_reach_the_exact_minimum(margin):
    y, tau = torch.arange(3).repeat(2), 0.5
    rows = torch.randn(9, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    rows.requires_grad_()
    search = torch.optim.LBFGS([rows], max_iter=300, line_search_fn="strong_wolfe")

    def loss():
        unit = normalize(rows, dim=-1)
        z, weights = unit[:6, None], unit[6:]
        return OBJECTIVES["cross_entropy"](z, y, tau=tau, weights=weights, margin=margin)

    def closure():
        search.zero_grad()
        value = loss()
        value.backward()
        return value

    search.step(closure)
    ruler = setting("cross_entropy", 6, 3, margin=margin)
    assert ruler.floor(ruler)[0].status == "exact minimum"
    assert loss().item() == pytest.approx(ruler.floor(ruler)[0].value, abs=1e-6)


@pytest.mark.parametrize("counts", [[4, 1, 1], [3, 2, 2]])
@pytest.mark.parametrize("id", [id for id in FREE if LOSSES[id].labelled])
def test_free_embeddings_do_not_beat_the_bound_of_a_random_batch(id, counts):
    y = torch.from_numpy(np.repeat(np.arange(3), counts))
    ruler = setting(id, len(y), 3, balanced=False)
    vars(ruler)["counts"] = np.array([counts])  # this batch alone
    (least,) = ruler.floor(ruler)
    found = lowest(id, y, 2, 4, 0.5)
    if id in ("soft_supcon", "triplet"):  # soft enough, with room for the margin, at any sizes
        assert least.status == "exact minimum" and found == pytest.approx(least.value, abs=1e-6)
        return
    assert least.status == "bound, not attained"
    assert least.value - 1e-9 <= found
    assert found - least.value < 0.5 * (apart(ruler, 0.0).mean - least.value)  # and says something


@pytest.mark.parametrize("id", ["dcl", "nt_xent", "supcon", "nscl"])
def test_too_few_dimensions_leave_a_bound_that_is_not_reached(id):
    y = torch.arange(4).repeat(2)
    ruler = setting(id, 8, 4 if LOSSES[id].labelled else None, dim=2)
    (least,) = ruler.floor(ruler)
    assert least.status == "bound, not attained"
    assert lowest(id, y, 2, 2, 0.5) > least.value + 1e-3


@pytest.mark.parametrize(
    ("margin", "classes", "dim", "least"),
    [(1.4, 3, 6, 0.0), (1.7, 3, 6, 0.4), (0.9, 5, 3, 0.0), (0.6, 6, 2, None), (0.4, 6, 2, 0.0)],
)  # simplex, beyond it, orthoplex, too near on a circle, a circle
def test_a_margin_that_fits_between_the_classes_costs_nothing(margin, classes, dim, least):
    y = torch.arange(classes).repeat(2)
    ruler = setting("triplet", 2 * classes, classes, dim=dim, margin=margin)
    (line,) = ruler.floor(ruler)
    z = gaussian_starts(8, len(y), 2, dim, 0)
    _, found = optimise("triplet", z, y, 0.5, 1000, 1e-9, margin=margin)
    if least is None:
        assert line.status == "bound, not attained" and found.value.min() > line.value + 1e-3
        return
    assert line.status == "exact minimum" and line.value == pytest.approx(least, abs=1e-12)
    assert float(found.value.min()) == pytest.approx(least, abs=1e-4)


@pytest.mark.parametrize("margin", [0.5, 1.4, 1.6, 2.5])
def test_unequal_classes_leave_a_bound_of_triplets_beyond_the_simplex(margin):
    y = torch.from_numpy(np.repeat(np.arange(3), [4, 1, 1]))
    ruler = setting("triplet", 6, 3, balanced=False, margin=margin)
    vars(ruler)["counts"] = np.array([[4, 1, 1]])
    (line,) = ruler.floor(ruler)
    _, found = optimise("triplet", gaussian_starts(3, 6, 2, 4, 0), y, 0.5, 300, 1e-8, margin=margin)
    assert (line.status == "exact minimum") == (margin < 1.5)
    assert line.value - 1e-9 <= float(found.value.min()) < line.value + 0.7


@pytest.mark.parametrize("id", FREE)
def test_nothing_is_above_the_most(id, quick):
    """Views opposite, everything else in one point, and random rows."""
    y, generator = torch.arange(3).repeat(2), torch.Generator().manual_seed(0)
    for tau in (0.2, 1.0):
        most = named(scale(setting(id, 6, 3 if LOSSES[id].labelled else None, tau)))["most"]
        pole = torch.zeros(6, 2, 3, dtype=torch.float64)
        pole[..., 0] = 1
        pole[0, 1, 0] = -1
        away = pole.clone()
        away[::2, :, 0] *= -1
        random = torch.randn(6, 2, 3, generator=generator, dtype=torch.float64)
        for z in (pole, away, normalize(random, dim=-1)):
            assert float(OBJECTIVES[id](z, y, tau=tau)) <= most.value + 1e-9


# ---- random batches -----------------------------------------------------------------------------
@pytest.mark.parametrize("id", ["nscl", "supcon", "nscl_coupled", "nt_xent"])
def test_the_mean_over_random_batches_is_that_of_binomial_class_sizes(id):
    """Linear in the counts: E over batches = sum over n of binom(n - 1; B - 1, 1/C) l(n)."""
    B, C, tau = 60, 10, 0.2
    ruler = setting(id, B, C, tau, balanced=False)
    found = ruler.at(1.0, 1.0, -1 / 9)
    n = np.arange(1.0, B)
    losses = LOSSES[id](levels(n, B, 2, tau, C, 1.0, 1.0, -1 / 9), ruler.options)
    exact = binom.pmf(n - 1, B - 1, 1 / C) @ losses
    spread = (found.high - found.low) / math.sqrt(batches.DRAWS)
    assert found.mean == pytest.approx(exact, abs=spread)
    assert found.low < exact < found.high


def test_batches_are_the_same_at_every_call_and_hold_every_sample():
    p = np.array([0.5, 0.3, 0.2])
    drawn = batches.draw(50, p)
    assert (drawn == batches.draw(50, p)).all() and (drawn.sum(1) == 50).all()
    assert drawn.mean(0) / 50 == pytest.approx(p, abs=0.02)


def test_batches_of_one_class_are_left_out():
    p = np.array([0.999, 0.001])
    ruler = setting("nscl", 4, 2, balanced=False)
    object.__setattr__(ruler, "probabilities", p)
    assert (ruler.counts > 0).all() and 0 < len(ruler.counts) < batches.DRAWS


# ---- random directions --------------------------------------------------------------------------
@pytest.mark.parametrize("id", FREE)
def test_random_directions_are_those_of_embeddings_drawn_at_random(id):
    B, C, d, tau, draws = 12, 3, 4, 0.5, 500
    y = torch.arange(C).repeat(B // C)
    mean, error = random_mean(setting(id, B, C, tau), d)
    z = gaussian_starts(draws, B, 2, d, 7)
    values = torch.func.vmap(lambda rows: OBJECTIVES[id](rows, y, tau=tau))(z)
    noise = math.hypot(error, values.std().item() / math.sqrt(draws))
    assert mean == pytest.approx(values.mean().item(), abs=4 * noise)
    assert noise < 0.1


def test_positives_of_both_signs_leave_little_noise():
    """Without them the error is that of s_ap, 1 / (tau sqrt(d anchors)) = .056."""
    _, error = random_mean(setting("nt_xent", 512, tau=0.07), 128)
    assert error < 0.01


def test_random_signs_are_an_exact_sum_over_binomials():
    """d = 1: the cosines are +-1 with equal odds."""
    N, K, tau = 9, 2, 0.7
    mean, error = random_mean(setting("dcl", N, tau=tau), 1)
    M = K * (N - 1)
    up = np.arange(M + 1)
    total = np.log(up * math.exp(1 / tau) + (M - up) * math.exp(-1 / tau))
    exact = binom.pmf(up, M, 0.5) @ total - 1 / (K * tau)  # own: the anchor, and a mean of 0
    assert mean == pytest.approx(exact, abs=4 * error)


@pytest.mark.parametrize("id", [id for id in IDS if LOSSES[id].random])
def test_many_random_directions_are_near_their_formula(id):
    """Mean of e^s is 0F1(; d/2; 1 / (4 tau^2)); the log of a mean of many is near its log."""
    N, d, tau = 1500, 16, 0.5
    ruler = setting(id, N, 3 if LOSSES[id].labelled else None, tau)
    mean, error = random_mean(ruler, d)
    wanted = apart(ruler, 0.0).mean + math.log(hyp0f1(d / 2, 1 / (4 * tau**2)))
    assert mean == pytest.approx(wanted, abs=4 * error + 2e-3) and mean < wanted + 4 * error
    assert LOSSES[id].random == "near equal + log 0F1(; d/2; 1/(4 tau^2))"


# ---- the lines ----------------------------------------------------------------------------------
def test_the_margin_runs_from_equal_to_the_least(quick):
    for id in ("supcon", "nscl", "dcl", "nt_xent", "dhel_official"):
        ruler = setting(id, 12, 3 if LOSSES[id].labelled else None)
        points = 3 if LOSSES[id].labelled else 12
        values = [apart(ruler, m).mean for m in np.linspace(0, points / (points - 1), 20)]
        lines = named(scale(ruler))
        assert values[0] == lines["equal"].value
        assert values[-1] == pytest.approx(lines["least"].value, abs=1e-12)
        assert (np.diff(values) < 0).all()


def test_lines_are_sorted_and_every_id_has_the_same_ones(quick):
    for id in IDS:
        ruler = setting(id, 12, 3, balanced=False)
        lines = scale(ruler)
        at = named(lines)
        assert {"least", "margin", "equal", "class collapse", "random", "most"} <= set(at)
        assert ("instances" in at) == (LOSSES[id].labelled and id != "cross_entropy")
        assert at["least"].value <= min(line.value for line in lines) + 1e-12
        assert all(line.low <= line.value + 1e-12 <= line.high + 2e-12 for line in lines)
