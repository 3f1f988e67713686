"""The page of an audit: what was read, verdicts, charts with values to hover over, tables."""

from supcon_theory.app.audit import charts
from supcon_theory.app.audit.printed import read
from supcon_theory.app.audit.sheets import sheets
from supcon_theory.app.page import Section, listing, page, preformatted, table, text
from supcon_theory.audits.columns import TABLES
from supcon_theory.audits.findings import WORDS, findings


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
        Section("Verdicts, worst first", [listing(told)]),
    ]
    drawn = charts.charts(found.tables)
    for sheet in sheets(found.tables):
        parts = [*drawn.pop(sheet.question, []), table(sheet.rows, meanings=meanings(sheet.of))]
        sections.append(Section(sheet.question, [*parts, text(sheet.note)]))
    version = f"supcon_theory {made['versions']['supcon_theory']}, {made['time']}"
    sections.append(Section("How it was made", [text(version), preformatted(made["command"])]))
    return page(f"Audit of {found.of.source}", sections, text("\n\n".join(read(found))))


def meanings(name: str) -> dict[str, str]:
    """What the columns of a declared table mean; nothing for a table without name."""
    return {c.name: c.meaning for c in TABLES[name].columns} if name else {}
