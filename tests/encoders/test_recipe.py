import dataclasses

import pytest

from supcon_theory.encoders.recipe import Recipe, deep, log_spaced, sweep


def test_equal_recipes_share_a_key_and_any_change_gives_another():
    recipe = sweep("glyphs", 8, 0, "dcl")
    assert recipe.key == sweep("glyphs", 8, 0, "dcl").key
    changes = dict(
        data="kanji",
        C=9,
        n=32,
        seed=1,
        objective="nscl",
        imbalance=2.0,
        encoder="mlp",
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
    )
    assert set(changes) == {field.name for field in dataclasses.fields(Recipe)}
    keys = {dataclasses.replace(recipe, **{name: value}).key for name, value in changes.items()}
    assert len(keys | {recipe.key}) == len(changes) + 1


def test_a_recipe_survives_json():
    recipe = deep("glyphs", 10, 0, "dcl")
    fields = dataclasses.asdict(recipe) | {"checkpoints": list(recipe.checkpoints)}
    assert Recipe(**fields) == recipe and hash(Recipe(**fields)) == hash(recipe)


def test_log_spaced_steps_start_at_zero_and_end_at_the_end():
    assert log_spaced(100, 3) == (0, 1, 10, 100)
    assert log_spaced(400, 1) == (0, 400)


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
    ],
)
def test_a_wrong_recipe_is_refused_in_a_sentence(change, sentence):
    with pytest.raises(ValueError, match=sentence):
        sweep("glyphs", change.pop("C", 8), 0, "dcl", **change)
