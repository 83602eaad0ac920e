"""The exceptions that a caller of Midflight can meet, by whose fault each is."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from midflight.outside import FromOutside
from midflight.text import medium

__all__ = [
    "AlreadyStarted",
    "ApplicationError",
    "CallError",
    "CallTimeout",
    "ChildError",
    "CodeChangeError",
    "ConnectionLost",
    "FrameError",
    "InitFailed",
    "Killed",
    "LoadError",
    "LoadInterrupted",
    "MidflightError",
    "MigrationError",
    "NoServer",
    "NoSuchName",
    "NoSuchProcess",
    "NotFound",
    "NotInProcess",
    "NotPurged",
    "OutputFailed",
    "PortTaken",
    "ProcessExit",
    "RegistrationError",
    "RemoteError",
    "RequestError",
    "RequestFailed",
    "RequestTimeout",
    "RuntimeFolderError",
    "ServerRunning",
    "ShellClosed",
    "StartFailed",
    "TaskError",
    "TaskTimeout",
    "UnknownJob",
    "UnknownModuleError",
    "UnknownVersionError",
    "UpgradeError",
    "WireError",
]


class MidflightError(Exception):
    """The base of Midflight's own exceptions (not of ProcessExit, which is a cancellation)."""


class ProcessExit(asyncio.CancelledError):
    """Raised to end the calling process with `reason`; an exit signal throws it into its target.

    It is an `asyncio.CancelledError`, so that TaskGroup, anyio and `except Exception` treat it as the
    cancellation that it is. No crash report is made of it.

    OTP: exit/1 when raised; the exit signal of exit/2 when thrown in from outside.
    """

    def __init__(self, reason: object = "normal") -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"exit reason {medium(self.reason)}"


class Killed(FromOutside, ProcessExit):
    """The exception thrown into a process that is killed while it runs and does not yield."""

    def __init__(self) -> None:
        super().__init__("killed")


# --- The caller's fault; behaviours ------------------------------------------------------------------


class NotInProcess(MidflightError, RuntimeError):
    """A function that acts for the calling process was called outside a process."""


class NoSuchName(MidflightError, LookupError):
    """A message was sent to a name that no process has. OTP: badarg from `!`."""

    def __init__(self, name: object) -> None:
        super().__init__(f"no process is registered as {medium(name)}; nothing was sent; see registered()")
        self.name = name


class NoSuchProcess(MidflightError, LookupError):
    """A link to a process that is not alive was requested. OTP: error noproc from link/1."""

    def __init__(self, pid: object) -> None:
        super().__init__(f"{pid!r} is not alive; no link was made; monitor it instead to be told")
        self.pid = pid


class RegistrationError(MidflightError, ValueError):
    """A name could not be registered or freed. OTP: badarg from register/2 and unregister/1."""


class AlreadyStarted(MidflightError):
    """A behaviour was started under a name that a process already has. OTP: {error, {already_started, Pid}}."""

    def __init__(self, pid: object) -> None:
        super().__init__(f"the name already belongs to {pid!r}; nothing was started")
        self.pid = pid


class CallError(MidflightError):
    """A call got no reply because its server was not there or ended. OTP: the exit of gen_server:call."""

    def __init__(self, dest: object, request: object, reason: object) -> None:
        super().__init__(f"call({medium(dest)}, {medium(request)}) got no reply: {medium(reason)}")
        self.dest = dest
        self.request = request
        self.reason = reason


class CallTimeout(CallError, TimeoutError):
    """A call got no reply in time. A reply that comes later is dropped. OTP: exit {timeout, _}."""

    def __init__(self, dest: object, request: object, seconds: float) -> None:
        super().__init__(dest, request, f"no answer within {seconds} s")
        self.seconds = seconds


class InitFailed(MidflightError):
    """The process of a behaviour ended before its init was done, for a reason that is not an exception.

    OTP: {error, Reason} of gen_server:start/3.
    """

    def __init__(self, what: str, reason: object) -> None:
        super().__init__(f"{what} did not start: {medium(reason)}; no process of it is left")
        self.reason = reason


class ChildError(MidflightError):
    """A supervisor could not carry out a request about a child; its children are as they were.

    `reason` is OTP's: "not_found", "running", "restarting", "already_present", "simple_one_for_one", and Elixir's
    "max_children"; "dynamic" if it has no ids to be found by.
    """

    def __init__(self, id: object, reason: str, advice: str) -> None:
        super().__init__(f"child {medium(id)}: {reason}; nothing was changed. {advice}")
        self.id = id
        self.reason = reason


