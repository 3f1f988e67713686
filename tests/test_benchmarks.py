"""Benchmarks still run: each of those that need no peers, once, on less than it measures."""

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
RUNS = {
    "throughput": "for call in throughput.parts('plain', 1, 8).values(): call()",
    "views": "views.IMAGES = 64\nfor name, call in views.cases().items(): call()",
    "probes": "probes.all_way(4, 8, 9, 2, 2)\nprobes.all_pairs(3, 64, 6, 4)",
    "measures": "measures.measure('rows', 300, 5, 16, runs=1)",
    "global_losses": "global_losses.cell(300)",
}


@pytest.mark.parametrize("name", RUNS)
def test_a_benchmark_runs(name):
    script = f"import {name}\n{RUNS[name]}"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=BENCHMARKS, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
