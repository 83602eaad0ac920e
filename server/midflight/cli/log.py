"""`midflight log`: the end of what a detached server has written, and what it writes from now on."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from midflight.cli.show import root_of
from midflight.epc import ProjectFiles
from midflight.errors import NotFound

__all__ = ["log"]

_LOOK_SECONDS = 0.25


def log(options: argparse.Namespace) -> int:
    """Print the last lines of the log; with --follow go on until Ctrl-C, or until the server has ended."""
    place = ProjectFiles.chosen(root_of(options), options.server)
    if options.path:
        print(place.log_path)
        return 0
    if not place.log_path.exists():
        raise NotFound(
            f"The server of {place.root} has no log at {place.log_path}: one that was not started with --detach writes "
            "to its own terminal. Look there."
        )
    size = _print_end(place.log_path, options.lines)
    while options.follow:
        sys.stdout.flush()
        is_over = place.running() is None
        size = _print_from(place.log_path, size)
        if is_over:
            break
        time.sleep(_LOOK_SECONDS)
    return 0


def _print_end(path: Path, lines: int) -> int:
    """Print the last `lines` lines; return the size of the file up to there."""
    data = path.read_bytes()
    for line in data.decode("utf-8", "replace").splitlines()[-lines:] if lines else ():
        print(line)
    return len(data)


def _print_from(path: Path, size: int) -> int:
    """Print what was written behind `size` bytes; from the beginning if the file was cut. Return its size."""
    try:
        with path.open("rb") as file:
            data = file.read()
    except FileNotFoundError:
        return size
    if len(data) < size:
        size = 0
    sys.stdout.write(data[size:].decode("utf-8", "replace"))
    return len(data)
