"""Data sets known by name, read from the archives that their authors publish; no pickle is."""
