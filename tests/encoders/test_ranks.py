"""One training on several processes: the same numbers as on one, and what is refused."""

import pytest

from supcon_theory import processes
from supcon_theory.encoders import ranks
from supcon_theory.runs.exits import Refused
from tests.encoders.two_ranks import CASES
from tests.gloo import printed


@pytest.fixture(scope="module")
def measured() -> dict:
    return printed("tests.encoders.two_ranks")


@pytest.mark.parametrize("case", CASES)
def test_two_processes_train_as_one(case, measured):
    """Ten losses, the first gradient and the weights after ten updates, in float64."""
    assert measured["moved"][case] > 1e-3
    assert max(measured["apart"][case].values()) <= 1e-12


def test_a_gather_that_only_cuts_out_its_own_part_is_found(measured):
    assert measured["own_slice_ratio"] == pytest.approx(0.5, abs=1e-12)


def test_parts_are_in_the_order_of_the_batch(measured):
    assert measured["labels"][0] + measured["labels"][1] == measured["labels_alone"]
    assert measured["gathered"] == [[0, 1, 2, 10, 11, 12]] * 2


def test_the_process_that_serves_computes_half_of_the_losses(measured):
    first, second = measured["tiles"]
    assert abs(first - second) <= 1 and first + second == 22 * 23 / 2  # 8,192 rows, 22 blocks
    assert measured["helped"] <= 1e-12 and measured["not helped"] == 0


def test_those_that_are_dismissed_are_asked_for_nothing_more(monkeypatch):
    asked = []
    monkeypatch.setattr(ranks, "ask", asked.append)
    for name, result in {"is_initialized": True, "destroy_process_group": None}.items():
        monkeypatch.setattr(ranks.dist, name, lambda result=result: result)
    processes.help_through(print)
    ranks.dismiss()
    assert asked == [None] and processes._ask.get() is None


def test_a_failure_in_the_midst_of_losses_is_one_of_both_processes(measured):
    """So torchrun ends the job, and nobody takes what comes next for what it waits for."""
    assert max(measured["failed in"]) < 10


@pytest.mark.parametrize(
    "processes, about, word",
    [
        (3, ("plain", 128, "cpu"), "batch is 128 but 3 processes must have equal parts"),
        (9, ("plain", 8, "cpu"), "9 processes have no image each in a batch of 8"),
        (2, ("resnet18", 128, "cpu"), "encoder is resnet18, which normalises over the batch"),
    ],
)
def test_what_processes_cannot_share_is_refused(processes, about, word, monkeypatch):
    monkeypatch.setattr(ranks, "world", lambda: processes)
    with pytest.raises(Refused, match=word) as error:
        ranks.check(*about)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("about", [("plain", 128, "cpu"), ("resnet50", 1024, "cuda")])
def test_equal_parts_are_not_refused(about, monkeypatch):
    monkeypatch.setattr(ranks, "world", lambda: 8)
    ranks.check(*about)
