"""Captured energy and the bounds made of it on laws where everything is exact or nearly so.

*enumerated*: two classes of a few atoms, whitened; the error of the nearest class centre is a sum
over all draws of the supports. *axes*: labels that x does not decide, two tasks on one law of a few
atoms. *gaussian*: two-view models whose eigenfunctions are Hermite polynomials.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from supcon_theory.audits.columns import CAPTURED_ENERGY
from supcon_theory.audits.exact_laws import compositions
from supcon_theory.measures.captured_energy import task_axis, whitened
from supcon_theory.statistics import BEYOND
from supcon_theory.theory.captured_energy import (
    axis_cosine_bound,
    captured_error_bound,
    least_telling_shots,
)
from supcon_theory.theory.few_shot.certificates import certificate
from supcon_theory.theory.hermite import hermite_features, sign_energy, top_polynomials

COLUMNS, VERSION = CAPTURED_ENERGY.columns, CAPTURED_ENERGY.version
Row = dict[str, Any]

ATOMS = 6  # of a class, at most
TIE = 1e-12  # margins within it, relative to the squared distances, are ties: errors
KINDS = ("cantelli", "trigonometric")  # certificates on small laws
MODELS = {  # contents' correlations between views, and the content whose sign is the label
    "one content": ((0.9,), 0),
    "a noisier task": ((0.9, 0.6), 1),
    "a faint view": ((0.5,), 0),
}


def bound_columns(B: float, r: int, m: float, error: float, error_se: float = 0.0) -> Row:
    """The bound beside an error, and whether it is silent wherever it should be."""
    bound = float(captured_error_bound(B, r, m))
    silent = float(least_telling_shots(B, r))
    return {
        "B": B,
        "r": r,
        "m": m,
        "error": error,
        "error_se": error_se,
        "bound_captured": bound,
        "of_bound": error / bound if error > 0 else 0.0,
        "violation_captured": error - BEYOND * error_se - min(1.0, bound),
        "silent_shots": silent,
        "violation_silence": 0.5 - bound if m <= silent else -np.inf,
    }


def random_classes(rng: np.random.Generator, r: int) -> list[np.ndarray]:
    """Two classes of equally many atoms of equal weight, heavy-tailed, whitened together.

    Args:
        rng: Of the atoms.
        r: Dimensions, the most.

    Returns:
        Rows of each class, of as many dimensions as they span.
    """
    atoms = int(rng.integers(max(1, (r + 2) // 2), ATOMS + 1))
    rows = rng.normal(size=(2, atoms, r)) * np.exp(rng.normal(size=(2, atoms, 1)))
    rows[1] += rng.exponential() * rng.normal(size=r)
    return list(whitened(rows.reshape(2 * atoms, 1, r)).features[:, 0].reshape(2, atoms, -1))


def exact_error(classes: Sequence[np.ndarray], m: int) -> float:
    """Error of the nearest of two class centres, over all draws of m supports a class.

    Args:
        classes: Rows (atoms, r) of each class, of equal weight; both classes weigh the same.
        m: Supports of each class.

    Returns:
        The error, ties counted in full.
    """
    p, centres = [], []
    for rows in classes:
        found = [(weight, rows[chosen].mean(0)) for weight, chosen in compositions(m, len(rows))]
        p.append(np.array([weight for weight, _ in found]))
        centres.append(np.stack([centre for _, centre in found]))
    total = 0.0
    for own, other in ((0, 1), (1, 0)):
        near, far = (
            np.square(classes[own][:, None] - centres[c]).sum(-1) for c in (own, other)
        )  # (atoms, draws)
        margin, scale = far[:, None, :] - near[:, :, None], far[:, None, :] + near[:, :, None]
        wrong = margin <= TIE * scale
        total += float(np.einsum("zab,a,b->", wrong, p[own], p[other])) / len(classes[own])
    return total / 2


def enumerated_row(r: int, m: int, laws: int, certified: int, seed: int) -> Row:
    """Random small laws in up to r dimensions at m shots: the worst of all.

    Args:
        r: Dimensions, the most.
        m: Supports per class.
        laws: Random laws.
        certified: To how many of them certificates are computed.
        seed: Key of the laws.

    Returns:
        A row of `CAPTURED_ENERGY`: of the law whose error is largest beside its bound.
    """
    rng = np.random.default_rng((seed, r, m))
    rows = []
    for law in range(laws):
        classes = random_classes(rng, r)
        axis = (classes[0].mean(0) - classes[1].mean(0)) / 2
        B, rank = min(float(axis @ axis), 1.0), classes[0].shape[1]
        row = bound_columns(B, rank, m, exact_error(classes, m))
        if law < certified:
            for kind in KINDS:
                proved = certificate(classes, m, kind).two_way_error
                row[f"certificate_{kind}"] = proved
                row[f"violation_certificate_{kind}"] = proved - min(1.0, row["bound_captured"])
        rows.append(row)
    worst = max(rows, key=lambda row: row["of_bound"])
    found = dict(worst) | {"r": r, "laws": laws}
    for name in {name for row in rows for name in row if name.startswith("violation_")}:
        found[name] = max(row[name] for row in rows if name in row)
    return {"protocol": "enumerated"} | found


def axes_row(r: int, laws: int, seed: int) -> Row:
    """Two tasks on one law of a few x, which need not decide the labels: worst cosine and bound.

    Args:
        r: Dimensions of the features of x.
        laws: Random laws.
        seed: Key of the laws.

    Returns:
        A row of `CAPTURED_ENERGY`: of the law whose cosine is largest beside its bound.
    """
    rng = np.random.default_rng((seed, r, 2))
    worst: Row = {}
    excess = -np.inf
    for _ in range(laws):
        N = int(rng.integers(r + 2, 3 * r + 4))
        F = whitened(rng.normal(size=(N, 1, r)) * np.exp(rng.normal(size=(N, 1, 1)))).features
        sharp = rng.choice([0.5, 2.0, 50.0])  # from noise to labels that x decides
        told = F[:, 0] @ (F[:, 0].T @ rng.normal(size=(N, 2))) / np.sqrt(N)  # however F is turned
        lean = np.tanh(sharp * (told + rng.normal(size=(N, 2))))
        eta = lean - lean.mean(0)
        eta /= np.maximum(np.abs(eta).max(0), 1.0)  # balanced: E eta = 0
        least, most = np.abs(eta.sum(1)) - 1, 1 - np.abs(eta[:, 0] - eta[:, 1])
        rho = float(np.mean(least + rng.integers(2) * (most - least)))  # extreme couplings
        axes = [task_axis(F, eta[:, k]) for k in (0, 1)]
        B, eta2 = [float(a @ a) for a in axes], np.square(eta).mean(0).tolist()
        if min(B) < 1e-9:  # rank 0 but for rounding: no axis
            continue
        bound = float(axis_cosine_bound(rho, *B, *eta2))
        cosine = abs(float(axes[0] @ axes[1])) / float(np.sqrt(B[0] * B[1]))
        excess = max(excess, cosine - bound)
        if not worst or cosine / bound > worst["of_bound"]:
            worst = {"B": min(B), "cosine": cosine, "bound_cosine": bound, "label_correlation": rho}
            worst["of_bound"] = cosine / bound
    about = {"protocol": "axes", "r": r, "laws": laws, "violation_cosine": excess}
    return worst | about


def gaussian_rows(
    model: str, dimensions: Sequence[int], shots: Sequence[int], samples: int, draws: int, seed: int
) -> Iterator[Row]:
    """A Gaussian two-view model: B exact and estimated, the error of few shots beside its bound.

    Args:
        model: Of `MODELS`.
        dimensions: Numbers r of eigenfunctions.
        shots: Numbers m of supports per class.
        samples: Samples, of two views each, that B is estimated from; queries of each class.
        draws: Draws of the supports.
        seed: Key of the samples.

    Yields:
        Rows of `CAPTURED_ENERGY`, one for each r and m.
    """
    rho, task = MODELS[model]
    k, noise = np.array(rho), 1 - np.array(rho)
    for r in dimensions:
        rng, degrees = np.random.default_rng((seed, r, 3)), top_polynomials(rho, r)

        def views(size: tuple[int, ...], sign=None, degrees=degrees, rng=rng):
            s = rng.normal(size=(*size[:-1], 1, len(rho)))
            if sign is not None:
                s[..., task] = np.abs(s[..., task]) * sign
            x = np.sqrt(k) * s + np.sqrt(noise) * rng.normal(size=(*size, len(rho)))
            return np.sign(s[..., 0, task]), hermite_features(x, degrees)

        B, eta2 = sign_energy(rho, task, r)
        Y, F = views((samples, 2))
        axis = task_axis(F, Y)  # less the product of a sample with itself, so that it is unbiased
        own = np.square(F.mean(1)).sum() / samples**2
        estimate = (float(axis @ axis) - own) * samples / (samples - 1)
        shared = float((F[:, 0] * F[:, 1]).mean(0).max())
        about = {"protocol": "gaussian", "classes": model, "eta2": eta2, "draws": draws}
        about |= {"energy": estimate, "label_free": shared}
        for m in shots:
            errors = np.zeros(draws)
            queries = {sign: views((samples, 1), sign)[1][:, 0] for sign in (-1, 1)}
            for draw in range(draws):
                near, far = (views((m, 1), sign)[1][:, 0].mean(0) for sign in (1, -1))
                level = (near @ near - far @ far) / 2
                score = {sign: of @ (near - far) - level for sign, of in queries.items()}
                errors[draw] = (np.mean(score[1] <= 0) + np.mean(score[-1] >= 0)) / 2
            # the queries are shared by all draws: their own sampling error comes on top
            se = np.sqrt(errors.var(ddof=1) / draws + 0.25 / (2 * samples))
            yield about | bound_columns(B, r, m, float(errors.mean()), float(se))
