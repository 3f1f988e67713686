"""A measure beside its theory: one table each, with declared columns and a version."""
