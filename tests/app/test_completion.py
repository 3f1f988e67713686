"""Completion scripts know every subcommand, experiment, preset and flag."""

import shutil
import subprocess

import pytest

from supcon_theory.app.command import SUBCOMMANDS, run
from supcon_theory.app.completion import SHELLS
from supcon_theory.app.experiments import names

ASK = """
source {script}
ask() {{ COMP_WORDS=("$@"); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); COMPREPLY=()
  _shtab_supcon_theory; echo "${{COMPREPLY[*]}}"; }}
ask supcon-theory r
ask supcon-theory run gap
ask supcon-theory run gap_vs_classes smo
ask supcon-theory run minimisers gap_vs_classes smoke --see
ask supcon-theory completion ""
"""


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_knows_everything(shell, capsys):
    assert run(["completion", shell]) == 0
    said = capsys.readouterr().out
    for word in (*SUBCOMMANDS, *names(), "laptop", "eval-tau", "imbalanced-classes"):
        assert word in said, word
    assert all(name in SHELLS for name in ("bash", "zsh", "fish"))


def test_bash_completes(tmp_path, capsys):
    bash = shutil.which("bash")
    assert bash, "bash is part of every system that these tests run on"
    assert run(["completion", "bash"]) == 0
    script = tmp_path / "script"
    script.write_text(capsys.readouterr().out)
    asked = subprocess.run(
        [bash, "--norc", "-c", ASK.format(script=script)], capture_output=True, text=True
    )
    found = asked.stdout.split("\n")[:-1]
    assert found == [
        "run report",
        "gap_controls gap_vs_classes",
        "smoke",
        "--seeds",
        "bash zsh fish",
    ]


def test_another_shell_is_refused(capsys):
    assert run(["completion", "tcsh"]) == 2
    assert "choose from" in capsys.readouterr().err
