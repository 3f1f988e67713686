"""A GPU is asked for one order of sums while it is used, and the CPU for nothing."""

import pytest
import torch

from supcon_theory.encoders.repeatable import repeatable


@pytest.fixture
def environment(monkeypatch):
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "")
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG")


@pytest.mark.parametrize(("device", "inside"), [("cuda", True), ("cuda:1", True), ("cpu", False)])
def test_sums_have_one_order_inside_and_the_callers_outside(environment, device, inside):
    with repeatable(device):
        assert torch.are_deterministic_algorithms_enabled() is inside
    assert not torch.are_deterministic_algorithms_enabled()


def test_what_the_caller_chose_comes_back_after_an_error_too(environment):
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        with pytest.raises(KeyError), repeatable("cuda"):
            assert not torch.is_deterministic_algorithms_warn_only_enabled()
            raise KeyError
        assert torch.are_deterministic_algorithms_enabled()
        assert torch.is_deterministic_algorithms_warn_only_enabled()
    finally:
        torch.use_deterministic_algorithms(False)
