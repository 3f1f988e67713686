"""Every theorem on the gap, for any embeddings at any scale: the audit never finds it broken."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import supcon_theory
from supcon_theory.audits import (
    anatomy,
    collapse,
    comparison,
    earlier_bounds,
    few_shot,
    gap,
    labels_needed,
    raw,
    small_samples,
    training,
)
from supcon_theory.claims.evaluate import evaluate
from supcon_theory.claims.gap import theorems
from tests.properties.embeddings import cases, embeddings, one_sentence, unit


@cases(25)
@given(embeddings(), st.sampled_from([1 / 650, 0.01, 0.1, 0.5, 1.0, 100.0, 1e6]))
def test_no_theorem_on_the_gap_is_broken(given_, tau):
    import pandas as pd

    x, y = given_
    z = unit(x)
    try:
        rows = gap.gap_audit(z, y, [tau])
    except ValueError as error:
        assert one_sentence(error)
        return
    about = {"cell": "a", "split": "train", "layer": "z", "labels": "true", "C": 2, "seed": 0}
    table = pd.DataFrame([about | row for row in rows])
    verdicts, _ = evaluate(theorems((tau,)), {"table": table})
    assert "FAIL" not in set(verdicts["verdict"]), verdicts[["claim", "verdict"]].to_string()


AUDITS = {  # of unit rows z, of features x, of classes numbered y
    "gap": lambda z, x, y: gap.gap_audit(z, y, [0.1, 1.0]),
    "gap of a labelling": lambda z, x, y: gap.labelling_audit(z, y, [0.1]),
    "floors": lambda z, x, y: gap.floor_audit(z, y, [0.1]),
    "anatomy": lambda z, x, y: anatomy.anatomy_audit(z, y, [0.1]),
    "collapse": lambda z, x, y: collapse.collapse_audit(x, y, y.roll(1)),
    "gram": lambda z, x, y: collapse.gram_table(x, y, range(int(y.max()) + 1)),
    "spectrum": lambda z, x, y: collapse.spectrum_table(x),
    "comparison": lambda z, x, y: comparison.comparison_table(x, x.flip(0)),
    "earlier bounds": lambda z, x, y: earlier_bounds.earlier_bounds_audit(z, y, [1.0], [1, 4], 2),
    "few-shot": lambda z, x, y: few_shot.feature_audit(x, y, [1, 2], [2], draws=2, seed=0),
    "raw": lambda z, x, y: raw.raw_row(x, y),
    "small samples": lambda z, x, y: small_samples.small_samples_row(x, y),
    "intervals": lambda z, x, y: small_samples.separation_intervals(x, y),
    "dimension": lambda z, x, y: small_samples.dimension_row(x),
    "interval of a dimension": lambda z, x, y: small_samples.dimension_interval(x),
    "proved": lambda z, x, y: small_samples.finite_sample_rows(z[:, 0], y, [1, 5], [2]),
    "training": lambda z, x, y: training.training_audit(z, y, [1.0]),
    "null": lambda z, x, y: training.null_audit(z, y, [1.0]),
    "labels needed": lambda z, x, y: labels_needed.held_out_rows(
        x[:, 0], y, [1], draws=2, linear=True, seed=0
    ),
}


@cases(40)
@given(embeddings(), st.sampled_from(sorted(AUDITS)))
@pytest.mark.filterwarnings("ignore")
def test_every_audit_measures_or_refuses_in_a_sentence(given_, name):
    x, y = given_
    numbered = torch.from_numpy(np.unique(y, return_inverse=True)[1].copy())
    try:
        AUDITS[name](unit(x), x, numbered)
    except ValueError as error:
        assert one_sentence(error), (name, error)


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
