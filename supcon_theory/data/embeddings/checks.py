"""What embeddings and labels must be: each fault with the row (counted from 0) where it is."""

import numpy as np

from supcon_theory.data.embeddings.fault import Fault

BLOCK = 1 << 24  # numbers looked at in one go: a mapped file is never all in memory


def embeddings(source: str, x: np.ndarray) -> np.ndarray:
    """Floats of rank 2 or 3 with at least two rows.

    Args:
        source: what an error calls them.
        x: what was read.

    Returns:
        The same array.

    Raises:
        Fault: another type or shape.
    """
    if x.dtype.kind != "f" or x.dtype.itemsize not in (2, 4, 8):
        raise Fault(f"{source} is {x.dtype} {x.shape}: embeddings must be float16, 32 or 64.")
    if x.ndim not in (2, 3):
        raise Fault(
            f"{source} has shape {x.shape}: it must be (N, d), a row a sample, or (N, K, d), "
            "K views of each; reshape it."
        )
    if 0 in x.shape or len(x) < 2:
        raise Fault(f"{source} has shape {x.shape}: two rows at least, none of its sizes 0.")
    return x


def rows(source: str, z: np.ndarray) -> tuple[float, float]:
    """Refuse rows that are not finite or have no direction.

    Args:
        source: what an error calls them.
        z: (N, d) or (N, K, d), read block by block.

    Returns:
        The smallest and the largest norm.

    Raises:
        Fault: NaN, an infinity, zeros throughout a row, or a norm beyond its floats, with the
            first such row.
    """
    step = max(1, BLOCK // int(np.prod(z.shape[1:])))
    low, high = np.inf, 0.0
    for start in range(0, len(z), step):
        block = np.asarray(z[start : start + step]).astype(np.float64 if z.itemsize == 8 else "f4")
        largest = np.abs(block).max(-1)  # NaN where a row has one
        if not np.isfinite(largest).all():
            at = np.argwhere(~np.isfinite(largest))[0]
            what = "NaN" if np.isnan(largest[tuple(at)]) else "an infinity"
            raise Fault(
                f"{source} has {what} in {_place(at, start)}: find its cause (overflow in float16? "
                "division by 0?) or remove the row."
            )
        if not largest.all():
            raise Fault(
                f"{source} has only zeros in {_place(np.argwhere(largest == 0)[0], start)}: a row "
                "without direction; remove it or find the cause (empty input, dead ReLU)."
            )
        with np.errstate(over="ignore", under="ignore"):
            norms = np.linalg.norm(block / largest[..., None], axis=-1) * largest.astype(float)
        held = (norms > np.finfo(z.dtype).tiny) & (norms < np.finfo(np.float32).max)
        if not held.all():
            at = np.argwhere(~held)[0]
            raise Fault(
                f"{source} has norm {norms[tuple(at)]:g} in {_place(at, start)}, which float32 or "
                f"{z.dtype} does not hold: scale the rows to norms near 1 first."
            )
        low, high = min(low, float(norms.min())), max(high, float(norms.max()))
    return low, high


def labels(source: str, y: np.ndarray, count: int) -> np.ndarray:
    """Labels, one a row, of at least two classes of which one has two samples.

    Args:
        source: what an error calls them.
        y: what was read.
        count: rows of embeddings.

    Returns:
        The same array.

    Raises:
        Fault: another shape or length, missing values, one class, all labels distinct.
    """
    from supcon_theory import inputs

    if y.ndim != 1:
        raise Fault(f"{source} has shape {y.shape}: labels must be ({count},), one for each row.")
    if len(y) != count:
        above = len(y) == count - 1
        raise Fault(
            f"{source} has {len(y):,} labels and there are {count:,} rows of embeddings: one for "
            f"each row{'; is its first line a label? Write a name above it' if above else ''}."
        )
    if y.dtype.kind in "US" and (empty := np.char.strip(y) == y.dtype.type()).any():
        raise Fault(f"{source} is empty in row {int(empty.argmax())}: name or remove the sample.")
    if y.dtype.kind in "US":
        names = np.unique(y)
        bare, numbers = np.unique(np.char.strip(names), return_inverse=True)
        if len(bare) < len(names):
            one, other = names[numbers == np.bincount(numbers).argmax()][:2].tolist()
            raise Fault(
                f"{source} holds {one!r} and {other!r}, which differ by white space alone: remove "
                "it, or name the classes differently."
            )
    try:
        counts = inputs.labels(y, count, source).bincount()
    except (TypeError, ValueError) as error:
        raise Fault(str(error)) from None
    if len(counts) == 1:
        raise Fault(f"{source} holds one class, {y[0]!s}: two at least are needed.")
    if (counts > 1).sum() == 1:
        raise Fault(f"{source} holds one class of more than one sample: two are needed.")
    if counts.max() == 1:
        raise Fault(
            f"{source} holds {len(y):,} labels, all of them different: a class needs two samples; "
            "are these names of samples?"
        )
    return y


def single(y: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
    """Classes of one sample by name, and the numbers of the rows of all other classes."""
    names, of, counts = np.unique(y, return_inverse=True, return_counts=True)
    return tuple(map(str, names[counts == 1])), np.flatnonzero(counts[of] > 1)


def _place(at: np.ndarray, start: int) -> str:
    """A row, and its view if there are several."""
    return f"row {start + at[0]}" + (f", view {at[1]}" if len(at) > 1 else "")
