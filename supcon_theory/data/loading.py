"""A data set by its name or path."""

from pathlib import Path

from supcon_theory.data import embedded, external
from supcon_theory.data.dataset import DataSet
from supcon_theory.data.facts import ROOT, check_size, locate, ships
from supcon_theory.data.pictures import SIZE


def load(name_or_path: str | Path, root: str | Path = ROOT, size: int = SIZE) -> DataSet:
    """A data set that ships with the package, one known by name, or a user's.

    Args:
        name_or_path: "glyphs", "kanji", coarser classes of one ("kanji:5", `data.coarser`), a name
            of `data.named.sources`, the path of an `.npz` (`data.archive`), or of a folder with
            `train/<class>/*` and `test/<class>/*` (`data.folder`).
        root: the folder in which what is known by name lies.
        size: side of the images in pixels; 32 for what ships with the package.

    Returns:
        The data set; its images are made when asked for.

    Raises:
        ValueError: in one sentence, on an unknown name and on anything wrong in a user's data.
    """
    where = locate(name_or_path, root)
    if ships(where):
        check_size(str(where), size)
        return embedded.load(str(where))
    if isinstance(where, str):
        return external.named(where, Path(root), size)
    return external.folder(where, size) if where.is_dir() else external.npz(where, size)
