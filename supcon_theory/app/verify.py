"""`supcon-theory verify claims.json table.csv`: are the recorded verdicts those of the table?"""

import io
from argparse import ArgumentParser, Namespace
from pathlib import Path

import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.runs import store, terminal
from supcon_theory.runs.exits import Refused


def arguments(parser: ArgumentParser) -> None:
    """The two files of a run."""
    parser.add_argument("claims", type=Path, help="claims.json of a run")
    parser.add_argument("table", type=Path, help="table.csv of the same run")


def main(given: Namespace) -> int:
    """Verify the files given."""
    return verify(given.claims, given.table)


def verify(claims: Path, table: Path) -> int:
    """Work out every verdict again from the table, apply every mutant, and print what was found.

    Args:
        claims: `claims.json` of a run.
        table: `table.csv` of the same run.

    Returns:
        0 if every verdict is the recorded one and no mutant survives, else 1.

    Raises:
        Refused: a file cannot be read, or is of another format.

    """
    from supcon_theory.claims import document

    try:
        recorded = store.read_json(claims)
        rows = pd.read_csv(io.BytesIO(store.contents(table)), dtype=columns.WORDS)
        document.rebuild(recorded)
        verdicts = [(entry["verdict"], entry["statement"]) for entry in recorded["claims"]]
    except (store.Damaged, OSError, ValueError) as error:
        raise Refused(str(error)) from None
    except (KeyError, TypeError, AttributeError) as error:
        raise Refused(
            f"{claims} is no run's claims.json ({type(error).__name__}: {error})"
        ) from None
    if not verdicts:
        raise Refused(f"{claims} holds no claims")
    if "cell" not in rows:
        raise Refused(f"{table} is no run's table.csv: it has no column cell")
    try:
        report = document.verify(recorded, rows)
    except (KeyError, TypeError, ValueError) as error:  # words among numbers, say
        raise Refused(f"{table} is no run's table.csv ({type(error).__name__}: {error})") from None
    terminal.show(report)
    right = (report[["wrong", "survives", "brittle"]] == "").all(axis=1)
    wrong = report.loc[~right]
    for row in wrong.to_dict("records"):
        print(f"{row['claim']} {row['scope']}: recorded {row['recorded']}, found {row['verdict']}")
    return 1 if len(wrong) else 0
