"""A data set by its name or path."""

from pathlib import Path

from supcon_theory.data import embedded, external
from supcon_theory.data.dataset import DataSet
from supcon_theory.data.facts import locate


def load(name_or_path: str | Path) -> DataSet:
    """A data set that ships with the package, or a user's.

    Args:
        name_or_path: "glyphs", "kanji", coarser classes of one ("kanji:5", `data.coarser`), the
            path of an `.npz` (`data.archive`), or of a folder with `train/<class>/*` and
            `test/<class>/*` (`data.folder`).

    Returns:
        The data set; its images are made when asked for.

    Raises:
        ValueError: in one sentence, on an unknown name and on anything wrong in a user's data.
    """
    where = locate(name_or_path)
    if isinstance(where, str):
        return embedded.load(where)
    return external.folder(where) if where.is_dir() else external.npz(where)
