"""Every public function is called by something of the package, or is offered to people by name."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
OFFERED = {  # to people, by README.md, docs or a command
    "audit",
    "scalars",
    "main",
    "schema",  # of claims.json, to other programs
}
FILES = [p for f in ("supcon_theory", "experiments", "analysis") for p in (ROOT / f).rglob("*.py")]


def test_every_public_function_has_a_caller():
    trees = {path: ast.parse(path.read_text()) for path in FILES}
    ids = ROOT / "supcon_theory/objectives/ids.py"
    offered = OFFERED | set(re.findall(r'"(\w+)": "\w+",', ids.read_text()))
    used = {
        node.id if isinstance(node, ast.Name) else node.attr
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Name | ast.Attribute)
    }
    uncalled = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path, tree in trees.items()
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        and not node.name.startswith("_")
        and not node.decorator_list
        and node.name not in used | offered
    ]
    assert not uncalled, "\n".join(uncalled)
