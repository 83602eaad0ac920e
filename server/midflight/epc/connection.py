"""One connection: the handler of the PyPI `epc` package, hardened. Both ends use it; only sockets differ.

The life of a request: the reader's thread cuts the frame and looks at its first bytes; an answer to one of
our own calls, and a method that overtakes (`ping`, `interrupt`), it handles at once; the rest go to one
worker in the order they came. The worker parses, calls, and puts one answer into the outbox, which sends it.
A request that waits long, as an evaluation may, steps aside, so that those behind it can run.

What `epc` gives: the call manager (numbers and callbacks of our own calls), the s-expressions, the socket
server. What is replaced, since it has none: limits, order, one writer, one answer whatever happens, quiet.
"""

from __future__ import annotations

import inspect
import logging
import queue
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any

from epc.handler import BaseRemoteError, EPCHandler

from midflight.epc.method import AnswerThen, Lane, Method
from midflight.epc.outbox import Outbox
from midflight.epc.sexp import ITEMS_LIMIT, Symbol
from midflight.epc.wire import Frame, FrameReader, Message, Opening, Oversized, decode, encode, opening
from midflight.errors import ConnectionLost, FrameError, MidflightError, RequestError, WireError

__all__ = ["Connection"]

_log = logging.getLogger("midflight.epc")

_RECEIVE_BYTES = 64 * 1024
_URGENT_BYTES = 4096
_ASIDE_REQUESTS = 8
_WAITING_REQUESTS = 1000
_WAITING_BYTES = 4 * 8 * 1024 * 1024
_ERROR_CHARACTERS = 64 * 1024
_DRAIN_SECONDS = 1.0
_QUICK_ACK: int | None = getattr(socket, "TCP_QUICKACK", None)  # Linux has it


