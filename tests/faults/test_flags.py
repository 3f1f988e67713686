"""Every flag of every experiment, with values that nobody should give: refused in one sentence.

Each gets 0, negative and huge numbers, NaN, infinity, nothing, words, odd paths. What is refused is
refused before any work, within seconds, in one line, with exit code 2. What is accepted here
starts to compute: tiny runs with it end in 0, 2 or 3, never in a traceback.
"""

from importlib import import_module

import pytest

from supcon_theory.app import experiments
from supcon_theory.runs import experiment as module
from tests.faults.amount import DEEP
from tests.faults.flags import cases
from tests.faults.forked import TINY, Child, run

REACHED = 77


class Reached(BaseException):
    pass


def _stop(*arguments, **named):
    raise Reached


def ends(name: str, words: list[str], out) -> int:
    found = experiments.experiment(name)
    try:
        return found.run(["smoke", *words, "--jobs", "1", "--out", str(out)])
    except Reached:
        return REACHED


@pytest.mark.parametrize("name", experiments.names())
def test_a_value_is_refused_in_one_line_or_computed_with(tmp_path, name):
    asked = [words for other, words in cases() if other == name]
    if not DEEP:
        asked = asked[::8]

    def work() -> None:
        module.compute = _stop
        for words in asked:
            print("CASE", *(ascii(word[:40]) for word in words), flush=True)
            print("CODE", ends(name, words, tmp_path / "out"), flush=True)

    ended = Child(work, tmp_path / "said").wait(60)
    assert ended.code == 0, ended.said[-2000:]
    lines = ended.said.splitlines()
    starts = [k for k, line in enumerate(lines) if line.startswith("CASE")]
    assert len(starts) == len(asked)
    for k, after in zip(starts, [*starts[1:], len(lines)], strict=True):
        code = lines[after - 1].split()[-1]
        assert code in ("0", "2", str(REACHED)), lines[k:after]
        assert code != "2" or after - k == 3, lines[k:after]  # one sentence between the two


@pytest.mark.parametrize("name", TINY if DEEP else ["few_shot_counterexample"])
def test_what_is_accepted_ends_as_it_should(tmp_path, name):
    import_module(f"supcon_theory.experiments.{name}")
    places = ("--data", "--name", "--device", "--jobs")
    asked = [words for other, words in cases() if other == name and words[0] not in places]
    for words in asked if DEEP else asked[::12]:
        ended = run(name, tmp_path / "out", *words)
        assert ended.code in (0, 2, 3), (words, ended.said[-2000:])
        assert "Traceback" not in ended.said, (words, ended.said[-2000:])
