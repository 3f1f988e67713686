"""Progress on the terminal: how much is done and how long the rest will take."""

import queue
import sys
import threading
import time
from collections.abc import Mapping

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar


def duration(seconds: float) -> str:
    minutes, seconds = divmod(int(seconds + 0.5), 60)
    return f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s"


class Progress:
    """Weighs every cell by its cost. A live bar on a terminal, a line per cell elsewhere."""

    def __init__(self, costs: Mapping[str, float], events) -> None:
        self.costs = dict(costs)
        self.total = sum(costs.values())
        self.parts = dict.fromkeys(costs, 0.0)
        self.events = events
        self.finished = 0
        self.console = Console(stderr=True)
        self.live = self.console.is_terminal
        self.bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=self.console,
            transient=True,
            disable=not self.live,
        )

    def __enter__(self) -> "Progress":
        self.began = time.monotonic()
        self.bar.start()
        self.task = self.bar.add_task(self._title(), total=self.total, left="")
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *exception) -> None:
        self.stop.set()
        self.thread.join()
        self.bar.stop()

    def finish(self, key: str, name: str, failure: str) -> None:
        self.parts[key] = 1.0
        self.finished += 1
        self._show()
        if failure:
            self.console.print(f"[bold]{name} ended early:[/] {failure}")
        elif not self.live:
            print(f"{self._title()}  {name}  {self._left()}", file=sys.stderr, flush=True)

    def _listen(self) -> None:
        while not self.stop.is_set():
            try:
                key, part = self.events.get(timeout=0.2)
            except queue.Empty:
                self._show()
                continue
            self.parts[key] = max(self.parts[key], part)
            self._show()

    def _show(self) -> None:
        self.bar.update(
            self.task, completed=self._done(), description=self._title(), left=self._left()
        )

    def _title(self) -> str:
        return f"cell {self.finished}/{len(self.costs)}"

    def _done(self) -> float:
        return sum(self.costs[key] * part for key, part in self.parts.items())

    def _left(self) -> str:
        done = self._done() / self.total
        spent = time.monotonic() - self.began
        return f"about {duration(spent * (1 - done) / done)} left" if done > 0.01 else ""
