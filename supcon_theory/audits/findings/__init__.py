"""What the tables of an audit say, in plain words: pure functions of tables, worst first."""

from supcon_theory.audits.findings import collapse, dimension, few_shot, losses, rows
from supcon_theory.audits.findings.finding import WORDS, Finding, Tables

__all__ = ["QUESTIONS", "WORDS", "Finding", "findings"]

QUESTIONS = (  # in the order in which equally good or bad answers are told
    losses.violations,
    collapse.separation,
    collapse.within,
    dimension.rank,
    few_shot.chance,
    rows.likeness,
    rows.mislabelled,
    collapse.closest_pairs,
    few_shot.labels,
    few_shot.probes,
    few_shot.proved,
    losses.sizes,
    losses.levels,
    losses.gaps,
    losses.classes,
    dimension.norms,
    collapse.simplex,
)


def findings(tables: Tables) -> list[Finding]:
    """Every finding that the tables allow.

    Args:
        tables: What `audit` returns; a question whose table is not there is not answered.

    Returns:
        Findings, the worst first.
    """
    found = [finding for question in QUESTIONS for finding in question(tables)]
    order = list(WORDS)
    return sorted(found, key=lambda finding: order.index(finding.level))
