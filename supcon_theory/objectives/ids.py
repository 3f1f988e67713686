"""The ids of the losses and where each is defined, readable without PyTorch.

A new loss is a function with a body and a `Convention` in its docstring, and a line here.
"""

import ast
from functools import cache
from pathlib import Path

MODULES = {
    "dcl": "decoupled",
    "nscl": "decoupled",
    "dhel": "decoupled",
    "dhel_official": "decoupled",
    "n_dhel": "decoupled",
    "nt_xent": "coupled",
    "nscl_coupled": "coupled",
    "n_pairs": "coupled",
    "supcon": "coupled",
    "supcon_in": "coupled",
    "hucl": "hard_negatives",
    "h_nscl": "hard_negatives",
    "hscl": "hard_negatives",
    "scl_jiang": "hard_negatives",
    "hcl": "hard_negatives",
    "debiased": "hard_negatives",
    "scl_ball": "class_level",
    "ucl_ball": "class_level",
    "ssem": "class_level",
    "soft_supcon": "class_level",
    "kcl": "pairwise",
    "sigmoid": "pairwise",
    "triplet": "pairwise",
    "cross_entropy": "class_weights",
}
IDS = tuple(MODULES)
OF_SHARES = ("dcl", "nt_xent", "supcon", "cross_entropy")
"""Losses that are defined where a sample belongs to several classes (`objectives.shares`)."""
SHARED = ("tau", "reduction", "unit")  # keywords of (nearly) every loss, no options of one


@cache  # a run asks once for every recipe, thousands of times for all experiments
def definition(id: str) -> ast.FunctionDef:
    """The syntax of the function behind an id, read from its file without importing it."""
    if id not in MODULES:
        raise ValueError(f"objective is {id!r}; it must be one of {', '.join(IDS)}.")
    text = Path(__file__).with_name(f"{MODULES[id]}.py").read_text(encoding="utf-8")
    found = (node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef))
    return next(node for node in found if node.name == id)


def options_of(id: str) -> dict[str, object]:
    """The options of a loss and their defaults, from its signature; `...` where one is required.

    Example:
        >>> options_of("hucl")
        {'beta': 1.0, 'detach_weights': False}

    Args:
        id: one of IDS.

    Returns:
        {name: default} in the order of the signature, without tau, reduction and unit.
    """
    arguments = definition(id).args
    return {
        argument.arg: ... if default is None else ast.literal_eval(default)
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if argument.arg not in SHARED
    }
