"""Coarser classes: the same images, other labels."""

import numpy as np
import pytest
import torch

from supcon_theory.data import load
from supcon_theory.data.coarser import classes
from supcon_theory.data.facts import facts


@pytest.mark.parametrize("name", ["kanji:5", "glyphs:script", "glyphs:150"])
def test_the_images_are_those_of_the_fine_classes(name):
    base = name.partition(":")[0]
    fine, coarse = load(base), load(name)
    assert coarse.classes == facts(name).classes == classes(name).names
    for split in ("train", "test"):
        ours, theirs = getattr(coarse, split), getattr(fine, split)
        assert ours.offset == theirs.offset and len(ours) == len(theirs)
        rows = torch.tensor([0, 77, len(ours) - 1])
        assert torch.equal(ours.images(rows), theirs.images(rows))
        pairs = torch.stack([theirs.labels, ours.labels], 1).unique(dim=0)
        assert len(pairs) == len(fine.classes)  # each character in one class
    assert facts(name).fewest_train == coarse.fewest(coarse.train)
    assert facts(name).fewest_test == coarse.fewest(coarse.test)


def test_a_number_merges_neighbours_of_the_code_points():
    coarse, fine = load("kanji:5"), load("kanji")
    assert len(coarse.classes) == 200 and coarse.fewest(coarse.train) == 220
    assert "".join(coarse.classes) == "".join(sorted(fine.classes))
    for row in range(0, len(fine.train), 4411):
        assert fine.classes[fine.train.labels[row]] in coarse.classes[coarse.train.labels[row]]


def test_script_and_case_are_the_classes_of_glyphs():
    found = classes("glyphs:script")
    sizes = dict(zip(found.names, np.bincount(found.of_character).tolist(), strict=True))
    assert sizes == {
        "cyrillic capital": 28,
        "digit": 10,
        "greek capital": 10,
        "greek small": 21,
        "latin capital": 113,
        "latin small": 42,
        "other": 76,
    }


@pytest.mark.parametrize("rule", ["7", "1", "1000", "-5", "5x", "x", "\u0665"])
def test_what_is_no_rule_is_refused_before_any_work(rule):
    with pytest.raises(ValueError, match="what follows the colon must be script"):
        facts(f"kanji:{rule}")
