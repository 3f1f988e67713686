"""Tables: `.csv`, `.txt` (a label a line), `.parquet`.

A column is a name; numbered columns (`0, 1, 2`, `e0, e1, e2`, `dim_1, dim_2`) are one array under
what their names share.
"""

import csv as lines
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from supcon_theory.data.embeddings.fault import Fault


def csv(path: Path) -> dict[str, np.ndarray | Fault]:
    """The columns of a comma-separated file with or without a line of names.

    Args:
        path: of the file.

    Returns:
        Name to array; without a line of names, numbers are one array under "", and the first of
        the columns of words is "column 0" and so on.

    Raises:
        Fault: it is empty, or which column is what cannot be told.
    """
    with open(path, encoding="utf-8-sig", newline="") as file:
        first = next(lines.reader(file, skipinitialspace=True), [])
    if not first:
        raise Fault(f"{path} is empty: write a line of column names, then a row for each sample.")
    named = not any(map(_is_number, first)) or _is_family(first)
    if named and len(set(first)) < len(first):  # pandas would give the second another name
        twice = next(name for k, name in enumerate(first) if name in first[:k])
        raise Fault(f"{path} has two columns called {twice!r}: give each a name of its own.")
    found = pd.read_csv(
        path,
        header=0 if named else None,
        keep_default_na=False,  # a class may be called "NA"
        encoding="utf-8-sig",
        low_memory=False,
        skipinitialspace=True,
    )
    if not len(found):
        raise Fault(f"{path} has a line of names and no rows: write a row for each sample.")
    if not isinstance(found.index, pd.RangeIndex):  # pandas takes the first column for row names
        raise Fault(
            f"{path} has {len(first)} names and more columns: write a name above each, row names "
            "too."
        )
    if not named:
        kinds = [found[c].dtype.kind for c in found.columns]
        whole = [k for k, kind in enumerate(kinds) if kind in "iu" and len({*found.iloc[:, k]}) > 1]
        if whole and "f" in kinds:
            raise Fault(
                f"{path} has no line of names, and column {whole[0]} (from 0) holds whole numbers "
                "among fractions: row numbers, or labels? Write a name above each column."
            )
        real = [kind in "iuf" for kind in kinds]
        found.columns = [str(k) if r else f"column {k}" for k, r in enumerate(real)]
    return columns(path, found)


def txt(path: Path) -> dict[str, np.ndarray]:
    """The lines of a file under the name "": a label each."""
    found = path.read_text(encoding="utf-8-sig").splitlines()
    return {"": _plain(pd.Series(found, dtype=object))}


def parquet(path: Path) -> dict[str, np.ndarray | Fault]:
    """The columns of a Parquet file; a column of lists is one array.

    Args:
        path: of the file.

    Returns:
        Name to array, or to what is wrong with it.

    Raises:
        Fault: pyarrow is not installed.
    """
    try:
        from pyarrow import parquet
    except ImportError:
        raise Fault(
            f"{path} needs pyarrow: pip install 'supcon_theory[parquet]', or save .npy."
        ) from None
    return columns(path, parquet.read_table(path).to_pandas())


def columns(path: Path, table: Any) -> dict[str, np.ndarray | Fault]:
    """The columns of a table, numbered ones together.

    Args:
        path: what an error calls the table.
        table: whose columns are numbers, words or lists of numbers.

    Returns:
        Name to array, or to what is wrong with it.
    """
    table = table.set_axis(names := [str(name) for name in table.columns], axis=1)
    families: dict[str, list[int]] = {}
    for k, name in enumerate(names):
        stem = re.fullmatch(r"(.*?)\d+", name)
        families.setdefault(stem[1] if stem else f"\0{name}", []).append(k)
    found: dict[str, np.ndarray | Fault] = {}
    for stem, places in families.items():
        if len(places) > 1:
            part = table.iloc[:, places]
            bad = [names[k] for k in places if table.iloc[:, k].dtype.kind not in "iuf"]
            found[stem] = _not_a_number(path, part[bad[0]], bad[0]) if bad else _floats(part)
        else:
            found[names[places[0]]] = _column(path, names[places[0]], table.iloc[:, places[0]])
    return found


def _column(path: Path, name: str, column: Any) -> np.ndarray | Fault:
    """A column of words or numbers, or of lists, which are the rows of a matrix."""
    if len(column) and isinstance(column.iloc[0], (list, np.ndarray)):
        rows = [np.array([] if row is None else list(row)) for row in column]
        for k, row in enumerate(rows):
            if row.shape != rows[0].shape:
                return Fault(
                    f"{path}: {name} has {row.shape} numbers in row {k} and {rows[0].shape} in row "
                    "0: every row must have the same."
                )
        return np.stack(rows)
    if column.isna().any():
        first = int(column.isna().to_numpy().argmax())
        return Fault(f"{path}: {name} is missing in row {first}: fill it in or remove the row.")
    return _plain(column)


def _plain(column: Any) -> np.ndarray:
    """Words as NumPy's strings: no Python objects."""
    return column.to_numpy() if column.dtype.kind in "iufb" else np.array(column.tolist())


def _floats(part: Any) -> np.ndarray:
    found = part.to_numpy()
    return found if found.dtype.kind == "f" else found.astype(float)


def _not_a_number(path: Path, column: Any, name: str) -> Fault:
    numbers = np.asarray(pd.to_numeric(column, errors="coerce"), float)
    row = int(np.isnan(numbers).argmax())
    return Fault(
        f"{path}: column {name} holds {str(column.iloc[row])!r} in row {row}: it must be a number; "
        "remove the row or find the cause."
    )


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _is_family(names: Iterable[str]) -> bool:
    """Whether the numbers in a first line are names: 0, 1, 2 ... as pandas writes them."""
    numbers = [name for name in names if _is_number(name)]
    return len(numbers) > 1 and numbers == [str(k) for k in range(len(numbers))]
