"""The page of conventions is that of the functions, and what it says of them is true."""

import inspect
from pathlib import Path

import pytest
import torch

import supcon_theory.objectives
from supcon_theory.objectives import IDS, OBJECTIVES
from supcon_theory.objectives.conventions import HEAD, convention, page
from tests.objectives.test_loop_references import LOSSES, batch

PAGE = Path(__file__).parents[2] / "docs" / "objectives.md"


def test_the_committed_page_is_that_of_the_functions():
    text = PAGE.read_text(encoding="utf-8")
    assert page(text) == text, "run python -m supcon_theory.objectives.conventions"
    assert list(convention("dcl")) == list(HEAD)


def refused(name, z, y):
    try:
        OBJECTIVES[name](z, y, tau=0.5)
    except ValueError:
        return True
    return False


@pytest.mark.parametrize("name", LOSSES)
def test_labels_and_views_are_needed_where_the_page_says_so(name):
    said = convention(name)
    z, y = batch("balanced", 2, 0)
    assert refused(name, z, None) == (said["labels"] == "yes")
    assert refused(name, z[:, :1], y) == (said["views"] == "K >= 2")


@pytest.mark.parametrize("name", [n for n in LOSSES if convention(n)["positives"][:3] == "own"])
def test_the_denominator_holds_what_the_page_says(name):
    """The loss of an anchor sees its class iff it is in it; is linear in its positive iff not."""
    z, y = batch("balanced", 2, 0)
    said, f = convention(name), OBJECTIVES[name]
    unit = {"unit": False} if "unit" in inspect.signature(f).parameters else {}

    def of_anchor(sample, view, t):
        moved = z.clone()
        turn = torch.eye(4, dtype=z.dtype)
        turn[:2, :2] = torch.tensor([[0.0, 1], [-1, 0]])
        moved[sample, view] = z[sample, view] + t * (turn @ z[sample, view] - z[sample, view])
        return f(moved if unit else torch.nn.functional.normalize(moved, dim=-1), y, tau=0.5,
                 reduction="none", **unit)[0, 0]  # fmt: skip

    sister = next(i for i in range(1, 9) if y[i] == y[0])
    seen = any(
        abs(of_anchor(sister, view, 1.0) - of_anchor(sister, view, 0.0)) > 1e-9 for view in (0, 1)
    )
    assert seen == (not said["same class in it"].startswith("no"))
    if not unit:  # on the sphere no path of the positive is straight
        return
    bend = of_anchor(0, 1, 1.0) + of_anchor(0, 1, -1.0) - 2 * of_anchor(0, 1, 0.0)
    assert (abs(bend) > 1e-9) == (said["positive in it"] != "no")


@pytest.mark.parametrize("id", IDS)
def test_every_loss_is_a_function_of_the_package_with_its_own_signature(id):
    function = getattr(supcon_theory.objectives, id)
    assert function is OBJECTIVES[id] and function.__name__ == id
    assert not hasattr(function, "__signature__") and not hasattr(function, "__wrapped__")
