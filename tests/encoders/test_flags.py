"""Flags of what trains: all that is quick to see is refused before any data are looked at."""

import dataclasses
import importlib
from dataclasses import replace

import numpy as np
import pytest

from supcon_theory.app.command import names
from supcon_theory.encoders.flags import Trained

EXPERIMENTS = [
    importlib.import_module(f"supcon_theory.experiments.{name}").EXPERIMENT for name in names()
]


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda found: found.name)
def test_checking_flags_looks_at_no_data(experiment, monkeypatch, tmp_path):
    for place in ("facts", "fingerprint"):
        monkeypatch.setattr(
            f"supcon_theory.data.{place}.locate", lambda name: pytest.fail("looked")
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
