"""The forms of SupCon against loops over rows, finite differences and extremal configurations."""

import math

import numpy as np
import pytest

from supcon_theory.theory import supcon as theory

FORMS = ("supcon", "supcon_in")


def loss(s, positives, negatives, form) -> float:
    """Equation 2 or 3 of 2004.11362 for one anchor, by loops."""
    own = [x for x, is_positive in zip(s, positives, strict=True) if is_positive]
    rest = [x for x, is_negative in zip(s, negatives, strict=True) if is_negative]
    total = math.fsum(math.exp(x) for x in own + rest)
    if form == "supcon":
        return -math.fsum(math.log(math.exp(x) / total) for x in own) / len(own)
    return -math.log(math.fsum(math.exp(x) / total for x in own) / len(own))


def total_loss(z, y, tau, form) -> float:
    s = z @ z.T / tau
    P = (y[:, None] == y) & ~np.eye(len(y), dtype=bool)
    return sum(loss(s[a], P[a], y != y[a], form) for a in range(len(y)))


def slope(f, x, step=1e-6) -> np.ndarray:
    """Central differences in every entry."""
    found = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        for sign in (1, -1):
            moved = x.copy()
            moved[place] += sign * step
            found[place] += sign * f(moved) / (2 * step)
    return found


def seen(seed: int, M: int = 9) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logits of an anchor; some rows are positive, some negative, one neither."""
    rng = np.random.default_rng(seed)
    kind = np.array([0, 1, 2, *rng.integers(1, 3, M - 3)])
    return rng.normal(size=M) * rng.choice([0.1, 1, 5]), kind == 1, kind == 2


def batch(seed: int, unit: bool = True) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(7, 3))
    return z / np.linalg.norm(z, axis=1, keepdims=True) if unit else z, np.array(
        [0, 0, 0, 1, 1, 2, 2]
    )


@pytest.mark.parametrize("seed", range(20))
def test_the_gap_of_the_forms_is_that_of_their_losses_whatever_the_negatives(seed):
    s, P, negatives = seen(seed)
    apart = loss(s, P, negatives, "supcon") - loss(s, P, negatives, "supcon_in")
    assert theory.form_gap(s, P) == pytest.approx(apart, abs=1e-12)
    assert theory.form_gap(s + 3.0, P) == pytest.approx(apart, abs=1e-12)


@pytest.mark.parametrize("size", [1, 2, 3, 8, 31])
@pytest.mark.parametrize("scale", [1e-6, 0.3, 4.0, 60.0])
def test_the_gap_of_the_forms_lies_in_its_range(size, scale):
    rng = np.random.default_rng((size, int(scale * 1e6)))
    s = scale * rng.normal(size=(500, size)) ** rng.choice([1, 3], size=(500, 1))
    low, high = theory.form_gap_range(np.ptp(s, axis=1), size)
    gap = theory.form_gap(s, np.ones_like(s, bool))
    rounding = 1e-12 * max(1, np.abs(s).max())
    assert (low - rounding <= gap).all() and (gap <= high + rounding).all()
    assert (low <= high + rounding).all() and (scale < 0.1 or ((high > 0) == (size > 1)).all())


@pytest.mark.parametrize("size", [2, 3, 8, 31])
@pytest.mark.parametrize("R", [0.0, 1e-5, 0.7, 5.0, 40.0, 1200.0])
def test_both_ends_of_the_range_are_attained(size, R):
    low, high = theory.form_gap_range(R, size)
    middle = float(np.logaddexp(R / 2, -R / 2) - np.log(2))  # log cosh(R/2)
    least = np.array([-R / 2, R / 2] + [middle] * (size - 2))
    assert theory.form_gap(least, np.ones(size, bool)) == pytest.approx(low, abs=1e-12 + 1e-14 * R)
    corners = [np.where(np.arange(size) < k, R, 0.0) for k in range(1, size)]
    most = max(float(theory.form_gap(s, np.ones(size, bool))) for s in corners)
    assert most == pytest.approx(high, abs=1e-12 + 1e-14 * R)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("seed", range(8))
def test_slopes_are_those_of_the_loss(form, seed):
    s, P, negatives = seen(seed)
    found = theory.logit_gradient(s, P, negatives, form)
    expected = slope(lambda x: loss(x, P, negatives, form), s)
    np.testing.assert_allclose(found, expected, atol=1e-8)
    assert found[~P & ~negatives] == 0 and found.sum() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("form", FORMS)
def test_gradients_of_a_batch_and_of_an_anchor_alone(form):
    z, y = batch(0)
    tau = 0.4
    P = (y[:, None] == y) & ~np.eye(len(y), dtype=bool)
    slopes = theory.logit_gradient(z @ z.T / tau, P, y[:, None] != y, form)
    whole = slope(lambda x: total_loss(x, y, tau, form), z)
    np.testing.assert_allclose(theory.batch_gradient(z, slopes, tau), whole, atol=1e-7)
    for a in range(len(y)):
        alone = slope(lambda x, a=a: loss(z @ x / tau, P[a], y != y[a], form), z[a])
        np.testing.assert_allclose(theory.anchor_gradient(z, slopes, tau)[a], alone, atol=1e-7)


def test_a_gradient_before_normalisation():
    w, y = batch(1, unit=False)
    unit = lambda x: x / np.linalg.norm(x, axis=1, keepdims=True)  # noqa: E731
    tau, z = 0.3, w / np.linalg.norm(w, axis=1, keepdims=True)
    P = (y[:, None] == y) & ~np.eye(len(y), dtype=bool)
    slopes = theory.logit_gradient(z @ z.T / tau, P, y[:, None] != y, "supcon")
    found = theory.through_normalisation(w, theory.batch_gradient(z, slopes, tau))
    np.testing.assert_allclose(
        found, slope(lambda x: total_loss(unit(x), y, tau, "supcon"), w), atol=1e-6
    )
    np.testing.assert_allclose((found * w).sum(1), 0, atol=1e-12)


@pytest.mark.parametrize("tau", [0.02, 0.1, 1.0, 5.0])
def test_the_strongest_pull_is_where_a_fine_grid_has_it(tau):
    c = np.linspace(-1, 1, 200_001)
    best = c[np.argmax(c / tau + 0.5 * np.log1p(-np.minimum(c * c, 1 - 1e-16)))]
    assert theory.strongest_pull(tau) == pytest.approx(best, abs=2e-5)


def test_the_limits_of_a_triplet_hold_and_are_reached():
    u = np.concatenate([np.linspace(-60, 60, 2001), [-1e-4, 0.0, 1e-4]])
    forms = theory.triplet_forms(u)
    np.testing.assert_allclose(forms["loss"], [math.log1p(math.exp(x)) for x in u], atol=1e-13)
    for name in ("small", "hinge"):
        off = np.abs(forms["loss"] - forms[name])
        assert (off <= forms[f"{name}_within"] + 1e-14).all()
    assert forms["loss"][-2] == forms["small"][-2] == forms["hinge_within"][-2]  # at u = 0
    assert forms["published"][-2] - forms["loss"][-2] == pytest.approx(1 - math.log(2))


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: theory.form_gap([1.0, 2.0], [False, False]), "needs a positive"),
        (lambda: theory.form_gap_range(-1.0, 3), "spread = -1.0"),
        (lambda: theory.form_gap_range(1.0, 0), "positives = 0"),
        (
            lambda: theory.logit_gradient([1.0, 0.0], [True, False], [False, True], "out"),
            "form = out",
        ),
        (lambda: theory.strongest_pull(0.0), "tau = 0.0"),
        (lambda: theory.through_normalisation([[0.0, 0.0]], [[1.0, 0.0]]), "no direction"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(call, named):
    with pytest.raises(ValueError, match=named):
        call()
