"""What is stored is used if it is whole and of this recipe, else trained again."""

import json

from supcon_theory.encoders import train as paired
from tests.encoders.trained import begin, recipes, same, weights


def test_what_is_trained_is_not_trained_again_unless_asked(tmp_path):
    both = recipes("dcl", "nscl")
    steps = []
    paired.train(both[:1], tmp_path, report=steps.append)
    paired.train(both, tmp_path, report=steps.append)
    assert len(steps) == 12
    paired.train(both, tmp_path, report=steps.append)
    assert len(steps) == 12
    paired.train(both, tmp_path, report=steps.append, retrain_before=float("inf"))
    assert len(steps) == 18


def test_a_damaged_checkpoint_is_trained_again_and_said(tmp_path):
    (recipe,) = recipes("dcl")
    entry = paired.train([recipe], tmp_path)["dcl"]
    before = weights(recipe, entry, 6)
    path = entry.folder / paired.checkpoint_name(6)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    said = []
    again = paired.train([recipe], tmp_path, say=said.append)["dcl"]
    assert same(before, weights(recipe, again, 6))
    assert len(said) == 1 and (tmp_path / f"{recipe.key}.damaged").is_dir()


def test_the_folder_of_another_encoder_is_not_taken_for_it(tmp_path):
    (one,), (other,) = recipes("dcl"), recipes("dcl", lr=0.1)
    right = weights(other, paired.train([other], tmp_path / "right")["dcl"], 6)
    paired.train([one], tmp_path)["dcl"].folder.rename(tmp_path / other.key)
    said = []
    found = paired.train([other], tmp_path, say=said.append)["dcl"]
    assert same(right, weights(other, found, 6)) and "another recipe" in said[0]


def test_an_encoder_of_another_version_is_trained_again(tmp_path, monkeypatch):
    (recipe,) = recipes("dcl")
    entry = paired.train([recipe], tmp_path)["dcl"]
    manifest = json.loads((entry.folder / "manifest.json").read_text())
    (entry.folder / "manifest.json").write_text(json.dumps(manifest | {"version": 0}))
    said = []
    paired.train([recipe], tmp_path, say=said.append)
    assert "another version" in said[0]


def test_a_half_trained_encoder_is_not_gone_on_with_by_another_recipe(tmp_path):
    (one,), (other,) = recipes("dcl"), recipes("dcl", lr=0.1)
    begin([one], tmp_path, 4)
    (tmp_path / one.key).rename(tmp_path / other.key)
    steps = []
    found = paired.train([other], tmp_path, report=steps.append)["dcl"]
    right = paired.train([other], tmp_path / "right")["dcl"]
    assert len(steps) == 6 and same(weights(other, right, 6), weights(other, found, 6))


def test_an_interrupted_training_with_a_damaged_checkpoint_starts_again(tmp_path):
    (recipe,) = recipes("dcl")
    begin([recipe], tmp_path, 4)
    path = tmp_path / recipe.key / paired.checkpoint_name(0)
    path.write_bytes(path.read_bytes()[:-9])
    steps = []
    entry = paired.train([recipe], tmp_path, report=steps.append)["dcl"]
    assert len(steps) == 6 and entry.finished()
