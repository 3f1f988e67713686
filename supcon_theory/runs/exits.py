"""How a command ends: one guard around the whole of it.

Exit codes say whether mathematics or the run broke, never whether data agree with ours:

    0    every theorem, identity and counterexample holds; trends are findings, whatever they say
    1    a theorem, an identity or a counterexample is broken (--strict: or a trend differs from
         the published run)
    2    bad usage, before any work
    3    a cell ended early, so that a theorem could not be decided everywhere
    4    the program or its surroundings broke
    130  interrupted, whenever
"""

import sys
import traceback
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool

KILLED = "A worker was killed, perhaps for want of memory: use fewer --jobs."
KEPT = "Finished cells are kept; the same command goes on from there."


class Refused(Exception):
    """Bad usage, in one sentence."""


def guard(command: Callable[[], int]) -> int:
    """The exit code of a command, one of those above whatever happens in it.

    Args:
        command: returns 0, 1, 3 or 4, or raises anything.

    Returns:
        the exit code; why it is not the command's own is said on stderr.

    """
    try:
        return command()
    except Refused as error:
        code, sentence = 2, str(error)
    except SystemExit as ended:  # of the parser: --help, an unknown flag
        return ended.code if isinstance(ended.code, int) else 2 if ended.code else 0
    except KeyboardInterrupt:
        code, sentence = 130, f"Stopped. {KEPT}"
    except BrokenProcessPool:
        code, sentence = 3, f"{KILLED} {KEPT}"
    except Exception as error:
        traceback.print_exc()
        code, sentence = 4, f"The program broke ({type(error).__name__}, above). {KEPT}"
    print(sentence, file=sys.stderr)
    return code
