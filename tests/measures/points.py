"""Classes of points to draw supports from, and what a probe may not see of them."""

import numpy as np


def classes_of_points(seed=0, C=5, n=12, d=4, spread=1.0, labels=None):
    """Overlapping Gaussian classes, rows shuffled so that no class is a slice."""
    rng = np.random.default_rng(seed)
    labels = np.arange(C) if labels is None else np.asarray(labels)
    y = rng.permutation(np.repeat(labels, n))
    means = dict(zip(labels.tolist(), spread * rng.standard_normal((len(labels), d)), strict=True))
    return np.array([means[c] for c in y.tolist()]) + rng.standard_normal((len(y), d)), y


def standard(a):
    """Mean of the rows, and their RMS distance from it."""
    mean = a.mean(axis=0)
    return mean, np.sqrt(((a - mean) ** 2).sum(axis=1).mean())
