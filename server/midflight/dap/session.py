"""`DebugSession`: one front end that speaks the Debug Adapter Protocol, between it and debugpy.

The life of a breakpoint: the front end asks for it in the file that it shows -> it is set in each version that runs
-> a load brings a new version, in which it is set before any process runs that -> a stop there comes back as the file
and line that the front end asked for, or as the text of the older version that stopped.

debugpy never ends the server: what an editor sends when its session ends takes the breakpoints away and lets all go on.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from types import FrameType
from typing import Any

from midflight.code.lowlevel import on_new_versions
from midflight.dap.breakpoints import Breakpoints, FileBreakpoints
from midflight.dap.engine import Engine, engine
from midflight.dap.hold import Standing
from midflight.dap.sources import Sources, Target
from midflight.errors import RequestError
from midflight.kernel import Scheduler

__all__ = ["DebugSession", "debugs", "stop_in"]

Message = dict[str, Any]

SET_SECONDS = 1.0  # for debugpy to take breakpoints in a new version, while everybody waits
_GO_ON = frozenset({"continue", "next", "stepIn", "stepOut", "stepBack", "reverseContinue", "goto"})
_ALL_THREADS = frozenset({"continue", "pause"})
_OURS: Message = {"module": "midflight", "include": False}  # no step ends, and no breakpoint is, in Midflight itself
_NOT_DEBUGPYS = ("connect", "host", "port", "listen", "processId", "subProcessId", "pathMappings")

_lock = threading.Lock()
_sessions: list[DebugSession] = []


def debugs() -> str | None:
    """Return who debugs this interpreter, None if nobody does."""
    with _lock:
        return _sessions[0].client if _sessions else None


def stop_in(frame: FrameType) -> bool:
    """Stop in `frame`, which `breakpoint()` was called in; False, and nothing is done, if no front end is attached."""
    with _lock:
        attached = _sessions[0] if _sessions and _sessions[0].is_attached else None
    if attached is None:
        return False
    attached.stop_at(frame)
    return True


class DebugSession:
    """The session of one front end: `send` takes messages for it, `receive` those that it sends.

    There is one at a time in an interpreter. `client` says whose it is, for people.
    """

    def __init__(self, scheduler: Scheduler, send: Callable[[Message], object], client: str) -> None:
        """Begin. Raises: RequestError if debugpy is not installed, or somebody else debugs."""
        self.client = client
        self._send_on = send
        self._numbers = count(1)
        self._sources = Sources()
        self._breakpoints = Breakpoints(self._sources)
        self.is_attached = False
        self._engine: Engine = engine()
        with _lock:
            if _sessions:
                raise RequestError(
                    f"{_sessions[0].client} debugs this program already; nothing was changed. One front end can at a "
                    "time: end its session there."
                )
            _sessions.append(self)
        self._standing = Standing(scheduler, client, self._resume)
        self._engine.listener = self._hear
        self._stop_following = on_new_versions(self._follow)

    # --- From the front end -----------------------------------------------------------------------------------------

    def receive(self, message: Message) -> None:
        """Take a message of the front end. Never waits for debugpy."""
        if message.get("type") != "request":
            return  # an answer: debugpy asks a front end for nothing
        command = str(message.get("command"))
        arguments = message.get("arguments")
        given: Message = dict(arguments) if isinstance(arguments, dict) else {}
        match command:
            case "attach":
                self._attach(message, given)
            case "launch":
                text = "midflight debug attaches to a server that runs: take the request attach in place of launch"
                self._refuse(message, text)
            case "setBreakpoints":
                self._set(self._breakpoints.ask(given), lambda told: self._answer(message, {"breakpoints": told}))
            case "source" if (text_ := self._sources.text_of(_reference(given))) is not None:
                self._answer(message, {"content": text_, "mimeType": "text/x-python"})
            case "disconnect" | "terminate":
                self._end(lambda: self._answer(message, {}))
                if command == "terminate":
                    self._send({"type": "event", "event": "terminated"})
            case "configurationDone":
                self._engine.ask(command, None, lambda answer: self._begun(message, answer))
            case _:
                self._pass_on(message, command, given)

    def _begun(self, message: Message, answer: Message) -> None:
        self._engine.wait_tracing()
        self._forward(message, answer)

    def _attach(self, message: Message, given: Message) -> None:
        mappings = given.get("pathMappings")
        self._sources = Sources(mappings if isinstance(mappings, list) else ())
        self._breakpoints = Breakpoints(self._sources)
        self.is_attached = True
        own = {name: value for name, value in given.items() if name not in _NOT_DEBUGPYS}
        own["rules"] = [*(given.get("rules") or ()), _OURS]
        self._engine.ask("attach", own, lambda answer: self._forward(message, answer))

    def _pass_on(self, message: Message, command: str, given: Message) -> None:
        source = given.get("source")
        if isinstance(source, dict) and isinstance(source.get("path"), str):
            given["source"] = {"path": self._sources.current(self._sources.here(source["path"]))}
        if command in _ALL_THREADS:
            given["threadId"] = "*"
        if command in _GO_ON:
            self._standing.end()
        self._engine.ask(command, given or None, lambda answer: self._forward(message, answer))

    def _set(self, of: FileBreakpoints, then: Callable[[list[Message]], object]) -> None:
        """Set the breakpoints of one file in all that runs of it; call `then` with what a front end is told of each."""
        requests = self._breakpoints.requests(of)
        answers: list[tuple[Target, Message]] = []
        lock = threading.Lock()

        def heard(target: Target, answer: Message) -> None:
            with lock:
                answers.append((target, answer.get("body") or {}))
                is_last = len(answers) == len(requests)
            if is_last:
                order = [target for target, _ in requests]
                then(self._breakpoints.answer(of, sorted(answers, key=lambda each: order.index(each[0]))))

        for target, arguments in requests:
            self._engine.ask("setBreakpoints", arguments, partial(heard, target))

    def stop_at(self, frame: FrameType) -> None:
        """Stop this thread in `frame`, as at a breakpoint."""
        self._engine.stop_at(frame)

    # --- From debugpy, and from the code server ---------------------------------------------------------------------

    def _hear(self, message: Message) -> None:
        body = message.get("body")
        event = message.get("event")
        if isinstance(body, dict):
            body = self._shown(body)
            if event == "breakpoint" and isinstance(body.get("breakpoint"), dict):
                return  # of one version; the front end is told of all of them together
            if "hitBreakpointIds" in body:
                body["hitBreakpointIds"] = [self._breakpoints.own(each) for each in body["hitBreakpointIds"]]
            message = {**message, "body": body}
        if event == "stopped":
            self._standing.begin()
        elif event == "continued":
            self._standing.end()
        self._send(message)

    def _follow(self, paths: Sequence[str]) -> None:
        """Set the breakpoints of changed files in the new versions, and tell the front end what became of them."""
        for path in {os.path.realpath(each) for each in paths} | set(paths):
            of = self._breakpoints.of(path)
            if of is None or not self.is_attached:
                continue
            is_set = threading.Event()

            def tell(told: list[Message], is_set: threading.Event = is_set) -> None:
                is_set.set()
                for each in told:
                    body = {"reason": "changed", "breakpoint": each}
                    self._send({"type": "event", "event": "breakpoint", "body": body})

            self._set(of, tell)
            is_set.wait(SET_SECONDS)

    def _resume(self) -> None:
        self._standing.end()
        self._engine.ask("continue", {"threadId": "*"}, lambda _: None)

    def _shown(self, value: Any) -> Any:
        """Return a message's body with each source as the front end is to show it."""
        if isinstance(value, list):
            return [self._shown(each) for each in value]
        if not isinstance(value, dict):
            return value
        return {
            name: self._sources.shown(each) if name == "source" and isinstance(each, dict) else self._shown(each)
            for name, each in value.items()
        }

    # --- To the front end -------------------------------------------------------------------------------------------

    def _forward(self, request: Message, answer: Message) -> None:
        self._send({**answer, "request_seq": request.get("seq"), "body": self._shown(answer.get("body"))})

    def _answer(self, request: Message, body: Message) -> None:
        self._send(_answer_to(request) | {"success": True, "body": body})

    def _refuse(self, request: Message, text: str) -> None:
        told = {"error": {"id": 1, "format": text, "showUser": True}}
        self._send(_answer_to(request) | {"success": False, "message": text, "body": told})

    def _send(self, message: Message) -> None:
        self._send_on({**message, "seq": next(self._numbers)})

    # --- The end ----------------------------------------------------------------------------------------------------

    def _end(self, then: Callable[[], object]) -> None:
        self._standing.end()
        if not self.is_attached:
            then()
            return
        self.is_attached = False
        self._engine.ask("disconnect", {"terminateDebuggee": False}, lambda _: then())

    def close(self) -> None:
        """End the session: its breakpoints are gone and all threads go on. May be repeated."""
        with _lock:
            if self not in _sessions:
                return
            _sessions.remove(self)
        self._stop_following()
        try:
            self._end(lambda: None)
        except OSError:
            pass  # debugpy is gone
        self._engine.listener = lambda _: None


def _answer_to(request: Message) -> Message:
    return {"type": "response", "request_seq": request.get("seq"), "command": request.get("command")}


def _reference(given: Message) -> object:
    source = given.get("source")
    return given.get("sourceReference") or (source.get("sourceReference") if isinstance(source, dict) else None)
