"""Recipes, networks, paired training, and the embeddings of trained encoders."""
