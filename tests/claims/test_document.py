"""claims.json: its schema, what verify refuses, and that a mutant without effect is seen."""

import json

import pandas as pd
import pytest

from supcon_theory.claims import Change, evaluate, verify
from supcon_theory.claims.document import claims_json, rebuild, schema
from tests.claims.judged import JUDGED


def document(name: str, table: pd.DataFrame | None = None) -> dict:
    claims, good = JUDGED[name]
    verdicts, _ = evaluate(claims, {"table": good if table is None else table})
    found = claims_json(claims, verdicts, experiment=name, preset="smoke")
    return json.loads(json.dumps(found, allow_nan=False, sort_keys=True))


TYPES = {"string": str, "object": dict, "array": list, "null": type(None), "boolean": bool}
TYPES |= {"number": (int, float), "integer": int}


def check(value: object, rule: dict, root: dict) -> None:
    """The part of JSON schema that the file uses."""
    if "$ref" in rule:
        rule = root["$defs"][rule["$ref"].rpartition("/")[2]]
    kinds = rule.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    assert not kinds or any(isinstance(value, TYPES[k]) for k in kinds), value
    assert value in rule.get("enum", [value]) and value == rule.get("const", value)
    if isinstance(value, dict):
        assert set(rule.get("required", ())) <= set(value)
        assert rule.get("additionalProperties", True) or set(value) <= set(rule["properties"])
        for name, inner in rule.get("properties", {}).items():
            if name in value:
                check(value[name], inner, root)
    for inner in value if isinstance(value, list) and "items" in rule else ():
        check(inner, rule["items"], root)


@pytest.mark.parametrize("name", JUDGED)
def test_the_file_obeys_its_schema_also_where_nothing_is_decided(name):
    for found in (document(name), document(name, pd.DataFrame())):
        check(found, schema(), schema())


@pytest.mark.parametrize("name", JUDGED)
def test_claims_made_again_from_the_file_are_the_claims(name):
    for claim, again in zip(JUDGED[name][0], rebuild(document(name)), strict=True):
        assert (again.statement, again.key, again.mutant) == (
            claim.statement,
            claim.key,
            claim.mutant,
        )


def test_a_doctored_table_or_file_does_not_agree():
    table = JUDGED["sweep"][1].copy()
    table.loc[3, "violation_upper"] = 1.0
    report = verify(document("sweep"), table).set_index("claim")
    assert report.loc["A2", ["recorded", "verdict"]].tolist() == ["PASS", "FAIL"]
    assert "verdict" in report.loc["A2", "wrong"] and not report.loc["A1", "wrong"]
    found = document("sweep")
    found["claims"][1]["statement"] = found["claims"][1]["statement"].replace("1e-09", "1")
    report = verify(found, JUDGED["sweep"][1]).set_index("claim")
    assert report.loc["A2", "wrong"] and not report.loc["A1", "wrong"]


@pytest.mark.parametrize(
    "key, forged", [("threshold", {"violation_upper": 1.0}), ("kind", "trend"), ("tightness", 0.5)]
)
def test_a_forged_entry_is_named(key, forged):
    found = document("sweep")
    found["claims"][1][key] = forged
    report = verify(found, JUDGED["sweep"][1]).set_index("claim")
    assert report.loc["A2", "wrong"] == key and not report.loc["A1", "wrong"]


@pytest.mark.parametrize("key", ["factory", "scope", "id"])
def test_a_claim_that_the_package_does_not_make_is_refused(key):
    found = document("counterexample")
    found["claims"][0][key] = "os.system"
    with pytest.raises(ValueError, match="the package has no claim"):
        rebuild(found)


def test_another_format_is_refused():
    with pytest.raises(ValueError, match="format 99"):
        rebuild(document("counterexample") | {"format": 99})


def test_a_mutant_that_changes_nothing_is_reported_as_surviving(monkeypatch):
    import dataclasses

    from supcon_theory.claims import document as module

    def blunt(document):
        return [dataclasses.replace(c, mutant=Change("V", "V + @t")) for c in rebuild(document)]

    monkeypatch.setattr(module, "rebuild", blunt)
    report = module.verify(document("counterexample"), JUDGED["counterexample"][1])
    assert report["survives"].str.startswith("V := V + t").all()
