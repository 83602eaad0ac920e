"""The command `run`: a function in a process, or a script or module with a main of its own."""

from __future__ import annotations

import argparse
from pathlib import Path

from midflight.cli import servers
from midflight.cli.watch import start_watching
from midflight.embedded import EmbeddedServer
from midflight.script import run_file, run_module

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Run what was named. A function has a process; a script has a thread of its own, the main one."""
    if ":" in options.target and not options.is_module:
        _take_options(options)
        return servers.run(options)
    options.is_program = True
    root = Path(options.root).resolve() if options.root else None
    start = run_module if options.is_module else run_file

    def served(server: EmbeddedServer) -> None:
        if options.watch:
            start_watching(server.root, server.name)

    return start(options.target, options.arguments, root, served)


def _take_options(options: argparse.Namespace) -> None:
    """Take options of this command that stand after the function: it has none itself."""
    rest = argparse.ArgumentParser(prog="midflight run", add_help=False)
    rest.add_argument("--root", default=options.root)
    rest.add_argument("--watch", action="store_true", default=options.watch)
    rest.add_argument("arguments", nargs="*")
    found = rest.parse_args(options.arguments)
    options.root, options.watch, options.arguments = found.root, found.watch, found.arguments
