"""Small encoders to train in tests, and their weights."""

import pytest
import torch

from supcon_theory.encoders import train as paired
from supcon_theory.encoders.recipe import Recipe

SMALL = dict(n=8, steps=6, batch=12, checkpoints=(0, 3, 6), d=16)


def recipes(*objectives, **changes):
    return [Recipe(C=4, objective=objective, **SMALL | changes) for objective in objectives]


def weights(recipe, entry, step):
    name = paired.checkpoint_name(step)
    return paired.from_bytes(entry.read(name), entry.folder / name)


def same(a, b) -> bool:
    return all(torch.equal(a[name], b[name]) for name in a) and a.keys() == b.keys()


def begin(given, out, steps):
    """Train up to the report of a step, which interrupts it."""

    class Interrupted(Exception):
        pass

    said = []

    def interrupt(part):
        said.append(part)
        if len(said) == steps:
            raise Interrupted

    with pytest.raises(Interrupted):
        paired.train(given, out, report=interrupt)
