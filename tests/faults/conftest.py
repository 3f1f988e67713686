"""A process of these tests forks: one thread, and no figure is drawn unless a test is about it."""

import pytest
import torch


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)
