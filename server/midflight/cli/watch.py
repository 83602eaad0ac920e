"""The command `watch`, and the switch `--watch` of the commands that start a server."""

from __future__ import annotations

import argparse
import json
import sys
import threading
from pathlib import Path
from typing import Any

from midflight.cli.show import root_of
from midflight.epc import ProjectFiles
from midflight.watch import watch as watch_files

__all__ = ["start_watching", "watch"]


def watch(options: argparse.Namespace) -> int:
    """Load what is saved until Ctrl-C."""
    place = ProjectFiles.chosen(root_of(options), options.server)
    place.find()  # without a server there is nothing to watch for

    def say(answer: dict[str, Any]) -> None:
        is_well = answer["status"] in ("loaded", "watching")
        if options.json:
            print(json.dumps(answer, ensure_ascii=False), flush=True)
        else:
            print(_text(answer), file=sys.stdout if is_well else sys.stderr, flush=True)

    watch_files(place.root, say, server=options.server)
    return 0


def start_watching(root: Path, server: str | None = None) -> None:
    """Load what is saved below `root` into the server of this program, in a thread, until the program ends.

    Its words go to the standard error output: the other one is the program's.
    """

    def say(answer: dict[str, Any]) -> None:
        if sys.__stderr__ is not None:
            print(_text(answer), file=sys.__stderr__, flush=True)

    thread = threading.Thread(
        target=watch_files, args=(root, say), kwargs={"server": server}, name="midflight-watch", daemon=True
    )
    thread.start()


def _text(answer: dict[str, Any]) -> str:
    """Return what a person reads: the line of a load that is done, the whole report of a refusal."""
    return str(answer["summary"] if answer["status"] == "loaded" else answer["text"]).rstrip("\n")
