"""Progress on the terminal: how much is done and how long the rest will take."""

import sys
from collections.abc import Mapping

from rich.console import Console
from rich.progress import Progress as Bar
from rich.progress import TimeElapsedColumn


def duration(seconds: float) -> str:
    """A time in words, in the two units that fit it: seconds, minutes, hours, days."""
    minutes, rest = divmod(int(seconds + 0.5), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours < 48 else f"{hours / 24:.0f} days"


def say(console: Console, sentence: str, style: str = "") -> None:
    """Print a sentence, wrapped on a terminal only: in a log it is a line with its paths whole."""
    console.print(sentence, style=style, markup=False, soft_wrap=not console.is_terminal)


class Progress:
    """Weighs every cell by its seconds. A live bar on a terminal, a line per cell elsewhere.

    `later` are the seconds that what follows will take: they are part of the time left over all.
    """

    def __init__(self, seconds: Mapping[str, float], later: float = 0.0) -> None:
        self.later = later
        self.seconds, self.parts, self.done = dict(seconds), dict.fromkeys(seconds, 0.0), 0
        console = Console(stderr=True)
        self.bar = Bar(
            *Bar.get_default_columns(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
            speed_estimate_period=float("inf"),
        )

    def __enter__(self) -> "Progress":
        self.bar.start()
        self.task = self.bar.add_task("", total=sum(self.seconds.values()), start=True)
        self.bar.update(self.task, advance=1e-9, description=self._title())  # the clock starts here
        return self

    def __exit__(self, *exception: object) -> None:
        if not self.bar.disable:  # before rich 14.1 a disabled bar ends with an empty line
            self.bar.stop()

    def report(self, key: str, part: float) -> None:
        """A part of a cell, between 0 and 1, is done."""
        gained = max(part - self.parts[key], 0.0)
        self.parts[key] += gained
        advance = gained * self.seconds[key]
        self.bar.update(self.task, advance=advance)
        title = self._title()
        if self.later:
            title += f" {self._overall(self.bar.tasks[self.task].time_remaining)}"
        self.bar.update(self.task, description=title)

    def waits(self, name: str) -> None:
        """Another command computes a cell."""
        say(self.bar.console, f"{name}: another command computes it; waiting")

    def finish(self, name: str, failure: str) -> None:
        """A cell is done, or ended early for the reason given."""
        self.done += 1
        self.report(name, 1.0)
        left = self.bar.tasks[self.task].time_remaining
        if failure:
            say(self.bar.console, f"{name} ended early: {failure}", "bold")
        elif self.bar.disable:
            rest = f"about {duration(left)} left" if left else ""
            overall = f"  {self._overall(left)}" if self.later else ""
            print(f"{self._title()}  {name}  {rest}{overall}", file=sys.stderr, flush=True)

    def _title(self) -> str:
        return f"cell {self.done}/{len(self.seconds)}"

    def _overall(self, left: float | None) -> str:
        return f"(over all: {duration((left or 0.0) + self.later)})"
