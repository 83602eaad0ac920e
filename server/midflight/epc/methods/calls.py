"""Methods about the calls of one function.

    (call 5 trace/calls ("shop.price" (:arguments "('tea', ...)" :returns t :most 10 :rate 100)))
    (return 5 1)
    (call 1 trace/events (1 ((:at 1800000000.25 :kind "called" :text "price(what='tea', count=2)" :pid "<0.37.0>"
                              :name "till" :module "shop" :version 3)) 0))

A trace belongs to the connection that started it, and ends with it. Its number is never one of trace/start's.
"""

from __future__ import annotations

import threading
from functools import partial
from itertools import count
from typing import Any

from midflight.epc.feed import TraceFeed
from midflight.epc.method import Method
from midflight.epc.methods.arguments import keywords, number, text
from midflight.epc.server import ServerConnection
from midflight.epc.services import Services
from midflight.errors import RequestError
from midflight.observer import CallEvent, CallTrace, function_named
from midflight.parsing import UNPARSABLE, parse_expression

__all__ = ["CallMethods"]

Plist = dict[str, object]

_OPTIONS = ("arguments", "returns", "most", "rate")
_MOST = 10_000
_DEFAULT = 100
_BEGIN_SECONDS = 5.0
_FIRST = 1_000_000


class CallMethods:
    """The traces of calls of one connection."""

    def __init__(self, services: Services, connection: ServerConnection) -> None:
        self._scheduler = services.scheduler
        self._connection = connection
        self._traces: dict[int, tuple[CallTrace, TraceFeed]] = {}
        self._numbers = count(_FIRST)
        self._lock = threading.Lock()

    def methods(self) -> tuple[Method, ...]:
        """Return the methods."""
        return (Method("trace/calls", self.calls), Method("trace/stop-calls", self.stop))

    def calls(self, function: object, options: object = None) -> int:
        """Begin a trace of the calls of FUNCTION, MODULE.NAME or MODULE.CLASS.METHOD; return its number.

        OPTIONS: `:arguments`, a pattern in Python for the tuple of the parameters' values; `:returns`, to be told of
        values and exceptions; `:most` calls (100), and `:rate`, calls a second (100), after which it ends by itself.
        Raises: NotFound if there is no such function; RequestError for anything else that is wrong.
        """
        chosen = keywords(options, _OPTIONS)
        module, name, namespace = function_named(text(function, "FUNCTION"))
        trace = CallTrace(
            self._scheduler,
            module,
            name,
            arguments=None if chosen.get("arguments") is None else _pattern(chosen["arguments"], namespace),
            returns=bool(chosen.get("returns")),
            most=_limit(chosen, "most"),
            rate=_limit(chosen, "rate"),
            on_event=lambda: feed.wake(),
        )
        key = next(self._numbers)
        feed = TraceFeed(self._connection, key, lambda events: [_event(each) for each in events])
        feed.open(trace)
        try:
            self._scheduler.call_threadsafe(trace.begin).result(_BEGIN_SECONDS)
        except (RuntimeError, TimeoutError) as error:
            feed.close()
            self._scheduler.on_own_thread(trace.end)
            why = str(error) or "the runtime has not come to it: see midflight ps for a process that does not yield"
            raise RequestError(f"{function} is not traced: {why}. End that, and try again.") from None
        with self._lock:
            self._traces[key] = trace, feed
        self._connection.at_close(partial(self._end, key))
        return key

    def stop(self, trace: object) -> bool:
        """End TRACE; nil if it is not known."""
        return self._end(number(trace, "TRACE"))

    def _end(self, key: int) -> bool:
        with self._lock:
            found = self._traces.pop(key, None)
        if found is None:
            return False
        found[1].close()
        self._scheduler.on_own_thread(found[0].end)
        return True


def _limit(chosen: Plist, name: str) -> int:
    value = _DEFAULT if chosen.get(name) is None else number(chosen[name], f":{name}")
    if not 1 <= value <= _MOST:
        raise RequestError(
            f"The most calls, and those a second, are 1 to {_MOST:,}, received {value}; nothing is traced."
        )
    return value


def _pattern(value: object, namespace: dict[str, Any]) -> object:
    """Return the value of a pattern, an expression in the names of the function's module. Raises: RequestError."""
    source = text(value, ":arguments").strip()
    try:
        parse_expression(source)
        found = eval(source, dict(namespace))
    except UNPARSABLE as error:
        raise RequestError(f"The pattern {source!r} is not a Python expression ({error}); nothing is traced.") from None
    except Exception as error:
        raise RequestError(f"The pattern {source!r} raised {error!r}; nothing is traced. Mend it.") from None
    return found if type(found) is tuple else (found,)


def _event(event: object) -> Plist:
    assert isinstance(event, CallEvent)
    plist: Plist = {"at": round(event.at, 6), "kind": event.kind, "text": event.text}
    named = {"name": event.name, "module": event.module, "version": event.version}
    plist |= {key: value for key, value in named.items() if value is not None}
    return plist | ({} if event.pid is None else {"pid": repr(event.pid)})
