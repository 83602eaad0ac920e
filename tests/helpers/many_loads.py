"""A long module that changes, loaded many times while processes in several versions of it run and are asked.

Of its processes one in ten moves after each load, so they are always in ten versions or more.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from helpers.remembered import forget_remembered
from helpers.versions import Project, text_of
from midflight import Pid, code
from midflight.testing import TestRuntime

__all__ = ["Loads", "Reading", "resident_bytes"]

FUNCTION = """

def function_{index}(items, factor={index}):
    \"\"\"Say something about items.\"\"\"
    found = [item for item in items if item is not None]
    if not found:
        return None
    total = sum(len(str(item)) for item in found) * factor
    return {{"number": NUMBER, "total": total, "names": [f"{{item}}-{number}" for item in found]}}
"""


def resident_bytes() -> int:
    """Return how much memory of this interpreter is in RAM. Linux."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def text(number: int, lines: int) -> str:
    """Return the text of version `number`, so many lines, another one in each of its functions."""
    found = text_of("shop_v1").replace("NUMBER = 1", f"NUMBER = {number}")
    index = 0
    while found.count("\n") < lines:
        found += FUNCTION.format(index=index, number=number)
        index += 1
    return found


class Reading(NamedTuple):
    """What was measured after so many loads.

    Bytes resident, blocks that Python has allocated, milliseconds a load since the reading before, versions with
    processes.
    """

    loads: int
    resident: int
    blocks: int
    milliseconds: float
    versions: int


class Loads:
    """The module, its processes, and what each of them must answer."""

    def __init__(self, project: Project, runtime: TestRuntime, processes: int, lines: int) -> None:
        self.project = project
        self.runtime = runtime
        self.lines = lines
        self.loaded = 0
        self.wrong: list[object] = []
        self._expected: dict[int, tuple[int, int]] = {}  # by process: its version and its total
        self._pids: dict[int, Pid] = {}
        self._spent = 0.0
        self.load()
        for who in range(processes):
            self._pids[who] = runtime.spawn(sys.modules["shop"].loop, who, 0)
            self._expected[who] = (1, 0)
        runtime.run_until_idle()

    def load(self) -> None:
        """Load the next version."""
        path = self.project.write("shop.py", text(self.loaded + 1, self.lines))
        began = time.perf_counter()
        report = code.load(path)
        self._spent += time.perf_counter() - began
        self.loaded += 1
        assert report.version == self.loaded

    def step(self) -> None:
        """Load once; send each process a message; one in ten moves; then ask all of them."""
        self.load()
        sink: list[tuple[int, int, int, int]] = []
        for who, pid in self._pids.items():
            version, total = self._expected[who]
            pid << ("add", who)
            if (who + self.loaded) % 10 == 0:
                pid << "switch"
                version = self.loaded
            pid << ("tell", sink)
            self._expected[who] = (version, total + who)
        self.runtime.run_until_idle()
        right = [(who, version, version, total) for who, (version, total) in self._expected.items()]
        self.wrong += [answer for answer in sink if answer not in right] + ["missing"] * (len(right) - len(sink))

    def readings(self, loads: int, every: int) -> Iterator[Reading]:
        """Do so many steps; yield a reading after each `every` of them."""
        for done in range(1, loads + 1):
            self.step()
            if done % every == 0:
                yield self.read(every)

    def read(self, loads: int = 1) -> Reading:
        """Measure now; `loads` were done since the last reading."""
        forget_remembered()  # which is bounded, but not full yet
        gc.collect()
        versions = len({version for version, _ in self._expected.values()} | {self.loaded})
        found = Reading(self.loaded, resident_bytes(), sys.getallocatedblocks(), self._spent / loads * 1000, versions)
        self._spent = 0.0
        return found

    def end(self) -> None:
        """End the processes."""
        for pid in self._pids.values():
            pid << "stop"
        self.runtime.run_until_idle()
