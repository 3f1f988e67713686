"""Embeddings and labels from a person's files: one dict of readers, one sentence for each fault."""

from supcon_theory.data.embeddings.fault import Fault
from supcon_theory.data.embeddings.read import Embeddings, Second, read, second

__all__ = ["Embeddings", "Fault", "Second", "read", "second"]
