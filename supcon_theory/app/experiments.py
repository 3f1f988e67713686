"""The experiments, found by the files that hold them."""

import pkgutil
from importlib import import_module

from supcon_theory.runs.exits import Refused
from supcon_theory.runs.experiment import Experiment


def names() -> list[str]:
    """The names of all experiments."""
    package = import_module("supcon_theory.experiments")
    return sorted(module.name for module in pkgutil.iter_modules(package.__path__))


def experiment(name: str) -> Experiment:
    """The experiment of this name.

    Args:
        name: one of `names`.

    Returns:
        the experiment.

    Raises:
        Refused: there is none.

    """
    if name not in names():
        raise Refused(f"There is no experiment {name!r}: choose one of {', '.join(names())}.")
    return import_module(f"supcon_theory.experiments.{name}").EXPERIMENT
