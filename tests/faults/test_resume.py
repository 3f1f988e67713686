"""Training interrupted after any epoch and resumed ends in the weights of a straight run.

Bit by bit, that is. Covers three networks, an interrupt between two checkpoints or while the second
of two encoders is
kept, on one thread of one machine with the same versions.
"""

import hashlib
from pathlib import Path

import pytest

from supcon_theory.encoders import train as paired
from supcon_theory.encoders.learner import Learner
from supcon_theory.encoders.recipe import Recipe
from tests.faults.amount import DEEP, amount

EPOCHS = amount(4, 20)
SMALL = Recipe(
    C=3, n=8, steps=3 * EPOCHS, batch=8, d=8, checkpoints=tuple(range(0, 3 * EPOCHS + 1, 3))
)
NETWORKS = ("plain", "residual", "vit") if DEEP else ("mlp",)


def weights(recipes: list[Recipe], folder: Path) -> dict[str, str]:
    """Hashes of the last weights; zip archives hold no time."""
    entries = paired.train(recipes, folder)
    last = paired.checkpoint_name(recipes[0].steps)
    return {k: hashlib.sha256(e.read(last)).hexdigest() for k, e in entries.items()}


def recipes(network: str) -> list[Recipe]:
    from dataclasses import replace

    return [replace(SMALL, encoder=network, objective=o) for o in ("dcl", "nscl")]


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    return {
        network: weights(recipes(network), tmp_path_factory.mktemp(network)) for network in NETWORKS
    }


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("epoch", range(EPOCHS))
def test_weights_are_those_of_a_straight_run(tmp_path, monkeypatch, straight, network, epoch):
    kept = Learner.state  # what is about to be kept

    def stopped(self, step):
        if step == 3 * epoch and self.recipe.objective == ("dcl", "nscl")[epoch % 2]:
            raise KeyboardInterrupt
        return kept(self, step)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Learner, "state", stopped)
        paired.train(recipes(network), tmp_path)
    assert weights(recipes(network), tmp_path) == straight[network]
