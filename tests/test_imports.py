"""Imports flow one way: asserted from the import graph, those inside functions included."""

import ast
import subprocess
import sys
import tomllib
from graphlib import TopologicalSorter
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = {"supcon_theory": ROOT / "supcon_theory"} | {
    f"supcon_theory.{name}": ROOT / name for name in ("experiments", "analysis")
}
TORCH_FREE_AUDITS = (
    "columns",
    "loss_curves",
    "sweeps",
    "few_shot_curves",
    "placement",
    "robustness_curves",
)

# room: the rooms (or single modules) that it may import from, besides itself
ALLOWED = {
    "inputs": [],
    "processes": [],
    "statistics": [],
    "latex": [],
    "theory": [],
    "data": ["inputs"],
    "pairs": ["inputs", "processes"],
    "objectives": ["inputs", "pairs"],
    "free": ["inputs", "pairs", "objectives"],
    "measures": ["inputs", "processes", "pairs"],
    "audits": ["inputs", "pairs", "objectives", "free", "measures", "theory", "statistics"],
    "rulers": ["pairs", "objectives", "theory"],
    "claims": ["audits", "theory", "statistics"],
    "runs": ["audits.columns", "claims", "latex", "statistics"],
    "encoders": ["inputs", "processes", "data", "objectives", "measures", "runs"],
    "analysis": ["audits", "claims", "theory", "latex", "statistics"],
    "experiments": [
        *("inputs", "data", "objectives", "free", "measures", "theory", "statistics"),
        *("audits", "claims", "runs", "encoders"),
    ],
    "app": [
        *("inputs", "processes", "data", "objectives", "measures", "theory", "audits", "claims"),
        *("runs", "rulers", "encoders", "experiments", "analysis", "statistics"),
    ],
    "__main__": ["app"],
}


def modules() -> dict[str, Path]:
    found = {}
    for package, folder in FOLDERS.items():
        for path in folder.rglob("*.py"):
            parts = path.relative_to(folder).with_suffix("").parts
            found[".".join([package, *parts]).removesuffix(".__init__")] = path
    return found


MODULES = modules()


def imported(name: str) -> set[str]:
    """The modules of the package that a module names in any import statement."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[name].read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} has a relative import"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in MODULES else node.module)
    return {module for module in found if module in MODULES} - {name}


GRAPH = {name: imported(name) for name in MODULES}


def room(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


@pytest.mark.parametrize("name", sorted(ALLOWED))
def test_a_room_imports_only_from_those_before_it(name):
    for module in (m for m in MODULES if room(m) == name):
        for other in GRAPH[module]:
            inside = other.removeprefix("supcon_theory.")
            right = room(other) == name or any(
                inside == allowed or inside.startswith(f"{allowed}.") for allowed in ALLOWED[name]
            )
            assert right, f"{module} imports {other}"


def test_every_module_stands_in_a_room_and_nothing_imports_the_package_itself():
    assert {room(module) for module in MODULES} == {"", *ALLOWED}
    assert not [m for m, others in GRAPH.items() if "supcon_theory" in others and room(m) != "app"]


def test_there_is_no_cycle():
    list(TopologicalSorter(GRAPH).static_order())  # raises CycleError and names it


def test_what_must_start_quickly_never_loads_torch():
    """Experiments as modules, their cells and keys, claims, drawings, the command."""
    quick = [
        m
        for m in MODULES
        if room(m) in ("experiments", "analysis", "claims", "rulers", "runs", "app")
    ]
    quick += ["supcon_theory", "supcon_theory.encoders.recipe", "supcon_theory.encoders.flags"]
    quick += ["supcon_theory.data.facts", "supcon_theory.data.fingerprint"]
    quick += [f"supcon_theory.audits.{name}" for name in TORCH_FREE_AUDITS]
    script = (
        f"import sys\nfor m in {sorted(quick)}: __import__(m)\nsys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr or "torch was loaded"


def test_what_benchmarks_import_is_there():
    """No test runs them: they need the extra `bench` and minutes."""
    for path in sorted((ROOT / "benchmarks").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("supcon_theory"):
                module = import_module(node.module)
                for name in node.names:
                    inner = (
                        find_spec(f"{node.module}.{name.name}")
                        if hasattr(module, "__path__")
                        else None
                    )
                    there = inner is not None or hasattr(module, name.name)
                    assert there, f"{path.name}: {node.module}.{name.name}"


def test_the_wheel_has_every_package():
    """They are listed by hand, as two of them stand elsewhere in the tree."""
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    there = {m if path.stem == "__init__" else m.rpartition(".")[0] for m, path in MODULES.items()}
    assert set(listed) - {"supcon_theory.published"} == there
