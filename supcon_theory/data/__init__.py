"""Data sets, subsets and views: embedded characters, a user's images, draws that are keyed."""

from supcon_theory.data.dataset import DataSet, Split, load

__all__ = ["DataSet", "Split", "load"]
