"""The texts beside the published figures: result first, short, no jargon without its definition."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GLOSSARY = ROOT / "docs" / "glossary.md"
TEXTS = sorted(  # of experiments: what has claims
    path.with_name("README.md") for path in ROOT.glob("figures/*/claims.json")
)
SECTIONS = ["So what", "Figure", "Against the published number", "Recipe"]
NUMBER = re.compile(r"(?<![\w.,])\.?\d[\d.,]*")
NAMED = re.compile(
    r"\b(?:[A-Z]\d+(?:-\w+)*|[A-Z]-[a-z]\w+|batch-\w+)"
)  # what looks like a claim's id
DEFINED = {  # a term as texts write it, and where the glossary has it
    "r": r"(?<![\w'-])r(?![\w'-])",
    "kappa": r"\bkappa\b",
    "l": r"\bL\*",
    "etf": r"\bETF\b",
    "cdnv": r"\bCDNV\b",
}


def ids() -> set[str]:
    found = (json.loads(path.read_text()) for path in ROOT.glob("figures/**/claims.json"))
    return {claim["id"] for document in found for claim in document["claims"]}


def visible(text: str) -> str:
    """What a reader sees of Markdown: no pictures, no targets of links, no marks."""
    text = re.sub(r"!\[[^]]*\]\([^)]*\)", "", text)
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", text)
    return re.sub(r"[#*`|]", " ", text)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as both mkdocs and Git hosts make them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.M)
    return {re.sub(r"[^\w\s-]", "", text.lower()).strip().replace(" ", "-") for text in headings}


def beside(text: Path) -> list[str]:
    """The runs that are published in folders beside a text's own."""
    return sorted(run.parent.name for run in text.parent.glob("*/run.json"))


def check(text: str, known: set[str], others: list[str]) -> list[str]:
    """What is wrong with a text, in words; `others` are the runs beside its own."""
    wrong = []
    if (sections := re.findall(r"^## (.*)$", text, re.M)) != SECTIONS:
        wrong.append(f"its sections are {sections}")
    result = text.split("\n\n")[1].strip("*\n")
    if len(result.split()) > 20 or len(NUMBER.findall(result)) != 1:
        wrong.append(f"no result of at most 20 words with one number: {result!r}")
    words = len(visible(text).split())
    if not 120 <= words <= 350 + 40 * len(others):
        wrong.append(f"{words} words")
    wrong += [f"{name}/ is not linked" for name in others if f"]({name}/)" not in text]
    outside = re.sub(r"\([^()]*\)", "", visible(text))
    wrong += [f"{name} stands outside brackets" for name in NAMED.findall(outside)]
    inside = " ".join(re.findall(r"\([^()]*\)", visible(text)))
    wrong += [f"{name} is no claim" for name in NAMED.findall(inside) if name not in known]
    to = "../../docs/glossary.md"
    if to not in text:
        wrong.append("the glossary is not linked")
    for anchor, term in DEFINED.items():
        if re.search(term, visible(text)) and f"]({to}#{anchor})" not in text:
            wrong.append(f"{anchor} is not linked to the glossary")
    return wrong


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.parent.name)
def test_a_text_begins_with_its_result_and_says_what_its_words_mean(path):
    assert check(path.read_text(), ids(), beside(path)) == []


GOOD = """# Does it hold?

**It holds for .5 of them.**

## So what

WORDS, [ETF](../../docs/glossary.md#etf) (A1).

## Figure

![a picture](a.png)

## Against the published number

None.

## Recipe

`python experiments/a.py`, [`longer/`](longer/)
""".replace("WORDS", "word " * 120)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("(A1)", "A1", "outside brackets"),
        ("(A1)", "(A99)", "no claim"),
        (".5 of them", "most of them", "one number"),
        (".5 of them", ".5 to .6 of them", "one number"),
        ("It holds", "It holds " + "really " * 20, "20 words"),
        ("[ETF](../../docs/glossary.md#etf)", "ETF", "not linked"),
        ("ETF", "CDNV", "cdnv is not linked"),
        ("## So what", "## Recipe", "sections"),
        ("None.", "word " * 300, "words"),
        ("](longer/)", "](further/)", "longer/ is not linked"),
    ],
)
def test_each_fault_of_a_text_is_found(old, new, fault):
    assert check(GOOD, {"A1"}, ["longer"]) == []
    assert any(fault in wrong for wrong in check(GOOD.replace(old, new), {"A1"}, ["longer"]))


LINKED = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *TEXTS, *sorted(ROOT.glob("docs/**/*.md"))]


@pytest.mark.parametrize("page", LINKED, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_between_files_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if re.match(r"[a-z]+:", target):
            continue
        place, _, anchor = target.partition("#")
        there = (page.parent / place).resolve() if place else page
        assert there.exists(), f"{target} does not exist"
        if anchor and there.suffix == ".md":
            assert anchor in anchors(there), f"{target}: no such heading"
