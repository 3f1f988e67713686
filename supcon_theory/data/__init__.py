"""Data sets, subsets and views: embedded characters, a user's images, draws that are keyed.

The names below are loaded when first used: `data.facts` and `data.fingerprint` never import torch.
"""

from importlib import import_module

_HOME = {"DataSet": "dataset", "Split": "dataset", "load": "loading"}

__all__ = sorted(_HOME)


def __getattr__(name: str):
    if name not in _HOME:
        raise AttributeError(f"module 'supcon_theory.data' has no attribute {name!r}")
    return getattr(import_module(f"supcon_theory.data.{_HOME[name]}"), name)
