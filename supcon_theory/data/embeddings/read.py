"""One file of embeddings, and labels in it or beside it: found, checked, described."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from supcon_theory.data import archive
from supcon_theory.data.embeddings import arrays, checks, tables, tensors
from supcon_theory.data.embeddings.fault import Fault

Contents = Mapping[str, np.ndarray | Fault]  # an array by name, or what is wrong with it
READERS: dict[str, Callable[[Path], Contents]] = {
    ".npy": arrays.npy,
    ".npz": arrays.npz,
    ".csv": tables.csv,
    ".txt": tables.txt,
    ".parquet": tables.parquet,
    ".safetensors": tensors.safetensors,
    ".pt": tensors.pt,
}
LABELS = ("label", "labels", "y", "target", "targets", "class")  # what labels are mostly called


@dataclass(frozen=True, eq=False)
class Embeddings:
    """Finite rows, none of them zero, with a label each; every class has two samples or more."""

    z: np.ndarray  # (N, d) or (N, K, d), perhaps mapped into memory
    y: np.ndarray  # (N,)
    source: str  # the file, with the name of the array in it
    labels_source: str
    shape: tuple[int, ...]  # of the array in the file
    norms: tuple[float, float]  # of the rows: smallest and largest
    left_out: tuple[str, ...] = ()  # classes of one sample
    rows: np.ndarray | None = None  # (N,) row numbers in the file, where any are left out

    @property
    def counts(self) -> np.ndarray:
        """(C,) class sizes."""
        return np.unique(self.y, return_counts=True)[1]


class Second(NamedTuple):
    """Embeddings of the same rows by another model."""

    z: np.ndarray
    source: str


def read(file: Path, key: str = "", labels: Path | None = None, column: str = "") -> Embeddings:
    """Embeddings and their labels.

    Args:
        file: one of `READERS`.
        key: name of the array, or of what the names of numbered columns share; needed where the
            file holds several that could be meant.
        labels: file of the labels; the file of the embeddings if None.
        column: name of the labels in it; needed like `key`.

    Returns:
        The embeddings, without classes of one sample, which are named in `left_out`.

    Raises:
        Fault: anything is wrong, in one sentence with the file, and key or row.
    """
    found = _contents(file)
    key, array = _embeddings(file, found, key)
    z = checks.embeddings(source := _named(file, key), array)
    norms = checks.rows(source, z)
    beside = file if labels is None else labels
    held = {k: v for k, v in found.items() if k != key} if labels is None else _contents(labels)
    column, array = _labels(beside, held, column, len(z), labels is None)
    y = checks.labels(labels_source := _named(beside, column), array, len(z))
    left_out, rows = checks.single(y)
    if not left_out:
        return Embeddings(z, y, source, labels_source, z.shape, norms)
    return Embeddings(z[rows], y[rows], source, labels_source, z.shape, norms, left_out, rows)


def second(file: Path, key: str, first: Embeddings) -> Second:
    """Embeddings of the same samples by another model.

    Args:
        file: one of `READERS`.
        key: as for `read`.
        first: the first model's.

    Returns:
        (N, d) or (N, K, d), without the rows that the first is without.

    Raises:
        Fault: anything is wrong with them.
    """
    key, array = _embeddings(file, _contents(file), key)
    z = checks.embeddings(source := _named(file, key), array)
    checks.rows(source, z)
    if len(z) != first.shape[0]:
        raise Fault(
            f"{source} has {len(z):,} rows and {first.source} {first.shape[0]:,}: row i of both "
            "must be the same sample; write both from the same list."
        )
    said = f"{source}: {' x '.join(map(str, z.shape))} {z.dtype}"
    return Second(z if first.rows is None else z[first.rows], said)


def _contents(file: Path) -> Contents:
    reader = READERS.get(file.suffix.lower())
    if reader is None:
        raise Fault(
            f"{file} ends in {file.suffix or 'nothing'!r}: it must be one of {' '.join(READERS)}; "
            "numpy.save writes a .npy."
        )
    if not file.is_file():
        raise Fault(f"{file} is no file: name one that is there.")
    try:
        found = reader(file)
    except Fault:
        raise
    except Exception as error:  # whatever a library raises on bytes that it cannot read
        raise Fault(
            f"{file} cannot be read ({archive.reason(error)[:200]}): it is truncated, damaged "
            f"or of another kind than {file.suffix}; write it again."
        ) from None
    if not found:
        raise Fault(f"{file} holds no arrays: write embeddings (N, d) into it.")
    return found


def _embeddings(file: Path, found: Contents, key: str) -> tuple[str, np.ndarray]:
    """The embeddings with their name: the one given, or the only ones that could be meant."""
    likely = [
        name for name, x in found.items()
        if isinstance(x, np.ndarray) and x.ndim in (2, 3) and x.dtype.kind == "f"
    ]  # fmt: skip
    if key or len(found) == 1:
        return _there(file, found, key or next(iter(found)), "--key")
    if len(likely) == 1:
        return _there(file, found, likely[0], "--key")
    raise _broken(found) or Fault(
        f"{file} holds {_inventory(found)}: {'several' if likely else 'none'} of them could be the "
        "embeddings, floats (N, d) or (N, K, d); name one with --key"
        f"{'' if likely else ', or number its columns (0, 1, 2 or e0, e1, e2)'}."
    )


def _labels(
    file: Path, held: Contents, column: str, rows: int, inside: bool
) -> tuple[str, np.ndarray]:
    """The labels with their name: the one given, a usual one, or the only ones that could be."""
    if column or (len(held) == 1 and not inside):
        return _there(file, held, column or next(iter(held)), "--column")
    likely = [name for name in LABELS if name in held] or [
        name
        for name, x in held.items()
        if isinstance(x, np.ndarray) and x.shape == (rows,) and x.dtype.kind != "f"
    ]
    if len(likely) == 1:
        return _there(file, held, likely[0], "--column")
    there = f"holds {_inventory(held)}" if held else "holds nothing else"
    raise _broken(held) or Fault(
        f"{file} {there}: {'several' if likely else 'none'} of them could be the labels, one a "
        f"row; name {'one with --column' if likely else 'their file with --labels'}."
    )


def _there(file: Path, found: Contents, name: str, flag: str) -> tuple[str, np.ndarray]:
    if name not in found:
        raise Fault(f"{file} has no {name!r}; it holds {_inventory(found)}: choose with {flag}.")
    if isinstance(value := found[name], Fault):
        raise value
    return name, value


def _broken(found: Contents) -> Fault | None:
    """What is wrong with the first array that cannot be read, which may be the one meant."""
    return next((x for x in found.values() if isinstance(x, Fault)), None)


def _inventory(found: Contents) -> str:
    """What a file holds, in words; of many arrays the first ten."""
    words = [
        f"{name!r} (unreadable)" if isinstance(x, Fault) else f"{name!r} {x.shape} {x.dtype}"
        for name, x in found.items()
    ]
    rest = [f"{len(words) - 10} more"] if len(words) > 10 else []
    return ", ".join(words[:10] + rest)


def _named(file: Path, name: str) -> str:
    return f"{file}: {name}" if name else str(file)
