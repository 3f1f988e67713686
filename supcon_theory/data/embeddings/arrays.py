"""NumPy's own files: `.npy`, mapped into memory, and the arrays of an `.npz`. No pickle is read."""

import zipfile
from math import prod
from pathlib import Path

import numpy as np

from supcon_theory.data import archive
from supcon_theory.data.embeddings.fault import Fault

PLAIN = "save plain arrays: numpy.asarray(x, dtype=numpy.float32), or str for labels"


def npy(path: Path) -> dict[str, np.ndarray]:
    """The array of a file under the name "", mapped into memory, not read.

    Args:
        path: of the file.

    Returns:
        The array.

    Raises:
        Fault: it holds Python objects, or less than its header claims.
    """
    with open(path, "rb") as file:
        if file.read(len(np.lib.format.MAGIC_PREFIX)) != np.lib.format.MAGIC_PREFIX:
            raise Fault(f"{path} is no .npy file (a pickle is not read): write it with numpy.save.")
        file.seek(0)
        version = np.lib.format.read_magic(file)
        if version not in archive.HEADERS:
            raise Fault(f"{path} has a header of the unknown version {version}: {PLAIN}.")
        shape, _, dtype = archive.HEADERS[version](file)
        start = file.tell()
    if dtype.hasobject:
        raise Fault(f"{path} holds Python objects, which are not read: {PLAIN}.")
    claimed, there = prod(shape) * dtype.itemsize, path.stat().st_size - start
    if claimed != there:
        raise Fault(
            f"{path} is truncated or damaged: {dtype} {shape} takes {claimed:,} bytes and there "
            f"are {there:,}; write it again."
        )
    if claimed == 0:
        return {"": np.empty(shape, dtype)}
    return {"": np.load(path, mmap_mode="r", allow_pickle=False)}


def npz(path: Path) -> dict[str, np.ndarray | Fault]:
    """The arrays of an archive by name.

    Args:
        path: of the file.

    Returns:
        Name to array, or to what is wrong with it: it matters only if it is asked for.

    Raises:
        Fault: it is no archive, or has two arrays of one name.
    """
    if not zipfile.is_zipfile(path):
        raise Fault(f"{path} is truncated or no .npz file: write it with numpy.savez.")
    with zipfile.ZipFile(path) as stored:
        names = [name.removesuffix(".npy") for name in stored.namelist() if name.endswith(".npy")]
        if len(set(names)) < len(names):
            raise Fault(f"{path} has two arrays of one name: write it again, with numpy.savez.")
        return {name: _array(path, stored, name) for name in names}


def _array(path: Path, stored: zipfile.ZipFile, name: str) -> np.ndarray | Fault:
    try:
        archive.shape(stored, name)
        with stored.open(f"{name}.npy") as file:
            return np.lib.format.read_array(file, allow_pickle=False)
    except Exception as error:  # whatever NumPy, zipfile and zlib raise on damage
        return Fault(f"{path}: {name} cannot be read ({archive.reason(error)}): {PLAIN}.")
