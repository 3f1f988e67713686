"""A seeded random sample of cosmic-ray's mutants of a room, against the tests of that room.

pip install cosmic-ray coverage
python tests/mutation.py theory                     300 mutants, to mutation-theory.csv
python tests/mutation.py audits --count 60          the first 60 of them: themselves a random sample

What cosmic-ray changes: operators, comparisons, numbers by one, `and`, `not`, `break`, loops,
exceptions, decorators, constants. Annotations are left out, as no test can tell one from another,
and mutants that are no Python (`f(x, *, y)` with another operator for the star). A mutant is killed
if a test fails, or does not end. The tests that run the changed statement come first
(`swapped.py`); what is run at import is changed in a copy of the package, with first the test files
that name the module, then all others of the room. Finished rows of the table are kept, so that a
run goes on. `survivors.csv` says of those found so far which test kills them since, or why nothing
changes; a survivor that it does not name is printed.
"""

import argparse
import ast
import csv
import os
import random
import sys
import time
import traceback
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from mutated import ROOT, changed, copied, killer
from swapped import Loop, collected

ROOMS = {  # the tests of each
    "pairs": ("tests/pairs", "tests/objectives", "tests/properties/test_objectives.py"),
    "objectives": ("tests/objectives", "tests/pairs", "tests/properties/test_objectives.py"),
    "theory": ("tests/theory", "tests/properties/test_bounds.py"),
    "measures": ("tests/measures", "tests/properties/test_measures.py"),
    "audits": ("tests/audits", "tests/properties/test_audits.py"),
}
SURVIVED = "SURVIVED"
EXPLAINED = Path(__file__).with_name("survivors.csv")


class Place(NamedTuple):
    """A mutant: the file, the operator of cosmic-ray, which of its occurrences, and where."""

    file: str
    operator: str
    occurrence: int
    line: int
    column: int


def annotations(tree: ast.AST) -> Iterator[ast.AST]:
    """Every annotation of an argument, a result or a variable."""
    for node in ast.walk(tree):
        for name in ("annotation", "returns"):
            if (found := getattr(node, name, None)) is not None:
                yield found


def places(room: str) -> list[Place]:
    """All mutants of a room."""
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.plugins import get_operator, operator_names

    found = []
    for path in sorted((ROOT / "supcon_theory" / room).rglob("*.py")):
        text = path.read_text()
        spans = [
            ((a.lineno, a.col_offset), (a.end_lineno, a.end_col_offset))
            for a in annotations(ast.parse(text))
        ]
        nodes = list(ast_nodes(get_ast(text)))
        for name in sorted(operator_names()):
            if name == "core/NoOp" or (operator := get_operator(name)).arguments():
                continue
            spots = (start for node in nodes for start, _ in operator().mutation_positions(node))
            for occurrence, start in enumerate(spots):
                if not any(low <= start < high for low, high in spans):
                    found.append(Place(str(path.relative_to(ROOT)), name, occurrence, *start))
    return found


def ordered(room: str, file: str) -> tuple[list[str], list[str]]:
    """The room's test files that name the module, and the others."""
    files = []
    for name in ROOMS[room]:
        path = ROOT / name
        files += sorted(path.glob("test_*.py")) if path.is_dir() else [path]
    name = Path(file).stem
    first = [path for path in files if name in path.read_text()]
    names = [str(path.relative_to(ROOT)) for path in files]
    return [n for n in names if ROOT / n in first], [n for n in names if ROOT / n not in first]


def mutated(place: Place) -> tuple[str, str, str]:
    """The text of its file, that of the mutant, and the first line in which they differ."""
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator

    text = (ROOT / place.file).read_text()
    mutant = mutate_code(text, get_operator(place.operator)(), place.occurrence)
    assert mutant and mutant != text, place
    lines = zip(text.split("\n"), mutant.split("\n"), strict=False)
    return text, mutant, next(new.strip() for old, new in lines if old != new)


def is_python(text: str) -> bool:
    """Whether it compiles: `f(x, *, y)` with another operator for the star does not."""
    try:
        compile(text, "mutant", "exec")
    except SyntaxError:
        return False
    return True


class Rows:
    """The table of what was found."""

    def __init__(self, table: Path) -> None:
        self.table = table
        self.began = time.monotonic()

    def read(self) -> dict[tuple[str, ...], tuple[str, str]]:
        """What was found of each place, and its line."""
        n = len(Place._fields)
        rows = csv.reader(self.table.open()) if self.table.exists() else []
        return {tuple(row[:n]): (row[n], row[-1]) for row in rows}

    def without(self, places: list[Place]) -> list[Place]:
        """Those that are not in it."""
        done = self.read()
        return [place for place in places if tuple(map(str, place)) not in done]

    def add(self, place: Place, found: str, line: str) -> None:
        """One more, with the seconds since the last one."""
        seconds, self.began = time.monotonic() - self.began, time.monotonic()
        with self.table.open("a") as file:
            row = [*place, found or SURVIVED, f"{seconds:.1f}", line]
            csv.writer(file, lineterminator="\n").writerow(row)


def swapped(room: str, places: list[Place], rows: Rows) -> None:
    """In a process of its own, in which the package is loaded: all that can be tried so."""

    def work(loop: Loop) -> None:
        for place in places:
            text, mutant, line = mutated(place)
            found = loop.tried(place.file, place.line, text, mutant)
            if found is not None:
                rows.add(place, found, line)

    if pid := os.fork():
        if code := os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]):
            sys.exit(code)
        return
    try:
        collected(room, ROOMS[room], work)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def in_a_copy(room: str, places: list[Place], rows: Rows, limit: float) -> None:
    """The rest: a process imports the package anew for each."""
    with copied() as copy:
        for place in places:
            _, mutant, line = mutated(place)
            found = ""
            with changed(copy / place.file, mutant):
                for tests in ordered(room, place.file):
                    if tests and not found:
                        found = killer(copy, *tests, limit=limit)
            rows.add(place, found, line)


def unexplained(survivors: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those of (file, line of the mutant) that the table of explanations does not name."""
    rows = csv.DictReader(EXPLAINED.open(encoding="utf-8", newline=""))
    known = {(row["file"], row["mutant"]) for row in rows}
    return [found for found in survivors if found not in known]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("room", choices=ROOMS)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=18)
    parser.add_argument("--limit", type=float, default=300.0, help="seconds of one run in a copy")
    parser.add_argument("--at-most", type=int, default=10**6, help="new mutants in this run")
    parser.add_argument("--table", type=Path)
    given = parser.parse_args()
    rows = Rows((given.table or Path(f"mutation-{given.room}.csv")).resolve())
    everything = places(given.room)
    chosen = random.Random(given.seed).sample(everything, min(300, len(everything)))[: given.count]
    new = (place for place in rows.without(chosen) if is_python(mutated(place)[1]))
    if left := list(islice(new, given.at_most)):
        swapped(given.room, left, rows)
        if rest := rows.without(left):
            in_a_copy(given.room, rest, rows, given.limit)
    found = rows.read()
    survivors = [(place[0], line) for place, (what, line) in found.items() if what == SURVIVED]
    killed = len(found) - len(survivors)
    for file, line in unexplained(survivors):
        print(f"survived: {file}: {line}")
    from scipy.stats import binomtest

    low, high = binomtest(killed, len(found)).proportion_ci(method="exact")
    print(f"{given.room}: {killed} of {len(found)} killed, {len(everything)} there are;", end=" ")
    print(f"{killed / len(found):.1%}, 95 % Clopper-Pearson {low:.1%} to {high:.1%}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
