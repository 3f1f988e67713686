"""One thread for every test, and a cache of decoded pictures that is nobody's own.

Small tensors are slower on several threads, and other numbers come out.
"""

import os
import tempfile

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
CACHE = tempfile.TemporaryDirectory(prefix="supcon_theory-cache-")  # removed when tests end
os.environ["SUPCON_THEORY_CACHE"] = CACHE.name

import matplotlib.figure  # noqa: E402
import pytest  # noqa: E402
import torch  # noqa: E402

torch.set_num_threads(1)
os.fsync = lambda descriptor: None  # no test cuts the power: waiting for the disk is a tenth of all


@pytest.fixture
def coarse_pictures(monkeypatch) -> None:
    """Figures are saved with few pixels."""
    save = matplotlib.figure.Figure.savefig
    monkeypatch.setattr(
        matplotlib.figure.Figure, "savefig", lambda self, *a, **k: save(self, *a, dpi=40, **k)
    )


def pytest_collection_modifyitems(items: list) -> None:
    """The longest file first, so that no process ends with it alone."""
    items.sort(key=lambda item: "test_every_experiment" not in item.nodeid)
