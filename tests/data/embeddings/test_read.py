"""Seven kinds of files, the same numbers; every fault is one sentence with file, key, row."""

import pickle
import re
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

from supcon_theory.data.embeddings import Fault, checks, read, second
from supcon_theory.data.embeddings.read import READERS

RNG = np.random.default_rng(0)
Z = RNG.normal(size=(12, 4)).astype(np.float32)
NAMES = np.repeat(["ant", "bee", "cow"], 4)
NUMBERS = np.repeat([3, 1, 2], 4)


def as_file(path: Path, z=Z, y=NAMES, number=NUMBERS) -> Path:
    """z and labels in one file, as a person would write it."""
    match path.suffix:
        case ".npz":
            np.savez_compressed(path, z=z, y=y)
        case ".csv":
            pd.DataFrame(z).assign(label=y).to_csv(path, index=False)
        case ".parquet":
            pytest.importorskip("pyarrow")
            pd.DataFrame({"embedding": list(z), "label": y}).to_parquet(path)
        case ".safetensors":
            save_file({"z": torch.from_numpy(z), "y": torch.from_numpy(number)}, path)
        case ".pt":
            torch.save({"z": torch.from_numpy(z), "y": y.tolist(), "epoch": 3}, path)
    return path


@pytest.mark.parametrize("suffix", sorted(READERS.keys() - {".npy", ".txt"}))
def test_embeddings_and_labels_come_out_of_one_file(suffix, tmp_path):
    found = read(as_file(tmp_path / f"e{suffix}"))
    assert np.allclose(found.z, Z, atol=1e-6) and found.z.shape == (12, 4)
    expected = NUMBERS if suffix == ".safetensors" else NAMES
    assert found.y.tolist() == expected.tolist()
    norms = np.linalg.norm(Z, axis=1)
    assert found.norms == pytest.approx((norms.min(), norms.max()), rel=1e-5)
    assert found.left_out == () and found.rows is None and found.counts.tolist() == [4, 4, 4]


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f4"])
@pytest.mark.parametrize("shape", [(12, 4), (6, 2, 4)])
def test_an_npy_is_mapped_whatever_its_floats(dtype, shape, tmp_path):
    np.save(tmp_path / "e.npy", Z.astype(dtype).reshape(shape))
    np.save(tmp_path / "y.npy", NAMES[: shape[0]])
    found = read(tmp_path / "e.npy", labels=tmp_path / "y.npy")
    assert isinstance(found.z, np.memmap) and found.z.shape == shape and found.z.dtype == dtype


def test_bfloat16_keeps_its_numbers(tmp_path):
    z = torch.from_numpy(Z).bfloat16()
    save_file({"z": z}, tmp_path / "e.safetensors")
    np.save(tmp_path / "y.npy", NUMBERS)
    found = read(tmp_path / "e.safetensors", labels=tmp_path / "y.npy")
    assert np.array_equal(found.z, z.float().numpy())


LABELS = {
    "named.csv": "label\n" + "\n".join(NAMES),
    "numbers.csv": "\n".join(map(str, NUMBERS)),
    "two.csv": "id,label\n" + "\n".join(f"{k},{y}" for k, y in enumerate(NAMES)),
    "quoted.csv": "label\n" + "\n".join(f'"{y}, the"' for y in NAMES),
    "na.csv": "label\n" + "\n".join(["NA"] * 4 + ["nan"] * 4 + ["null"] * 4),
    "lines.txt": "\n".join(NAMES) + "\n",
    "bom.csv": "\ufefflabel\n" + "\n".join(NAMES),
}


@pytest.mark.parametrize("name", LABELS)
def test_labels_beside_the_file(name, tmp_path):
    np.save(tmp_path / "e.npy", Z)
    (tmp_path / name).write_text(LABELS[name], encoding="utf-8")
    found = read(tmp_path / "e.npy", labels=tmp_path / name)
    assert len(np.unique(found.y)) == 3 and found.counts.tolist() == [4, 4, 4]
    if name == "numbers.csv":
        assert found.y.tolist() == NUMBERS.tolist()


def test_columns_without_names_are_one_array(tmp_path):
    np.savetxt(tmp_path / "e.csv", Z, delimiter=",")
    (tmp_path / "y.txt").write_text("\n".join(NAMES))
    assert np.allclose(read(tmp_path / "e.csv", labels=tmp_path / "y.txt").z, Z)


