"""The replacement of a live server's state by an edited one, between two of its messages.

The life of an edit: the server is held between two messages -> what was changed is evaluated, in a process aside, on
copies -> a `replace_state` system message puts it in, in the server's own process -> the server goes on.

Laws:
1. All of it or nothing: whatever fails before the system message has changed nothing, and nothing fails after it.
2. Only what the person changed is written. The server has worked on meanwhile: where the text is as it was given, the
   attribute is as the server has it now.
3. Who was held goes on, whatever happens; a server that somebody else had suspended stays so.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from midflight.code.lowlevel import copies_of, fields_of, replaced
from midflight.errors import CallError, CallTimeout
from midflight.kernel import OUTSIDE, Pid, Process, Ref, Scheduler, Sink, System
from midflight.observer.evaluate import Names, run_aside
from midflight.observer.looking import look_at
from midflight.observer.printing import Printed, printed, printed_items
from midflight.observer.process_rows import place_of
from midflight.observer.states import KEPT_CHARACTERS, Edit, edits_in, server_in, unchanged, written
from midflight.otp import sys as otp_sys
from midflight.parsing import parse_expression

__all__ = ["ReplacedState", "replace_state"]

BUSY_SECONDS = 3.0  # to come to the next message
HELD_SECONDS = 3.0  # for all expressions, with the server held: less than the 5 s that a call to it waits
WHOLE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class ReplacedState:
    """The attributes that an edit has changed, by name, and all attributes as printed. No names: nothing was sent."""

    pid: Pid
    name: str | None
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    attributes: tuple[tuple[str, Printed], ...]


def replace_state(
    scheduler: Scheduler, pid: Pid, text: str, *, base: str = "", force: bool = False, sink: Sink, names: Names
) -> ReplacedState:
    """Put the edited `text` of a state into the live server `pid`, between two messages.

    Each expression finds the attributes by name, those above it as they were edited; then the names of the class's
    module; then those of `names`. An attribute that `text` does not name stays; `del name` removes one. `base` is the
    text that was edited: what both say alike stays as the server has it now. What it prints goes to `sink`.
    Not to be called on the runtime's thread. OTP: sys:replace_state/2.

    Raises: RequestError, and nothing has changed: if `text` is not of that form; if an expression raises; if the
    server is dead, or does not come to its next message within 3 s; if an attribute that was edited is not as
    in `base` any more, unless `force`.
    """
    given = {edit.name: edit for edit in edits_in(base, "the text that was edited")}
    edits = [
        edit
        for edit in edits_in(text, "the text")
        if edit.name not in given or edit.meaning != given[edit.name].meaning
    ]
    process = pid.process
    server = server_in(process, pid)
    assert process is not None
    if not edits:
        (attributes,) = look_at(scheduler, [lambda: tuple(printed_items(fields_of(server)))])
        return ReplacedState(pid, process.name, (), (), attributes)
    work = _Replacing(scheduler, process, edits, {} if force else given, names, is_checked=bool(base) and not force)
    return run_aside(scheduler, partial(work.run, sink), "The edit of its state", sink=sink, seconds=WHOLE_SECONDS)


class _Replacing:
    """One edit on its way into one server. All of it runs on the runtime's thread, in a process of its own."""

    def __init__(
        self,
        scheduler: Scheduler,
        process: Process,
        edits: list[Edit],
        given: dict[str, Edit],
        names: Names,
        *,
        is_checked: bool,
    ) -> None:
        self._scheduler = scheduler
        self._process = process
        self._pid: Pid = process.pid
        self._edits = edits
        self._given = given
        self._names = names
        self._is_checked = is_checked
        self._is_over = False

    async def run(self, sink: Sink) -> ReplacedState:
        """Hold the server, evaluate, put it in, let the server go on."""
        was_suspended = self._process.behaviour is not None and self._process.behaviour.is_suspended
        try:
            await otp_sys.suspend(self._pid, BUSY_SECONDS)
            server = await otp_sys.get_state(self._pid, BUSY_SECONDS)
            attributes = fields_of(server)
            self._check(attributes)
            async with asyncio.timeout(HELD_SECONDS):
                values = await self._values(server, attributes, sink)
            put = partial(self._put, server, values, not was_suspended)
            server = await otp_sys.replace_state(self._pid, put, BUSY_SECONDS)
        except CallTimeout:
            place = place_of(self._scheduler, self._process)
            raise unchanged(
                f"{self._pid!r} is busy in {place.module}.{place.function}:{place.line} and did not come to its next "
                f"message within {BUSY_SECONDS:g} s",
                "Try again when it waits for one.",
            ) from None
        except TimeoutError:
            raise unchanged(f"its expressions took longer than {HELD_SECONDS:g} s", "Use simpler ones.") from None
        except CallError as error:
            raise unchanged(f"{self._pid!r} has died meanwhile ({error.reason!r})", "See the crashes.") from None
        finally:
            self._is_over = True  # a message of ours that is still to come to its turn does nothing
            if not was_suspended and self._pid.process is not None:  # behind our "suspend", should that wait still
                self._scheduler.deliver(self._process, System("resume", Ref(), OUTSIDE))
        return ReplacedState(
            self._pid,
            self._process.name,
            tuple(edit.name for edit in self._edits if edit.value is not None),
            tuple(edit.name for edit in self._edits if edit.value is None),
            tuple(printed_items(fields_of(server))),
        )

    def _put(self, seen: Any, values: dict[str, Any], in_place: bool, server: Any) -> Any:
        """Return `server` with the edited attributes. A replace_state message calls this in the server's process.

        One that somebody else holds gets another object, by which that one sees that the state is no longer the same:
        an upgrade would else put what it made of the old one in its place.
        """
        if self._is_over or server is not seen:
            raise unchanged("somebody else has replaced its state meanwhile", "Ask for the text anew.")
        removed = {edit.name for edit in self._edits if edit.value is None}
        attributes = {name: value for name, value in (fields_of(server) | values).items() if name not in removed}
        try:
            return replaced(server, attributes, in_place=in_place)
        except AttributeError as error:
            raise unchanged(
                f"{type(server).__qualname__} cannot have these attributes: {error}", "Mend them."
            ) from None

    def _check(self, attributes: dict[str, Any]) -> None:
        """Check that the edited attributes are as they were when the person saw them. Raises: RequestError."""
        for edit in self._edits:
            seen = self._given.get(edit.name)
            if edit.value is None and edit.name not in attributes:
                raise unchanged(f"line {edit.line}: there is no {edit.name} to remove", "Leave the line out.")
            if not self._is_checked:
                continue
            if edit.name not in attributes:
                was_there = seen is not None
                now = "is gone"
            else:
                text = written(attributes[edit.name])
                is_kept = seen is not None and isinstance(seen.value, ast.Name)
                if is_kept or (seen is not None and text is not None and _meaning(text) == seen.meaning):
                    continue
                was_there = True
                now = f"is {printed(attributes[edit.name], KEPT_CHARACTERS)} by now"
            if was_there:
                raise unchanged(
                    f"{edit.name} {now}: it has changed since its text was made",
                    "Ask for the text anew, or force it.",
                )

    async def _values(self, server: Any, attributes: dict[str, Any], sink: Sink) -> dict[str, Any]:
        """Return the new values of the edited attributes. Raises: RequestError."""
        names = self._names(sink)
        names.update(_module_names(type(server)))
        names.update(copies_of(attributes))  # whose change changes nothing
        values: dict[str, Any] = {}
        for edit in self._edits:
            if edit.value is None:
                names.pop(edit.name, None)
                continue
            if isinstance(edit.value, ast.Name) and edit.value.id in attributes and edit.value.id not in values:
                value = attributes[edit.value.id]  # the very one, and no copy
            else:
                value = await self._value(edit, edit.value, names)
            values[edit.name] = names[edit.name] = value
        return values

    async def _value(self, edit: Edit, node: ast.expr, names: dict[str, Any]) -> Any:
        where = f"line {edit.line}, {edit.name}"
        try:
            code = compile(
                ast.Expression(node), f"<state of {self._pid!r}>", "eval", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, True
            )
            value = eval(code, names, {})
            return await value if code.co_flags & inspect.CO_COROUTINE else value
        except (Exception, SystemExit) as error:
            said = str(error)
            raise unchanged(f"{where}: {type(error).__name__}{f': {said}' if said else ''}", "Mend the line.") from None


def _meaning(text: str) -> str:
    return ast.dump(parse_expression(text))


def _module_names(cls: type[Any]) -> dict[str, Any]:
    """Return the names of the module that `cls` is of, in the version that it is of."""
    spaces: Iterator[dict[str, Any]] = (
        value.__globals__ for value in list(vars(cls).values()) if hasattr(value, "__globals__")
    )
    return {name: value for name, value in next(spaces, {}).items() if not name.startswith("__")}
