"""Sources of labelled samples: pools, keys, and draws of classes and samples."""

from pathlib import Path

import numpy as np
import pytest

from supcon_theory.data import labelled

HERE = Path()


def test_spread_takes_classes_with_enough_samples_and_at_most_so_many():
    labels = np.array([*"aaaaab", "", "", "", *"cccb"])
    rows = labelled.spread(labels, fewest=3, most=4)
    assert sorted(labels[rows]) == [*"aaaa", *"ccc"] and (np.diff(rows) > 0).all()
    assert set(labelled.spread(labels, 3, 3)) < set(rows)  # nested


@pytest.mark.parametrize("name", ["glyphs", "digits"])
def test_what_ships_is_drawn_balanced_and_every_seed_anew(name):
    source = labelled.SOURCES[name]
    found = labelled.samples(name, HERE)
    assert len(found.inputs) == len(found.levels["true"]) and found.inputs.shape[1] == 1
    draws = []
    for seed in (0, 1):
        rows, levels = labelled.draw(name, HERE, source.C, source.n, seed)
        assert (np.bincount(levels["true"]) == source.n).all() and len(set(rows)) == len(rows)
        for label in range(source.C):  # one class of the source under each number
            assert len(set(found.levels["true"][rows[levels["true"] == label]])) == 1
        draws.append(set(rows.tolist()))
    assert draws[0] != draws[1]


def test_levels_of_a_draw_are_nested(monkeypatch):
    fine = np.repeat(["a1", "a2", "b1", "b2", "c1", ""], [5, 5, 5, 5, 2, 9])
    coarse = np.array([name[:1] for name in fine])
    made = labelled.Samples([("x",)] * len(fine), {"true": fine, "coarse": coarse})
    monkeypatch.setattr(labelled, "samples", lambda name, folder: made)
    rows, levels = labelled.draw("made", HERE, 4, 3, 0)
    assert set(fine[rows]) == {"a1", "a2", "b1", "b2"} and set(levels) == {"true", "coarse"}
    assert len(set(zip(levels["true"], levels["coarse"], strict=True))) == 4
    assert sorted(np.bincount(levels["coarse"])) == [6, 6]
    with pytest.raises(ValueError, match="C is 5"):
        labelled.draw("made", HERE, 5, 3, 0)


def test_content_is_of_the_bytes_and_shared_by_sources_of_the_same_inputs():
    of = {name: labelled.content(name, HERE) for name in labelled.SOURCES if name != "cifar"}
    assert of["wordnet"] == of["hypernyms"]
    assert len(set(of.values())) == len(of) - 1