def test_spaces_after_commas_are_no_part_of_names_and_labels(tmp_path):
    lines = ["e0, e1, e2, e3, label"]
    lines += [", ".join([*map(str, row), name]) for row, name in zip(Z, NAMES, strict=True)]
    (tmp_path / "e.csv").write_text("\n".join(lines))
    found = read(tmp_path / "e.csv")
    assert np.allclose(found.z, Z) and found.y.tolist() == NAMES.tolist()


def test_key_and_column_choose(tmp_path):
    np.savez(tmp_path / "e.npz", a=Z, b=2 * Z, coarse=NUMBERS, fine=NAMES)
    found = read(tmp_path / "e.npz", key="b", column="fine")
    assert np.array_equal(found.z, 2 * Z) and found.y[0] == "ant"
    with pytest.raises(Fault, match=r"several of them could be the embeddings.*--key"):
        read(tmp_path / "e.npz")
    with pytest.raises(Fault, match=r"several of them could be the labels.*--column"):
        read(tmp_path / "e.npz", key="a")


def test_an_array_that_cannot_be_read_matters_only_if_it_is_asked_for(tmp_path):
    np.savez(tmp_path / "e.npz", z=Z, y=NAMES, meta=np.array([{"a": 1}], dtype=object))
    assert read(tmp_path / "e.npz").y[0] == "ant"
    with pytest.raises(Fault, match=r"meta cannot be read.*Python objects"):
        read(tmp_path / "e.npz", column="meta")


def test_classes_of_one_sample_are_left_out_by_name_and_in_the_second_model(tmp_path):
    y = NAMES.copy()
    y[5] = "owl"
    np.savez(tmp_path / "e.npz", z=Z, y=y)
    np.save(tmp_path / "f.npy", 3 * Z[:, :2])
    found = read(tmp_path / "e.npz")
    kept = [k for k in range(12) if k != 5]
    assert found.left_out == ("owl",) and found.rows.tolist() == kept
    assert found.shape == (12, 4) and np.array_equal(found.z, Z[kept])
    assert np.array_equal(second(tmp_path / "f.npy", "", found).z, 3 * Z[kept, :2])


def changed(row, value):
    z = Z.copy()
    z[row] = value
    return z


def bad_labels(y):
    return lambda folder: np.savez(folder / "e.npz", z=Z, y=np.array(y))


def bad_z(z):
    return lambda folder: np.savez(folder / "e.npz", z=z, y=NAMES[: len(z)])


def text(name, words):
    return lambda folder: (folder / name).write_text(words)


def cut(name, share):
    def write(folder):
        path = as_file(folder / name) if name != "e.npy" else folder / name
        if name == "e.npy":
            np.save(path, Z)
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])

    return write


def pickled(name):
    return lambda folder: (folder / name).write_bytes(pickle.dumps([Z, {"a": print}]))


def twice(folder):
    with (
        pytest.warns(UserWarning, match="Duplicate"),
        zipfile.ZipFile(folder / "e.npz", "w") as file,
    ):
        for array in (Z, -Z):
            with file.open("z.npy", "w") as member:
                np.save(member, array)


