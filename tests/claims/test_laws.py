"""Laws over all claims: each holds on its table; its mutants flip it, half of them do not."""

import functools
import json

import numpy as np
import pandas as pd
import pytest

from supcon_theory.claims import UndeclaredColumn, evaluate, verify
from supcon_theory.claims.claim import DECLARED
from supcon_theory.claims.document import claims_json
from supcon_theory.claims.evaluate import HOLDS
from tests.claims.judged import JUDGED

VACUOUS = {  # what holds there but says nothing
    "sweep": {"A7 data=glyphs tau=1"},
    "published sweep": {"A7 data=cifar10 tau=1"},
    "grid": {"A3 tau=0.1"},
    "pretrained": {"A3 tau=0.05"},
    "few shots": {"C4-neurips C=100", "C4-theorem_4_1 C=100"},
    "training": {"A8 tau=1", "A8-walk tau=1"},
}
CASES = [
    pytest.param(claim, table, id=f"{name}: {claim.key}")
    for name, (claims, table) in JUDGED.items()
    for claim in claims
]


@functools.cache
def judged(name: str) -> pd.DataFrame:
    claims, table = JUDGED[name]
    return evaluate(claims, {"table": table})[0]


@pytest.mark.parametrize("name", JUDGED)
def test_every_claim_holds_on_the_table_made_for_it(name):
    keys = [claim.key for claim in JUDGED[name][0]]
    found = dict(zip(keys, judged(name)["verdict"], strict=True))
    expected = dict.fromkeys(keys, "PASS")
    expected |= dict.fromkeys(VACUOUS.get(name, ()), "VACUOUS")
    assert found == expected


def test_an_id_means_one_claim_wherever_it_stands():
    declared: dict[str, set[str]] = {}
    for claims, _ in JUDGED.values():
        for claim in claims:
            declared.setdefault(claim.id, set()).add(claim.factory)
    assert {id: of for id, of in declared.items() if len(of) > 1} == {}


@pytest.mark.parametrize("name", JUDGED)
def test_every_mutant_flips_its_claim_half_of_it_does_not_and_the_file_alone_says_so(name):
    claims, table = JUDGED[name]
    document = json.loads(json.dumps(claims_json(claims, judged(name)), allow_nan=False))
    report = verify(document, table)
    assert not report["wrong"].any()
    assert (report["mutants"] > 0).all()
    assert not report["survives"].any() and not report["brittle"].any(), report


@pytest.mark.parametrize("claim, table", CASES)
def test_nothing_is_decided_by_an_empty_table_or_by_numbers_that_are_nan(claim, table):
    assert claim.verdict(table.iloc[:0]).verdict == "INCONCLUSIVE"
    about = set(claim.scope) | {"seed", "step", "level", "labels", "split", "C", "d", "K", "m"}
    numbers = table.select_dtypes(float).columns.difference([*about, "tau"])
    found = claim.verdict(table.assign(**dict.fromkeys(numbers, np.nan)))
    assert found.verdict == "INCONCLUSIVE" or (found.verdict == "NOT ASKED" and claim.given)


@pytest.mark.parametrize("claim, table", CASES)
def test_one_seed_is_enough_for_a_theorem_and_never_for_a_trend(claim, table):
    found = claim.verdict(table[table["seed"] == 0].reset_index(drop=True))
    if claim.kind == "trend":
        assert found.verdict == "INCONCLUSIVE" and "seeds" in found.reason
    elif claim.id != "B2-spurious":
        assert found.verdict in HOLDS


@pytest.mark.parametrize("claim, table", CASES)
def test_a_claim_stands_alone_and_names_declared_columns(claim, table):
    assert claim.about and str(claim.check) in claim.statement and claim.source
    assert claim.scope_text in claim.statement
    assert claim.check.columns <= DECLARED
    assert "{" not in claim.statement + claim.key


@pytest.mark.parametrize("claim, table", CASES)
def test_what_is_not_asked_has_no_verdict(claim, table):
    import dataclasses

    assert dataclasses.replace(claim, asked=False).verdict(table).verdict == "NOT ASKED"


def test_an_undeclared_column_is_an_error_and_a_missing_one_decides_nothing():
    import dataclasses

    from supcon_theory.claims import AtMost

    claims, table = JUDGED["sweep"]
    typo = dataclasses.replace(claims[1], check=AtMost({"violation_uper": 0.0}))
    with pytest.raises(UndeclaredColumn, match="'violation_uper', which no audit declares"):
        typo.verdict(table.assign(violation_uper=0.0))
    found = claims[1].verdict(table.drop(columns="violation_upper"))
    assert (found.verdict, found.reason) == (
        "INCONCLUSIVE",
        "the table has no column violation_upper",
    )
    trend = next(c for c in claims if c.id == "A7")
    assert "no column gap" in trend.verdict(table.drop(columns="gap")).reason
