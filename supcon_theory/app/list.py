"""`supcon-theory list`: the questions, and how long answering each took."""

from argparse import ArgumentParser, Namespace

from supcon_theory.app import experiments
from supcon_theory.runs.flags import available_cores
from supcon_theory.runs.progress import duration
from supcon_theory.runs.published import published_run

PUBLISHED = ("laptop", "full")


def arguments(parser: ArgumentParser) -> None:
    """It has none."""


def main(given: Namespace) -> int:
    """Print the question of every experiment and the measured time of its published runs."""
    total = 0.0
    for name in experiments.names():
        print(f"{name:25}{experiments.experiment(name).question}")
        found = {preset: published_run(name, preset) for preset in PUBLISHED}
        times = [f"{p} {duration(made.cpu_seconds)}" for p, made in found.items() if made]
        print(f"{'':25}{', '.join(times) or 'no published run'}")
        total += found["laptop"].cpu_seconds if found["laptop"] else 0.0
    cores = available_cores()
    print(
        f"\nTimes are of one core, measured. `supcon-theory run all laptop` took {duration(total)} "
        f"in all: about {duration(total / cores)} on the {cores} of this machine."
    )
    return 0