class ApplicationError(MidflightError):
    """An application was not started, say; `reason` is OTP's, such as ("not_started", "store"), or what was raised."""

    def __init__(self, application: str, reason: object, advice: str) -> None:
        super().__init__(f"application {application}: {medium(reason)}; nothing was changed. {advice}")
        self.application = application
        self.reason = reason


class CodeChangeError(MidflightError):
    """code_change failed, or was not allowed; the process has the state and the class that it had.

    `reason` is what was raised, or "not suspended". OTP: {error, Reason} of sys:change_code/4.
    """

    def __init__(self, pid: object, reason: object) -> None:
        still = "It is suspended still: change the code again, or resume() it"
        advice = "suspend() it first" if reason == "not suspended" else still
        super().__init__(f"{pid!r} did not change its code: {medium(reason)}; its state is as it was. {advice}")
        self.pid = pid
        self.reason = reason


class TaskError(MidflightError):
    """A task ended without a result, for a reason that is not an exception. OTP: Elixir's exit of Task.await/2."""

    def __init__(self, pid: object, reason: object) -> None:
        super().__init__(f"task {pid!r} has no result: {medium(reason)}")
        self.pid = pid
        self.reason = reason


class TaskTimeout(TaskError, TimeoutError):
    """A task had no result in time. It runs on; a result that comes later is dropped."""

    def __init__(self, pid: object, seconds: float) -> None:
        super().__init__(pid, f"none within {seconds} s")
        self.seconds = seconds


# --- Loading code: the loaded code's fault, or its caller's ------------------------------------------


class LoadError(MidflightError):
    """A module was not loaded; its current version, and every process, is as it was.

    `report` is the midflight.code.LoadReport that says why; `reports` are those of all modules that `load_many`
    refused, the same one first. `__cause__` is the exception that the module's body raised, if one did.
    OTP: {error, What} of code:load_file/1; error of c:c/1.
    """

    def __init__(self, message: str, *reports: Any) -> None:  # of a type of the layer above, unknown to this one
        super().__init__(message)
        self.report = reports[0]
        self.reports = reports


class NotPurged(LoadError):
    """A load with two_versions=True came while processes still run an old version. OTP: {error, not_purged}."""


class LoadInterrupted(LoadError):
    """A load was broken off before its commit, on request; nothing has changed."""


class UpgradeError(LoadError):
    """An upgrade was not done; the current version, the states and the mailboxes of all servers are as they were.

    `report` is the midflight.code.UpgradeReport that says why; `reports` are those of all modules that were at fault,
    the same one first. `pid` is the server that it failed in, None if it was none's fault; `state` its attributes as
    text, None if it was not held yet. `__cause__` is what code_change raised.
    OTP: {error, Reason} of release_handler:install_release/1, where it does not restart the emulator.
    """

    def __init__(self, message: str, *reports: Any, pid: Any = None, state: str | None = None) -> None:
        super().__init__(message, *reports)
        self.pid = pid
        self.state = state


class UnknownModuleError(MidflightError, LookupError):
    """The named module was never loaded by the code server."""

    def __init__(self, name: object) -> None:
        super().__init__(f"{name} was never loaded by Midflight, so it has no versions; load it first")
        self.name = name


class UnknownVersionError(MidflightError, LookupError):
    """The named version of a module never existed, its text is not kept, or it was deleted."""

    def __init__(self, name: str, number: int | None, kept: list[int], *, before: int | None = None) -> None:
        """Say that `name` has not `number`, but `kept`; or no version before its current one, `before`."""
        if before is not None:
            text = f"{name} has no version before {before}, the current one; nothing was changed. Load a new one first"
        else:
            which = "no current version" if number is None else f"no version {number}"
            known = ", ".join(map(str, kept[-10:])) or "none"
            text = f"{name} has {which}; nothing was changed; versions that are kept: {known}"
        super().__init__(text)
        self.name = name
        self.number = number


class MigrationError(MidflightError, TypeError):
    """An object of a superseded class could not become one of the current class; it is as it was."""

    def __init__(self, cls: type, why: str) -> None:
        super().__init__(
            f"an object of an older {cls.__module__}.{cls.__qualname__} was not migrated: {why}; it is as it was. "
            "Give the class a __migrate__(old_fields), or what it lacks a default"
        )


