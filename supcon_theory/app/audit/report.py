"""The page of an audit: what was read, verdicts, charts with values to hover over, tables."""

from supcon_theory.app.audit import charts
from supcon_theory.app.audit.printed import read
from supcon_theory.app.audit.sheets import sheets
from supcon_theory.app.page import Section, listing, page, table, text
from supcon_theory.audits.columns import TABLES
from supcon_theory.audits.findings import WORDS, findings

MEANINGS = {column.name: column.meaning for table in TABLES.values() for column in table.columns}


def html(found, made: dict) -> str:
    """The page.

    Args:
        found: the audit.
        made: what made it, as `runs.machine` describes it.

    Returns:
        One self-contained page.
    """
    told = [(f.level, WORDS[f.level], f.says, f.means) for f in findings(found.tables)]
    sections = [
        Section("What was read", [text("\n\n".join(read(found)))]),
        Section("Verdicts, worst first", [listing(told)]),
    ]
    drawn = charts.charts(found.tables)
    for sheet in sheets(found.tables):
        parts = [*drawn.pop(sheet.question, []), table(sheet.rows, meanings=MEANINGS)]
        sections.append(Section(sheet.question, [*parts, text(sheet.note)]))
    version, when = made["versions"]["supcon_theory"], made["time"]
    sections.append(
        Section("How it was made", [text(f"supcon_theory {version}, {when}, {made['command']}")])
    )
    return page(f"Audit of {found.of.source}", sections)
