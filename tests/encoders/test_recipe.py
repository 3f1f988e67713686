import dataclasses
import subprocess
import sys

import pytest

from supcon_theory.encoders.recipe import PUBLISHED, Recipe, log_spaced
from supcon_theory.runs import store
from supcon_theory.runs.cells import Shared

BASE = Recipe("glyphs", 8, 64, 0, "dcl", checkpoints=(0, 50, 100))
KEYS = {  # folders of encoders that are out there: they must be found again
    "a0ef3b7fbb01bb06": BASE,
    "78b93c2c3527a29b": Recipe(
        "glyphs", 10, 160, 0, "nscl", steps=800, checkpoints=log_spaced(800, 9)
    ),
    "f16ebb7d134b04a7": Recipe(
        "kanji", 10, 40, 1, "supcon", steps=3000, checkpoints=log_spaced(3000, 9)
    ),
    "d970f06c3809e996": Recipe(
        "glyphs", 32, 64, 0, "dcl", imbalance=4.0, steps=150, checkpoints=(0, 75, 150)
    ),
}


@pytest.mark.parametrize("key", KEYS)
def test_keys_stay(key):
    assert KEYS[key].key == key


def test_equal_recipes_share_a_key_and_any_change_gives_another():
    assert BASE.key == dataclasses.replace(BASE, checkpoints=[0, 50, 100]).key
    changes = dict(
        data="kanji",
        C=9,
        n=32,
        seed=1,
        objective="nscl",
        imbalance=2.0,
        d=32,
        pairs="all",
        tau=0.1,
        K=3,
        batch=64,
        steps=200,
        checkpoints=(0, 100),
        optimiser="sgd",
        lr=1e-2,
        weight_decay=0.0,
        data_digest="x",
        options={"pairs": "all"},
        encoder="resnet18",
        width=2.0,
        size=64,
        warm_up=20,
        precision="bfloat16",
        compile=True,
        stripes=0.5,
        surface="ball",
        pull=1.0,
        named=0.5,
        strength=2.0,
        without="veil",
        mix="cutmix",
        wrong=0.2,
        hidden=2,
        redrawn={"batches": 1},
    )
    assert {*changes, "data_root"} == {field.name for field in dataclasses.fields(Recipe)}
    large = dataclasses.replace(BASE, encoder="resnet18")
    bases = {name: large if name in ("width", "size") else BASE for name in changes}
    keys = {
        dataclasses.replace(bases[name], **{name: value}).key for name, value in changes.items()
    }
    assert len(keys | {BASE.key}) == len(changes) + 1


def test_where_archives_lie_is_no_part_of_a_key():
    assert dataclasses.replace(BASE, data_root="/elsewhere").key == BASE.key


def test_a_recipe_survives_json():
    fields = store.plain(BASE)
    assert "options" not in fields
    assert Recipe(**fields) == BASE and hash(Recipe(**fields)) == hash(BASE)


def test_log_spaced_steps_start_at_zero_and_end_at_the_end():
    assert log_spaced(100, 3) == (0, 1, 10, 100)
    assert log_spaced(400, 1) == (0, 400)


def test_columns_say_which_encoder_a_row_is_about():
    assert BASE.columns(step=50, split="test", objective="nscl") == {
        "data": "glyphs",
        "C": 8,
        "n": 64,
        "K": 2,
        "d": 64,
        "objective": "nscl",
        "seed": 0,
        "tau_train": 0.5,
        "step": 50,
        "epoch": 50 / 4,  # 512 images in batches of 128
        "split": "test",
    }
    assert dataclasses.replace(BASE, batch=1024).columns(step=7)["epoch"] == 7


def test_imbalanced_recipes_know_how_many_images_they_have():
    assert Recipe(C=4, n=8, imbalance=4.0).images == 8 + 5 + 3 + 2


def test_the_published_recipe_and_its_key_need_no_torch():
    code = "import sys; from supcon_theory.encoders import recipe, flags; recipe.PUBLISHED.key"
    code += "; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
    assert (PUBLISHED.encoder, PUBLISHED.batch, PUBLISHED.optimiser) == ("resnet50", 1024, "lars")


def test_the_seconds_of_training_are_those_of_every_encoder():
    shared = dataclasses.replace(BASE, batch=256).shared(["dcl", "nscl"])
    assert list(shared) == [
        f"encoders/{dataclasses.replace(BASE, batch=256, objective=name).key}"
        for name in ("dcl", "nscl")
    ]
    (one,) = BASE.shared(["dcl"]).values()
    assert set(shared.values()) == {Shared("plain", 2 * one.seconds)}


@pytest.mark.parametrize(
    "change, sentence",
    [
        (dict(C=1), "C is 1 but must be at least 2"),
        (dict(n=1), "n is 1"),
        (dict(tau=0.0), "above 0"),
        (dict(K=1), "at least 2 views"),
        (dict(steps=0), "steps is 0"),
        (dict(lr=-1.0), "lr is -1.0"),
        (dict(pairs="some"), "'all' or 'distinct'"),
        (dict(optimiser="adam"), "one of adamw"),
        (dict(encoder="net"), "one of plain"),
        (dict(checkpoints=(0, 500)), "between 0 and 100"),
        (dict(checkpoints=(5, 0)), "increasing"),
        (dict(imbalance=0.5), "imbalance"),
        (dict(batch=1), "batch is 1"),
        (dict(objective="dc"), "objective is 'dc' but must be one of dcl"),
        (dict(options={"beta": 1.0}), "beta is no option of dcl: it has pairs"),
        (dict(d=1), "d is 1"),
        (dict(lr=float("nan")), "lr is nan"),
        (dict(tau=float("inf")), "tau is inf"),
        (dict(weight_decay=-1.0), "weight_decay is -1.0"),
        (dict(size=64), "size is 64 but must be 32, or a multiple of 32 for residual"),
        (dict(encoder="resnet18", size=40), "size is 40"),
        (dict(width=2.0), "width is 2.0 but must be 1, or another number above 0 for resnet18"),
        (dict(precision="half"), "precision is 'half'"),
        (dict(warm_up=0), "warm_up is 0"),
        (dict(strength=-0.1), "strength is -0.1 but must be from 0 to 2"),
        (dict(strength=2.1), "strength is 2.1"),
        (dict(strength=float("nan")), "strength is nan"),
        (dict(mix="cut"), "mix is 'cut' but must be one of mixup, cutmix"),
        (dict(mix="mixup", objective="nscl"), "nscl with these options is not defined"),
        (dict(mix="mixup", objective="supcon", options={"max_positives": 1}), "these options"),
        (dict(mix="mixup", pull=1.0), "these options"),
        (dict(without="veils"), "without is 'veils' but must be one of crop, move"),
    ],
)
def test_a_wrong_recipe_is_refused_in_a_sentence(change, sentence):
    with pytest.raises(ValueError, match=sentence):
        dataclasses.replace(BASE, **change)
