"""The commands that look into the store of a project: state list, show, history, restore, delete, dump, load."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from midflight.cli import processes
from midflight.cli.show import ask, root_of, show, table
from midflight.durable import Shelf, StoreError
from midflight.epc import MAIN
from midflight.errors import MidflightError, NotFound, RequestError
from midflight.program import configured_store

__all__ = ["state"]

NAME_CHARACTERS = 60  # of a name in a table; JSON has it whole

_ALONE = ("list", "dump")  # without a NAME


def state(options: argparse.Namespace) -> int:
    """Look into the store if that is asked for, else at a live process."""
    run = _COMMANDS.get(options.pid)
    if run is None or (options.pid not in _ALONE and options.name is None):
        for given in ("name", "number", "store"):
            if getattr(options, given) is not None:
                raise RequestError(
                    f"state {options.pid} takes no {given}; nothing was done. For the store: midflight state list, "
                    "or dump, or show, history, restore or delete with a NAME, or load with a FILE."
                )
        return processes.state(options)
    if options.put is not None:
        raise RequestError("--put is for a live server; nothing was done. A state of the store: state restore.")
    if options.pid == "list" and options.name is not None:
        raise RequestError("state list takes no NAME; nothing was done. For one state: midflight state show NAME.")
    if options.number is not None and options.pid not in ("show", "restore"):
        raise RequestError(f"state {options.pid} takes no NUMBER; nothing was done. Leave it out.")
    return run(options, Shelf(_store(options), may_be_new=options.pid == "load"))


def _store(options: argparse.Namespace) -> Path:
    root = root_of(options)
    given = None if options.store is None else str(Path(options.store).absolute())
    found = configured_store(root, given, options.server or MAIN)
    if found is None:
        raise RequestError(
            f"{root} names no store; nothing was done. Name one: --store FILE, or store in [tool.midflight]."
        )
    return found


def _list(options: argparse.Namespace, shelf: Shelf) -> int:
    found = [each._asdict() for each in shelf.states()]
    return show(
        options,
        found,
        lambda: (
            _window(options, shelf)
            + table(
                ("NAME", "CLASS", "VSN", "BYTES", "SAVED", "PYTHON"),
                [
                    (
                        _short(row["name"]),
                        f"{row['module']}.{row['class_name']}",
                        _short(row["vsn"]),
                        row["size"],
                        _time(row["saved_at"]),
                        row["python"],
                    )
                    for row in found
                ],
            )
        ),
    )


def _window(options: argparse.Namespace, shelf: Shelf) -> str:
    """Return what the server that has the store says a kill would lose, "" if none has it."""
    try:
        store = ask(options, "server/info")["store"]
    except (MidflightError, TimeoutError):
        return ""
    return f"{store['path']}: {store['window']['text']}\n\n" if store and store["path"] == str(shelf.path) else ""


def _show(options: argparse.Namespace, shelf: Shelf) -> int:
    found = {name: repr(value) for name, value in shelf.attributes(options.name, options.number).items()}
    return show(options, found, lambda: "\n".join(f"{name} = {value}" for name, value in found.items()))


def _history(options: argparse.Namespace, shelf: Shelf) -> int:
    found = [each._asdict() for each in shelf.history(options.name)]
    return show(
        options,
        found,
        lambda: table(
            ("NUMBER", "SAVED", "BYTES", "CLASS", "WHY"),
            [(row["number"], _time(row["saved_at"]), row["size"], row["class_name"], row["why"]) for row in found],
        ),
    )


def _restore(options: argparse.Namespace, shelf: Shelf) -> int:
    if options.number is None:
        raise RequestError(
            f"restore needs the number of a state; nothing was changed. See: midflight state history {options.name}"
        )
    aside = shelf.restore(options.name, options.number)
    before = "It had none." if aside is None else f"The one that it had is number {aside} of the history."
    return show(
        options,
        {"name": options.name, "restored": options.number, "aside": aside},
        lambda: f"{options.name} starts with state {options.number}. {before}",
    )


def _delete(options: argparse.Namespace, shelf: Shelf) -> int:
    number = shelf.delete(options.name)
    text = f"{options.name} starts by init. Its state is number {number} of the history."
    return show(options, {"name": options.name, "aside": number}, lambda: text)


def _dump(options: argparse.Namespace, shelf: Shelf) -> int:
    for line in shelf.dump(options.name):
        print(line)
    return 0


def _load(options: argparse.Namespace, shelf: Shelf) -> int:
    try:
        if options.name == "-":
            found = shelf.load(sys.stdin)
        else:
            with open(options.name, encoding="utf-8") as lines:
                found = shelf.load(lines)
    except StoreError:
        raise
    except OSError as error:
        raise NotFound(
            f"{options.name} cannot be read ({error.strerror or error}); nothing was loaded. Name a dump, or -"
        ) from error
    except UnicodeDecodeError:
        raise RequestError(
            f"{options.name} is not a dump of states; nothing was loaded. Make one: midflight state dump"
        ) from None
    asides = sum(each.aside is not None for each in found)
    text = f"{len(found)} states were loaded into {shelf.path}; {asides} of them had one, which is in their history."
    return show(options, [each._asdict() for each in found], lambda: text)


def _short(text: str) -> str:
    return text if len(text) <= NAME_CHARACTERS else f"{text[: NAME_CHARACTERS - 3]}..."


def _time(seconds: float) -> str:
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
    except (OverflowError, ValueError, OSError):  # of a clock that was far off
        return str(seconds)


_COMMANDS: dict[str, Callable[[argparse.Namespace, Any], int]] = {
    "list": _list,
    "show": _show,
    "history": _history,
    "restore": _restore,
    "delete": _delete,
    "dump": _dump,
    "load": _load,
}
