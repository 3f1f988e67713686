"""The one reading of inputs: every kind of array and label is taken, every fault one sentence."""

import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from torch.nn.functional import normalize

from supcon_theory import inputs


def unit(N=6, K=2, d=3, seed=0):
    return normalize(torch.randn(N, K, d, generator=torch.Generator().manual_seed(seed)), dim=-1)


# ---- embeddings ---------------------------------------------------------------------------------
def read_only(z):
    z = z.copy()
    z.flags.writeable = False
    return z


ARRAYS = {
    "float32": lambda z: z,
    "float64": lambda z: z.astype(np.float64),
    "long double": lambda z: z.astype(np.longdouble),
    "big endian": lambda z: z.astype(">f4"),
    "read-only": read_only,
    "reversed": lambda z: z[::-1, ::-1].copy()[::-1, ::-1],
    "transposed": lambda z: np.asfortranarray(z),
}


@pytest.mark.parametrize("kind", ARRAYS)
def test_arrays_of_any_layout_are_read_as_their_numbers(kind):
    z = unit()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = inputs.embeddings(ARRAYS[kind](z.numpy()))
    torch.testing.assert_close(found.float(), z, rtol=0, atol=0)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_tensors_keep_their_type_and_graph(dtype):
    z = unit().to(dtype).requires_grad_()
    found = inputs.embeddings(z)
    assert found.dtype == dtype and found.requires_grad


@pytest.mark.parametrize("dtype", [torch.int8, torch.int64, torch.uint16, torch.uint64])
def test_integers_are_numbers(dtype):
    found = inputs.embeddings(torch.eye(3, dtype=torch.int64)[:, None].to(dtype))
    assert found.dtype == torch.float64 and found.sum() == 3


def spoiled(value, dtype=torch.float64):
    z = unit().to(dtype)
    z[4, 1] *= value
    return z


@pytest.mark.parametrize(("dtype", "allowed"), [(torch.float64, 1e-3), (torch.bfloat16, 2e-2)])
def test_the_tolerance_on_the_norm_is_one_number_per_type(dtype, allowed):
    z = torch.zeros(3, 1, 4, dtype=torch.float64)
    z[..., 0] = 1
    for size in (1 - 0.9 * allowed, 1 + 0.8 * allowed):
        inputs.embeddings((z * size).to(dtype))
    for size in (1 - 1.3 * allowed, 1 + 1.3 * allowed):
        with pytest.raises(ValueError, match="norm"):
            inputs.embeddings((z * size).to(dtype))


@pytest.mark.parametrize(
    ("value", "words"),
    [(float("nan"), "NaN"), (float("inf"), "infinite"), (1.01, r"1\.01.*normalize"), (0.0, "zero")],
)
def test_a_bad_row_is_named(value, words):
    with pytest.raises(ValueError, match=words) as caught:
        inputs.embeddings(spoiled(value), "w")
    assert "[4, 1]" in str(caught.value) and str(caught.value).startswith("w has")


def test_rows_of_any_length_pass_where_the_sphere_is_not_asked_for():
    assert inputs.embeddings(spoiled(7.0), unit=False)[4, 1].norm() > 6
    with pytest.raises(ValueError, match="NaN"):
        inputs.embeddings(spoiled(float("nan")), unit=False)


@pytest.mark.parametrize(
    ("z", "error", "words"),
    [
        (unit().tolist(), TypeError, "list"),
        (None, TypeError, "NoneType"),
        (unit()[:, 0], ValueError, r"\(6, 3\).*\[:, None\]"),
        (unit()[:0], ValueError, "none of them 0"),
        (unit().to(torch.complex64), TypeError, "complex64"),
        (unit() > 0, TypeError, "bool"),
        (np.array([["a"]]), TypeError, "<U1"),
        (unit().numpy().astype(object), TypeError, "object"),
    ],
)
def test_what_are_no_embeddings_is_one_sentence(z, error, words):
    with pytest.raises(error, match=words) as caught:
        inputs.embeddings(z)
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")


def test_rows_are_seen_inside_function_transforms():
    z = torch.stack([unit(seed=s) for s in range(3)])
    read = inputs.embeddings
    assert torch.equal(torch.func.vmap(read)(z), z)
    assert torch.equal(torch.func.vmap(torch.func.grad(lambda x: read(x).sum()))(z), 0 * z + 1)
    assert torch.equal(torch.func.jvp(read, (z[0],), (z[1],))[1], z[1])
    z[1, 4, 1] *= 2
    with pytest.raises(ValueError, match=r"\[1, 4, 1\]"):
        torch.func.vmap(torch.func.grad(lambda x: read(x).sum()))(z)


