"""Small encoders to train in tests, and their weights."""

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
