"""Encoders, recipes, paired training of several objectives, and free embeddings."""
