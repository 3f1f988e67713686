"""What must hold of the objectives for any batch: invariances, means of anchors, orders."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.objectives.batches import OPTIONS, batch, value
from tests.objectives.test_loop_references import LOSSES, Rows


@pytest.mark.parametrize(("name", "options"), OPTIONS)
def test_rotation_and_new_label_names_change_nothing(name, options):
    z, y = batch(6)
    rotation = torch.linalg.qr(torch.randn(5, 5, dtype=torch.float64)).Q
    renamed = torch.tensor([40, -7, 3])[y]
    assert abs(value(name, z @ rotation, renamed, **options) - value(name, z, y, **options)) < 1e-13


@pytest.mark.parametrize("name", [name for name in LOSSES if name != "n_pairs"])
def test_the_order_of_samples_and_of_views_changes_nothing(name):
    z, y = batch(7, K=3)
    order, views = torch.randperm(len(y)), torch.randperm(3)
    assert abs(value(name, z[order][:, views], y[order]) - value(name, z, y)) < 1e-13


@pytest.mark.parametrize(("name", "options"), OPTIONS)
def test_the_objective_is_the_mean_of_its_anchors(name, options):
    z, y = batch(8, N=12, C=2)
    y[3] = 7  # alone in its class: without a positive where these are of the class
    losses = value(name, z, y, reduction="none", **options)
    assert losses.shape == (12, 2)
    assert abs(losses.nanmean() - value(name, z, y, **options)) < 1e-14
    if name == "dhel":
        assert losses[:, 1].isnan().all() == (options == {"anchors": "first_view"})
    else:
        lone = 2 * (
            name == "n_pairs" or (name == "ssem" and not options)
        )  # the others have the other view for a positive
        assert losses.isnan().sum(1).tolist() == [lone * (i == 3) for i in range(12)]


@pytest.mark.parametrize(("name", "beta"), [("scl_jiang", 0.0), ("hscl", 1.0)])
def test_a_mean_over_pairs_scales_its_anchors(name, beta):
    z, y = batch(8, N=8, C=2)
    y[3] = 7
    r = Rows(z, y, 0.5)
    sums = {
        a: sum(
            math.log(math.exp(r.s[a, p]) + r.Q * r.M(a, r.oth(a), beta)) - r.s[a, p] for p in r.P(a)
        )
        for a in r.all
    }
    scale = len(r.all) / sum(len(r.P(a)) for a in r.all)
    found = value(name, z, y, reduction="none")
    assert all(abs(found[a] - scale * total) < 1e-12 for a, total in sums.items())
    assert abs(value(name, z, y) - sum(sums.values()) * scale / len(r.all)) < 1e-12


@pytest.mark.parametrize(("name", "beta"), [("scl_jiang", 0.0), ("hscl", 1.0)])
def test_a_mean_over_pairs_leaves_out_anchors_that_have_none(name, beta):
    z, y = batch(8, N=8, K=1, C=2)
    y[3] = 7  # without a pair
    r = Rows(z, y, 0.5)
    terms = [
        math.log(math.exp(r.s[a, p]) + r.Q * r.M(a, r.oth(a), beta)) - r.s[a, p]
        for a in r.all
        for p in r.P(a)
    ]
    assert abs(value(name, z, y) - sum(terms) / len(terms)) < 1e-12


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    tau=st.floats(0.05, 5),
    beta=st.floats(0, 4),
    spread=st.floats(0.05, 3),
)
def test_orders_that_hold_for_every_anchor(seed, tau, beta, spread):
    z, y = batch(seed, N=12, spread=spread)

    def L(name, **options):
        return value(name, z, y, tau, reduction="none", **options)

    def below(a, b):
        assert (a <= b + 1e-12 * (1 + b.abs())).all()

    own = {"positives": "own"}
    below(L("nscl"), L("dcl"))
    below(L("nscl", pairs="distinct"), L("nscl_coupled"))
    below(L("nscl_coupled"), L("nt_xent"))
    below(L("dcl", pairs="distinct"), L("nt_xent"))
    below(L("supcon_in"), L("supcon"))
    below(L("scl_jiang"), L("hscl", beta=beta))
    below(L("nt_xent"), L("hucl", beta=beta))
    below(L("nscl_coupled"), L("h_nscl", beta=beta))
    below(L("scl_ball"), L("scl_ball", beta=beta))
    below(L("ucl_ball"), L("ucl_ball", beta=beta))
    ns, K = y.bincount()[y] - 1, 2
    ratio = (ns / (len(y) - 1 - ns))[:, None]
    gap = torch.log1p(ratio * math.exp(2 / tau))
    below(L("dcl") - L("nscl"), gap)
    below(L("nt_xent") - L("nscl_coupled"), gap)
    below(
        L("hucl", beta=beta) - L("h_nscl", beta=beta),
        torch.log1p(ratio * math.exp(2 * (beta + 1) / tau)),
    )
    # H-SCL <= H-UCL at an anchor iff the tilted mean over its class is at least that over others
    harder = L("hucl", beta=beta) - L("hscl", beta=beta, **own)
    rows, label = z.flatten(0, 1), y.repeat_interleave(K)
    s = rows @ rows.T / tau
    sample = torch.arange(len(rows)) // K
    siblings = (label[:, None] == label) & (sample[:, None] != sample)

    def log_tilted(inside):
        high = ((1 + beta) * s).masked_fill(~inside, -torch.inf).logsumexp(1)
        return high - (beta * s).masked_fill(~inside, -torch.inf).logsumexp(1)

    excess = (log_tilted(siblings) - log_tilted(label[:, None] != label)).view(z.shape[:2])
    clear = (excess.abs() > 1e-9) & (harder.abs() > 1e-13)
    assert ((excess > 0) == (harder > 0))[clear].all()


def test_the_gap_is_the_mean_log_ratio_of_same_and_other_class_sums():
    z, y = batch(11, N=9)
    e = torch.exp(z.flatten(0, 1) @ z.flatten(0, 1).T / 0.5)
    label, sample = y.repeat_interleave(2), torch.arange(18) // 2
    same = ((label[:, None] == label) & (sample[:, None] != sample)) * e
    other = (label[:, None] != label) * e
    gap = torch.log1p(same.sum(1) / other.sum(1)).mean()
    assert abs(value("dcl", z, y) - value("nscl", z, y) - gap) < 1e-13


def test_the_debiased_loss_is_below_nscl_where_the_own_view_is_closer_than_its_class():
    """With Q (1 - tau_plus) for Q and the true tau_plus: debiased <= nscl_coupled, per anchor."""
    checked = 0
    for seed in range(20):
        z, y = batch(seed, N=12, C=2, spread=0.5)
        tau, Q = 0.5, 2 * 11
        rows, label, sample = z.flatten(0, 1), y.repeat_interleave(2), torch.arange(24) // 2
        s = rows @ rows.T / tau
        siblings = (label[:, None] == label) & (sample[:, None] != sample)
        own = torch.stack([s[a, a ^ 1] for a in range(24)]).exp()
        closer = own >= (s.exp() * siblings).sum(1) / siblings.sum(1)
        nscl = value("nscl_coupled", z, y, tau, reduction="none").flatten()
        for tau_plus in (siblings.sum(1) / Q).unique().tolist():
            coded = value("debiased", z, y, tau, tau_plus=tau_plus, reduction="none").flatten()
            matched = torch.log1p(torch.expm1(coded) * (1 - tau_plus))
            floor = torch.log1p(Q * (1 - tau_plus) * math.exp(-1 / tau) / own)  # the clamp
            mine = (
                closer & ((siblings.sum(1) / Q - tau_plus).abs() < 1e-6) & (matched > floor + 1e-9)
            )
            assert (matched <= nscl + 1e-6)[mine].all()  # tau_plus is a float32 ratio
            checked += int(mine.sum())
    assert checked > 100
