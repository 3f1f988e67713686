"""Flags of what trains: all that is quick to see is refused before any data are looked at."""

import dataclasses
import importlib
import sys
from dataclasses import replace

import numpy as np
import pytest

from supcon_theory.app.experiments import names
from supcon_theory.encoders import flags
from supcon_theory.encoders.flags import Trained
from supcon_theory.runs.progress import duration

EXPERIMENTS = [
    importlib.import_module(f"supcon_theory.experiments.{name}").EXPERIMENT for name in names()
]


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda found: found.name)
def test_checking_flags_looks_at_no_data(experiment, monkeypatch, tmp_path):
    for place in ("facts", "fingerprint"):
        monkeypatch.setattr(
            f"supcon_theory.data.{place}.locate", lambda *name: pytest.fail("looked")
        )
    config = experiment.presets["smoke"]
    config.check()
    if isinstance(config, Trained):
        recipe = dataclasses.replace(config.recipe, data=str(tmp_path))
        with pytest.raises(ValueError, match="eval-tau"):
            dataclasses.replace(config, recipe=recipe, eval_tau=(0.0,)).check()


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda found: found.name)
def test_what_a_recipe_refuses_is_a_plain_sentence(experiment, capsys, tmp_path):
    if isinstance(experiment.presets["smoke"], Trained):
        assert experiment.run(["smoke", "--tau", "0", "--out", str(tmp_path / "new")]) == 2
        assert capsys.readouterr().err == "tau is 0.0 but must be a number above 0\n"
    assert not list(tmp_path.iterdir())


def test_moved_data_keep_their_keys_and_changed_data_do_not(tmp_path):
    from supcon_theory.experiments.collapse import EXPERIMENT, PRESETS

    def about(name: str, seed: int) -> tuple[object, ...]:
        path = tmp_path / name
        if not path.exists():
            rng, y = np.random.default_rng(seed), np.arange(40) % 4
            x = rng.integers(0, 256, (40, 32, 32), dtype=np.uint8)
            np.savez(path, x_train=x, y_train=y, x_test=x, y_test=y)
        smoke = PRESETS["smoke"]
        config = replace(smoke, recipe=replace(smoke.recipe, data=str(path), n=10))
        (cell, *_) = EXPERIMENT.cells(config)
        return config.identity(), cell.key("collapse", EXPERIMENT.audits), cell.config.recipe.key

    first = about("a.npz", 0)
    (tmp_path / "a.npz").rename(tmp_path / "b.npz")
    assert about("b.npz", 0) == first
    assert all(a != b for a, b in zip(about("c.npz", 1), first, strict=True))


def refusal(capsys, name: str, *flags: str) -> str:
    (experiment,) = (found for found in EXPERIMENTS if found.name == name)
    assert experiment.run(list(flags)) == 2
    return capsys.readouterr().err


def test_a_missing_gpu_and_missing_data_are_said_in_one_sentence_with_the_time(
    capsys, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    said = refusal(capsys, "gap_vs_classes", "paper")
    assert said.count("\n") == 1
    for part in ("device is 'cuda'", "CIFAR-100 is not here", "add --download", "kriz/cifar-100"):
        assert part in said
    # 14,400 steps of 1024 images at .76 s for both encoders; 7 numbers of classes x 5 seeds
    assert "about 3 h 02 min of an H100 or 107 days of one core to train, and 35 such" in said
    assert not list(tmp_path.iterdir())


def test_only_what_is_missing_is_named(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = refusal(capsys, "gap_vs_classes", "--data", "nowhere", "--seeds", "2")
    assert said.startswith("unknown data set 'nowhere'")
    assert "9 s of one core to train, and 10 such pairs" in said
    assert "device" not in said and "H100" not in said
    said = refusal(capsys, "loss_tracking", "paper", "--device", "cpu")
    assert said.startswith("CIFAR-100") and "107 days of one core" in said
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    said = refusal(capsys, "loss_tracking", "--device", "cuda:7")
    assert said.startswith("device is 'cuda:7'") and "unknown" not in said


def test_a_compiler_is_asked_for_before_any_work_and_only_to_compile(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("CXX", "no-compiler")
    about = ["smoke", "--data", "nowhere", "--out", str(tmp_path)]
    said = refusal(capsys, "gap_vs_classes", *about, "--compile")
    assert said.startswith("compile needs a C++ compiler but there is no no-compiler: install one")
    assert "; unknown data set 'nowhere'" in said and said.count("\n") == 1
    assert "compile" not in refusal(capsys, "gap_vs_classes", *about)
    monkeypatch.delenv("CXX")
    monkeypatch.setenv("PATH", str(tmp_path))
    usual = "clang++" if sys.platform == "darwin" else "g++"
    assert f"there is no {usual}:" in refusal(capsys, "gap_vs_classes", *about, "--compile")
    assert not list(tmp_path.iterdir())


def test_data_known_by_name_are_downloaded_only_when_asked_for(capsys, tmp_path, monkeypatch):
    brought = []
    monkeypatch.setattr(flags, "download", lambda files, root: brought.append((files, root)))
    about = ["smoke", "--data", "svhn", "--data-root", str(tmp_path), "--out", str(tmp_path)]
    said = refusal(capsys, "gap_vs_classes", *about)
    assert said.startswith("SVHN is not here") and not brought
    refusal(capsys, "gap_vs_classes", *about, "--download")
    ((files, root),) = brought
    assert [file.name for file in files] == ["train_32x32.mat", "test_32x32.mat"]
    assert root == tmp_path


def test_what_ships_with_the_package_has_one_size(capsys, tmp_path):
    about = ["smoke", "--encoder", "residual", "--size", "64", "--out", str(tmp_path)]
    said = refusal(capsys, "gap_vs_classes", *about)
    assert said == "size is 64 but glyphs has images of 32 x 32 only.\n"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.4, "0 s"),
        (59.6, "1 min 00 s"),
        (3599, "59 min 59 s"),
        (3600, "1 h 00 min"),
        (10_944, "3 h 02 min"),
        (48 * 3600 - 1, "47 h 59 min"),
        (48 * 3600, "2 days"),
        (9.216e6, "107 days"),
    ],
)
def test_a_time_is_told_in_the_units_that_fit_it(seconds, words):
    assert duration(seconds) == words
