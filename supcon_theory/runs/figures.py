"""The figures of a run: drawn from its tables alone, or taken from an equal run that was drawn."""

import importlib
import importlib.util
import json
import os
import subprocess
import sys
import traceback
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

from supcon_theory.audits import columns
from supcon_theory.runs import store

DRAWN = "drawn.json"  # what was drawn from what, both as hashes


def figures(folder: Path) -> list[dict[str, str]]:
    """What a drawing says of its figures: of each the `file` and the `title`; none without one."""
    path = folder / "figures.json"
    said = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return [
        {"file": str(folder / f"{name}.pdf"), "title": of["title"]} for name, of in said.items()
    ]


def draw(name: str, folder: Path, earlier: Path, singly: bool = True) -> str:
    """Draw the figures from the tables alone, where torch is loaded in a process of their own.

    Drawing takes seconds. Where an earlier folder has figures drawn from the same bytes by the same
    programs, those are taken; whatever in it is missing or damaged is drawn again.

    Args:
        name: of the experiment, and of its drawing.
        folder: with the tables; the figures go there.
        earlier: results that may have the same figures.
        singly: each panel as a file of its own as well.

    Returns:
        nothing, or the sentence that says why there is no figure.

    """
    module = f"supcon_theory.analysis.{name}"
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        return f"There is no figure, since there is no drawing {module}; tables are complete."
    tables = set(folder.rglob("*"))
    source = _source(Path(spec.origin).parent, folder, singly)
    if _taken(earlier, source, folder):
        return ""
    try:
        _draw(module, [str(folder), *["--panels"] * singly])
    except Exception as error:
        if not isinstance(error, subprocess.CalledProcessError):
            traceback.print_exc()
        return (
            f"There is no figure, since {module} broke (above); tables and verdicts are complete."
        )
    files = _hashes(folder, set(folder.rglob("*")) - tables)
    store.write_json(folder / DRAWN, {"source": source, "files": files})
    return ""


def _draw(module: str, asked: list[str]) -> None:
    if "torch" in sys.modules:
        subprocess.run([sys.executable, "-P", "-m", module, *asked], check=True)
    else:  # the answer came from the store: a second process would load pandas again
        style = importlib.import_module("supcon_theory.analysis.style")
        style.main(importlib.import_module(module).draw, asked)


def _source(programs: Path, folder: Path, singly: bool) -> str:
    """A hash of all that figures depend on: tables, programs, what they are drawn with."""
    declared = Path(columns.__file__).parent
    libraries = [version(name) for name in ("matplotlib", "numpy", "pandas")]
    drawn_by = [
        _hashes(programs, [*programs.rglob("*.py"), *programs.rglob("*.mplstyle")]),
        _hashes(declared, declared.glob("columns.*")),
    ]
    return store.key([_hashes(folder, folder.rglob("*.csv")), drawn_by, libraries, singly])


def _hashes(folder: Path, paths: Iterable[Path]) -> dict[str, str]:
    """The hash of each file among these, by its place in the folder."""
    files = (path for path in sorted(paths) if path.is_file())
    return {os.path.relpath(path, folder): store.digest(path.read_bytes()) for path in files}


def _taken(earlier: Path, source: str, folder: Path) -> bool:
    """Copy the figures of an earlier folder, if they are whole and of this source."""
    try:
        found = store.read_json(earlier / DRAWN)
        files = dict(found["files"])
        there = [path for path in earlier.rglob("*") if os.path.relpath(path, earlier) in files]
        if found["source"] != source or _hashes(earlier, there) != files:
            return False
        for name in files:
            store.write(folder / name, (earlier / name).read_bytes())
    except (OSError, ValueError, KeyError, TypeError, store.Damaged):
        return False  # none yet, or damaged
    store.write_json(folder / DRAWN, found)
    return True
