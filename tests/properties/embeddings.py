"""Embeddings that nobody hopes for, and labels to match, as hypothesis strategies."""

import os

import numpy as np
import torch
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from torch.nn import functional as F

DEEP = os.environ.get("SUPCON_THEORY_FAULTS") == "deep"
SCALES = (1e-30, 1e-12, 1e-3, 1.0, 1e3, 1e12, 1e30)
SHAPES = ("random", "duplicates", "antipodes", "one direction", "nearly equal", "basis", "offset")


def cases(count: int):
    """`count` examples of every property here; a hundred times as many in the deep version."""
    return settings(
        max_examples=100 * count if DEEP else count,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )


@st.composite
def embeddings(draw, dtypes=(torch.float16, torch.float32, torch.float64), scales=SCALES):
    """(N, K, d) features of a shape and scale out of the ordinary, and (N,) labels."""
    N, K, d = draw(st.integers(2, 10)), draw(st.integers(1, 3)), draw(st.integers(1, 5))
    g = np.random.default_rng(draw(st.integers(0, 2**32)))
    x = g.normal(size=(N, K, d))
    match draw(st.sampled_from(SHAPES)):
        case "duplicates":
            x = x[g.integers(0, 2, N)]
        case "antipodes":
            x = x[:1] * np.where(np.arange(N) % 2, -1, 1)[:, None, None]
        case "one direction":
            x = np.abs(x[..., :1]) * np.ones(d)
        case "nearly equal":
            x = x[:1, :1] + 1e-9 * x
        case "basis":
            x = np.eye(max(N * K, d))[: N * K, :d].reshape(N, K, d) + (d < N * K) * x
        case "offset":
            x = x + 1e6
    dtype = draw(st.sampled_from(dtypes))
    scale = draw(st.sampled_from([s for s in scales if dtype != torch.float16 or 1e-3 <= s <= 1e3]))
    y = draw(st.sampled_from(["one class", "all apart", "halves", "anything", "words"]))
    labels = {
        "one class": np.zeros(N, int),
        "all apart": np.arange(N) * 10**12,
        "halves": np.arange(N) % 2,
        "anything": g.integers(-3, 3, N),
        "words": np.array(["cat", "dog", "é"])[g.integers(0, 3, N)],
    }[y]
    return torch.from_numpy(x * scale).to(dtype), labels


def unit(x):
    """Rows of length 1 up to the rounding of their type; rows of nothing stay."""
    x64 = x.double()
    return F.normalize(x64 / x64.abs().amax().clamp_min(1e-300), dim=-1, eps=1e-300).to(x.dtype)


def one_sentence(error: ValueError) -> bool:
    """A refusal says what it is about, in one line."""
    said = str(error)
    return bool(said) and "\n" not in said and len(said) < 500
