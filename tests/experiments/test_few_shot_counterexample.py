"""C6 on its own table, on doctored tables, and the exact error that it rests on."""

import importlib.util
import pathlib
import sys

import numpy as np
import pandas as pd
import pytest
from supcon_theory.claims.few_shot_counterexample import counterexample_claims, smallest_excess

from supcon_theory.claims import evaluate
from supcon_theory.runs.cells import Context

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture(scope="module")
def experiment():
    spec = importlib.util.spec_from_file_location(
        "few_shot_counterexample", ROOT / "experiments" / "few_shot_counterexample.py"
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def table(experiment):
    config = experiment.PRESETS["smoke"]
    context = Context(pathlib.Path("."))
    return pd.concat(
        [experiment.measure(cell.config, context) for cell in experiment.cells(config)],
        ignore_index=True,
    )


def verdicts(table):
    found, _ = evaluate(counterexample_claims(), table)
    return dict(zip(found["claim"], found["verdict"], strict=False))


def test_the_law_breaks_the_older_form_and_no_other(table):
    assert verdicts(table) == {"C6": "PASS", "C6-valid": "PASS"}


def test_the_smallest_change_that_repairs_the_older_form_fails_the_claim(table):
    excess = smallest_excess(table[(table["m"] >= 10_000) & (table["scale"] == 1)])
    repair = excess.max() + 4 * (excess.max() - excess.min())

    def doctored(part):
        return table.assign(bound_older=table["bound_older"] + part * repair)

    assert verdicts(doctored(1.0))["C6"] == "FAIL"
    assert verdicts(doctored(0.5))["C6"] == "PASS"


@pytest.mark.parametrize("name", ["neurips", "tightened", "theorem_4_1", "cantelli"])
def test_one_bound_just_below_the_error_fails_the_other_claim(table, name):
    worst = table[f"excess_{name}"].idxmax()
    change = -table.loc[worst, f"excess_{name}"] + 2e-9
    for part, verdict in ((1.0, "FAIL"), (0.5, "PASS")):
        copy = table.copy()
        copy.loc[worst, f"excess_{name}"] += part * change
        assert verdicts(copy)["C6-valid"] == verdict


def test_nothing_to_judge_is_inconclusive(table):
    assert set(verdicts(table.iloc[:0]).values()) == {"INCONCLUSIVE"}
    assert verdicts(table.assign(error=np.nan))["C6"] == "INCONCLUSIVE"
    assert verdicts(table[table["m"] < 10_000])["C6"] == "INCONCLUSIVE"
    assert verdicts(table[table["seed"] == 0])["C6"] == "INCONCLUSIVE"
    assert verdicts(table.assign(excess_cantelli=np.nan))["C6-valid"] == "INCONCLUSIVE"


@pytest.mark.parametrize("m", [1, 7])
def test_the_exact_error_equals_a_simulation_with_every_support_drawn(experiment, m):
    V, draws = np.sqrt(m), 400_000
    rng = np.random.default_rng(0)
    own, other = rng.normal(0, np.sqrt(V), (2, m, draws)).mean(1)
    point = rng.normal(0, np.sqrt(V), draws)
    means = np.array([[0.0], [1.0]])  # along the line between the means nothing varies
    near = (point - other) ** 2 + (means[0] - means[1]) ** 2 <= (point - own) ** 2
    exact = experiment.exact_error(V, m)
    assert abs(near.mean() - exact) < 4 * np.sqrt(exact * (1 - exact) / draws)


def test_the_older_form_still_holds_at_a_thousand_supports(experiment):
    assert experiment.bounds(np.sqrt(1000), 1000)["older"] > experiment.exact_error(
        np.sqrt(1000), 1000
    )
    assert experiment.bounds(np.sqrt(2000), 2000)["older"] < experiment.exact_error(
        np.sqrt(2000), 2000
    )
