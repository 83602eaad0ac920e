"""Waiting for what a program prints, with a deadline."""

from __future__ import annotations

import subprocess
import threading

SECONDS = 30.0


def line_of(process: subprocess.Popen[str]) -> str:
    """Return the next line that `process` prints; fail if none comes in time."""
    assert process.stdout is not None
    timer = threading.Timer(SECONDS, process.kill)
    timer.start()
    try:
        line = process.stdout.readline()
    finally:
        timer.cancel()
    assert line, f"{process.args} printed nothing more within {SECONDS} s"
    return line.rstrip("\n")
