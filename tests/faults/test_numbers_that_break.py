"""NaN, infinity, no memory: the cell fails with its place, the others finish, the run says so.

Covers a loss, a gradient, a weight and an embedding that are not finite, a learning rate that
explodes, memory refused by Python, NumPy and PyTorch: exit code 3, INCONCLUSIVE where a cell is
missing, the other cells kept. NaN in data is refused before work. A worker that dies is in
tests/runs/test_cells.py, as it takes worker processes.
"""

import csv

import numpy as np
import pytest
import torch

from supcon_theory.encoders import learner as paired
from tests.faults.amount import amount
from tests.faults.archives import good, npy, zipped
from tests.faults.forked import run

NAME = "gap_vs_classes"


def not_finite_loss(step: int) -> None:
    objective = paired.OBJECTIVES["nscl"]

    def broken(z, y, **more):
        return objective(z, y, **more) * (float("nan") if len(y.unique()) == 3 else 1)

    paired.OBJECTIVES["nscl"] = broken


def not_finite_gradient(step: int) -> None:
    update = paired.Learner.step

    def broken(self, at, *batch):
        update(self, at, *batch)
        if self.recipe.C == 3 and at == step:
            next(self.network.parameters()).data.view(-1)[0] = float("inf")

    paired.Learner.step = broken


def not_finite_embeddings(step: int) -> None:
    from supcon_theory.encoders import embed as module

    inner = module.embed

    def broken(network, seen, device="cpu"):
        h, z = inner(network, seen, device)
        return h, z * (float("inf") if len(seen) == 24 else 1)

    module.embed = broken


def no_memory(ask):
    def install(step: int) -> None:
        update = paired.Learner.step

        def broken(self, at, *batch):
            update(self, at, *batch)
            if self.recipe.C == 3 and at == step:
                ask()

        paired.Learner.step = broken

    return install


FAULTS = {
    "loss": not_finite_loss,
    "weight": not_finite_gradient,
    "embedding": not_finite_embeddings,
    "memory of Python": no_memory(lambda: bytearray(2**60)),
    "memory of NumPy": no_memory(lambda: np.empty(2**58)),
    "memory of PyTorch": no_memory(lambda: torch.empty(2**50)),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("step", range(amount(1, 4)))
def test_a_cell_that_breaks_ends_alone_and_with_its_place(tmp_path, fault, step):
    out = tmp_path / "out"
    ended = run(NAME, out, before=lambda: FAULTS[fault](step))
    assert ended.code == 3, ended.said
    assert "C=3 seed=0 ended early" in ended.said and "Traceback" not in ended.said
    if "memory" not in fault:
        assert "step" in ended.said
    (folder,) = out.glob(f"{NAME}/smoke-*")
    with open(folder / "table.csv") as file:
        assert {row["C"] for row in csv.DictReader(file)} == {"2"}
    with open(folder / "claims.csv") as file:
        rows = list(csv.DictReader(file))
    assert not [row for row in rows if row["verdict"] == "PASS"]
    assert [row for row in rows if row["reason"] == "1 cells ended early"]
    assert run(NAME, out).code == 0  # nothing broken was kept


@pytest.mark.parametrize("lr", ["1e4", "1e12", "1e30"][: amount(2, 3)])
def test_a_learning_rate_that_explodes_never_reads_as_a_broken_theorem(tmp_path, lr):
    ended = run("collapse", tmp_path / "out", "--lr", lr)
    assert ended.code in (0, 3) and "Traceback" not in ended.said, ended.said


def test_data_that_are_not_numbers_are_refused_before_work(tmp_path):
    x = np.full((12, 8, 8), 0.5)
    x[3, 1, 1] = np.nan
    members = {f"{key}.npy": npy(value) for key, value in (good() | {"x_train": x}).items()}
    (tmp_path / "data.npz").write_bytes(zipped(members))
    ended = run(NAME, tmp_path / "out", "--data", str(tmp_path / "data.npz"), "--n", "4")
    assert ended.code == 2 and "image 3" in ended.said and len(ended.said.splitlines()) == 1
