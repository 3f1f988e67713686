"""Progress of one long call: on stderr, with the time left, once it has taken two seconds."""

import sys
from time import monotonic

from supcon_theory.runs.progress import duration

QUIET = 2.0  # seconds until anything is said
EVERY = 5.0  # seconds between lines where there is no terminal


class Clock:
    """Told the share that is done; on a terminal one line that changes, elsewhere now and then."""

    def __init__(self) -> None:
        self.start = self.last = monotonic()
        self.live, self.said = sys.stderr.isatty(), False

    def __enter__(self) -> "Clock":
        return self

    def __exit__(self, *exception: object) -> None:
        if self.live and self.said:
            print("\r\033[K", end="", file=sys.stderr, flush=True)

    def report(self, what: str, share: float) -> None:
        """A part of the work, between 0 and 1, is done, and what is being done."""
        now = monotonic()
        spent = now - self.start
        if spent < QUIET or share >= 1 or (not self.live and now - self.last < EVERY):
            return
        self.last, self.said = now, True
        left = f", about {duration(spent * (1 - share) / share)} left" if share > 0 else ""
        start, end = ("\r\033[K", "") if self.live else ("", "\n")
        print(f"{start}{share:4.0%}  {what}{left}", end=end, file=sys.stderr, flush=True)