# ---- features -----------------------------------------------------------------------------------
def test_features_are_finite_numbers_of_any_length():
    x = np.full((3, 2), 1e308)
    assert inputs.features(x).shape == (3, 2)  # their sum overflows, they do not
    x[1, 0] = np.inf
    with pytest.raises(ValueError, match=r"1 of 3 samples, first in 1"):
        inputs.features(x)
    with pytest.raises(ValueError, match=r"\(3,\)"):
        inputs.features(x[0:1, 0].repeat(3))


def test_a_matrix_for_numpy_takes_short_tensors_with_a_graph():
    x = torch.randn(4, 3).bfloat16().requires_grad_()
    found = inputs.matrix(x)
    assert found.dtype == np.float64 and (found == x.detach().double().numpy()).all()
    with pytest.raises(ValueError, match="matrix"):
        inputs.matrix(unit())


@pytest.mark.parametrize("size", [1e-320, 1e-200, 1e-30, 1.0, 1e30, 1e200])
def test_a_row_is_zero_only_if_it_is_zero(size):
    z = torch.tensor([[3.0, 4.0], [-4.0, 3.0]], dtype=torch.float64)
    close = dict(rtol=0, atol=1e-3 if size < 1e-300 else 1e-15)
    torch.testing.assert_close(inputs.unit_rows(z * size), z / 5, **close)
    with pytest.raises(ValueError, match=r"zeros, row \[1\]"):
        inputs.unit_rows(z * torch.tensor([[size], [0.0]], dtype=torch.float64))


UNREADABLE = {
    "sparse": lambda x: x.to_sparse(),
    "meta": lambda x: x.to("meta"),
    "quantized": lambda x: torch.quantize_per_tensor(x.float(), 0.1, 0, torch.qint8),
    "masked": lambda x: torch.masked.masked_tensor(x, torch.ones_like(x, dtype=torch.bool)),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_tensors_without_a_number_at_every_place_are_refused_by_name(kind):
    z = UNREADABLE[kind](unit())
    for read in (inputs.embeddings, inputs.features):
        with pytest.raises(
            TypeError, match=rf"(?i)^rows is a .*{kind}.* tensor; pass a plain dense"
        ):
            read(z, "rows")
    with pytest.raises(TypeError, match="y is a"):
        inputs.labels(UNREADABLE[kind](torch.tensor([0, 1])))


def test_what_a_mask_hides_never_comes_back_as_a_number():
    z = np.ma.array(unit().numpy())
    assert torch.equal(inputs.embeddings(z), unit())  # nothing is masked
    z[4, 1, 0] = np.ma.masked
    with pytest.raises(ValueError, match="z is masked in 1 entries, first in row 4"):
        inputs.embeddings(z)
    with pytest.raises(ValueError, match="y is masked in 2 entries, first in row 1"):
        inputs.labels(np.ma.array([0, 1, 2, 1], mask=[0, 1, 0, 1]))


@pytest.mark.parametrize("size", [1e-300, 1e-40, 1e160])
def test_a_row_whose_square_is_no_number_has_its_norm_told(size):
    z = unit().double()
    z[4, 1] *= size
    with pytest.raises(ValueError, match=rf"row of norm {size:g}, row \[4, 1\]".replace("+", ".")):
        inputs.embeddings(z)


def test_a_negated_view_of_memory_is_its_numbers():
    x = torch.complex(unit()[:, 0], -unit()[:, 0]).conj().imag
    np.testing.assert_array_equal(inputs.matrix(x), unit()[:, 0].double().numpy())


# ---- labels -------------------------------------------------------------------------------------
PLAIN = [2, 0, 2, 1]
KINDS = {
    **{str(dtype): np.array(PLAIN, dtype) for dtype in ("i1", "u2", ">i4", "u4", "i8", "u8", "f4")},
    "identifiers": [3 * 10**12, 7, 3 * 10**12, 10**12],
    "beyond int64": np.array([2**64 - 1, 5, 2**64 - 1, 2**63], np.uint64),
    "negative": torch.tensor([5, -3, 5, 0]),
    "whole floats": torch.tensor([2.0, 0.0, 2.0, 1.0]),
    "strings": ["horse", "cat", "horse", "dog"],
    "series": pd.Series(["horse", "cat", "horse", "dog"], index=[9, 8, 7, 6]),
    "category": pd.Series(["horse", "cat", "horse", "dog"], dtype="category"),
    "objects": np.array(["horse", "cat", "horse", "dog"], dtype=object),
    "large objects": [2**80, 1, 2**80, 2**70],
    "bytes": np.array([b"horse", b"cat", b"horse", b"dog"]),
    **{
        str(dtype): torch.tensor(PLAIN).to(dtype)
        for dtype in (torch.uint8, torch.uint16, torch.uint32, torch.uint64, torch.int16)
    },
}


@pytest.mark.parametrize("kind", KINDS)
def test_labels_of_every_kind_are_numbered_in_their_order(kind):
    found = inputs.labels(KINDS[kind], 4)
    assert found.dtype == torch.int64 and found.tolist() == PLAIN
    names = inputs.class_names(KINDS[kind])
    assert names == sorted(names) and [names[i] for i in PLAIN] == list(KINDS[kind])


def test_booleans_are_two_classes():
    assert inputs.labels(torch.tensor([True, False, True])).tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    ("y", "error", "words"),
    [
        (None, ValueError, "y is None"),
        ([1, None, 2], ValueError, "None in row 1"),
        (["a", "b", None], ValueError, "None in row 2"),
        ([1.0, float("nan")], ValueError, "nan in row 1"),
        (torch.tensor([0.0, float("inf")]), ValueError, "inf in row 1"),
        ([0.0, 1.5], ValueError, r"1\.5.* in row 1"),
        (torch.tensor([256.0, 1.0]).bfloat16(), ValueError, "y is 256 .* from 256 on"),
        (np.array([1, 2**24 + 1], np.float32), ValueError, "y is 16777216 .* from 16777216 on"),
        (pd.Series(["a", None, "b"]), ValueError, "in row 1"),
        (torch.zeros(2, 2), ValueError, r"\(2, 2\)"),
        ([[1], [1, 2]], ValueError, "ragged"),
        ([], ValueError, r"\(0,\)"),
        (3, ValueError, r"\(\)"),
        (torch.zeros(2, dtype=torch.complex64), TypeError, "complex64"),
        (np.zeros(2, dtype=complex), TypeError, "complex128"),
    ],
)
def test_what_are_no_labels_is_one_sentence(y, error, words):
    with pytest.raises(error, match=words) as caught:
        inputs.labels(y)
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")


