"""What tests/survivors.csv says of mutants: their files are there, and the tests that kill them."""

import csv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KILLED = "killed since: "


def test_every_survivor_has_a_file_and_a_reason_or_a_test_that_is_there():
    with (ROOT / "tests" / "survivors.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    tests = "\n".join(path.read_text() for path in sorted((ROOT / "tests").rglob("test_*.py")))
    assert len(rows) > 40
    for row in rows:
        assert (ROOT / row["file"]).is_file() and row["mutant"], row
        assert len(row["why"]) > 10, row
        if row["why"].startswith(KILLED):
            assert f"def {row['why'].removeprefix(KILLED)}(" in tests, row
