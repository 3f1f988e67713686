"""Every theorem on the gap, for any embeddings at any scale: the audit never finds it broken."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

import supcon_theory
from supcon_theory.audits.gap import gap_audit
from supcon_theory.claims.evaluate import evaluate
from supcon_theory.claims.gap import theorems
from tests.properties.embeddings import cases, embeddings, one_sentence


@cases(25)
@given(embeddings(), st.sampled_from([1 / 650, 0.01, 0.1, 0.5, 1.0, 100.0, 1e6]))
def test_no_theorem_on_the_gap_is_broken(given_, tau):
    import pandas as pd

    x, y = given_
    z = F.normalize(x.double(), dim=-1).to(x.dtype)
    try:
        rows = gap_audit(z, y, [tau])
    except ValueError as error:
        assert one_sentence(error)
        return
    about = {"cell": "a", "split": "train", "layer": "z", "labels": "true", "C": 2, "seed": 0}
    table = pd.DataFrame([about | row for row in rows])
    verdicts, _ = evaluate(theorems((tau,)), {"table": table})
    assert "FAIL" not in set(verdicts["verdict"]), verdicts[["claim", "verdict"]].to_string()


@cases(12)
@given(embeddings((torch.float32, torch.float64)))
@pytest.mark.filterwarnings("ignore")
def test_an_audit_of_anything_is_tables_or_a_sentence(given_):
    x, y = given_
    try:
        tables = supcon_theory.audit(x, y, taus=[1.0], shots=[1, 2])
        flat = supcon_theory.scalars(x, y, tau=0.5)
    except ValueError as error:
        assert one_sentence(error)
        return
    assert len(tables["gap"]) and np.isfinite(flat["gap"])
