"""Every code block of the pages for users runs, and prints what the page says that it prints."""

import doctest
import re
from pathlib import Path

import pytest

from supcon_theory.app import command

DOCS = Path(__file__).resolve().parents[2] / "docs"
TUTORIAL = DOCS / "tutorial.md"


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.S)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_tutorial_prints_what_it_shows():
    text = "\n".join(blocks(TUTORIAL, "pycon"))
    examples = doctest.DocTestParser().get_doctest(text, {}, TUTORIAL.name, str(TUTORIAL), 0)
    said: list[str] = []
    result = doctest.DocTestRunner().run(examples, out=said.append)
    assert result.attempted > 15
    assert not result.failed, "".join(said)


def test_the_commands_of_the_tutorial_run(capsys):
    for line in "".join(blocks(TUTORIAL, "console")).splitlines():
        program, *arguments = line.removeprefix("$ ").split()
        assert program == "supcon-theory"
        assert command.run(arguments) == 0
    assert Path("results/few_shot_counterexample/smoke/few_shot_counterexample.png").exists()


def test_an_archive_made_as_the_page_says_is_read_with_its_names():
    from supcon_theory import data

    (code,) = blocks(DOCS / "how_to" / "images.md", "python")
    exec(compile(code, "images.md", "exec"), {})
    found = data.load("images.npz")
    assert found.classes == ("ant", "bee", "cat", "dog", "fox", "owl")
    assert found.train.images([0]).shape == (1, 3, 32, 32)
    assert found.flips
