"""Mutants in a process that has the package loaded and its tests collected: a fork for each.

Most mutants change the body of a function. In a forked process every function with the old code
gets the new, and of the tests only those are run that run the changed statement, the quickest
first; then what else is in their files, as a fixture or a cache may carry a number from one test
to another. What is run at import, or by the collection of the tests, cannot be changed so.
"""

import ast
import gc
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FunctionType

import coverage
import pytest
from mutated import MEMORY, ROOT, FirstFailure

SECONDS = 20.0  # of processor time that a test may take, on top of ten times what it took
NO_END = "no end"


def statement(text: str, line: int) -> range:
    """Lines of the innermost statement there; of a compound one, those of its head."""
    found = range(line, line + 1)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.stmt) and node.lineno <= line <= node.end_lineno:
            last = node.end_lineno
            if body := getattr(node, "body", None):
                last = body[0].lineno - 1
            if line <= last:
                found = range(node.lineno, last + 1)
    return found


def codes(one: CodeType, other: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    """Old and new code of every function whose code, or that of one within, differs."""
    if one == other:
        return
    yield one, other
    inner = [[c for c in code.co_consts if isinstance(c, CodeType)] for code in (one, other)]
    for pair in zip(*inner, strict=True):
        yield from codes(*pair)


def swap(file: str, text: str, mutant: str) -> bool:
    """Give every function of the file its new code, in this process; False if that cannot be."""
    name = str(ROOT / file)
    try:
        new = dict(codes(*(compile(source, name, "exec") for source in (text, mutant))))
        done = 0
        for found in gc.get_objects():
            if isinstance(found, FunctionType) and found.__code__.co_filename == name:
                if code := new.get(found.__code__):
                    found.__code__ = code
                    done += 1
    except (ValueError, SyntaxError):  # another number of functions, or of variables from outside
        return False
    return done > 0


class Loop:
    """A plugin of pytest: with the tests collected, hands over to `work` instead of running them.

    Attributes:
        tests: the tests, in their order.
        seconds: that each took, unchanged.
        early: lines of each file that were run before any test.
        by: the numbers of the tests that run a line of a file.

    """

    def __init__(self, room: str, work: Callable[["Loop"], None]) -> None:
        self.work = work
        self.coverage = coverage.Coverage(
            data_file=None, include=[f"{ROOT}/supcon_theory/{room}/*"], messages=False
        )
        self.coverage.start()

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.tests = session.items
        self.coverage.stop()
        data = self.coverage.get_data()
        self.early = {name: set(data.lines(name) or ()) for name in data.measured_files()}
        self.seconds = [0.0] * len(self.tests)
        found = json.loads(self.forked(self.mapped) or "null")
        if not isinstance(found, list):
            sys.exit(f"{found} fails before anything is changed")
        self.seconds, self.by = found
        self.work(self)
        return True

    def forked(self, work: Callable[[], str]) -> str:
        """What the work says in a process of its own, or why that ended."""
        begin, end = os.pipe()
        pid = os.fork()
        if not pid:
            os.setpgid(0, 0)
            null = os.open(os.devnull, os.O_RDWR)
            for number in range(3):
                os.dup2(null, number)
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            with os.fdopen(end, "w") as file:
                file.write(work())
            os._exit(0)
        os.close(end)
        with os.fdopen(begin) as file:
            said = file.read()
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        return said or {0: "", -signal.SIGPROF: NO_END}.get(status, "the process ends")

    def run(self, numbers: list[int], each: Callable[[int], None] = lambda number: None) -> str:
        """The name of the first of these tests that fails; empty if none does."""
        found = FirstFailure()
        self.tests[0].config.pluginmanager.register(found)
        for place, number in enumerate(numbers):
            following = self.tests[numbers[place + 1]] if place + 1 < len(numbers) else None
            signal.setitimer(signal.ITIMER_PROF, SECONDS + 10 * self.seconds[number])
            each(number)
            item = self.tests[number]
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if found.name:
                break
        return found.name

    def mapped(self) -> str:
        """Run all, unchanged: how long each takes, and the lines that it runs."""
        began, last = time.process_time(), -1
        took = [0.0] * len(self.tests)

        def each(number: int) -> None:
            nonlocal began, last
            now = time.process_time()
            if last >= 0:
                took[last] = now - began
            began, last = now, number
            self.coverage.switch_context(str(number))

        self.coverage.start()
        signal.signal(signal.SIGPROF, signal.SIG_IGN)
        if name := self.run(list(range(len(self.tests))), each):
            return json.dumps(name)
        self.coverage.stop()
        took[last] = time.process_time() - began
        data = self.coverage.get_data()
        by = {
            name: {
                line: sorted(int(context) for context in contexts if context)
                for line, contexts in data.contexts_by_lineno(name).items()
            }
            for name in data.measured_files()
        }
        return json.dumps([took, by])

    def tried(self, file: str, line: int, text: str, mutant: str) -> str | None:
        """The first test that fails, empty if none does; None where a mutant cannot be swapped."""
        name, lines = str(ROOT / file), statement(text, line)
        if self.early.get(name, set()).intersection(lines):
            return None
        by = self.by.get(name, {})
        run = {number for one in lines for number in by.get(str(one), [])}
        first = sorted(run, key=lambda number: self.seconds[number])
        files = {self.tests[number].path for number in run}
        rest = [n for n, test in enumerate(self.tests) if test.path in files and n not in run]

        def work() -> str:
            return self.run(first + rest) if swap(file, text, mutant) else "cannot be swapped"

        found = self.forked(work) if first else ""
        return None if found == "cannot be swapped" else found


def collected(room: str, tests: tuple[str, ...], work: Callable[[Loop], None]) -> None:
    """Collect the tests of a room, map them to the lines they run, then do the work."""
    import hypothesis  # noqa: F401
    import pandas  # noqa: F401
    import scipy.stats  # noqa: F401
    import torch

    torch.set_num_threads(1)
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    words = ["-o", "addopts=--import-mode=importlib", "-s", "-p", "no:terminal"]
    for plugin in ("cacheprovider", "xdist"):
        words += ["-p", f"no:{plugin}"]
    if code := pytest.main([*words, *map(str, map(Path, tests))], [Loop(room, work)]):
        sys.exit(f"pytest ends with {code}")
