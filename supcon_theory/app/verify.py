"""`supcon-theory verify claims.json table.csv`: are the recorded verdicts those of the table?"""

from pathlib import Path

import pandas as pd

from supcon_theory.runs import store, terminal
from supcon_theory.runs.exits import Refused


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
    from supcon_theory.claims.document import verify as worked_out

    try:
        report = worked_out(store.read_json(claims), pd.read_csv(table))
    except (store.Damaged, OSError, ValueError) as error:
        raise Refused(str(error)) from None
    terminal.show(report)
    right = report["agrees"] & (report["survives"] == "") & (report["brittle"] == "")
    wrong = report.loc[~right]
    for row in wrong.to_dict("records"):
        print(f"{row['claim']} {row['scope']}: recorded {row['recorded']}, found {row['verdict']}")
    return 1 if len(wrong) else 0
