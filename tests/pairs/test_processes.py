"""Measures over all pairs on two processes: the numbers of one, half of the work each, no hang."""

import weakref

import numpy as np
import pytest
import torch

from supcon_theory import processes
from tests.gloo import printed
from tests.pairs.two_processes import CASES, TAUS

MEASURES = ["neighbours", "audit", "audit, anchors drawn"]


@pytest.fixture(scope="module")
def measured() -> dict:
    return printed("tests.pairs.two_processes")


@pytest.mark.parametrize("case", CASES)
def test_losses_and_shapes_are_those_of_one_process(case, measured):
    assert measured["apart"][f"losses, {case}"] <= 1e-12
    assert measured["apart"][f"shapes, {case}"] == 0


@pytest.mark.parametrize("name", MEASURES)
def test_so_are_neighbours_and_audits(name, measured):
    assert measured["apart"][name] <= 1e-12


def test_both_processes_have_the_same_bits(measured):
    assert len(measured["same bits"]) == 2 * len(CASES) + len(MEASURES)
    assert all(measured["same bits"].values())


@pytest.mark.parametrize("case", CASES)
def test_each_process_computes_half_of_the_tiles(case, measured):
    (every, tile), (first, _), (second, _) = measured["divided"][f"cells, {case}"]
    assert first + second == every
    groups = 1 if "float64" in case else 2  # of temperatures, by the type of their tiles
    assert abs(first - second) <= groups * tile < every / 10


@pytest.mark.parametrize("name", [*MEASURES, *(f"shapes, {case}" for case in CASES)])
def test_each_process_has_half_of_the_other_items(name, measured):
    (every, same), first, second = measured["divided"][f"parts, {name}"]
    assert every == same == first[1] == second[1] and first[0] + second[0] == every
    assert abs(first[0] - second[0]) <= every / 5 + 1


def test_a_process_that_calls_alone_outside_of_the_context_returns_with_the_same(measured):
    assert measured["outside"] == [0, 0]


def test_tiles_that_are_not_divided_give_twice_the_sums(measured):
    assert len(measured["not divided"]) == len(TAUS) * 2 * 200
    np.testing.assert_allclose(measured["not divided"], 2, rtol=1e-12)


def test_parts_that_are_not_added_up_are_found(measured):
    assert measured["not added"] > 1e-2


def test_other_data_are_refused_by_both_processes(measured):
    for said in measured["said"]:
        assert len(said) == 4
        assert all("give all of them the same rows" in sentence for sentence in said[:3])


def test_a_process_that_leaves_does_not_keep_the_other_waiting(measured):
    assert [said[3] for said in measured["said"]] == ["RuntimeError", "KeyError"]
    assert measured["seconds"] < 10


@pytest.mark.parametrize("world", [2, 3, 7, 40])
def test_parts_are_balanced_by_cost_and_have_every_item_once(world, monkeypatch):
    costs = np.random.default_rng(0).permutation([*range(1, 20), 50, 300]).tolist()
    items = list(enumerate(costs))
    monkeypatch.setattr(processes.dist, "get_world_size", lambda group: world)
    parts = []
    for rank in range(world):
        monkeypatch.setattr(processes.dist, "get_rank", lambda group, rank=rank: rank)
        token = processes._shared.set(processes.Shared("a group", []))
        parts.append(processes.mine(items, lambda item: item[1]))
        processes._shared.reset(token)
    loads = [sum(cost for _, cost in part) for part in parts]
    assert sorted(item for part in parts for item in part) == items
    assert max(loads) - min(loads) <= max(costs)
    assert all(part == sorted(part) for part in parts)


def test_one_process_has_all_items():
    assert processes.mine([3, 1, 2], float) == [3, 1, 2]


def test_what_a_group_reduced_is_freed_after_it_and_not_by_its_threads(monkeypatch):
    """With PyTorch 2.7 the thread and the process that ends the group wait for each other."""
    reduced, alive = [], []

    class Group:
        def __del__(self):
            alive.extend(tensor() is not None for tensor in reduced)

    calls = {
        "is_initialized": lambda: True,
        "new_group": lambda backend: Group(),
        "all_reduce": lambda x, how, group: reduced.append(weakref.ref(x)),
        "destroy_process_group": lambda group: None,
    }
    for name, call in calls.items():
        monkeypatch.setattr(processes.dist, name, call)
    with processes.shared_over_processes():
        processes.total(torch.ones(4, 3).T)  # summed in a copy that nobody else holds
        processes.check_same(torch.ones(4, 3))
    assert alive == [True, True]
    assert not any(tensor() is not None for tensor in reduced)
