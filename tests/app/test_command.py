"""The command `supcon-theory`: parsing comes first, and torch only where something is trained."""

import json
import subprocess
import sys

import pytest

import supcon_theory
from supcon_theory.app import experiments
from supcon_theory.app.command import SUBCOMMANDS, parser, run
from supcon_theory.app.experiments import names

SEEN = ("UserWarning", "RuntimeWarning", "FutureWarning")  # Python shows others to nobody
pytestmark = [pytest.mark.filterwarnings(f"error::{kind}") for kind in SEEN]


def test_help_and_version(capsys):
    assert run(["--help"]) == 0
    said = capsys.readouterr().out
    assert all(f"supcon-theory {row.example}" in said for row in SUBCOMMANDS.values())
    assert run(["--version"]) == 0 and supcon_theory.__version__ in capsys.readouterr().out


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_every_subcommand_has_help_and_its_example_parses(name, capsys):
    assert run([name, "--help"]) == 0
    assert f"example: supcon-theory {name}" in capsys.readouterr().out
    parser(name).parse_args(SUBCOMMANDS[name].example.split()[1:])


@pytest.mark.parametrize(
    "argv, said",
    [
        ([], "usage: supcon-theory COMMAND"),
        (["walk"], "There is no command 'walk': choose one of loss, run"),
        (["run"], "the following arguments are required"),
        (["list", "all"], "unrecognized arguments: all"),
        (["run", "gap"], "choose one of"),
        (["status", "nowhere"], "no results folder nowhere"),
        (["verify", "nothing.json", "nothing.csv"], "nothing.json"),
    ],
)
def test_bad_usage_is_a_sentence(argv, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(argv) == 2
    captured = capsys.readouterr()
    assert said in captured.err and "Traceback" not in captured.err


def test_an_experiment_is_found_by_its_name(monkeypatch, capsys):
    assert "gap_vs_classes" in names() and "__init__" not in names()
    assert run(["run", "gap_vs_classes", "huge"]) == 2
    assert "preset is 'huge' but must be one of smoke" in capsys.readouterr().err


def test_any_other_exception_is_exit_code_4(monkeypatch, capsys):
    def broken():
        raise RuntimeError("a bug")

    monkeypatch.setattr(experiments, "names", broken)
    assert run(["list"]) == 4 and "Traceback" in capsys.readouterr().err


QUICK = [
    ["--help"],
    ["--version"],
    ["list"],
    ["status"],
    ["status", "--help"],
    ["completion", "fish"],
    ["run", "all", "huge"],
    ["run", "few_shot_counterexample", "small_samples", "--tau", "3"],
    ["run", "gap_vs_classes", "smok"],
    ["run", "gap_vs_classes", "smoke", "--help"],
    ["run", "gap_vs_classes", "smoke", "--tau", "0"],
    ["run", "gap_vs_classes", "smoke", "--classes", "301"],
    ["run", "gap_vs_classes", "smoke", "--device", "cpu", "--colour", "red"],
]
CODE = """
import io, json, sys
from contextlib import redirect_stderr, redirect_stdout
from supcon_theory.app.command import run
for argv in json.loads(sys.argv[1]):
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        code = run(argv)
    print(code, *sorted({"torch", "scipy.stats", "sklearn", "matplotlib"} & set(sys.modules)))
"""


def test_what_trains_nothing_imports_no_torch(tmp_path):
    argv = [[*words, "--out", str(tmp_path)] if "run" in words else words for words in QUICK]
    ended = subprocess.run(
        [sys.executable, "-c", CODE, json.dumps(argv)], capture_output=True, text=True
    )
    assert ended.stdout.split("\n")[:-1] == [*"00000022", *"20222"], ended.stderr


ENTRY = {"id": "A1", "scope": "", "factory": "gap.nothing", "parameters": {}, "asked": True}
FOREIGN = {
    "no JSON": "{",
    "a list": "[]",
    "no format": "{}",
    "another format": '{"format": 99, "claims": []}',
    "no list of claims": '{"format": 1}',
    "a number of claims": '{"format": 1, "claims": 3}',
    "no claims": '{"format": 1, "claims": []}',
    "other claims": '{"format": 1, "claims": [{"a": 1}]}',
    "an unknown claim": json.dumps({"format": 1, "claims": [ENTRY]}),
    "odd parameters": json.dumps({"format": 1, "claims": [ENTRY | {"parameters": 3}]}),
}


def test_a_table_without_end_is_refused(tmp_path, capsys):
    (tmp_path / "claims.json").write_text('{"format": 1, "claims": []}')
    assert run(["verify", str(tmp_path / "claims.json"), "/dev/zero"]) == 2
    assert "/dev/zero is no regular file" in capsys.readouterr().err


@pytest.mark.parametrize("text", FOREIGN.values(), ids=FOREIGN)
def test_foreign_claims_are_refused_in_a_sentence(text, tmp_path, capsys):
    (tmp_path / "claims.json").write_text(text)
    (tmp_path / "table.csv").write_text("cell\n1\n")
    assert run(["verify", str(tmp_path / "claims.json"), str(tmp_path / "table.csv")]) == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said and len(said.splitlines()) == 1


@pytest.mark.parametrize("data", [b"", b'"a\n', b"\xff\xfe\x00", b"a,b\n1,2\n"])
def test_a_foreign_table_is_refused_in_a_sentence(data, tmp_path, capsys):
    from supcon_theory.claims import gap
    from supcon_theory.claims.document import claims_json
    from supcon_theory.claims.evaluate import evaluate

    claims = [gap.identity()]
    (tmp_path / "claims.json").write_text(json.dumps(claims_json(claims, evaluate(claims, {})[0])))
    (tmp_path / "table.csv").write_bytes(data)
    assert run(["verify", str(tmp_path / "claims.json"), str(tmp_path / "table.csv")]) == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said and len(said.splitlines()) == 1
