"""The record of a run: the last actions, the counts, and the words for both."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter, deque

__all__ = ["Record"]

KEPT = 300
PROGRESS_SECONDS = 30.0


class Record:
    """What was done in a run. `replay` is the command that does it again."""

    def __init__(self, replay: str) -> None:
        self.replay = replay
        self.steps = 0
        self.counts: Counter[str] = Counter()
        self.last: deque[str] = deque(maxlen=KEPT)
        self.began = time.monotonic()
        self.cpu_began = time.process_time()
        self.figures: dict[str, object] = {}
        self._told = self.began

    def note(self, text: str) -> None:
        """Keep the line of one action."""
        self.steps += 1
        self.last.append(f"{self.steps:6} {text}")

    def progress(self, title: str, **figures: object) -> None:
        """Print a line of how it goes, every half minute."""
        if time.monotonic() - self._told < PROGRESS_SECONDS:
            return
        self._told = time.monotonic()
        text = "  ".join(f"{name} {value}" for name, value in figures.items())
        print(f"{self.seconds() / 60:6.1f} min  {title}  steps {self.steps}  {text}", flush=True)

    def failure(self, why: object) -> str:
        """Return what is printed of a failure: what broke, the last actions, and how to see it again."""
        actions = "\n".join(self.last)
        return f"{why}\n\nThe last {len(self.last)} actions of {self.steps}:\n{actions}\n\nAgain: {self.replay}"

    def seconds(self) -> float:
        """Return how long the run has lasted."""
        return time.monotonic() - self.began

    def summary(self, title: str, **figures: object) -> str:
        """Return the block that ends a run: one figure a line."""
        python = f"CPython {sys.version.split()[0]}, {os.cpu_count()} CPUs"
        lines = {
            "python": python,
            "minutes": f"{self.seconds() / 60:.1f} ({time.process_time() - self.cpu_began:.0f} s of CPU)",
            "steps": self.steps,
            **dict(sorted(self.counts.items())),
            **self.figures,
            **figures,
        }
        width = max(map(len, lines))
        return "\n".join([f"== {title}", *(f"{name:{width}}  {value}" for name, value in lines.items()), "=="])
