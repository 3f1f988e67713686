"""Random command lines: one sentence and exit code 2, or an answer; never a traceback.

Words are drawn from the command's own vocabulary and from what people paste by mistake; two in
three lines are a right one with a word changed. `run` stops where computing would begin.
"""

import random

import pytest

from supcon_theory.app import command, experiments
from supcon_theory.objectives.ids import IDS
from supcon_theory.runs import experiment as module
from tests.faults.amount import amount
from tests.faults.forked import Child

RIGHT = (
    "loss 6.92 --objective supcon --batch 512 --tau 0.07 --classes 100",
    "loss 1e3 --objective nt_xent --batch 64 --scale 20 --dim 128 --views 4",
    "loss --library pml --batch 32 --classes 10 --balanced",
    "loss 3 --objective dcl --batch 16 --tau 0.5 --option pairs=all",
    "audit /nowhere.npy --labels /nowhere.txt --tau 0.5",
    "audit /dev/zero --key z",
    "list",
    "status /nowhere",
    "report /nowhere --out /dev/null/x",
    "verify a.json b.csv",
    "completion bash",
    "run gap_vs_classes smoke --seeds 2",
    "run few_shot_counterexample smoke --shots 1 10 --draws 100",
    "run collapse laptop --classes 4 --tau 0.2",
    "run minimisers full",
    "run all smoke",
)
WORDS = (
    *("", "-", "--", "-h", "--help", "-1", "0", "1", "2", "nan", "inf", "-inf", "1e400", "1e-400"),
    *("9" * 40, "0x10", "1_0", "１２", "٣", "a=b", "=", "beta=", "beta=nan", "beta=[]", "a b"),
    *("\u202e", "é", "\n", "\x1b[31m", "[bold]", "{}", "%s", "$HOME", "~", "~nobody/x", "*", "/"),
    *(".", "..", "/dev/null", "/dev/zero", "/proc/self/mem", "'", '"', "true", "None", "x" * 3000),
    *("--objective", "--batch", "--tau", "--scale", "--classes", "--counts", "--views", "--dim"),
    *("--library", "--option", "--balanced", "--seeds", "--out", "--data", "--steps", "--name"),
    *("pml", "lightly", "smoke", "laptop", "paper", "all", *IDS[:4], *command.SUBCOMMANDS),
)


class Reached(BaseException):
    pass


def _stop(*arguments, **named):
    raise Reached


def lines(draw: random.Random):
    for _ in range(amount(60, 1000)):
        if draw.random() < 0.33:
            yield draw.choices((*WORDS, *experiments.names()), k=draw.randint(0, 8))
            continue
        words = draw.choice(RIGHT).split()
        for _ in range(draw.randint(1, 3)):
            place = draw.randrange(len(words) + 1)
            match draw.randrange(3):
                case 0:
                    words[place:place] = [draw.choice(WORDS)]
                case 1:
                    words[place : place + 1] = [draw.choice(WORDS)]
                case 2:
                    del words[place : place + 1]
        yield words


@pytest.mark.parametrize("part", range(amount(2, 10)))
def test_a_line_is_answered_or_refused(tmp_path, part, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def work() -> None:
        module.compute = _stop
        for words in lines(random.Random(part)):
            print("\nCASE", repr(words)[:300], flush=True)
            try:
                code = command.run(words)
            except Reached:
                code = 0
            print("CODE", code, flush=True)

    ended = Child(work, tmp_path / "said").wait(600)
    assert ended.code == 0 and "Traceback" not in ended.said, _around(ended.said)
    codes = {line.split()[1] for line in ended.said.splitlines() if line.startswith("CODE ")}
    assert codes <= {"0", "2"}, [
        case[-900:] for case in ended.said.split("\nCASE") if "CODE 4" in case or "CODE 1" in case
    ]


def _around(said: str) -> str:
    case = next((c for c in said.split("\nCASE") if "Traceback" in c), said)
    return case[:400] + " ... " + case[-1500:]
