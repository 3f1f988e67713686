"""`supcon-theory list`: the questions."""

from argparse import ArgumentParser, Namespace

from supcon_theory.app import experiments


def arguments(parser: ArgumentParser) -> None:
    """It has none."""


def main(given: Namespace) -> int:
    """Print a line for every experiment."""
    for name in experiments.names():
        print(f"{name:25}{experiments.experiment(name).question}")
    return 0
