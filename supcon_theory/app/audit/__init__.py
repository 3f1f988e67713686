"""`supcon-theory audit FILE`: every measure of embeddings, beside every bound and its null."""

from supcon_theory.app.audit.command import arguments, main

__all__ = ["arguments", "main"]
