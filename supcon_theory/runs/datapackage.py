"""What the columns of a run's tables are: `datapackage.json` for programs, `columns.md` for people.

The first is a Data Package (https://datapackage.org, profile tabular-data-package), which readers
such as Frictionless check the CSV against. Both are generated from the declared columns.
"""

from collections.abc import Iterable, Mapping

import pandas as pd

from supcon_theory.audits.columns import DRAWN, VERDICTS, Column, Table, known
from supcon_theory.runs.summary import Summary

PROFILE = "tabular-data-package"
MISSING = ["", "nan", "NaN"]


def fields(
    name: str, table: pd.DataFrame, audits: Iterable[Table], summary: Summary | None = None
) -> list[dict[str, str]]:
    """The fields of a table in a Data Package's words: name, type, meaning, unit.

    Args:
        name: Of the table.
        table: Its rows.
        audits: Declarations of an experiment's columns.
        summary: If it is a summary, what says the meaning of its own columns.

    Returns:
        A field for each column.
    """
    own = {c.name: c for c in summary.columns} if summary else {}
    return [_field(table, c, own.get(c) or known(c, audits, name)) for c in map(str, table)]


def _field(table: pd.DataFrame, name: str, column: Column | None) -> dict[str, str]:
    kinds = {"b": "boolean", "i": "integer", "u": "integer", "f": "number"}
    field = {"name": name, "type": kinds.get(table.dtypes[name].kind, "string")}
    if len(table[name].dropna()) == 0:
        field["type"] = "any"
    if column:
        field["description"] = column.meaning
        field |= {"unit": column.unit} if column.unit else {}
    return field


def package(
    name: str,
    question: str,
    tables: Mapping[str, pd.DataFrame],
    audits: Iterable[Table],
    summaries: Mapping[str, Summary],
    figures: Mapping[str, pd.DataFrame],
) -> dict[str, object]:
    """The Data Package of a results folder.

    Args:
        name: Of the run.
        question: What it asks.
        tables: Tables by the name of their CSV, summaries and verdicts among them.
        audits: Declarations of their columns.
        summaries: Those that are summaries.
        figures: What the figures draw, by the name of their CSV.

    Returns:
        What JSON can hold.
    """
    audits = tuple(audits)
    found = [
        _resource(of, table, [VERDICTS] if of == "claims" else audits, summaries.get(of))
        for of, table in tables.items()
    ]
    found += [_resource(of, table, [DRAWN]) for of, table in figures.items()]
    return {"profile": PROFILE, "name": name, "title": question, "resources": found}


def _resource(
    name: str, table: pd.DataFrame, audits: Iterable[Table], summary: Summary | None = None
) -> dict[str, object]:
    schema = {"fields": fields(name, table, audits, summary), "missingValues": MISSING}
    about: dict[str, object] = {
        "name": name.lower(),
        "path": f"{name}.csv",
        "profile": "tabular-data-resource",
    }
    about |= {"title": summary.title} if summary else {}
    return about | {"format": "csv", "mediatype": "text/csv", "encoding": "utf-8", "schema": schema}


def page(document: Mapping) -> str:
    """`columns.md`: every column of every table of a Data Package, with unit and meaning.

    Args:
        document: The Data Package.

    Returns:
        Markdown.
    """
    lines = ["# Columns", "", f"{document['title']} The same is in `datapackage.json`."]
    for resource in document["resources"]:
        title = f": {resource['title']}" if "title" in resource else ""
        lines += ["", f"## `{resource['path']}`{title}", ""]
        lines += ["| column | unit | meaning |", "|---|---|---|"]
        for field in resource["schema"]["fields"]:
            meaning = field.get("description", "").replace("|", r"\|")
            lines.append(f"| `{field['name']}` | {field.get('unit', '')} | {meaning} |")
    return "\n".join(lines) + "\n"
