"""How the tree becomes a site (mkdocs hooks): the same paths, so the same links, as on a Git host.

Pages are README, CONTRIBUTING, CHANGELOG, docs/ and the texts of figures/; what they link to
(figures, CSV, source) comes along. A link to a room of the package leads to its page of the API.
"""

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

import griffe
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
TEXTS = "figures/*/README.md"
PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/**/*.md",
    "figures/benchmarks/*.md",
    TEXTS,
)
ROOMS = {  # a room of the package: the page of the API that has it
    str(room): f"docs/api/{room.name}.md"
    for room in sorted(
        path.parent.relative_to(ROOT) for path in ROOT.glob("supcon_theory/**/__init__.py")
    )
}
LINK = re.compile(r"(\[[^]]*\])\(([^)\s#]+)(#[^)\s]*)?\)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the texts of the published runs and the rooms of the API into the navigation."""
    texts = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob(TEXTS))
    for name, pages in (("Results", texts), ("Reference", list(ROOMS.values()))):
        next(section[name] for section in config.nav if name in section).extend(pages)
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The pages under their paths in the tree, and what they link to."""
    found = {path: File(path, str(ROOT), config.site_dir, True) for path in sorted(_paths())}
    for room, page in ROOMS.items():
        found[page] = File.generated(config, page, content=_api(room))
    theme = [file for file in files if not str(file.abs_src_path).startswith(config.docs_dir)]
    return Files([*theme, *found.values()])


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead links to rooms to the API; a folder that is no page is only named."""

    def leads(link: re.Match) -> str:
        text, place, anchor = link[1], link[2], link[3] or ""
        path = _place(page.file.src_uri, place)
        if path is None or not (ROOT / path).is_dir():
            return link[0]
        if path not in ROOMS:
            return text[1:-1]
        to = os.path.relpath(ROOMS[path], Path(page.file.src_uri).parent)
        return f"{text}({to}{anchor})"

    return LINK.sub(leads, markdown)


def _paths() -> Iterator[str]:
    """Every page, and every file that a page links to."""
    yield "docs/site.css"
    for path in (path for pattern in PAGES for path in ROOT.glob(pattern)):
        page = str(path.relative_to(ROOT))
        yield page
        for _, place, _ in LINK.findall(path.read_text()):
            to = _place(page, place)
            if to is not None and (ROOT / to).is_file():
                yield to


def _place(page: str, link: str) -> str | None:
    """The path in the tree that a link of a page leads to; None if it leads out of it."""
    if re.match(r"[a-z]+:", link):
        return None
    path = os.path.normpath(Path(page).parent / link)
    return None if path.startswith("..") else path


def _api(room: str) -> str:
    """The page of a room: what it is for, then its modules."""
    folder = ROOT / room
    about = ast.get_docstring(ast.parse((folder / "__init__.py").read_text())) or ""
    modules = [path.stem for path in sorted(folder.glob("*.py")) if not path.stem.startswith("_")]
    name = room.replace("/", ".")
    parts = [f"# {name.removeprefix('supcon_theory.')}", _legible(about)]
    for module in modules:
        parts += [f"## {module}", f"::: {name}.{module}\n    options: {{show_root_heading: false}}"]
    return "\n\n".join(parts) + "\n"


def _legible(text: str) -> str:
    """Formulas that Markdown would misread: <z, u> as HTML; (*), L*, G* and y_+ as emphasis."""
    text = text.replace("_+", "₊")
    text = re.sub(r"<(?![=\s])([^<>=\n]+, ?[^<>=\n]+)>(?!=)", r"⟨\1⟩", text)
    return re.sub(r"(?<=\()\*+(?=\))|(?<=\b[GL])\*", lambda star: "∗" * len(star[0]), text)


class Inner(griffe.Extension):
    """Makes the formulas of docstrings legible as Markdown."""

    def on_instance(self, *, obj: griffe.Object, **_kwargs: object) -> None:
        """Change the docstring of one object."""
        if obj.docstring:
            obj.docstring.value = _legible(obj.docstring.value)