class NotDurable(MidflightError, TypeError):
    """A durable server cannot be kept: no store, no key, or something in its state that cannot be stored."""


# --- The wire: the peer's fault; servers and how they are found; the shell ---------------------------


class WireError(MidflightError, ValueError):
    """A payload is not a valid message, or a value has no form on the wire. The connection stays usable."""


class FrameError(WireError):
    """The bytes received are not a frame, so the start of the next frame is unknown. The connection is closed."""


class RequestError(MidflightError, ValueError):
    """A request names no method, or its arguments do not suit the method. It did nothing."""


class NotFound(RequestError, LookupError):
    """A request is about a process, a file or a name that is not there. It did nothing."""


class RequestTimeout(RequestError, TimeoutError):
    """A request was not done in time; the text says whether it may be done still."""


class RequestFailed(MidflightError):
    """A request was begun and failed on the way; the text says what it has done."""


class ConnectionLost(MidflightError, ConnectionError):
    """The other end is gone, so a message was not sent or its answer will not come."""


class RemoteError(MidflightError):
    """The other end did not do as requested; the text is its own.

    `kind` says which way: "refused", "not-found", "timed-out", or "failed", which may have been done in part.
    """

    def __init__(self, text: str, kind: str = "refused") -> None:
        super().__init__(text)
        self.kind = kind


class RuntimeFolderError(MidflightError, OSError):
    """The runtime folder belongs to another user, or others may enter it, so no secret is put there."""


class NoServer(MidflightError, LookupError):
    """No server runs for a project, or not the one that is meant. `others` are the names of those that do."""

    def __init__(self, root: str, others: Sequence[str] = (), name: str = "") -> None:
        if others:
            which = f"No server {name}" if name else "No server main"
            text = (
                f"{which} runs for {root}; nothing was done. There {'is' if len(others) == 1 else 'are'} "
                f"{', '.join(others)}: name one, as in --server {others[0]}"
            )
        else:
            text = f"No server runs for {root}; nothing was done. Start one with: midflight serve --root {root}"
        super().__init__(text)
        self.root = root
        self.others = tuple(others)


class ServerRunning(MidflightError):
    """A project has a running server already, and one is enough."""

    def __init__(self, root: str, where: str | None, pid: int | None) -> None:
        place = f"on {where} with process id {pid}" if where else f"with process id {pid}, but does not answer"
        super().__init__(
            f"A server for {root} runs already, {place}; no second one was "
            f"started. Use it, or end it with: midflight stop --root {root}"
        )
        self.root = root
        self.where = where
        self.pid = pid


class PortTaken(MidflightError, OSError):
    """A server was to listen on a port that another program has."""

    def __init__(self, port: int) -> None:
        super().__init__(
            f"Port {port} of 127.0.0.1 is taken by another program; no server was started. "
            "Choose another one, or leave --port out for a free one."
        )
        self.port = port


class UnknownJob(MidflightError, LookupError):
    """The requested result or input of the shell does not exist. OTP: command not found."""

    def __init__(self, number: int, kept: list[int]) -> None:
        known = f"{kept[0]} to {kept[-1]}" if len(kept) > 1 else str(kept[0]) if kept else "none yet"
        super().__init__(f"{number}: no such job; the ones kept: {known}; h() lists them. No number was used up")
        self.number = number


class ShellClosed(MidflightError, RuntimeError):
    """An input was given to a shell that is closed, or that was closed before it ran the input."""

    def __init__(self) -> None:
        super().__init__("the shell is closed; the input was not, or not wholly, evaluated; open another shell")


class StartFailed(MidflightError):
    """A detached server never answered."""

    def __init__(self, root: str, log: str, tail: str) -> None:
        super().__init__(
            f"The server for {root} did not start; none runs. The end of {log} says why:\n{tail or '(it is empty)'}"
        )


class OutputFailed(MidflightError):
    """A server could not print its port: its standard output accepts no text."""

    def __init__(self, port: int, error: OSError) -> None:
        super().__init__(
            f"The port {port} could not be written to standard output ({error.strerror}); the server has ended and its "
            "files are gone. Make room there, or let its output go elsewhere."
        )
