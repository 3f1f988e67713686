"""What must hold of the objectives for any batch: derivatives, invariances, identities, orders."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from supcon_theory.objectives import OBJECTIVES
from tests.objectives.test_loop_references import LOSSES, Rows, triplet

HARD = ["hucl", "h_nscl", "hcl", "hscl"]
OPTIONS = [(name, {}) for name in LOSSES] + [
    ("dcl", {"pairs": "distinct"}),
    ("supcon", {"max_positives": 3}),
    ("hscl", {"positives": "own", "beta": 0.5}),
    ("dhel", {"anchors": "first_view"}),
    ("hcl", {"tau_plus": 0.0}),
    ("scl_ball", {"beta": 0.5}),
    ("ucl_ball", {"beta": 0.5}),
    ("ssem", {"alpha": 1.0}),
    ("soft_supcon", {"softness": 1.0}),
    ("kcl", {"kernel_name": "inverse_multiquadric", "gamma": 1.0}),
    ("sigmoid", {"bias": -1.0}),
    ("triplet", {"margin": 0.5}),
]


def batch(seed, N=10, K=2, d=5, C=3, spread=None):
    """Random unit rows, every class present at least twice; `spread` clusters views and classes."""
    g = torch.Generator().manual_seed(seed)
    y = torch.cat([torch.arange(C).repeat(2), torch.randint(C, (N - 2 * C,), generator=g)])
    y = y[torch.randperm(N, generator=g)]
    z = torch.randn(N, K, d, generator=g, dtype=torch.float64)
    if spread is not None:
        centres = torch.randn(C, d, generator=g, dtype=torch.float64)
        z = centres[y][:, None] + spread * z
    return F.normalize(z, dim=-1), y


def value(name, z, y, tau=0.5, **options):
    return OBJECTIVES[name](z, y, tau=tau, **options)


# ---- derivatives --------------------------------------------------------------------------------
@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize(("name", "options"), OPTIONS)
def test_the_gradient_is_that_of_finite_differences(name, options, K):
    z, y = batch(1, N=7, K=K, d=3)
    assert torch.autograd.gradcheck(lambda x: value(name, x, y, **options), z.requires_grad_())


@pytest.mark.parametrize(
    "name", ["dcl", "nscl", "supcon", "supcon_in", "hucl", "dhel", "hscl", "triplet"]
)
def test_second_derivatives_exist_and_are_right(name):
    z, y = batch(2, N=6, K=2, d=2)
    assert torch.autograd.gradgradcheck(lambda x: value(name, x, y), z.requires_grad_())


@pytest.mark.parametrize("tau", [0.5, 0.001])  # 0.001: shifted strips
def test_the_gradient_survives_a_second_backward_of_the_same_graph(tau):
    z, y = batch(3)
    loss = value("nscl", z.requires_grad_(), y, tau)
    first, second = (torch.autograd.grad(loss, z, retain_graph=True)[0] for _ in range(2))
    assert torch.equal(first, second)


@pytest.mark.parametrize("name", HARD)
def test_detached_weights_leave_the_value_and_give_the_gradient_of_constant_weights(name):
    z, y = batch(4, N=6, d=3)
    z.requires_grad_()
    beta, tau, K = 0.7, 0.5, 2
    options = {"positives": "own"} if name == "hscl" else {}
    loss = value(name, z, y, tau, beta=beta, detach_weights=True, **options)
    assert abs(loss - value(name, z, y, tau, beta=beta, **options)) < 1e-14
    rows, classes = z.flatten(0, 1), y.repeat_interleave(K)
    s = rows @ rows.T / tau
    sample = torch.arange(len(rows)) // K
    apart = classes if name in ("h_nscl", "hscl") else sample
    negatives = apart[:, None] != apart
    weights = torch.exp(beta * s).detach() * negatives
    m = (weights * s.exp()).sum(1) / weights.sum(1)
    partner = torch.stack([s[a, a ^ 1] for a in range(len(rows))])
    if name == "hcl":
        m = torch.clamp((m - 0.1 * partner.exp()) / 0.9, min=math.exp(-1 / tau))
    count = negatives.sum(1) if name == "h_nscl" else K * (len(y) - 1)
    wanted = torch.log1p(count * m / partner.exp()).mean()
    assert abs(loss - wanted) < 1e-12
    found, expected = (torch.autograd.grad(x, z)[0] for x in (loss, wanted))
    assert (found - expected).abs().max() < 1e-12
    through = torch.autograd.grad(value(name, z, y, tau, beta=beta, **options), z)[0]
    assert (found - through).abs().max() > 1e-4


@pytest.mark.parametrize("name", ["scl_ball", "ucl_ball"])
def test_detached_weights_of_class_level_losses_are_constant_too(name):
    z, y = batch(4, N=6, d=3)
    z.requires_grad_()
    beta, tau = 0.7, 0.5
    loss = value(name, z, y, tau, beta=beta, detach_weights=True)
    assert abs(loss - value(name, z, y, tau, beta=beta)) < 1e-14
    rows, classes = z.flatten(0, 1), y.repeat_interleave(2)
    s, same = rows @ rows.T / tau, classes[:, None] == classes
    weights = torch.exp(beta * s).detach() * (~same if name == "scl_ball" else 1)
    m = (weights * s.exp()).sum(1) / weights.sum(1)
    wanted = torch.log1p(m[:, None] / s.exp())[same].mean()
    assert abs(loss - wanted) < 1e-12
    found, expected = (torch.autograd.grad(x, z)[0] for x in (loss, wanted))
    assert (found - expected).abs().max() < 1e-12
    through = torch.autograd.grad(value(name, z, y, tau, beta=beta), z)[0]
    assert (found - through).abs().max() > 1e-4


@pytest.mark.parametrize("name", ["supcon", "supcon_in"])
def test_the_supcon_gradient_is_that_of_the_paper_with_both_halves(name):
    """dL/dz = (R + R^T) z, R = (P - X) / tau: X uniform (L_out) or softmax (L_in) on positives."""
    z, y = batch(5)
    tau, M = 0.3, 20
    (found,) = torch.autograd.grad(value(name, z.requires_grad_(), y, tau), z)
    rows, classes = z.detach().flatten(0, 1), y.repeat_interleave(2)
    s = rows @ rows.T / tau
    s.fill_diagonal_(-torch.inf)
    positive = (classes[:, None] == classes) & ~torch.eye(M, dtype=torch.bool)
    x = (s if name == "supcon_in" else 0 * rows @ rows.T).masked_fill(~positive, -torch.inf)
    x = x.softmax(1)
    r = (s.softmax(1) - x) / tau / M
    assert (found.flatten(0, 1) - (r + r.T) @ rows).abs().max() < 1e-13


# ---- invariances --------------------------------------------------------------------------------
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


# ---- identities ---------------------------------------------------------------------------------
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), tau=st.floats(0.05, 5), K=st.integers(2, 4))
def test_identities_between_objectives(seed, tau, K):
    z, y = batch(seed, K=K)
    unique = torch.arange(len(y))

    def L(name, labels=y, **options):
        return value(name, z, labels, tau, **options).item()

    def same(a, b):
        assert abs(a - b) < 1e-12 * max(1, abs(a))

    same(L("hucl", beta=0), L("nt_xent"))
    same(L("h_nscl", beta=0), L("nscl_coupled"))
    same(L("hscl", beta=0), L("scl_jiang"))
    same(L("hcl", beta=0), L("debiased"))
    same(L("hcl", tau_plus=0, beta=1.5), L("hucl", beta=1.5))
    same(L("nscl", labels=unique), L("dcl"))
    same(L("nscl_coupled", labels=unique), L("nt_xent"))
    same(L("n_dhel", labels=unique), L("dhel"))
    own = (z.sum(1).square().sum(-1) - K) / (K * (K - 1))  # mean cosine of distinct views
    same(L("dcl"), L("dcl", pairs="distinct") - (1 - own.mean().item()) / (K * tau))
    same(L("nscl"), L("nscl", pairs="distinct") - (1 - own.mean().item()) / (K * tau))
    same(L("dhel_official"), 2 * L("dhel") + own.mean().item() / tau)
    same(L("supcon", max_positives=K * len(y)), L("supcon"))
    if K == 2:
        same(L("supcon", labels=unique), L("nt_xent"))
        same(L("supcon_in", labels=unique), L("nt_xent"))
        same(L("supcon", max_positives=1), L("nscl_coupled"))


def test_n_pairs_is_supcon_when_classes_are_pairs_of_single_views():
    z, _ = batch(9, N=8, K=1)
    y = torch.tensor([0, 1, 2, 3, 3, 2, 0, 1])
    assert abs(value("n_pairs", z, y, 1.0) - value("supcon", z, y, 1.0)) < 1e-14
    assert abs(OBJECTIVES["n_pairs"](z, y) - value("n_pairs", z, y, 1.0)) == 0  # tau = 1 by default


def test_one_positive_and_one_negative_give_the_triplet_limits():
    """log(1 + e^u), u = (d_ap - d_an) / (2 tau) with squared distances d: a hinge, then a line."""
    z, _ = batch(10, N=3, K=1, d=3, C=1)
    y = torch.tensor([0, 0, 1])  # anchors 0 and 1; the third sample has no positive
    d = torch.cdist(z[:, 0], z[:, 0]).square()
    difference = d[0, 1] - d[:2, 2]

    def loss(tau):
        alone = value("supcon", z, y, tau, reduction="none").isnan()
        assert alone.flatten().tolist() == [False, False, True]
        return value("supcon", z, y, tau)

    assert abs(loss(0.7) - torch.log1p(torch.exp(difference / 1.4)).mean()) < 1e-13
    low, high = 1e-4, 1e4
    hinge = torch.relu(difference / 2).mean()
    assert abs(low * loss(low) - hinge) < low
    assert abs(low * value("triplet", z, y, low, margin=0.0) - hinge) < 1e-14
    assert abs(loss(high) - math.log(2) - (difference / (4 * high)).mean()) < 1e-8


@pytest.mark.parametrize("alpha", [0.2, 1.5])
def test_twice_tau_times_the_triplet_loss_is_that_of_squared_distances(alpha):
    """FaceNet's: the mean over an anchor's triplets of max(0, d_ap - d_an + alpha)."""
    z, y = batch(12, N=8, K=2)
    rows, label = z.flatten(0, 1), y.repeat_interleave(2)
    d = torch.cdist(rows, rows).square()
    total = 0.0
    for a in range(16):
        p = [b for b in range(16) if label[b] == label[a] and b != a]
        n = [b for b in range(16) if label[b] != label[a]]
        total += torch.relu(d[a, p][:, None] - d[a, n] + alpha).mean() / 16
    assert abs(2 * 0.3 * value("triplet", z, y, 0.3, margin=alpha / 2) - total) < 1e-13


@pytest.mark.parametrize("margin", [0.0, 1.0, 2.0])
def test_triplets_at_their_kinks_count_as_nothing_and_have_one_of_the_two_slopes(margin):
    """Cosines of -1, 0 and 1 without rounding: many hinges are exactly at 0."""
    axes = torch.cat([torch.eye(3), -torch.eye(3)]).double()
    z = axes[torch.tensor([[0, 0], [0, 3], [1, 1], [1, 0], [4, 2], [5, 2]])].requires_grad_()
    y = torch.tensor([0, 0, 1, 1, 2, 2])
    wanted = triplet(Rows(z.detach(), y, 0.5), margin)
    loss = value("triplet", z, y, margin=margin)
    assert abs(loss - wanted) < 1e-14
    (found,) = torch.autograd.grad(loss, z)
    g, h = torch.Generator().manual_seed(0), 1e-7
    for _ in range(5):  # rows off the sphere by h^2 only
        step = torch.randn(z.shape, generator=g, dtype=torch.float64)
        step -= (step * z.detach()).sum(-1, keepdim=True) * z.detach()
        up, down = (value("triplet", z.detach() + t * step, y, margin=margin) for t in (h, -h))
        slopes = sorted([(up - loss.detach()).item() / h, (loss.detach() - down).item() / h])
        assert slopes[0] - 1e-5 < (found * step).sum() < slopes[1] + 1e-5
    if margin < 2:  # at kinks indeed; a cosine of 1 or -1 has no slope along the sphere
        assert slopes[1] - slopes[0] > 1e-3


@pytest.mark.parametrize(("C", "n", "K"), [(3, 2, 2), (4, 3, 1), (2, 5, 3)])
def test_equal_rows_give_the_logarithm_of_a_count(C, n, K):
    N, tau = C * n, 0.4
    z = F.normalize(torch.ones(N, K, 3, dtype=torch.float64), dim=-1)
    y = torch.arange(N) % C
    Q, other = K * (N - 1), K * n * (C - 1)
    wanted = {
        "supcon": math.log(K * N - 1),
        "supcon_in": math.log(K * N - 1),
        "dcl": math.log(Q),
        "nscl": math.log(other),
        "scl_jiang": math.log1p(Q),
        "hscl": math.log1p(Q),
        "n_pairs": math.log1p(other),
        "scl_ball": math.log(2),
        "ucl_ball": math.log(2),
        "ssem": math.log(K * N),
        "soft_supcon": math.log(K * N - 1),
        "triplet": 0.1 / tau,
    }
    if K > 1:
        wanted |= dict.fromkeys(("nt_xent", "hucl", "debiased", "hcl"), math.log1p(Q))
        wanted |= dict.fromkeys(("nscl_coupled", "h_nscl"), math.log1p(other))
        wanted |= {
            "dhel": math.log(N - 1),
            "dhel_official": 2 * math.log(N - 1) + 1 / tau,
            "n_dhel": math.log(n * (C - 1)),
            "kcl": 2 * 16 - 2,
            "sigmoid": math.log1p(math.exp(10 - 1 / tau))
            + (N - 1) * math.log1p(math.exp(1 / tau - 10)),
        }
    for name, expected in wanted.items():
        assert abs(value(name, z, y, tau).item() - expected) < 1e-12, name


# ---- minima -------------------------------------------------------------------------------------
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


# ---- orders -------------------------------------------------------------------------------------
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
