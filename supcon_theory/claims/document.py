"""Claims as a file: `claims.json`, from which a table's verdicts can be worked out again."""

import importlib
import json
import math
import pkgutil
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import pandas as pd

from supcon_theory.claims.claim import Claim
from supcon_theory.claims.evaluate import HOLDS, evaluate
from supcon_theory.claims.mutants import breaks, mutants

FORMAT = 1
MODULES = {module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)])}


def schema() -> dict:
    """The JSON schema of `claims.json`, which is part of the package."""
    return json.loads((resources.files("supcon_theory.claims") / "claims.schema.json").read_text())


def claims_json(
    claims: Sequence[Claim], verdicts: pd.DataFrame, **about: object
) -> dict[str, object]:
    """The claims and their verdicts as `schema` has them.

    Args:
        claims: All claims of an experiment.
        verdicts: What `evaluate` made of them, in the same order.
        about: More that the file shall say, such as `experiment`, `preset`, `data`.

    Returns:
        What JSON can hold: no NaN, no infinity.
    """
    rows = verdicts.to_dict("records")
    found = [_entry(claim, row) for claim, row in zip(claims, rows, strict=True)]
    return {"format": FORMAT, **about, "claims": found}


def _entry(claim: Claim, row: Mapping) -> dict[str, object]:
    interval = [_finite(row["ci_low"]), _finite(row["ci_high"])]
    return {
        "id": claim.id,
        "statement": claim.statement,
        "source": claim.source,
        "kind": claim.kind,
        "scope": claim.scope_text,
        "threshold": _plain(claim.check.threshold),
        "estimator": claim.check.estimator,
        "seeds": row["n"] if claim.kind == "trend" else None,
        "rows": None if claim.kind == "trend" else row["n"],
        "verdict": row["verdict"],
        "reason": row["reason"],
        "interval": None if None in interval else interval,
        "level": _finite(row["level"]),
        "needs": _finite(row["needs"]),
        "margin": _finite(row["margin"]),
        "tightness": _finite(row["tightness"]),
        "null": claim.null,
        "mutant": str(claim.mutant or "the cell nearest to each limit, put just above it"),
        "asked": claim.asked,
        "factory": claim.factory,
        "parameters": _plain(claim.parameters),
    }


def rebuild(document: Mapping) -> list[Claim]:
    """The claims of a file, made again by the package's own code.

    Args:
        document: What `claims_json` made.

    Returns:
        The claims, in order.

    Raises:
        ValueError: The file is of another format, or names a claim that the package does not make.
    """
    if document.get("format") != FORMAT:
        raise ValueError(
            f"the file has format {document.get('format')!r}, this version reads {FORMAT}: "
            "evaluate the claims again, or install the version that wrote it"
        )
    found = []
    for entry in document["claims"]:
        module, _, name = str(entry["factory"]).partition(".")
        home = importlib.import_module(f"{__package__}.{module}") if module in MODULES else None
        make = getattr(home, name, None)
        claim = None
        if make is not None and hasattr(make, "makes_a_claim"):
            claim = make(asked=entry["asked"], **_read(entry["parameters"]))
        if claim is None or (claim.id, claim.scope_text) != (entry["id"], entry["scope"]):
            raise ValueError(
                f"the package has no claim {entry['id']!r} with scope {entry['scope']!r}, made by "
                f"{entry['factory']!r}: evaluate the claims again, or install the version that "
                "wrote the file"
            )
        found.append(claim)
    return found


def verify(document: Mapping, table: pd.DataFrame) -> pd.DataFrame:
    """Work out every verdict again from the table alone, and apply every mutant.

    Args:
        document: `claims.json`, as `claims_json` made it.
        table: The experiment's `table.csv`.

    Returns:
        A row for each claim: `recorded` and `verdict`; `wrong`, what of its entry (statement, kind,
        threshold, interval ...) is not what the table and the package give; `mutants`, how many
        were applied (none to a claim that does not hold here); `survives`, the changes that leave
        it standing although they should not; `brittle`, those of which half is enough to break it.
    """
    table = table.reset_index(drop=True)
    claims = rebuild(document)
    verdicts, _ = evaluate(claims, {"table": table})
    again = map(_entry, claims, verdicts.to_dict("records"))
    found = zip(claims, document["claims"], again, verdicts["level"], strict=True)
    return pd.DataFrame([_report(c, old, new, level, table) for c, old, new, level in found])


def _report(
    claim: Claim, entry: Mapping, again: Mapping, level: float, table: pd.DataFrame
) -> dict:
    level = level if math.isfinite(level) else 0.95
    tried = mutants(claim, table, level) if again["verdict"] in HOLDS else []
    wrong = [name for name, value in again.items() if not _same(entry.get(name), value)]
    return {
        "claim": claim.id,
        "scope": claim.scope_text,
        "recorded": entry["verdict"],
        "verdict": again["verdict"],
        "wrong": ", ".join(wrong),
        "mutants": len(tried),
        "survives": "; ".join(m.change for m in tried if not breaks(claim, m.whole, level)),
        "brittle": "; ".join(m.change for m in tried if breaks(claim, m.half, level)),
    }


def _same(recorded: object, value: object) -> bool:
    """Equal, numbers up to what a table loses on its way through a file."""
    if isinstance(value, list) and isinstance(recorded, list) and len(value) == len(recorded):
        return all(map(_same, recorded, value))
    if isinstance(value, float) and isinstance(recorded, int | float):
        return math.isclose(recorded, value, rel_tol=1e-9, abs_tol=1e-12)
    return recorded == value


def _finite(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def _plain(value: object) -> object:
    """The value as JSON can hold it; infinity in words."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return value if not isinstance(value, float) or math.isfinite(value) else str(value)


def _read(value: Any) -> Any:
    """Parameters as they were before `_plain`: tuples, and infinity a number."""
    if isinstance(value, Mapping):
        return {k: _read(v) for k, v in value.items()}
    if isinstance(value, list):
        return tuple(map(_read, value))
    return float(value) if value in ("inf", "-inf") else value
