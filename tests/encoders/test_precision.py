"""Compiled encoders, and encoders in half precision, against plain ones."""

import pytest
import torch

from supcon_theory.encoders import train as paired
from supcon_theory.objectives import OBJECTIVES
from supcon_theory.runs.exits import Broken
from tests.encoders.trained import recipes, weights


def test_a_compiled_encoder_is_trained_to_the_same_weights(tmp_path, monkeypatch):
    """Up to rounding, a hundredth of what training moves; and through the compiler, not past it."""
    calls = []
    compile_ = torch.compile

    def counted(network):
        calls.append(network)
        return compile_(network)

    monkeypatch.setattr(torch, "compile", counted)
    (plain,), (fast,) = recipes("nscl"), recipes("nscl", compile=True)
    entries = [paired.train([recipe], tmp_path)["nscl"] for recipe in (plain, fast)]
    start, end = weights(plain, entries[0], 0), weights(plain, entries[0], 3)
    compiled = weights(fast, entries[1], 3)
    assert len(calls) == 1 and end.keys() == compiled.keys()
    for name, values in end.items():
        moved = values - start[name]
        assert (compiled[name] - values).norm() <= 0.01 * moved.norm(), name


def test_a_compiler_that_fails_is_a_sentence(tmp_path, monkeypatch):
    (recipe,) = recipes("nscl", steps=3, checkpoints=(3,), compile=True, hidden=2)
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "kernels"))
    monkeypatch.setattr("torch._inductor.config.cpp.cxx", ("/bin/false",))
    with pytest.raises(Broken, match=r"torch.compile failed \(.+\): repair the C\+\+ compiler"):
        paired.train([recipe], tmp_path)


def test_the_loss_is_in_single_precision_whatever_the_encoder_is_in(tmp_path, monkeypatch):
    seen = []
    plain = OBJECTIVES["nscl"]
    monkeypatch.setitem(
        OBJECTIVES, "nscl", lambda z, y, **about: seen.append(z.dtype) or plain(z, y, **about)
    )
    ends = {}
    for precision in ("float32", "bfloat16", "float16"):
        (recipe,) = recipes("nscl", precision=precision)
        ends[precision] = weights(recipe, paired.train([recipe], tmp_path)["nscl"], 6)
    assert set(seen) == {torch.float32}
    apart = {
        name: max(float((end[key] - ends["float32"][key]).abs().max()) for key in end)
        for name, end in ends.items()
    }
    assert 0 < apart["bfloat16"] < 0.05 and 0 < apart["float16"] < 0.05


def test_updates_left_out_by_the_scale_of_float16_are_said(tmp_path, monkeypatch):
    (recipe,) = recipes("nscl", precision="float16")
    plain = OBJECTIVES["nscl"]
    monkeypatch.setitem(OBJECTIVES, "nscl", lambda z, y, **about: 1e6 * plain(z, y, **about))
    said = []
    paired.train([recipe], tmp_path, say=said.append)
    assert len(said) == 1 and "updates of the nscl encoder were left out" in said[0]
