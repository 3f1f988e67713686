"""Classes that a user has named bear their names in the tables and figures about single classes."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from supcon_theory.analysis import style
from supcon_theory.analysis.collapse import draw
from supcon_theory.experiments.embeddings_map import EXPERIMENT

from supcon_theory import data
from supcon_theory.data.subsets import choose_classes
from supcon_theory.encoders.labelings import class_names
from supcon_theory.encoders.recipe import Recipe

NAMES = ["ant", "bee $1", "cat", "owl", "字"]  # sorted, as classes are


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """Images whose colour is their class, and whose class has a name."""
    path = tmp_path_factory.mktemp("named") / "named.npz"
    rng, arrays = np.random.default_rng(0), {}
    for split, n in (("train", 12), ("test", 6)):
        y = np.repeat(NAMES, n)
        grey = 40 * np.unique(y, return_inverse=True)[1][:, None, None, None]
        arrays[f"x_{split}"] = (grey + rng.integers(0, 40, (len(y), 40, 20, 3))).astype(np.uint8)
        arrays[f"y_{split}"] = y
    np.savez(path, **arrays)
    return path


def test_names_follow_the_classes_that_a_seed_draws(archive):
    found = data.load(archive)
    for seed in range(4):
        chosen = choose_classes(5, 3, seed)
        assert class_names(Recipe(C=3, seed=seed), found) == [NAMES[c] for c in chosen]


def test_a_run_on_named_classes_names_them_in_its_table_and_its_figure(archive, tmp_path):
    flags = ["--data", str(archive), "--classes", "4", "--seeds", "1", "--out", str(tmp_path)]
    assert EXPERIMENT.run(["smoke", *flags, "--name", "own"]) == 0
    (folder,) = (tmp_path / "embeddings_map").glob("smoke-own*")
    points, test = pd.read_csv(folder / "points.csv"), data.load(archive).test.labels.numpy()
    of_row = np.array(NAMES)[test[points["row"]]]
    assert (points["class_name"] == of_row).all()
    drawn = set(pd.read_csv(folder / "embeddings_map.csv")["series"])
    assert drawn == set(of_row) and len(drawn) == 4


def test_the_gram_matrix_says_which_class_a_row_is(tmp_path, monkeypatch):
    names, drawn = ["dog", "fox", "owl"], []
    about = {"C": 3, "seed": 0, "objective": "dcl", "layer": "z", "split": "test"}
    cosines = [[1, -0.9, 0.3], [-0.9, 1, -0.6], [0.3, -0.6, 1]]  # dog and owl are alike
    gram = pd.DataFrame(
        [
            about | {"i": i, "j": j, "cosine": cosines[i][j], "class_i": names[i]}
            for i in range(3)
            for j in range(3)
        ]
    )
    finish = style.Panel.finish
    monkeypatch.setattr(style.Panel, "finish", lambda self: (finish(self), drawn.append(self)))
    save = Figure.savefig  # a picture of few pixels is quicker to write
    monkeypatch.setattr(Figure, "savefig", lambda *a, **k: save(*a, **k | {"dpi": 20}))
    draw({"gram": gram}, tmp_path)
    (first,) = (p for p in drawn if p.letter == "a" and "CL" in p.title)
    said = [tick.get_text() for tick in first.axes.get_yticklabels()]
    assert sorted(said) == names
    assert abs(said.index("dog") - said.index("owl")) == 1


def test_a_name_is_written_as_the_font_can():
    assert style.legible(["ant", "a $5 bill", "字", "x" * 20]) == [
        "ant",
        r"a \$5 bill",
        "U+5B57",
        "x" * 11 + "…",
    ]
