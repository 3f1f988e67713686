"""Imported first by an experiment's script, so that its other imports end as `runs.exits` says.

They take a second in which Ctrl-C, or a library that is missing, would end the script with a code
that means something else. Nothing is changed in a process that runs anything but such a script.
"""

import sys
from pathlib import Path
from types import TracebackType

from supcon_theory.runs.exits import guard, leave


def _end(kind: type, error: BaseException, trace: TracebackType | None) -> None:
    def again() -> int:
        raise error.with_traceback(trace)

    leave(guard(again))


if Path(getattr(sys.modules["__main__"], "__file__", None) or "").parent.name == "experiments":
    sys.excepthook = _end
