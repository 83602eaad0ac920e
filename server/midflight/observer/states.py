"""The state of a live server as Python to edit, `name = expression` for each attribute, and its reader.

Putting it into the server is done in replacing.py.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pprint import pformat
from typing import Any

from midflight.code.lowlevel import fields_of
from midflight.errors import RequestError
from midflight.kernel import Pid, Process, Scheduler, server_of
from midflight.observer.literals import literal
from midflight.observer.looking import look_at
from midflight.observer.printing import printed
from midflight.parsing import UNPARSABLE, parse_module

__all__ = ["KEPT_CHARACTERS", "Edit", "StateText", "edits_in", "server_in", "state_text", "unchanged", "written"]

WRITTEN_CHARACTERS = 4000  # of one attribute; what is longer is kept as it is
LINE_CHARACTERS = 88
KEPT_CHARACTERS = 100  # of what is kept as it is, in a comment

_KEPT = "  # kept as it is: "


@dataclass(frozen=True, slots=True)
class StateText:
    """The state of a server as text to edit. `kept` are the attributes that no expression makes: `lock = lock`."""

    pid: Pid
    name: str | None
    module: str
    class_name: str
    text: str
    kept: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Edit:
    """A statement of an edited text: the new value of `name`, None to remove it."""

    name: str
    line: int
    value: ast.expr | None

    @property
    def meaning(self) -> str | None:
        """The value as syntax, equal for two edits that say the same; None for an edit without a value."""
        return None if self.value is None else ast.dump(self.value)


def server_in(process: Process | None, pid: Pid) -> Any:
    """Return the object with the state of the server `pid`. Raises: RequestError for a dead one, and for no server."""
    if process is None:
        raise RequestError(f"{pid!r} is dead; nothing was done. Its state went with it, unless a crash list has it.")
    server = server_of(process)
    if server is None and process.behaviour is not None:
        raise RequestError(f"{pid!r} is in its init and has no state yet; nothing was done. Look again.")
    if server is None:
        raise RequestError(
            f"{pid!r} is no server: a plain process has its state in its arguments and locals, which only its own code "
            "changes. Nothing was done. See its frames, or send it a message."
        )
    return server


def state_text(scheduler: Scheduler, pid: Pid) -> StateText:
    """Return the state of the server `pid` as text to edit. Not to be called on the runtime's thread.

    Raises: RequestError if it is dead or no server.
    """
    server = server_in(pid.process, pid)
    (attributes,) = look_at(scheduler, [lambda: fields_of(server)])
    names = [name for name in attributes if name.isidentifier()]
    looks = [partial(_line, name, attributes[name]) for name in names]
    lines = dict(zip(names, look_at(scheduler, looks), strict=True))
    process = pid.process
    return StateText(
        pid=pid,
        name=None if process is None else process.name,
        module=type(server).__module__,
        class_name=type(server).__qualname__,
        text="".join(f"{line}\n" for line in lines.values()),
        kept=tuple(name for name, line in lines.items() if line.startswith(f"{name} = {name}{_KEPT}")),
    )


def _line(name: str, value: object) -> str:
    text = written(value)
    if text is None:
        return f"{name} = {name}{_KEPT}{' '.join(printed(value, KEPT_CHARACTERS).split())}"
    if len(name) + len(text) > LINE_CHARACTERS:
        text = pformat(value, width=LINE_CHARACTERS, sort_dicts=False)
    return f"{name} = {text}"


def written(value: object) -> str | None:
    """Return the expression that an attribute is written as; None if it is kept as it is."""
    return literal(value, WRITTEN_CHARACTERS)


def edits_in(text: str, what: str) -> Iterator[Edit]:
    """Yield the edit of each name in `text`. Raises: RequestError if it holds anything else."""
    try:
        tree = parse_module(text)
    except UNPARSABLE as error:
        line = error.lineno if isinstance(error, SyntaxError) else 1
        said = error.msg if isinstance(error, SyntaxError) else str(error)
        raise unchanged(f"line {line} of {what} is no Python: {said}", "Mend the line.") from None
    seen: set[str] = set()
    for node in tree.body:
        for edit in _edits_of(node, what):
            if edit.name in seen:
                raise unchanged(f"line {edit.line} of {what} has {edit.name} once more", "Leave one of the two.")
            seen.add(edit.name)
            yield edit


def _edits_of(node: ast.stmt, what: str) -> Iterator[Edit]:
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            yield Edit(name, node.lineno, value)
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            yield Edit(name, node.lineno, value)
        case ast.Delete(targets=targets) if all(isinstance(each, ast.Name) for each in targets):
            yield from (Edit(each.id, node.lineno, None) for each in targets if isinstance(each, ast.Name))
        case ast.Pass():
            pass
        case _:
            raise unchanged(
                f"line {node.lineno} of {what} is neither `name = expression` nor `del name`", "Write one of these."
            )


def unchanged(why: str, remedy: str) -> RequestError:
    """Return the error of an edit that was not made."""
    return RequestError(f"The state was not changed: {why}. {remedy}")
