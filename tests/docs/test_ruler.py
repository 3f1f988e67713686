"""docs/ruler.md has the formulas and the libraries of the ruler."""

from pathlib import Path

from supcon_theory.rulers.libraries import LIBRARIES
from supcon_theory.rulers.losses import LOSSES

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "ruler.md").read_text(encoding="utf-8")


def test_every_loss_has_its_row():
    for id, loss in LOSSES.items():
        simplex = "classes" if loss.labelled else "samples"
        row = f"| `{id}` | {loss.equal} | {loss.least or 'see below'} | {simplex} |"
        assert row in PAGE


def test_every_loss_of_a_library_has_its_row():
    for library, rows in LIBRARIES.items():
        for id, row in rows.items():
            about = f"`{row.function}` | {row.says} | {row.checked} | {row.tau:g}"
            assert f"| {library} | `{id}` | {about} |" in PAGE
