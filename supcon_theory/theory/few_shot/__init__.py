"""Bounds on few-shot error, published and sharper."""
