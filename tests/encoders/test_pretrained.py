"""Models trained by others: the control, the kept features, and those models that are installed."""

from pathlib import Path

import numpy as np
import pytest
import torch

from supcon_theory.data import labelled
from supcon_theory.encoders.pretrained import features, models, pixels
from supcon_theory.runs.cells import Context

HERE = [name for name, model in models.MODELS.items() if not model.missing()]  # no skip of others
TEXTS = [("a cat sat on the mat", "it purred"), ("the stock market fell", "shares were sold")]


def test_pixels_are_centred_and_one_colour_is_refused():
    images = torch.rand(3, 2, 1, 8, 8)
    found = pixels.embed(None, images)
    assert found.shape == (3, 2, 64) and found.mean(-1).abs().max() < 1e-6
    whole = (images * 255).to(torch.uint8)
    assert torch.equal(pixels.embed(None, whole), pixels.embed(None, whole.float() / 255))
    assert pixels.embed(None, torch.rand(1, 1, 3, 64, 64)).shape == (1, 1, 3 * 32 * 32)
    images[1, 1] = 0.5
    with pytest.raises(ValueError, match="image 3 has one colour only"):
        pixels.embed(None, images)


def test_features_are_computed_once_and_damage_is_noticed(tmp_path, monkeypatch):
    said: list[str] = []
    context = Context(tmp_path, say=said.append)
    first = features.features("pixels", "digits", Path(), context)
    calls = []
    embed = pixels.embed
    monkeypatch.setattr(pixels, "embed", lambda *given: calls.append(1) or embed(*given))
    again = features.features("pixels", "digits", Path(), context)
    assert first.dtype == np.float32 and np.array_equal(first, again) and not calls
    path, _ = features.place("pixels", labelled.content("digits", Path()))
    (tmp_path / path / features.FILE).write_bytes(b"damaged")
    assert np.array_equal(features.features("pixels", "digits", Path(), context), first)
    assert len(calls) == 1 and len(said) == 1


def test_the_key_of_features_is_model_weights_preprocessing_and_inputs(monkeypatch):
    found = {features.place("pixels", "a 1")[0], features.place("pixels", "b 1")[0]}
    found.add(features.place("minilm", "a 1")[0])
    monkeypatch.setitem(models.MODELS, "pixels", models.MODELS["pixels"]._replace(version=2))
    found.add(features.place("pixels", "a 1")[0])
    assert len(found) == 4


def test_a_library_that_is_not_installed_is_named_with_its_command(monkeypatch):
    model = models.MODELS["pixels"]._replace(libraries=("no_such_library",))
    assert model.missing() == f"no_such_library is not installed: run `{models.EXTRA}`"


@pytest.mark.parametrize("name", HERE)
def test_installed_models_embed_each_sample_alike_in_any_company(name):
    from importlib import import_module

    module = import_module(f"supcon_theory.encoders.pretrained.{name}")
    text = labelled.SOURCES[models.MODELS[name].data[0]].kind == "text"
    inputs = TEXTS if text else torch.rand(2, 2, 1, 32, 32, generator=torch.manual_seed(0))
    model = module.load()
    both = module.embed(model, inputs)
    assert both.shape[:2] == (2, 2) and both.dtype == torch.float32 and both.isfinite().all()
    alone = torch.cat([module.embed(model, inputs[k : k + 1]) for k in (0, 1)])
    torch.testing.assert_close(both, alone, rtol=1e-4, atol=1e-4)
    assert (both[0] - both[1]).norm() > 1e-2 * both.norm()
    if name == "minilm":
        unit = torch.nn.functional.normalize(both, dim=-1)
        assert unit[0, 0] @ unit[0, 1] > unit[0, 0] @ unit[1, 0]
