"""`midflight top`: the busiest processes, refreshed every second, until `q`."""

from __future__ import annotations

import argparse
import sys
import time
from importlib import import_module
from importlib.util import find_spec

from midflight.cli.show import attach, show
from midflight.cli.top_look import about, look, ordered, summary
from midflight.cli.top_plain import page, watch

__all__ = ["top"]

MORE = "filter, tree, state, trace, kill: pip install 'midflight[terminal]'"


def top(options: argparse.Namespace) -> int:
    """Show the processes on the terminal; once, if there is no terminal, or JSON is asked for."""
    is_once = options.json or options.once or not (sys.stdin.isatty() and sys.stdout.isatty())
    if not (is_once or options.plain) and find_spec("textual") is not None:
        # Only now: Textual is an extra, and takes longer to import than most commands run.
        return int(import_module("midflight.cli.top_screen").watch(options))
    with attach(options) as client:
        before = look(client)
        if is_once:
            time.sleep(options.interval)
            now = look(client)
            rows = ordered(now.since(before), options.sort)
            return show(options, rows, lambda: f"{summary(rows)}, {about(now)}\n\n{page(rows, len(rows))}")
        return watch(client, before, options.sort, options.interval, "" if options.plain else MORE)
