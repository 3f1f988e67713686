"""Free embeddings: the unit rows themselves are optimised."""
