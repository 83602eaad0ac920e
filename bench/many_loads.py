"""Loads a changing module many times while processes in several versions of it run; prints memory and time.

    .venv/bin/python bench/many_loads.py [--loads 10000] [--processes 100] [--lines 500] [--every 500]

Memory is what is resident, after a garbage collection. The first 100 loads fill the store of texts. One process in ten
moves after each load; each gets a message and is asked for its version and state, and a wrong answer ends the run.
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from helpers.many_loads import Loads, Reading  # its folder had to be on the path first
from helpers.versions import project_in
from midflight.kernel import ManualClock
from midflight.testing import TestRuntime


def show(reading: Reading) -> None:
    """Print a row of the table."""
    megabytes, milliseconds = reading.resident / 1e6, reading.milliseconds
    print(f"| {reading.loads:,} | {megabytes:.2f} | {milliseconds:.1f} | {reading.versions} |", flush=True)


def main() -> None:
    """Run it and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--loads", type=int, default=10_000)
    parser.add_argument("--processes", type=int, default=100)
    parser.add_argument("--lines", type=int, default=500)
    parser.add_argument("--every", type=int, default=500)
    options = parser.parse_args()
    print(f"CPython {platform.python_version()}; {options.processes} processes, a module of {options.lines} lines\n")
    print("| loads | MB resident | ms a load | versions with processes |\n|---|---|---|---|")
    began = time.perf_counter()
    runtime = TestRuntime(ManualClock())
    try:
        with tempfile.TemporaryDirectory() as folder, project_in(Path(folder).resolve()) as project:
            loads = Loads(project, runtime, options.processes, options.lines)
            readings = [loads.read()]
            show(readings[0])
            for reading in loads.readings(options.loads, options.every):
                readings.append(reading)
                show(reading)
                if loads.wrong:
                    raise SystemExit(f"wrong answers: {loads.wrong[:5]}")
            loads.end()
    finally:
        runtime.close()
    settled, last = readings[1], readings[-1]
    if last is not settled:
        growth = (last.resident - settled.resident) / (last.loads - settled.loads)
        print(f"\n{growth:.0f} bytes a load after the first {settled.loads:,}; every answer was right.")
    print(f"{time.perf_counter() - began:.0f} s in all.")


if __name__ == "__main__":
    main()
