"""Faults injected: a file for each promise of docs/promises.md.

`pytest tests/faults` is the short version, `python tests/faults.py --deep` the long one. Neither is
part of `pytest`.
"""
