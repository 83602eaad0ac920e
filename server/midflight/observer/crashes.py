"""The crashes of one runtime that are remembered, and starting such a process again with the state it had.

Laws:
1. At most 50 are kept, each for an hour at most: its values must not stay without end, nor a version with them.
2. A restart runs the current version, by name; it is refused, with the reason, if that is not there or does not take
   what the process had. Nothing has changed then, and the record stays.
3. What is started again has copies: a second restart begins where the first one did.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, NamedTuple

from midflight.code import current_version
from midflight.code.lowlevel import copied, copies_of, signature_of
from midflight.errors import NotFound, RequestError
from midflight.kernel import CrashReport, Pid, Scheduler, Sink, trouble
from midflight.observer.crash_record import CrashRecord, frames_of, record_of
from midflight.observer.crash_scope import Scope, scopes_of
from midflight.observer.evaluate import Names, evaluate
from midflight.observer.literals import literal
from midflight.otp import GenServer, Revived

__all__ = ["CRASHES_KEPT", "Crashes", "Restarted", "editable"]

CRASHES_KEPT = 50
SCOPES_KEPT = 5
KEPT_SECONDS = 3600.0
EDITED_CHARACTERS = 500  # of a value that is to be edited, in one line with the others


class Restarted(NamedTuple):
    """A process that was started again. `name` is its registered name, None also if another has the name now."""

    pid: Pid
    name: str | None
    version: int | None
    is_resent: bool


class Crashes:
    """The memory of crashes. Its records come from the runtime's thread; all else may be called from any other.

    `names` gives what the arguments of a restart may refer to.
    """

    def __init__(self, scheduler: Scheduler, names: Names) -> None:
        self._scheduler = scheduler
        self._names = names
        self._records: dict[int, CrashRecord] = {}
        self._scopes: dict[int, tuple[Scope, ...]] = {}
        scheduler.on_crash.append(self.note)

    def note(self, report: CrashReport) -> None:
        """Keep `report`. Called on the runtime's thread."""
        scheduler = self._scheduler
        try:
            self._records[report.number] = record_of(report)
            self._scopes[report.number] = scopes_of([frame for frame, _ in frames_of(report)])
        except BaseException as error:  # of an object of the program's
            trouble.tell(f"Remembering the crash of {report.pid!r}", error)
            return
        for number in list(self._records)[:-CRASHES_KEPT]:
            self._records.pop(number, None)
        for number in list(self._scopes)[:-SCOPES_KEPT]:
            self._scopes.pop(number, None)
        number = report.number  # and not the report: it holds the exception, so the frames
        scheduler.timers.set(scheduler.clock.now() + KEPT_SECONDS, lambda: self._expire(number))

    def _expire(self, number: int) -> None:
        self._forget(number)

    def _forget(self, number: int) -> CrashRecord | None:
        self._scopes.pop(number, None)
        return self._records.pop(number, None)

    def all(self) -> list[CrashRecord]:
        """Return the records, oldest first."""
        return list(self._records.values())

    def find(self, number: int) -> CrashRecord:
        """Return a record. Raises: NotFound if it is not kept any more."""
        record = self._records.get(number)
        if record is None:
            raise NotFound(
                f"Crash {number} is not remembered; nothing was done. The last {CRASHES_KEPT} are kept, each for "
                f"{KEPT_SECONDS / 60:.0f} minutes, and a dismissed one is forgotten; see crash/list."
            )
        return record

    def dismiss(self, number: int | None) -> int:
        """Forget one crash, or all; return how many there were to forget."""
        numbers = list(self._records) if number is None else [number]
        return sum(self._forget(each) is not None for each in numbers)

    def scope(self, number: int, frame: int) -> Scope:
        """Return the names in a frame of a crash, from 0, the outermost. Raises: NotFound if they are not kept."""
        record, scopes = self.find(number), self._scopes.get(number)
        if scopes is None:
            raise NotFound(
                f"The values of crash {number} are not kept any more; nothing was evaluated. They are for the last "
                f"{SCOPES_KEPT} crashes; what was printed of them is still there."
            )
        if not 0 <= frame < len(scopes):
            raise NotFound(f"Crash {record.number} has {len(scopes)} frames, from 0, and no frame {frame}.")
        return scopes[frame]

    def evaluate(self, number: int, frame: int, expression: str, sink: Sink) -> tuple[Any, int | None]:
        """Return the value of `expression` in a frame of a crash, and the version that its module's names are of.

        It runs in a process of its own, for some seconds at most, and binds nothing. What it prints goes to `sink`.
        Raises: RequestError if the names are not kept any more, or the evaluation fails.
        """
        scope = self.scope(number, frame)
        names, version = scope.names()
        try:
            return evaluate(self._scheduler, expression, self._names(sink) | names, sink=sink), version
        except RequestError as error:
            gone = [name for name in scope.missing if name in expression]
            if not gone:
                raise
            why = "is an object that would keep a version or a connection alive, so it is shown and not kept"
            raise RequestError(f"{error}\n{', '.join(gone)} {why}.") from None

    def restart(
        self, number: int, *, arguments: str | None = None, resend: bool = False, leader: Sink | None = None
    ) -> Restarted:
        """Start the process again in the current version, with the state it had and under its name if that is free.

        `arguments`: an expression that makes a dict to start it with instead; the old values are there by name.
        `resend`: the message that it took last is its first. `leader`: where its output goes, if not where it went.
        Links, monitors and waiting messages do not come back; who has its old pid does not reach it.
        Raises: RequestError with the reason if it cannot be started; nothing has changed then.
        """
        record = self.find(number)
        entry = record.entry
        if entry.refusal is not None:
            raise _refused(record, entry.refusal)
        values = entry.values if arguments is None else self._edited(record, arguments)
        values = copies_of(values)
        target = _find(record)
        function, args = (_server(record, target, values), ()) if entry.is_server else _call(record, target, values)

        def spawn() -> Restarted:
            name = record.name if record.name not in self._scheduler.names else None
            process = self._scheduler.spawn(function, args, name=name, group_leader=leader or record.leader)
            if resend and record.last_message is not None:
                process.pid << record.last_message
            version = current_version(entry.module)
            return Restarted(process.pid, name, version, resend and record.last_message is not None)

        if self._scheduler.is_own_thread():
            return spawn()
        return self._scheduler.call_threadsafe(spawn).result()

    def _edited(self, record: CrashRecord, expression: str) -> dict[str, Any]:
        sink = io.StringIO()
        try:
            value = evaluate(self._scheduler, expression, self._names(sink) | record.entry.values, sink=sink)
        except RequestError as error:
            raise _refused(record, f"the arguments could not be evaluated:\n{error}") from None
        if not isinstance(value, dict) or not all(isinstance(key, str) and key.isidentifier() for key in value):
            raise _refused(
                record, f"the arguments must make a dict of names and values, as dict(total=3), not {value!r}"
            )
        return value


