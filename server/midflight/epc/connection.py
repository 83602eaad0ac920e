"""One connection: the handler of the PyPI `epc` package, hardened. Both ends use it; only sockets differ.

The life of a request: the I/O thread, which reads all connections, cuts the frame and looks at its first bytes; an
answer to one of our own calls, and a method that overtakes (`ping`, `interrupt`), is handled at once; the rest wait in
the order they came. While some wait, the connection has a worker, a thread that parses, calls, and puts one answer
into the outbox, which the I/O thread sends. A connection with nothing to do has no thread.
A request that waits long, as an evaluation may, steps aside, so that those behind it can run.

What `epc` gives: the call manager (numbers and callbacks of our own calls), the handler with its calls, the socket
server. What is replaced, since it has none: limits, order, one writer, one answer whatever happens, quiet.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, nullcontext
from functools import partial
from typing import Any

from midflight.epc.forks import hold
from midflight.epc.io_thread import IoThread
from midflight.epc.kinds import FAILED, kind_of
from midflight.epc.method import AnswerThen, Lane, Method
from midflight.epc.outbox import Outbox
from midflight.epc.package import BaseRemoteError, EPCHandler
from midflight.epc.queue_of_requests import QueueOfRequests
from midflight.epc.sexp import ITEMS_LIMIT, Symbol, Written, write
from midflight.epc.wire import Frame, FrameReader, Message, Opening, Oversized, decode, encode, opening
from midflight.epc.workers import Workers
from midflight.errors import ConnectionLost, FrameError, MidflightError, RequestError, WireError
from midflight.kernel import trouble
from midflight.memory import give_back
from midflight.text import exception_said

__all__ = ["Connection"]

_log = logging.getLogger("midflight.epc")

_RECEIVE_BYTES = 64 * 1024
_TURN_SECONDS = 0.001
_URGENT_BYTES = 4096
_LARGE_BYTES = 256 * 1024
_ASIDE_REQUESTS = 8
_ERROR_CHARACTERS = 64 * 1024
_DRAIN_SECONDS = 1.0
_QUICK_ACK: int | None = getattr(socket, "TCP_QUICKACK", None)  # Linux has it


class Connection(EPCHandler):  # type: ignore[misc]  # epc has no type hints
    """One peer. It is read from `begin` on, by the I/O thread of its `server`, until the peer is gone.

    `methods` are what the peer may call, by name. `server` gives `io` and `workers`.
    """

    items_limit = ITEMS_LIMIT
    reading_large = (
        threading.Lock()
    )  # one large message at a time: each takes the interpreter from all that wait for it
    tells_kinds = False  # of errors, to a peer that asks for it: others take exactly one text
    disable_nagle_algorithm = True  # else an answer that follows a push waits 40 ms for the peer's ACK
    request: socket.socket

    def __init__(self, request: socket.socket, client_address: object, server: Any) -> None:
        """Prepare. Unlike its base class this one does not read in here."""
        self.request, self.client_address, self.server = request, client_address, server
        self.io: IoThread = server.io
        self.workers: Workers = server.workers
        self.setup()

    def setup(self) -> None:
        """Prepare the parts; nothing is read and no thread is used before `begin`."""
        self.methods: Mapping[str, Method] = {}
        self.frames = FrameReader()
        self.outbox = Outbox(partial(self.io.wake, self), self._give_up)
        self._queue = QueueOfRequests(self.workers, self._handle, self._fail_calls)
        self._list: Written | None = None  # of the methods, for who asks
        self._lock = threading.Lock()
        self._at_close: list[Callable[[], object]] | None = []
        self._aside_count = 0
        self._largest = 0  # bytes that were held at once
        self._is_begun = False
        self._is_cut = False
        self._is_broken = False
        self._is_behind = True  # frames that were read are not handled yet
        self.is_tcp = self.request.family in (socket.AF_INET, socket.AF_INET6)
        self.disable_nagle_algorithm = self.is_tcp
        hold(self.request)
        super().setup()

    def begin(self) -> None:
        """Read and write from now on."""
        self._is_begun = True
        self.io.add(self)

    def receive(self) -> bool:
        """Read and handle the frames that have come, for a moment; say whether there are more.

        Raises: EOFError if the peer is gone, or sent bytes that are not a frame; OSError if the connection broke.
        """
        deadline = time.monotonic() + _TURN_SECONDS
        if not self._is_behind:
            try:
                data = self.request.recv(_RECEIVE_BYTES)
            except ConnectionError:
                self._is_broken = (
                    True  # nobody waits for what was asked; a peer that hung up in order may have meant it
                )
                raise
            if not data:
                raise EOFError
            self._acknowledge()
            self.frames.feed(data)
        try:
            while (event := self.frames.next_event()) is not None:
                if self._is_cut:
                    raise EOFError
                self._dispatch(event)
                self._is_behind = time.monotonic() > deadline
                if self._is_behind:
                    return True
        except FrameError as error:
            _log.debug("closed: %s", error)
            self._put_error(None, f"{error}; the connection is closed. Connect again.", "epc-error")
            raise EOFError from None
        self._is_behind = False
        return False

    def transmit(self) -> float:
        """Send some of the frames that wait; return in how many seconds to come again. Raises: OSError."""
        return self.outbox.transmit(self.request.send)

    def lost(self) -> None:
        """Finish, on a worker, the connection from which nothing can be read any more. Never waits."""
        self._largest = max(self._largest, self.frames.forget())  # else they wait for the next garbage collection
        self.workers.run(self.finish)

    def step_aside(self) -> None:
        """Let later requests run while the calling one, which a worker runs, goes on waiting for something."""
        self._queue.step_aside()

    @property
    def received_count(self) -> int:
        """The number of requests that have come and are handled in order."""
        return self._queue.received_count

    def is_handling(self) -> bool:
        """Say whether one of them is not answered yet."""
        return self._queue.waiting_count > 0

    def has_begun(self, count: int) -> bool:
        """Say whether the first `count` of them have been begun."""
        return self._queue.has_begun(count)

    def at_close(self, function: Callable[[], object]) -> None:
        """Call `function` once when the connection has ended, at once if it has. Callable from any thread."""
        with self._lock:
            if self._at_close is not None:
                self._at_close.append(function)
                return
        function()

    def finish(self) -> None:
        """Close the connection's parts: its sessions, its socket, and the calls it will not answer. It may wait."""
        with self._lock:
            functions, self._at_close = self._at_close or [], None
        with ExitStack() as stack:  # each step runs though one before it failed; last in, first out
            stack.callback(self._give_back)
            stack.callback(partial(self.io.remove, self) if self._is_begun else self.request.close)
            stack.callback(super().finish)
            stack.callback(self.outbox.forget)
            stack.callback(self.cut)
            if self._is_begun:
                stack.callback(self.outbox.wait_empty, _DRAIN_SECONDS)
            stack.callback(lambda: self._queue.end(is_broken=self._is_broken))  # our own calls fail behind the last
            stack.callback(self.outbox.close)
            for function in functions:
                stack.callback(function)

    def _give_back(self) -> None:
        """Give memory back to the system, if the connection had much of it."""
        if max(self._largest, self.outbox.most_bytes) > _LARGE_BYTES:
            give_back()

    def cut(self) -> None:
        """End the connection now; the I/O thread then sees its end. Callable from any thread."""
        self._is_cut = True
        try:
            self.request.shutdown(socket.SHUT_RDWR)
        except OSError:
            # Already gone, which is what was wanted.
            pass

    def _give_up(self) -> None:
        """End the connection of a peer that does not read, and its requests."""
        self._is_broken = True
        self.cut()

    def push(self, method: str, arguments: list[object], answered: Callable[[object], object]) -> None:
        """Call a method of the peer; `answered` gets the answer or the exception that came instead."""
        self.callmanager.call(self, method, arguments, callback=answered, errback=answered)

    def _acknowledge(self) -> None:
        """Tell the peer's system at once what has come: one like Emacs, which cannot switch Nagle's algorithm off,
        keeps a second small request back until the first is acknowledged, up to 40 ms. The switch lasts for a while.
        """
        if _QUICK_ACK is not None and self.is_tcp:
            self.request.setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)

    def _dispatch(self, event: Frame | Oversized) -> None:
        if isinstance(event, Oversized):
            head = opening(event.head)
            self._reject(
                head,
                f"{event.length} bytes are too many for one message, at most {self.frames.limit} are taken",
            )
            return
        head = opening(event.payload)
        match self._lane(head, len(event.payload)):
            case Lane.AT_ONCE:
                if not self.outbox.is_closed:  # thousands of pings of a peer that is gone are answered to nobody
                    self._handle(event.payload)
            case Lane.ASIDE:
                self.workers.run(partial(self._handle_aside, event.payload))
            case None:
                _log.debug("an answer to no call: %r", head.uid if head else None)
            case Lane.IN_ORDER:
                if not self._queue.put(event.payload):
                    waiting = self._queue.waiting_count
                    self._reject(head, f"{waiting} requests of this connection are waiting already")

    def _lane(self, head: Opening | None, size: int, /) -> Lane | None:
        """Return where a message is handled; None for an answer to no call, which is not even parsed."""
        if head is None:
            return Lane.IN_ORDER
        if head.kind not in ("call", "methods"):
            if head.uid not in self.callmanager.callbacks:
                return None
            # Not in order: an answer is what the flow control, and perhaps the request that runs, waits for.
            return Lane.AT_ONCE if size <= _URGENT_BYTES else self._aside()
        method = self.methods.get(head.method or "")
        if method is None or size > _URGENT_BYTES:
            return Lane.IN_ORDER
        return self._aside() if method.lane is Lane.ASIDE else method.lane

    def _aside(self) -> Lane:
        with self._lock:
            if self._aside_count >= _ASIDE_REQUESTS:
                return Lane.IN_ORDER
            self._aside_count += 1
        return Lane.ASIDE

    def _handle_aside(self, payload: bytes) -> None:
        try:
            self._handle(payload)
        finally:
            with self._lock:
                self._aside_count -= 1

    def _fail_calls(self) -> None:
        lost = ConnectionLost("The connection was closed; the answer will not come. Connect again.")
        for uid in list(self.callmanager.callbacks):
            _, errback = self.callmanager.callbacks.pop(uid, (None, None))
            if errback is not None:
                errback(lost)

    def _handle(self, payload: bytes) -> None:
        self._largest = max(self._largest, len(payload))
        try:
            with self.reading_large if len(payload) > _LARGE_BYTES else nullcontext():
                message = decode(payload, items_limit=self.items_limit)
        except WireError as error:
            self._reject(opening(payload), str(error))
            return
        match message.kind:
            case "call":
                self._answer(message.uid, self._call, message.method, message.arguments)
            case "methods":
                self._answer(message.uid, self._list_methods)
            case "return" | "return-error" | "epc-error":
                self._settle(message)
            case kind:
                self._put_error(
                    message.uid,
                    f"a message cannot be of kind {kind!r}; nothing was done. Send call or methods.",
                    "epc-error",
                )

    def _call(self, name: str, arguments: tuple[object, ...]) -> object:
        method = self.methods.get(name)
        if method is None:
            names = ", ".join(sorted(self.methods))
            raise RequestError(f"There is no method {name}; nothing was done. Send one of: {names}.")
        return method(*arguments)

    def _list_methods(self) -> object:
        # Written once: a request of eleven bytes for all these texts must not cost more to answer than to send.
        if self._list is None:
            methods = self.methods.values()
            self._list = Written(write([(Symbol(method.name), None, method.description) for method in methods]))
        return self._list

    def _answer(self, uid: object, function: Callable[..., object], *arguments: Any) -> None:
        """Send exactly one answer: the value of `function`, or its exception."""
        try:
            value = function(*arguments)
        except MidflightError as error:
            self._put_error(uid, str(error), reason=kind_of(error))
            return
        except BaseException as error:
            # SystemExit and the like included: user code runs in here, and a worker that ended would
            # leave this request and all later ones without an answer.
            trouble.log_raised(_log, "a request failed", error)
            self._put_error(uid, exception_said(error), reason=FAILED)
            return
        then: Callable[[], object] | None = None
        if isinstance(value, AnswerThen):
            then, value = value.then, value.value
        try:
            frame = encode("return", uid, value)
        except WireError as error:
            self._put_error(uid, f"The request was carried out, but its answer cannot be sent: {error}.")
        else:
            self._put(frame)
        if then is not None:
            then()

    def _reject(self, head: Opening | None, reason: str) -> None:
        """Answer a message that cannot be handled: a request by an error, an answer by failing its call."""
        text = f"The message was not understood: {reason}; nothing was done. Send it again in another form."
        if head is None:
            self._put_error(None, text, "epc-error")
        elif head.kind in ("call", "methods"):
            self._put_error(head.uid, text)
        else:
            self._settle(Message("epc-error", head.uid, None, (reason,)))

    def _settle(self, message: Message) -> None:
        """Hand the answer to one of our own calls to its caller."""
        value = message.arguments[0] if message.arguments else None
        if message.kind == "return-error":
            value = message.arguments  # with the kind of the error behind its text
        settle = {
            "return": self.callmanager.handle_return,
            "return-error": self.callmanager.handle_return_error,
            "epc-error": self.callmanager.handle_epc_error,
        }[message.kind]
        try:
            settle(message.uid, value)
        except BaseRemoteError:
            # An answer to nothing, or a second one. Answering it would start a game of tennis.
            _log.debug("an answer to no call: %r", message.uid)

    def _put_error(self, uid: object, text: str, kind: str = "return-error", *, reason: str | None = None) -> None:
        told = (reason,) if self.tells_kinds and reason is not None else ()
        self._put(encode(kind, uid, text[:_ERROR_CHARACTERS], *told))

    def _put(self, frame: bytes) -> None:
        try:
            self.outbox.put(frame)
        except ConnectionLost as error:
            # Nobody is left to be told.
            _log.debug("an answer was lost: %s", error)

    def _send(self, kind: str, uid: object, *values: object) -> None:
        """Send a message of `epc`'s call manager; the name in a call comes first."""
        if kind == "call":
            values = (Symbol(values[0]), *values[1:])
        self.outbox.put(encode(kind, uid, *values))
