"""Helpers for every command: the project's root, a request to its server, text or JSON out."""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from importlib import import_module
from pathlib import Path
from typing import Any

from midflight.cli.choices import HOLDERS_SECONDS
from midflight.epc import RemoteServer, find_root
from midflight.errors import RemoteError
from midflight.text import columns

__all__ = ["ask", "ask_for_load", "attach", "clock", "root_of", "show", "table"]


_HALVES = re.compile("[\ud800-\udfff]")


def root_of(options: argparse.Namespace, near: str = ".") -> Path:
    return Path(options.root).resolve() if options.root else find_root(near)


def ask_for_load(options: argparse.Namespace, method: str, *arguments: object, near: str = ".") -> Any:
    """Ask as `ask` does, for a load, as long as it takes. A terminal shows its progress each second.

    Then ask who holds functions of older versions, for `options.holders` seconds at most: the report of each module
    that has some gets `holders`, which is the answer, or None if the search goes on.

    Ctrl-C breaks the load off, and `options.is_broken_off` says so; a second one leaves without the answer.
    """
    options.is_broken_off = False
    is_shown = sys.stderr.isatty() and not options.json

    def show_progress(load: dict[str, Any]) -> None:
        if is_shown:
            print(f"{load['text']} (Ctrl-C breaks it off)", file=sys.stderr)

    try:
        client = attach(options, near, {"code/progress": show_progress})
    except KeyboardInterrupt:
        print("midflight: broken off before anything was asked; nothing was changed.", file=sys.stderr)
        raise
    with client:
        answer = client.submit(method, *_sent(options, client, method, arguments))
        try:
            found = answer.result()
        except KeyboardInterrupt:
            options.is_broken_off = True
            client.submit("code/interrupt", None)
            found = _last_answer(answer)
        for report in found.get("reports") or [found]:
            if report["status"] == "loaded" and report.get("held"):
                report["holders"] = _holders(client, report["module"], getattr(options, "holders", HOLDERS_SECONDS))
        return found


def _last_answer(answer: Future[Any]) -> Any:
    """Return the answer to a load that was broken off; a second Ctrl-C leaves without it, with a word."""
    try:
        return answer.result()
    except KeyboardInterrupt:
        print(
            "midflight: left before the answer; the server goes on to break it off. See midflight doctor.",
            file=sys.stderr,
        )
        raise


def _holders(client: RemoteServer, module: str, seconds: int) -> Any:
    """Return who holds functions of older versions of `module`, None if it is not known within `seconds`."""
    try:
        return client.call("code/holders", module, seconds) if seconds else None
    except RemoteError:
        return None


def attach(
    options: argparse.Namespace,
    near: str = ".",
    handlers: Mapping[str, Callable[..., object]] | None = None,
    on_lost: Callable[[], object] = lambda: None,
) -> RemoteServer:
    """Connect to the server that the options choose, as a client that people see as this command."""
    name = f"midflight {options.command}"
    if getattr(options, "connect", None):
        elsewhere = import_module("midflight.cli.elsewhere")  # only now: the other commands do not need it
        found: RemoteServer = elsewhere.attach_elsewhere(options, handlers, on_lost, name)
        return found
    return RemoteServer.attach(root_of(options, near), handlers, on_lost=on_lost, name=name, server=options.server)


def _sent(
    options: argparse.Namespace, client: RemoteServer, method: str, arguments: tuple[Any, ...]
) -> tuple[Any, ...]:
    """Return the arguments of a request as the server takes them: one elsewhere has other paths."""
    if not getattr(options, "connect", None):
        return arguments
    found: tuple[Any, ...] = import_module("midflight.cli.elsewhere").sent_there(
        options, method, arguments, client.info["root"]
    )
    return found


def clock(seconds: float) -> str:
    """Return a time, in seconds since the epoch, as people read it, with its day if that is not today."""
    at = time.localtime(seconds)
    return time.strftime("%H:%M:%S" if at[:3] == time.localtime()[:3] else "%Y-%m-%d %H:%M", at)


def ask(options: argparse.Namespace, method: str, *arguments: object, near: str = ".") -> Any:
    with attach(options, near) as client:
        return client.call(method, *_sent(options, client, method, arguments))


def show(options: argparse.Namespace, data: object, text: Callable[[], str]) -> int:
    """Print `data` as JSON if asked for, else the text."""
    said = _in_json(data) if options.json else text()
    if said:
        print(said.rstrip("\n"))
    return 0


def _in_json(data: object) -> str:
    """Return `data` as JSON, which UTF-8 can hold: half of a surrogate pair, as in a name, is its escape."""
    text = json.dumps(data, ensure_ascii=False, indent=2)
    return _HALVES.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def table(heading: Sequence[str], rows: Any) -> str:
    """Return `rows` under `heading` in columns; None is a dash."""
    cells = (["-" if cell is None else str(cell) for cell in row] for row in rows)
    return columns([heading, *cells]).rstrip("\n")
