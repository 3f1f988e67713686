"""Exported weights: whole or the backbone alone, read here and by torchvision."""

import json
import shutil

import pytest
import safetensors
import safetensors.torch
import torch
import torchvision
from torch import nn

from supcon_theory.app.command import run
from supcon_theory.encoders import exported
from supcon_theory.encoders import train as paired
from supcon_theory.encoders.embed import encoder_at
from supcon_theory.encoders.recipe import Recipe

SMALL = dict(C=2, n=4, steps=2, batch=8, checkpoints=(0, 2), d=8, objective="nscl")
X = torch.rand(3, 1, 32, 32, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def entries(tmp_path_factory) -> dict[str, tuple[Recipe, object]]:
    folder, found = tmp_path_factory.mktemp("encoders"), {}
    for name, more in {"plain": {}, "mlp": {}, "resnet18": {"width": 0.125}}.items():
        recipe = Recipe(**SMALL, encoder=name, **more)
        found[name] = recipe, paired.train([recipe], folder)["nscl"]
    return found


@pytest.mark.parametrize("name", ["plain", "mlp", "resnet18"])
@pytest.mark.parametrize("step", [0, 2])
def test_what_is_exported_is_the_encoder(name, step, entries, tmp_path, capsys):
    recipe, entry = entries[name]
    path = tmp_path / "encoder.safetensors"
    assert run(["export", str(entry.folder), "--step", str(step), "--out", str(path)]) == 0
    assert f"of {name}, nscl on glyphs, after {step} steps" in capsys.readouterr().out
    network, found, at = exported.read(path)
    assert (found.key, at) == (recipe.key, step)
    expected = encoder_at(recipe, entry, step, 1)
    for ours, theirs in zip(network(X), expected(X), strict=True):
        assert torch.equal(ours, theirs)
    with safetensors.safe_open(path, "pt") as file:
        assert json.loads(file.metadata()["recipe"])["encoder"] == name


def test_torchvision_reads_the_backbone(entries, tmp_path, monkeypatch):
    recipe, entry = entries["resnet18"]
    monkeypatch.chdir(tmp_path)
    assert run(["export", str(entry.folder), "--backbone"]) == 0
    (path,) = tmp_path.iterdir()
    assert path.name == f"{recipe.key}-2.safetensors"
    whole = exported.write(recipe, entry, 2, tmp_path / "whole", backbone=False)
    names = set(safetensors.torch.load_file(path))
    assert {f"backbone.{name}" for name in names} | {
        name for name in whole if name.startswith("projector.")
    } == set(whole)
    full = set(torchvision.models.resnet18().state_dict())
    assert names == full - {"fc.weight", "fc.bias"}
    with pytest.raises(ValueError, match="other weights than those of a whole encoder"):
        exported.read(path)


def test_the_published_width_loads_into_torchvision_as_documented(tmp_path):
    """The three lines of docs/how_to/export.md."""
    from supcon_theory.encoders.networks import build

    ours = build("resnet18", 3, 8, seed=1).eval()
    weights = {k.removeprefix("backbone."): v for k, v in ours.state_dict().items()}
    kept = {k: v.contiguous() for k, v in weights.items() if not k.startswith("projector.")}
    safetensors.torch.save_file(kept, tmp_path / "backbone.safetensors")
    net = torchvision.models.resnet18()
    net.conv1, net.maxpool, net.fc = (
        nn.Conv2d(3, 64, 3, 1, 1, bias=False),
        nn.Identity(),
        nn.Identity(),
    )
    net.load_state_dict(safetensors.torch.load_file(tmp_path / "backbone.safetensors"))
    x = torch.rand(2, 3, 32, 32)
    torch.testing.assert_close(net.eval()(x), ours(x)[0])


@pytest.mark.parametrize(
    "flags, word",
    [
        (["--step", "1"], "step is 1 but must be a checkpoint: 0, 2"),
        (["--step", "x"], "invalid int"),
    ],
)
def test_a_step_that_is_none_is_refused(flags, word, entries, capsys):
    assert run(["export", str(entries["plain"][1].folder), *flags]) == 2
    assert word in capsys.readouterr().err


def test_what_is_no_encoder_is_refused(entries, tmp_path, capsys):
    assert run(["export", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "is no trained encoder" in said
    recipe, entry = entries["plain"]
    copied = tmp_path / recipe.key
    shutil.copytree(entry.folder, copied)
    path = copied / paired.checkpoint_name(2)
    path.write_bytes(path.read_bytes()[:-5])
    assert run(["export", str(copied)]) == 2
    assert "does not have the hash it was written with" in capsys.readouterr().err
    (tmp_path / "no.safetensors").write_bytes(b"no")
    with pytest.raises(ValueError, match="is no exported encoder"):
        exported.read(tmp_path / "no.safetensors")
