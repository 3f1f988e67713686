"""Is there a SLURM to be asked, and what its `sbatch` is told besides the jobs."""

import importlib.util
import re
import shutil
from collections.abc import Sequence

COMMANDS = ("sbatch", "squeue", "scancel", "srun")
USUAL: dict[str, object] = {"time": "24:00:00", "requeue": True}


def check(options: Sequence[str]) -> None:
    """Refuse where there is no SLURM, and what is no option.

    Args:
        options: name=value, or a name alone.

    Raises:
        ValueError: in one sentence, with what to do.

    """
    if absent := [name for name in COMMANDS if not shutil.which(name)]:
        raise ValueError(
            f"where is 'slurm' but {absent[0]} is not on this machine: start from a login node of "
            "the cluster, or use --where processes"
        )
    if importlib.util.find_spec("submitit") is None:
        raise ValueError(
            "where is 'slurm' but submitit is not installed: pip install 'supcon_theory[cluster]'"
        )
    for option in options:
        if not re.fullmatch(r"[a-z][a-z-]*(=.+)?", option):
            raise ValueError(f"sbatch has {option!r} but must be name=value, such as partition=gpu")


def parameters(options: Sequence[str]) -> dict[str, object]:
    """Options of sbatch by name; those given win over `USUAL`."""
    found = dict(USUAL)
    for name, equals, value in (option.partition("=") for option in options):
        found[name] = value if equals else True
    return found
