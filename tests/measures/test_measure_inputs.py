"""Every measure takes features and labels of any kind, and refuses the rest in one sentence."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from supcon_theory import measures
from supcon_theory.measures.clusters import clusters, equal_clusters
from supcon_theory.measures.neighbours import purity, trustworthiness

LABELLED = {
    name: getattr(measures, name)
    for name in (
        "cdnv directional_cdnv centre_distances nc1 equinorm equiangularity max_angle "
        "etf_deviation augmentation_variance within_class_variance class_gram"
    ).split()
} | {"geometry": lambda x, y: list(measures.geometry(x, y).values())}
UNLABELLED = {
    "alignment": measures.alignment,
    "uniformity": measures.uniformity,
    "lidar": measures.lidar,
    "singular_values": measures.singular_values,
}
FLAT = {
    "clusters": lambda x: clusters(x, 3),
    "equal_clusters": lambda x: equal_clusters(x, 3),
    "purity": lambda x: purity(x, np.arange(24) % 3),
    "trustworthiness": lambda x: trustworthiness(x, np.asarray(X[:, 0, :2])),
}

Y = np.arange(24) % 4
# A grid of 1/8: exact in bfloat16, so that every form of the features holds the same numbers.
X = np.round(8 * (np.random.default_rng(0).normal(size=(24, 2, 6)) + np.eye(4, 6)[Y][:, None])) / 8

LABEL_FORMS = {
    "uint8": Y.astype(np.uint8),
    "uint16": Y.astype(np.uint16),
    "uint64 tensor": torch.from_numpy(Y.astype(np.uint64)),
    "big-endian": Y.astype(">i4"),
    "identifiers": Y * 10**12 + 3,
    "negative": Y - 9,
    "strings": np.array(["a", "bb", "ccc", "d"])[Y],
    "objects": np.array(["a", "bb", "ccc", "d"], dtype=object)[Y],
    "list": Y.tolist(),
    "whole floats": Y.astype(np.float64),
}
FEATURE_FORMS = {
    "array": X,
    "float16": X.astype(np.float16),
    "big-endian": X.astype(">f8"),
    "strided": np.repeat(X, 2, axis=0)[::2],
    "integers": None,
    "bfloat16 with a graph": torch.tensor(X).bfloat16().requires_grad_(),
}


def frozen(x):
    x = x.copy()
    x.flags.writeable = False
    return x


def numbers(result):
    """A measure's numbers, whatever it returns."""
    if hasattr(result, "pairs"):
        result = [result.mean, *result.pairs.flatten().tolist()]
    if hasattr(result, "value"):
        result = result.value
    return np.asarray(result, dtype=np.float64)


@pytest.mark.parametrize("form", LABEL_FORMS)
@pytest.mark.parametrize("name", LABELLED)
def test_labels_are_names_whatever_they_are(name, form):
    measure, x = LABELLED[name], torch.tensor(X)
    expected = numbers(measure(x, torch.tensor(Y)))
    np.testing.assert_array_equal(numbers(measure(x, LABEL_FORMS[form])), expected)


@pytest.mark.parametrize("form", FEATURE_FORMS)
@pytest.mark.parametrize("name", [*LABELLED, *UNLABELLED, *FLAT])
def test_features_are_numbers_whatever_holds_them(name, form):
    if name in LABELLED:
        call = lambda x: LABELLED[name](x, Y)  # noqa: E731
    else:
        call = (UNLABELLED | FLAT)[name]
    x, given = torch.tensor(X), FEATURE_FORMS[form]
    if form == "integers":
        x, given = (8 * x).double(), np.round(8 * X).astype(np.int16)
    elif isinstance(given, np.ndarray):
        given = frozen(given)
    if name in FLAT:
        x, given = x[:, 0], given[:, 0]
    short = {"float16": 1e-5, "bfloat16 with a graph": 1e-5}.get(form, 0)
    np.testing.assert_allclose(numbers(call(given)), numbers(call(x)), rtol=short, atol=short)


@pytest.mark.parametrize("name", [*LABELLED, *UNLABELLED, *FLAT])
@pytest.mark.parametrize(
    "spoil, words",
    [
        (lambda x: x.astype(complex), "complex128; pass real numbers"),
        (lambda x: x.tolist(), "is a list; pass a torch tensor or NumPy array"),
        (lambda x: np.where(np.arange(24)[:, None, None] == 5, np.inf, x), "first in 5"),
        (lambda x: x[:0], "shape"),
        (lambda x: x.astype(str), "pass real numbers"),
    ],
)
def test_what_is_no_feature_is_refused_in_one_sentence(name, spoil, words):
    x = spoil(X)
    call = (UNLABELLED | FLAT).get(name) or (lambda x: LABELLED[name](x, Y))
    if name in FLAT:
        x = [row[0] for row in x] if isinstance(x, list) else x[:, 0]
    with pytest.raises((TypeError, ValueError), match=words) as caught:
        call(x)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", LABELLED)
@pytest.mark.parametrize(
    "y, words",
    [
        (np.where(Y == 2, np.nan, Y), "labels is nan in row 2"),
        (np.array(["a", None] * 12, dtype=object), "labels is None in row 1"),
        (Y[:-1], r"labels has shape \(23,\)"),
        (Y.reshape(12, 2), r"labels has shape \(12, 2\)"),
        (np.full(24, "x"), "one class, x"),
    ],
)
def test_what_is_no_label_is_refused_in_one_sentence(name, y, words):
    with pytest.raises((TypeError, ValueError), match=words) as caught:
        LABELLED[name](X, y)
    assert "\n" not in str(caught.value)


def test_classes_that_ought_to_be_there_may_be_named():
    names = np.array(["a", "bb", "ccc", "d"])
    moments = measures.class_moments(X, names[Y], classes=["a", "bb", "c", "ccc", "d"])
    assert moments.classes.tolist() == ["a", "bb", "c", "ccc", "d"]
    assert moments.reason == "no sample of class c" and moments.samples.tolist() == [6, 6, 0, 6, 6]
    with pytest.raises(ValueError, match="d, which is not among the 3"):
        measures.class_moments(X, names[Y], classes=names[:3])
    x = X.copy()
    x[Y == 3] = x[Y == 0]
    assert "classes a and d coincide" in measures.cdnv(x, names[Y]).reason


def test_the_package_is_imported_without_torch_and_knows_its_names():
    code = (
        "import sys, supcon_theory.measures as m, supcon_theory.measures.sampling, "
        "supcon_theory.measures.maps; assert 'torch' not in sys.modules; "
        "from supcon_theory.measures import *; from supcon_theory.measures import cdnv, geometry; "
        "assert all(callable(getattr(m, n)) and getattr(m, n).__name__ == n for n in m.__all__); "
        "assert callable(cdnv) and callable(geometry)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        measures.nonsense  # noqa: B018
