"""The Data Package of a run and its summaries in LaTeX."""

import json
import re

import numpy as np
import pandas as pd

from supcon_theory.audits import columns
from supcon_theory.audits.columns import Column
from supcon_theory.runs import datapackage
from supcon_theory.runs.summary import Summary, aligned, latex, number

TABLE = pd.DataFrame(
    {"seed": [0, 1], "gap": [0.5, np.nan], "data": ["a", "b"], "r_dcl": [1e-5, -2.0]}
)
SUMMARY = Summary(TABLE, "Gap & r_100", (Column("r_dcl", "1", "r, CL"),))
VALID = {  # of https://specs.frictionlessdata.io/schemas/tabular-data-package.json, what we use
    "package": {"profile", "name", "title", "resources"},
    "resource": {"name", "path", "profile", "title", "format", "mediatype", "encoding", "schema"},
    "schema": {"fields", "missingValues"},
    "field": {"name", "type", "description", "unit"},
    "types": {"integer", "number", "string", "boolean", "any"},
}


def test_a_data_package_has_the_form_of_its_profile():
    tables = {"table": TABLE[["seed", "gap", "data"]], "summary": TABLE}
    document = datapackage.package(
        "a_run", "Is it so?", tables, (columns.GAP,), {"summary": SUMMARY}, {}
    )
    document = json.loads(json.dumps(document))
    assert set(document) <= VALID["package"] and document["profile"] == "tabular-data-package"
    for resource in document["resources"]:
        assert set(resource) <= VALID["resource"]
        assert {"name", "path", "profile", "schema"} <= set(resource)
        assert not resource["path"].startswith(("/", "."))
        assert set(resource["schema"]) == VALID["schema"]
        for field in resource["schema"]["fields"]:
            assert set(field) <= VALID["field"] and field["type"] in VALID["types"]
    table, summary = (of["schema"]["fields"] for of in document["resources"])
    assert [field["type"] for field in table] == ["integer", "number", "string"]
    assert table[1]["unit"] == "nats" and "log(1 + S / D)" in table[1]["description"]
    assert summary[3]["description"] == "r, CL"
    assert "| `gap` | nats | mean over anchors" in datapackage.page(document)


def test_the_table_itself_is_asked_first_what_a_column_means():
    assert columns.known("error", (columns.FEW_SHOT,)).meaning == "mean error over the draws"
    assert columns.known("rank", table="spectrum").meaning.startswith("place of the singular")
    assert columns.known("cdnv", table="pairs").meaning == "(v_i + v_j) / (2 d_ij^2)"
    assert columns.known("no such column") is None


def test_a_summary_is_a_table_of_booktabs_and_siunitx():
    text = latex(SUMMARY, "a_run-summary", "n = 2 seeds", (columns.GAP,))
    assert (
        r"\caption{Gap \& r\_100 (n = 2 seeds).}" in text and r"\label{tab:a_run-summary}" in text
    )
    assert all(rule in text for rule in (r"\toprule", r"\midrule", r"\bottomrule"))
    kinds = re.search(r"\\begin\{tabular\}\{(.*)\}", text)[1]
    assert kinds == "S[table-format=1.0] S[table-format=1.1] l S[table-format=-1.0e-1]"
    assert r"{\shortstack{seed}} & {\shortstack{gap \\ (nats)}} & " in text
    assert r"{\shortstack{r, CL}} \\" in text and "in the CSV only" not in text
    assert r"0 & 0.5 & {a} & 1e-05 \\" in text and r"1 & {} & {b} & -2 \\" in text


def test_columns_that_a_line_of_a_page_does_not_hold_are_left_to_the_csv():
    wide = pd.DataFrame({f"a_long_heading_{k}": [1.0] for k in range(20)})
    text = latex(Summary(wide, "Wide"), "wide", "n = 1 seed")
    kept = text.count(r"\shortstack")
    assert 1 < kept < 20
    assert f"in the CSV only: a_long_heading_{kept}, " in text


def test_numbers_have_three_digits_and_columns_fit_them():
    assert [number(x) for x in (0.12345, 1234.5, np.nan, 3, "x")] == [
        *("0.123", "1.23e+03", "", "3", "x")
    ]
    assert aligned(["12.5", "-0.25", "1e-12"]) == "S[table-format=-2.2e-2]"