class Connection(EPCHandler):  # type: ignore[misc]  # epc has no type hints
    """One peer. The thread that constructs it reads until the peer is gone.

    `methods` are what the peer may call, by name.
    """

    items_limit = ITEMS_LIMIT
    disable_nagle_algorithm = True  # else an answer that follows a push waits 40 ms for the peer's ACK
    request: socket.socket

    def setup(self) -> None:
        """Prepare the socket and the parts; no thread is started before the peer is admitted."""
        self.methods: Mapping[str, Method] = {}
        self.frames = FrameReader()
        self.outbox = Outbox(self.request.sendall, self.cut)
        self._requests: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._at_close: list[Callable[[], object]] | None = []
        self._aside_count = 0
        self._waiting_count = 0
        self._waiting_bytes = 0
        self._received_count = 0
        self._begun_count = 0
        self._retired: set[int] = set()
        self._is_begun = False
        super().setup()

    def handle(self) -> None:
        """Admit the peer, then read until it is gone or sends what is no frame."""
        try:
            if self.admit():
                self.begin()
                for event in self.events():
                    self._dispatch(event)
        except FrameError as error:
            _log.debug("closed: %s", error)
            self._put_error(None, f"{error}; the connection is closed. Connect again.", "epc-error")
        except OSError as error:
            _log.debug("connection lost: %s", error)

    def admit(self) -> bool:
        """Say whether the peer may call methods; called before anything it sends is parsed."""
        return True

    def begin(self) -> None:
        """Start the worker and the writer."""
        self._is_begun = True
        threading.Thread(target=self._work, name="midflight-epc-worker", daemon=True).start()
        threading.Thread(target=self.outbox.run, name="midflight-epc-writer", daemon=True).start()

    def step_aside(self) -> None:
        """Let later requests run while the calling one, which the worker runs, goes on waiting for something.

        Another worker takes the place of the calling thread, which ends with its request. Of too many such
        requests at once the next one keeps its place.
        """
        with self._lock:
            if threading.get_ident() in self._retired or len(self._retired) >= _ASIDE_REQUESTS:
                return
            self._retired.add(threading.get_ident())
        threading.Thread(target=self._work, name="midflight-epc-worker", daemon=True).start()

    @property
    def received_count(self) -> int:
        """How many requests have come that are handled in order."""
        return self._received_count

    def is_handling(self) -> bool:
        """Say whether one of them is not answered yet."""
        return self._waiting_count > 0

    def has_begun(self, count: int) -> bool:
        """Say whether the first `count` of them have been begun."""
        return self._begun_count >= count

    def at_close(self, function: Callable[[], object]) -> None:
        """Call `function` once when the connection has ended, at once if it has. Callable from any thread."""
        with self._lock:
            if self._at_close is not None:
                self._at_close.append(function)
                return
        function()

    def finish(self) -> None:
        """Close what the connection had: its sessions, its threads, and the calls it will not answer."""
        with self._lock:
            functions, self._at_close = self._at_close or [], None
        with ExitStack() as stack:  # each step runs though one before it failed; last in, first out
            stack.callback(super().finish)
            stack.callback(self.cut)
            if self._is_begun:
                stack.callback(self.outbox.wait_empty, _DRAIN_SECONDS)
            stack.callback(self._requests.put, None)
            stack.callback(self.outbox.close)
            for function in functions:
                stack.callback(function)

    def cut(self) -> None:
        """End the connection now; the reader's thread then finishes it. Callable from any thread."""
        try:
            self.request.shutdown(socket.SHUT_RDWR)
        except OSError:
            # Already gone, which is what was wanted.
            pass

    def push(self, method: str, arguments: list[object], answered: Callable[[object], object]) -> None:
        """Call a method of the peer; `answered` gets the answer or the exception that came instead."""
        self.callmanager.call(self, method, arguments, callback=answered, errback=answered)

    def events(self) -> Iterator[Frame | Oversized]:
        """Yield what the peer sends, until it is gone.

        Raises: FrameError, OSError (a timeout of the socket among them).
        """
        while True:
            while (event := self.frames.next_event()) is not None:
                yield event
            data = self.request.recv(_RECEIVE_BYTES)
            if not data:
                return
            self._acknowledge()
            self.frames.feed(data)

    def _acknowledge(self) -> None:
        """Tell the peer's system at once what has come: one like Emacs, which cannot switch Nagle's algorithm off,
        keeps a second small request back until it hears of the first, which may be 40 ms. The switch lasts for a while.
        """
        if _QUICK_ACK is not None:
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
                self._handle(event.payload)
            case Lane.ASIDE:
                threading.Thread(target=self._handle_aside, args=(event.payload,), daemon=True).start()
            case Lane.IN_ORDER:
                self._enqueue(event.payload, head)

    def _lane(self, head: Opening | None, size: int, /) -> Lane:
        if head is None:
            return Lane.IN_ORDER
        if head.kind not in ("call", "methods"):
            return Lane.AT_ONCE  # an answer: it is what the flow control waits for
        method = self.methods.get(head.method or "")
        if method is None or size > _URGENT_BYTES:
            return Lane.IN_ORDER
        if method.lane is Lane.ASIDE:
            with self._lock:
                if self._aside_count >= _ASIDE_REQUESTS:
                    return Lane.IN_ORDER
                self._aside_count += 1
        return method.lane

    def _handle_aside(self, payload: bytes) -> None:
        self._handle(payload)
        with self._lock:
            self._aside_count -= 1

    def _enqueue(self, payload: bytes, head: Opening | None) -> None:
        with self._lock:
            has_room = self._waiting_count < _WAITING_REQUESTS and self._waiting_bytes + len(payload) <= _WAITING_BYTES
            if has_room:
                self._waiting_count += 1
                self._waiting_bytes += len(payload)
                self._received_count += 1
        if has_room:
            self._requests.put(payload)
        else:
            self._reject(head, f"{self._waiting_count} requests of this connection are waiting already")

    def _work(self) -> None:
        while (payload := self._requests.get()) is not None:
            with self._lock:
                self._begun_count += 1
            self._handle(payload)
            with self._lock:
                self._waiting_count -= 1
                self._waiting_bytes -= len(payload)
                if threading.get_ident() in self._retired:
                    self._retired.remove(threading.get_ident())
                    return
        self._fail_calls()  # after the outbox was closed, so that none comes later

    def _fail_calls(self) -> None:
        lost = ConnectionLost("The connection was closed; the answer will not come. Connect again.")
        for uid in list(self.callmanager.callbacks):
            _, errback = self.callmanager.callbacks.pop(uid, (None, None))
            if errback is not None:
                errback(lost)

    def _handle(self, payload: bytes) -> None:
        try:
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
        return [(Symbol(method.name), None, inspect.getdoc(method.function) or "") for method in self.methods.values()]

    def _answer(self, uid: object, function: Callable[..., object], *arguments: Any) -> None:
        """Send exactly one answer, whatever `function` returns or raises."""
        try:
            value = function(*arguments)
        except MidflightError as error:
            self._put_error(uid, str(error))
            return
        except BaseException as error:
            # SystemExit and the like included: code of the user's runs in here, and a worker that ended would
            # leave this request and all later ones without an answer.
            _log.error("a request failed", exc_info=True)
            self._put_error(uid, f"{type(error).__name__}: {error}")
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
        """Hand the answer to one of our own calls to whoever waits for it."""
        value = message.arguments[0] if message.arguments else None
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

    def _put_error(self, uid: object, text: str, kind: str = "return-error") -> None:
        self._put(encode(kind, uid, text[:_ERROR_CHARACTERS]))

    def _put(self, frame: bytes) -> None:
        try:
            self.outbox.put(frame)
        except ConnectionLost as error:
            # Nobody is left to be told.
            _log.debug("an answer was lost: %s", error)

    def _send(self, kind: str, uid: object, *values: object) -> None:
        """Send what `epc`'s call manager composes; the name in a call comes first."""
        if kind == "call":
            values = (Symbol(values[0]), *values[1:])
        self.outbox.put(encode(kind, uid, *values))
