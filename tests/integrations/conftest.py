"""Collected where the extra `integrations` is installed: a step of its own in `.ci/run`.

Without it there is nothing to collect here, which pytest ends with code 5 if it was asked for.
"""

from importlib.util import find_spec

LIBRARIES = ("lightning", "sentence_transformers", "timm", "accelerate", "datasets")
if not all(map(find_spec, LIBRARIES)):
    collect_ignore_glob = ["test_*"]