FAULTS = {  # how the file is made, its name, what is said
    "no file": (lambda folder: None, "e.npy", r"e\.npy is no file"),
    "a folder": (lambda folder: (folder / "e.npy").mkdir(), "e.npy", "is no file"),
    "unknown": (text("e.h5", "x"), "e.h5", r"ends in '\.h5': it must be one of \.npy \.npz"),
    "no ending": (text("e", "x"), "e", "ends in 'nothing'"),
    "wrong rank": (bad_z(Z.ravel()), "e.npz", r"none of them could be the embeddings"),
    "rank 4": (lambda f: np.save(f / "e.npy", Z[None, None]), "e.npy", r"shape \(1, 1, 12, 4\)"),
    "integers": (lambda f: np.save(f / "e.npy", np.ones((4, 3), int)), "e.npy", "is int64"),
    "longdouble": (lambda f: np.save(f / "e.npy", Z.astype("g")), "e.npy", "must be float16, 32"),
    "bytes": (lambda f: np.save(f / "e.npy", Z.view("V4")), "e.npy", r"is \|V4"),
    "object": (
        lambda f: np.save(f / "e.npy", np.array([[{}]]), allow_pickle=True),
        "e.npy",
        "holds Python objects, which are not read",
    ),
    "pickle as npy": (pickled("e.npy"), "e.npy", "a pickle is not read"),
    "pickle as npz": (pickled("e.npz"), "e.npz", r"truncated or no \.npz"),
    "pickle as pt": (pickled("e.pt"), "e.pt", r"e\.pt"),
    "object in pt": (
        lambda f: torch.save({"z": Path("x")}, f / "e.pt"),
        "e.pt",
        "Python objects other than tensors",
    ),
    "sparse": (
        lambda f: torch.save({"z": torch.eye(3).to_sparse()}, f / "e.pt"),
        "e.pt",
        "z is a sparse or quantised tensor",
    ),
    "empty dict": (lambda f: torch.save({}, f / "e.pt"), "e.pt", "holds no arrays"),
    "empty": (lambda f: np.save(f / "e.npy", np.ones((0, 3))), "e.npy", r"shape \(0, 3\)"),
    "one row": (lambda f: np.save(f / "e.npy", Z[:1]), "e.npy", "two rows at least"),
    "NaN": (bad_z(changed((7, 2), np.nan)), "e.npz", r"e\.npz: z has NaN in row 7"),
    "infinity": (bad_z(changed((8, 0), -np.inf)), "e.npz", r"z has an infinity in row 8"),
    "NaN in a view": (
        bad_z(changed((7, 2), np.nan).reshape(6, 2, 4)),
        "e.npz",
        r"z has NaN in row 3, view 1",
    ),
    "zeros": (bad_z(changed(4, 0)), "e.npz", r"z has only zeros in row 4"),
    "too few labels": (bad_labels(NAMES[:9]), "e.npz", r"e\.npz: y has 9 labels and there are 12"),
    "a view's labels": (bad_labels(NAMES.reshape(6, 2)), "e.npz", r"y has shape \(6, 2\)"),
    "one class": (bad_labels(["a"] * 12), "e.npz", "y holds one class, a"),
    "one of two": (bad_labels(["a"] * 11 + ["b"]), "e.npz", "one class of more than one sample"),
    "all distinct": (bad_labels(range(12)), "e.npz", "12 labels, all of them different"),
    "half labels": (bad_labels(np.arange(12) / 2), "e.npz", r"y is 0\.5 in row 1"),
    "empty label": (bad_labels(["a", ""] * 6), "e.npz", "y is empty in row 1"),
    "no labels": (lambda f: np.savez(f / "e.npz", z=Z), "e.npz", "holds nothing else.*--labels"),
    "empty csv": (text("e.csv", ""), "e.csv", "is empty"),
    "ragged": (text("e.csv", "e0,e1,label\n1,2,a\n1,2,3,b\n"), "e.csv", "cannot be read"),
    "gap in csv": (text("e.csv", "e0,e1,label\n1,2,a\n1,,b\n"), "e.csv", "e1 holds '' in row 1"),
    "word in csv": (text("e.csv", "e0,e1,label\n1,2,a\nx,1,b\n"), "e.csv", "e0 holds 'x' in row 1"),
    "bytes in csv": (
        lambda f: (f / "e.csv").write_bytes(b"e0,e1,label\n1,2,\xff\xfe\n"),
        "e.csv",
        "cannot be read",
    ),
    "no family": (text("e.csv", "a,b,label\n.1,.2,x\n.3,.4,y\n"), "e.csv", "number its columns"),
    "only names": (text("e.csv", "e0,e1,label\n"), "e.csv", "no rows"),
    "a name twice": (
        text("e.csv", "e0,e1,e1,label\n1,2,3,a\n"),
        "e.csv",
        "two columns called 'e1'",
    ),
    "a name too few": (
        text("e.csv", "e0,e1,label\nr,1,2,a\n"),
        "e.csv",
        "3 names and more columns",
    ),
    "row numbers": (
        lambda f: pd.DataFrame(Z).to_csv(f / "e.csv", header=False),
        "e.csv",
        "column 0 .* whole numbers among fractions",
    ),
    "an array twice": (twice, "e.npz", "two arrays of one name"),
    "labels of two types": (
        lambda f: torch.save({"z": torch.ones(3, 2), "y": [1, "1", 1]}, f / "e.pt"),
        "e.pt",
        "y is a list: .* lists of labels",
    ),
    "white space": (bad_labels(["a", "a ", "b"] * 4), "e.npz", "holds 'a' and 'a ', which differ"),
    "labels as halves": (
        bad_labels(np.array([2048, 2049, 1] * 4, np.float16)),
        "e.npz",
        "y is 2048 .* skips integers from 2048 on",
    ),
    "short npy": (cut("e.npy", 0.7), "e.npy", "is truncated or damaged"),
    **{
        f"short {kind}": (cut(f"e.{kind}", share), f"e.{kind}", rf"e\.{kind}")
        for kind in ("npz", "pt", "safetensors", "parquet")
        for share in (0.6,)
    },
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_one_sentence(name, tmp_path):
    make, file, said = FAULTS[name]
    make(tmp_path)
    with pytest.raises(Fault) as found:
        read(tmp_path / file)
    sentence = str(found.value)
    assert re.search(said, sentence) and "\n" not in sentence and file in sentence
    assert sentence.endswith((".", "?"))


@pytest.mark.parametrize("share", [0.0, 0.05, 0.3, 0.9, 0.999])
@pytest.mark.parametrize("suffix", [".npz", ".pt", ".safetensors", ".parquet"])
def test_a_truncated_file_is_refused_wherever_it_ends(suffix, share, tmp_path):
    path = as_file(tmp_path / f"e{suffix}")
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(Fault):
        read(path)


def test_rows_are_counted_across_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(checks, "BLOCK", 12)  # three rows
    for value, said in ((np.nan, "NaN in row 7"), (0, "zeros in row 7")):
        np.save(tmp_path / "e.npy", changed(7, value))
        with pytest.raises(Fault, match=said):
            read(tmp_path / "e.npy", labels=tmp_path / "no.csv")
    np.savez(tmp_path / "e.npz", z=Z, y=NAMES)
    norms = np.linalg.norm(Z, axis=1)
    assert read(tmp_path / "e.npz").norms == pytest.approx((norms.min(), norms.max()), rel=1e-5)


def test_a_missing_key_or_column_lists_what_there_is(tmp_path):
    path = as_file(tmp_path / "e.npz")
    for given in ({"key": "h"}, {"column": "h"}):
        with pytest.raises(Fault, match=r"no 'h'; it holds .*'y' \(12,\) <U3"):
            read(path, **given)


def test_a_first_label_taken_for_a_name_is_told(tmp_path):
    np.save(tmp_path / "e.npy", Z)
    (tmp_path / "y.csv").write_text("\n".join(NAMES))
    with pytest.raises(Fault, match=r"11 labels and there are 12.*Write a name above it"):
        read(tmp_path / "e.npy", labels=tmp_path / "y.csv")


def test_the_second_model_has_the_same_rows(tmp_path):
    found = read(as_file(tmp_path / "e.npz"))
    np.save(tmp_path / "f.npy", Z[:7])
    with pytest.raises(Fault, match=r"has 7 rows and .*12: row i of both"):
        second(tmp_path / "f.npy", "", found)


def test_nothing_in_a_pickle_is_executed(tmp_path):
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "executed",))

    for name in ("e.npy", "e.npz", "e.pt"):
        (tmp_path / name).write_bytes(pickle.dumps(Trap()))
    torch.save(Trap(), tmp_path / "t.pt")
    np.save(tmp_path / "o.npy", np.array([Trap()], dtype=object), allow_pickle=True)
    np.savez(tmp_path / "o.npz", z=np.array([Trap()], dtype=object))
    for name in ("e.npy", "e.npz", "e.pt", "t.pt", "o.npy", "o.npz"):
        with pytest.raises(Fault):
            read(tmp_path / name)
    assert not (tmp_path / "executed").exists()


def test_parquet_needs_its_extra(tmp_path, monkeypatch):
    (tmp_path / "e.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(Fault, match=r"pip install 'supcon_theory\[parquet\]'"):
        read(tmp_path / "e.parquet")