def editable(record: CrashRecord) -> str:
    """Return an expression for the state of a record: values where their text means the same, names elsewhere."""
    parts = []
    for name, value in record.entry.values.items():
        text = literal(value, EDITED_CHARACTERS)
        parts.append(f"{name}={name if text is None else text}")
    return f"dict({', '.join(parts)})"


def _refused(record: CrashRecord, why: str) -> RequestError:
    return RequestError(f"{record.pid!r} was not started again: {why}. Nothing was changed.")


def _find(record: CrashRecord) -> Any:
    """Return the object that the name of the process's function means now. Raises: RequestError if there is none."""
    entry = record.entry
    found: Any = sys.modules.get(entry.module)
    for part in entry.name.split("."):
        found = getattr(found, part, None)
    if found is None or not callable(found):
        why = "it is local to a function" if "<" in entry.name else "there is no such name in the current version"
        raise _refused(record, f"{entry.module}.{entry.name} cannot be looked up: {why}")
    return found


def _server(record: CrashRecord, cls: Any, values: Mapping[str, Any]) -> Revived:
    if not isinstance(cls, type) or not issubclass(cls, GenServer):
        raise _refused(record, f"{record.entry.module}.{record.entry.name} is no GenServer any more")
    try:
        return Revived(copied(SimpleNamespace(**values), cls))
    except AttributeError as error:
        raise _refused(record, f"the current {cls.__qualname__} cannot have its attributes: {error}") from None


def _call(record: CrashRecord, function: Callable[..., Any], values: Mapping[str, Any]) -> tuple[Any, tuple[Any, ...]]:
    """Return the call to spawn. Raises: RequestError if the function does not take the values by these names."""
    rest_name, keywords_name = record.entry.stars
    try:
        signature = signature_of(function)
    except (TypeError, ValueError) as error:
        raise _refused(record, f"what {record.entry.name} takes is not known: {error}") from None
    named = {name: value for name, value in values.items() if name not in (rest_name, keywords_name)}
    rest = tuple(values.get(rest_name or "", ()))
    keywords = {**named, **dict(values.get(keywords_name or "", {}))}
    positional = []
    for name, parameter in signature.parameters.items():
        by_position = parameter.kind is parameter.POSITIONAL_ONLY or (
            rest and parameter.kind is parameter.POSITIONAL_OR_KEYWORD
        )
        if by_position and name in keywords:
            positional.append(keywords.pop(name))
    args = (*positional, *rest)
    try:
        signature.bind(*args, **keywords)
    except TypeError as error:
        took = ", ".join(named) or "nothing"
        raise _refused(
            record, f"{record.entry.name}{signature} of the current version does not take {took}: {error}"
        ) from None
    return _Again(function, keywords), args


class _Again:
    """Calls a function with keywords; in a list it has the function's name."""

    def __init__(self, function: Callable[..., Any], keywords: dict[str, Any]) -> None:
        self.function, self.keywords = function, keywords
        self.__module__, self.__qualname__ = function.__module__, function.__qualname__
        self.__globals__ = getattr(function, "__globals__", {})  # by which its version is known before it begins

    def __call__(self, *args: Any) -> Any:
        """Call the function."""
        return self.function(*args, **self.keywords)
