"""What is left in the folder: tables, figure, report.json; and the page, if one is asked for."""

import os
import shlex
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd

from supcon_theory.app.audit import report
from supcon_theory.audits.columns import TABLES
from supcon_theory.audits.findings import findings
from supcon_theory.runs import machine, store
from supcon_theory.runs.flags import check_writable
from supcon_theory.runs.publish import staged

RECORD = "report.json"
FIGURES = ("audit.csv", "audit.pdf", "audit.png", "caption.tex", "figures.json")


def check(out: Path, page: Path | None) -> None:
    """Refuse places that cannot be written, or that hold something else.

    Args:
        out: folder for the tables.
        page: file of the page, or None.

    Raises:
        ValueError: in one sentence.
    """
    check_writable(out)
    give_way(out)
    if page is not None:
        check_writable(page.parent)
        if page.is_dir() or page.suffix.lower() not in (".html", ".htm"):
            raise ValueError(f"report is {str(page)!r}; it must be a file that ends in .html.")


def give_way(out: Path) -> None:
    """Refuse to take the place of anything that is not of an earlier audit.

    Args:
        out: folder for the tables.

    Raises:
        ValueError: a file is there, or a folder with something else in it.
    """
    if not os.path.lexists(out):
        return
    held = {path.name for path in out.iterdir()} if out.is_dir() else {"no folder"}
    if RECORD in held:
        with suppress(store.Damaged):  # then it is no audit's
            record = store.read_json(out / RECORD)
            if isinstance(flags := record.get("flags"), dict) and "findings" in record:
                held -= {RECORD, *FIGURES, *(f"{name}.csv" for name in TABLES)}
                held.discard(Path(str(flags.get("report"))).name)
    if held:
        raise ValueError(
            f"{out} is in the way and no audit's ({', '.join(sorted(held)[:3])}): move it, or "
            "choose another --out."
        )


def write(found, out: Path, page: Path | None, flags: dict[str, object]) -> list[Path]:
    """Write everything; the folder appears whole, or not at all.

    Args:
        found: the audit.
        out: folder for the tables; an earlier audit there gives way.
        page: file of the page, or None.
        flags: what was asked.

    Returns:
        What there is now.
    """
    made = machine.description() | {"command": shlex.join(["supcon-theory", *sys.argv[1:]])}
    record = {
        "read": {
            "source": found.of.source,
            "labels": found.of.labels_source,
            "against": found.against,
            "shape": list(found.of.shape),
            "dtype": str(found.of.z.dtype),
            "norms": list(found.of.norms),
            "classes": len(found.of.counts),
            "left_out": list(found.of.left_out),
        },
        "flags": flags,
        "findings": [finding._asdict() for finding in findings(found.tables)],
        "tables": {
            name: _plain(table) for name, table in found.tables.items() if len(table) < 1000
        },
        **made,
    }
    with staged(out, lambda: give_way(out)) as stage:
        for name, table in found.tables.items():
            store.write(stage / f"{name}.csv", table.to_csv(index=False).encode())
        import_module("supcon_theory.analysis.audit").draw(found.tables, stage)
        store.write_json(stage / RECORD, record)
    names = [out / RECORD, out / "*.csv", out / "audit.pdf"]
    if page is None:
        return names
    store.write(page, report.html(found, made).encode())
    return [page, *names]


def _plain(table: pd.DataFrame) -> list[dict[str, object]]:
    """Rows as JSON holds them: what is not finite is null, or a word."""
    return [
        {str(name): _value(value) for name, value in row.items() if value == value}
        for row in table.to_dict("records")
    ]


def _value(value: object) -> object:
    value = value.item() if isinstance(value, np.generic) else value
    return str(value) if isinstance(value, float) and not np.isfinite(value) else value
