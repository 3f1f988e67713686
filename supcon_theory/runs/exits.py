"""How a command ends: one guard around the whole of it.

Exit codes say whether mathematics or the run broke, never whether data agree with ours:

    0    every theorem, identity and counterexample holds; trends are findings, whatever they say
    1    a theorem, an identity or a counterexample is broken (--strict: or a trend differs from
         the published run)
    2    bad usage, before any work
    3    a cell ended early, so that a theorem could not be decided everywhere
    4    the program or its surroundings broke
    130  interrupted, whenever (Ctrl-C; a batch system's SIGTERM, a terminal that closes)
"""

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

from supcon_theory.runs.launched import rank, world

BY_WEIGHT = (0, 3, 2, 4, 1, 130)
"""A broken theorem outweighs a broken program: it is never hidden by one."""
KILLED = "its process was killed, perhaps for want of memory: use fewer --jobs"
NO_MEMORY = "there was not enough memory"
UNTIL_SAID = 30.0  # seconds in which the first process says why all end
KEPT = "Finished cells are kept; the same command goes on from there."


class Refused(ValueError):
    """Bad usage, in one sentence."""


class Broken(RuntimeError):
    """What the program rests on broke (disk, memory, files that changed), in one sentence."""


class Parsed(Exception):
    """The parser ended the command and said why (--help, an unknown flag); holds the code."""


def guard(command: Callable[[], int]) -> int:
    """The exit code of a command, one of those above whatever happens in it.

    Args:
        command: returns 0, 1, 3 or 4, or raises anything.

    Returns:
        the exit code; why it is not the command's own is said on stderr.

    """
    try:
        with _terminated_is_interrupted():
            code, sentence = command(), ""
            sys.stdout.flush()  # a full disk or a closed pipe is found here, not after the end
    except Parsed as ended:
        code, sentence = ended.args[0], ""
    except Refused as error:
        code, sentence = 2, str(error)
    except KeyboardInterrupt:
        code, sentence = 130, f"Stopped. {KEPT}"
    except BrokenPipeError:  # `| head`; what is written at the end of the process goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        code, sentence = 4, f"Whoever read the output is gone. {KEPT}"
    except Broken as error:
        code, sentence = 4, f"{error}. {KEPT}"
    except OSError as error:
        code, sentence = 4, f"{refusal(error)}. {KEPT}"
    except (Exception, SystemExit) as error:
        if out_of_memory(error):
            code, sentence = 4, f"{NO_MEMORY}: use fewer --jobs, or smaller numbers. {KEPT}"
        else:
            traceback.print_exc()
            code, sentence = 4, f"The program broke ({type(error).__name__}, above). {KEPT}"
    if sentence and code == 2 and rank():  # what is refused is refused by all: the first says it
        with suppress(KeyboardInterrupt):
            time.sleep(UNTIL_SAID)  # torchrun ends the others at the end of any, the first one too
    elif sentence:
        with suppress(OSError):  # nobody hears it: the code still says it
            print(sentence, file=sys.stderr)
    return code


def refusal(error: OSError) -> str:
    """What the system refused, in words, with the file if it names one."""
    names = [str(name) for name in (error.filename, error.filename2) if name is not None]
    return ": ".join([error.strerror or str(error) or type(error).__name__, *names])


def out_of_memory(error: BaseException) -> bool:
    """Whether memory was refused: by Python, NumPy or PyTorch (without a class, on a CPU)."""
    named = type(error).__name__ == "OutOfMemoryError" or "can't allocate memory" in str(error)
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and named)


def worst(codes: Iterable[int]) -> int:
    """The exit code of several commands: that of the one which ended worst, 0 if there are none."""
    return max(codes, key=BY_WEIGHT.index, default=0)


def leave(code: int) -> NoReturn:
    """End the process with a code that nothing changes any more, such as a late Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(code)


@contextmanager
def _terminated_is_interrupted() -> Iterator[None]:
    """SIGTERM and SIGHUP end what runs as Ctrl-C does, with workers stopped and nothing half done.

    A signal that is ignored (nohup) or has a handler stays as it is. Where several processes train
    together a handler would have to wait for one that is gone: they end at once.
    """
    mine = threading.current_thread() is threading.main_thread() and world() == 1
    names = ("SIGTERM", "SIGHUP") if mine else ()
    found = [getattr(signal, name) for name in names if hasattr(signal, name)]
    default = [number for number in found if signal.getsignal(number) == signal.SIG_DFL]
    for number in default:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number in default:
            signal.signal(number, signal.SIG_DFL)
