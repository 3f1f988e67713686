"""A GPU does what the CPU does: `python -m pytest -n 0 tests/gpu` on a machine with one."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
from torch.nn import functional as F

from supcon_theory.data.views import Policy, views
from supcon_theory.encoders import train as paired
from supcon_theory.measures import global_losses
from supcon_theory.runs import machine
from tests.encoders.trained import begin, recipes, same, weights
from tests.objectives.batches import OPTIONS, batch, value
from tests.objectives.test_loop_references import LOSSES


def gradient(name, options, z, y, tau):
    z = z.clone().requires_grad_()
    loss = value(name, z, y, tau, **options)
    (found,) = torch.autograd.grad(loss, z)
    return loss.detach().cpu(), found.cpu()


@pytest.mark.parametrize(("name", "options"), OPTIONS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_losses_and_gradients_are_those_of_the_cpu(name, options, dtype):
    tolerance = 1e-11 if dtype == torch.float64 else 2e-4
    for N, d in ((10, 5), (300, 32)):
        z, y = batch(0, N, 2, d, 3)
        z = z.to(dtype)
        here = gradient(name, options, z, y, 0.5)
        there = gradient(name, options, z.cuda(), y.cuda(), 0.5)
        for a, b in zip(here, there, strict=True):
            assert (a - b).abs().max() <= tolerance * a.abs().max()


@pytest.mark.parametrize("channels", [1, 3])
def test_views_are_those_of_the_cpu(channels):
    images = torch.rand(300, channels, 32, 32, generator=torch.Generator().manual_seed(0))
    made = [
        views(x, range(300), seed=0, epoch=0, K=2, policy=Policy(flips=channels == 3)).cpu()
        for x in (images, images.cuda())
    ]
    difference = (made[0] - made[1]).abs()
    assert difference.mean() < 1e-5
    assert difference.max() < 1e-2


def test_global_losses_are_those_of_the_cpu():
    z, y = batch(0, 200, 2, 16, 5)
    here, there = global_losses(z, y, 0.1)[0.1], global_losses(z.cuda(), y.cuda(), 0.1)[0.1]
    assert abs(here.dcl - there.dcl).max() < 1e-11
    assert abs(here.nscl - there.nscl).max() < 1e-11


def trained(tmp_path, name, *objectives, **changes):
    given = recipes(*objectives, **changes)
    entries = paired.train(given, tmp_path / name, "cuda")
    return [weights(given[0], entry, given[0].steps) for entry in entries.values()]


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("encoder", ["plain", "residual", "vit", "mlp", "resnet18", "vit_small"])
def test_encoders_train(tmp_path, encoder, precision):
    lr = {"lr": 1e-3} if precision == "float16" else {}
    found = trained(tmp_path, "a", "dcl", "supcon", encoder=encoder, precision=precision, **lr)
    assert all(torch.isfinite(value).all() for state in found for value in state.values())


@pytest.mark.parametrize(
    "changes", [dict(pull=0.5), dict(optimiser="lars"), dict(optimiser="sgd"), dict(wrong=0.3)]
)
def test_other_recipes_train(tmp_path, changes):
    trained(tmp_path, "a", "dcl", "nscl", **changes)


@pytest.mark.parametrize("mix", ["mixup", "cutmix"])
def test_mixed_images_train(tmp_path, mix):
    trained(tmp_path, "a", "dcl", "supcon", mix=mix)


@pytest.mark.parametrize("name", [name for name in LOSSES if name not in ("triplet", "n_pairs")])
def test_every_objective_trains_to_the_same_bits_again(tmp_path, name):
    first, second = (trained(tmp_path, out, name)[0] for out in "ab")
    assert same(first, second)


def test_a_classifier_trains(tmp_path):
    trained(tmp_path, "a", "cross_entropy")


def test_three_steps_are_near_those_of_the_cpu(tmp_path):
    given = recipes("dcl", steps=3, checkpoints=(0, 3))
    on = [
        weights(given[0], paired.train(given, tmp_path / device, device)["dcl"], 3)
        for device in ("cpu", "cuda")
    ]
    assert all((a - on[1][name]).abs().max() < 0.02 for name, a in on[0].items())


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("encoder", ["plain", "residual", "vit", "resnet18", "vit_small"])
def test_the_same_bits_again(tmp_path, encoder, precision):
    changes = {"encoder": encoder, "precision": precision}
    first, second = (trained(tmp_path, out, "dcl", **changes)[0] for out in "ab")
    assert same(first, second)


def test_an_interrupted_training_goes_on_to_the_same_bits(tmp_path, monkeypatch):
    straight = trained(tmp_path, "a", "dcl", "nscl")
    given = recipes("dcl", "nscl")
    train = paired.train
    monkeypatch.setattr(paired, "train", lambda *a, **k: train(*a, device="cuda", **k))
    begin(given, tmp_path / "b", 5)
    entries = paired.train(given, tmp_path / "b")
    found = [weights(given[0], entry, given[0].steps) for entry in entries.values()]
    assert all(same(a, b) for a, b in zip(straight, found, strict=True))


def test_an_experiment_runs_and_gives_nearly_what_the_cpu_gives(tmp_path):
    tables, files = [], []
    script = Path(__file__).parents[2] / "experiments" / "gap_vs_classes.py"
    for out, device in (("a", "cpu"), ("b", "cuda"), ("c", "cuda")):
        command = [sys.executable, script, "smoke", "--device", device, "--out", tmp_path / out]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        (table,) = tmp_path.glob(f"{out}/gap_vs_classes/*/table.csv")
        files.append(table.read_bytes())
        made = json.loads((table.parent / "manifest.json").read_text())
        assert made["device"] == machine.device_name(device)
        tables.append(pd.read_csv(table).select_dtypes("number"))
    assert tables[0].shape == tables[1].shape
    assert tables[0].loc[:, "gap"].sub(tables[1]["gap"]).abs().max() < 0.01
    assert files[1] == files[2]


def test_unit_rows_stay_where_they_are():
    z = F.normalize(torch.randn(4, 2, 3, device="cuda"), dim=-1)
    assert value("dcl", z, torch.arange(4, device="cuda")).is_cuda
