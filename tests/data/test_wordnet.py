"""A made-up `data.noun` of five senses: views, categories, ancestors, and what is no such file."""

import pytest

from supcon_theory.data import wordnet

LICENCE = "  1 This software and database is being provided to you\n"
LINES = [
    "00000001 03 n 01 entity 0 001 ~ 00000002 n 0000 | what is",
    "00000002 04 n 02 human_action 0 act 1 001 @ 00000001 n 0000 | "
    'a thing done; "an act; of war"; "a deed"',
    "00000003 15 n 01 Paris 0 002 #p 00000001 n 0000 @i 00000002 n 0000 | a city",
    '00000004 28 n 01 time 0 002 + 00000009 v 0000 @ 00000003 n 0000 | (physics) a "now"',
    "00000005 28 n 0a a 0 b 0 c 0 d 0 e 0 f 0 g 0 h 0 i 0 j 0 001 @ 00000001 n 0000 | ten words",
]


def text(*lines: str) -> str:
    return LICENCE + "\n".join(lines) + "\n"


def test_senses_have_name_category_gloss_examples_and_what_is_above():
    found = wordnet.senses(text(*LINES))
    assert list(found) == [line[:8] for line in LINES]
    assert found["00000001"] == ("entity", "Tops", "what is", (), "")
    examples = ("an act; of war", "a deed")
    assert found["00000002"] == ("human action", "act", "a thing done", examples, "00000001")
    assert found["00000003"][1:] == ("location", "a city", (), "00000002")  # an instance
    assert found["00000004"][1:] == ("time", "(physics) a", ("now",), "00000003")
    assert found["00000005"].name == "a" and found["00000005"].above == "00000001"


def test_ancestors_are_those_at_a_depth_and_never_the_sense_itself():
    found = wordnet.senses(text(*LINES))
    assert wordnet.chain(found, "00000004") == [f"0000000{k}" for k in (1, 2, 3, 4)]
    every = ["00000001", "00000002", "00000004"]
    assert list(wordnet.ancestors(found, every, 0)) == ["", "00000001 entity", "00000001 entity"]
    assert list(wordnet.ancestors(found, every, 2)) == ["", "", "00000003 Paris"]
    assert list(wordnet.ancestors(found, every, 3)) == ["", "", ""]


@pytest.mark.parametrize("line", ["x", LINES[0].replace(" n ", " v ", 1), LINES[0][:20]])
def test_another_file_is_refused_with_the_number_of_the_line(line):
    with pytest.raises(ValueError, match=r"line 3 of data.noun is not one of WordNet's"):
        wordnet.senses(text(LINES[0], line))