@pytest.mark.parametrize(
    ("y", "said"),
    [(["a", float("nan")], "nan"), (["a", 1], "1"), (["a", True], "True"), ([b"a", "b"], "'b'")],
)
def test_a_list_of_several_types_is_not_turned_into_strings(y, said):
    with pytest.raises(ValueError, match=f"y is {said} in row 1"):
        inputs.labels(y)


def test_large_integers_of_both_signs_are_not_rounded_into_each_other():
    y = [2**63 + 1, -1, 2**63 + 3, 2**63 + 1]  # NumPy makes floats of them
    assert inputs.labels(y).tolist() == [1, 0, 2, 1] and inputs.class_names(y)[1] == 2**63 + 1


def test_labels_are_one_per_sample():
    with pytest.raises(ValueError, match=r"y has shape \(4,\); it must be \(2,\).*not per view"):
        inputs.labels(PLAIN, 2)


# ---- temperatures and knobs ---------------------------------------------------------------------
@pytest.mark.parametrize(
    ("tau", "error"),
    [
        *((tau, ValueError) for tau in (0, -1.0, float("nan"), float("inf"), torch.tensor(-1.0))),
        *((tau, TypeError) for tau in ("0.5", True, None, torch.ones(1), torch.tensor(1))),
    ],
)
def test_a_temperature_is_a_positive_number(tau, error):
    with pytest.raises(error, match="tau"):
        inputs.temperature(tau)


def test_a_learned_temperature_keeps_its_graph_and_several_are_read_at_once():
    tau = torch.tensor(0.07, requires_grad=True)
    assert inputs.temperature(tau) is tau
    assert inputs.temperature(np.float32(0.5)) == 0.5
    assert inputs.temperatures([1, 0.5, 1.0]) == [1.0, 0.5]
    assert inputs.temperatures(np.float64(2.0)) == [2.0]
    with pytest.raises(ValueError, match=r"tau is 0\.001"):
        inputs.temperatures([1.0, 0.001], least=0.01)
    with pytest.raises(ValueError, match="no temperature"):
        inputs.temperatures([])


def test_measures_take_the_temperatures_that_losses_take():
    learned = torch.tensor(0.5, requires_grad=True)
    assert inputs.temperatures(learned) == inputs.temperatures([learned]) == [0.5]
    assert inputs.temperatures(np.array(0.5)) == inputs.temperatures(np.array([0.5, 0.5])) == [0.5]
    for wrong in ("0.5", [torch.ones(1)], torch.tensor(0.5, device="meta")):
        with pytest.raises(TypeError, match="tau"):
            inputs.temperatures(wrong)
    with pytest.raises(ValueError, match="must lie in"):
        inputs.temperature(10**400)


def test_knobs_are_refused_in_a_sentence():
    assert inputs.whole(np.int64(3), "m") == 3
    for wrong, error in ((0, ValueError), (1.5, TypeError), (True, TypeError)):
        with pytest.raises(error, match="m is"):
            inputs.whole(wrong, "m")
    with pytest.raises(ValueError, match="pairs is 'some'"):
        inputs.choice("some", "pairs", ("all", "distinct"))
