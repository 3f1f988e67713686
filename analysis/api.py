"""Writes docs/api.md: every public function and class of the package, by room and module.

python -m supcon_theory.analysis.api

The page is made from the source alone: nothing is imported, so it needs none of the libraries.
"""

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "supcon_theory"
ROOMS = (
    *("objectives", "measures", "audits", "theory", "free", "claims", "inputs", "pairs"),
    *("processes", "statistics", "rulers", "data", "encoders", "runs"),
)
HEAD = """# Everything public

Written by `python -m supcon_theory.analysis.api` from signatures and docstrings. The names of the
package itself come first, in full; then every function and class of its rooms, in a line each: the
link leads to the file, where the docstring has equation, source, arguments with shapes and units,
errors and examples. The command is described by `supcon-theory --help`, its completion by
`supcon-theory completion --help`; use in a training loop by [integrations.md](integrations.md)."""
Definition = ast.FunctionDef | ast.ClassDef


def public(tree: ast.Module) -> Iterator[Definition]:
    """Functions and classes of a module that do not begin with an underscore, in order."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node


def signature(node: Definition) -> str:
    """How it is called, with annotations and defaults, in one line; a class by its fields."""
    if isinstance(node, ast.FunctionDef):
        result = f" -> {ast.unparse(node.returns)}" if node.returns else ""
        return f"{node.name}({ast.unparse(node.args)}){result}"
    fields = [ast.unparse(part) for part in node.body if isinstance(part, ast.AnnAssign)]
    made = [p for p in node.body if isinstance(p, ast.FunctionDef) and p.name == "__init__"]
    called = ast.unparse(made[0].args).removeprefix("self").removeprefix(", ") if made else ""
    return f"class {node.name}({called or ', '.join(fields)})"


def summary(node: ast.Module | Definition) -> str:
    """The first paragraph of the docstring, in one line."""
    line = " ".join((ast.get_docstring(node) or "").split("\n\n")[0].split())
    return line.replace("<", "&lt;").replace("*", r"\*")


def files(room: str) -> list[Path]:
    """The modules of a room, or the one module of that name."""
    alone = PACKAGE / f"{room}.py"
    return [alone] if alone.exists() else sorted((PACKAGE / room).rglob("*.py"))


def names() -> dict[str, str]:
    """The names of the package itself, each with the room it is from."""
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    homes = (
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_HOME"
    )
    return {name: home.split(".")[1] for name, home in ast.literal_eval(next(homes)).items()}


def page() -> str:
    """The page.

    Returns:
        Markdown.

    Raises:
        ValueError: A name of the package is no function or class of its room.
    """
    trees = {
        room: {path: ast.parse(path.read_text(encoding="utf-8")) for path in files(room)}
        for room in ROOMS
    }
    lines = [HEAD, "", "Rooms: " + ", ".join(f"[{room}](#{room})" for room in ROOMS) + "."]
    lines += ["", "## supcon_theory", ""]
    for name, room in names().items():
        nodes = [n for tree in trees[room].values() for n in public(tree) if n.name == name]
        if nodes:
            shown, text = signature(nodes[0]), ast.get_docstring(nodes[0]) or ""
        elif name.isupper():  # a table of functions: its room says what it holds
            shown, text = name, ast.get_docstring(trees[room][PACKAGE / room / "__init__.py"]) or ""
        else:
            raise ValueError(f"{name} of supcon_theory/__init__.py is not in the room {room}")
        lines += [f"### {name}", "", "```text", shown, "", inspect.cleandoc(text), "```", ""]
    for room, modules in trees.items():
        lines += [f"## {room}", ""]
        for path, tree in modules.items():
            found = list(public(tree))
            if not found:
                continue
            place = path.relative_to(ROOT).as_posix()
            lines += [
                f"**[{place.removeprefix('supcon_theory/')}](../{place})**: {summary(tree)}",
                "",
            ]
            lines += [f"- `{signature(node)}`: {summary(node)}" for node in found]
            lines += [""]
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    """Write docs/api.md."""
    (ROOT / "docs" / "api.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
