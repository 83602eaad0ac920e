"""Methods about breakpoints at lines: a client says all that it wants in a file, as for the DAP's `setBreakpoints`.

    (call 5 breakpoint/set ("/project/shop.py" "...the text..." ((12 nil) (20 "total > 3"))))
    (return 5 ((:number 1 :line 12 :function "loop" ...) nil))

They are the connection's, and end with it.
"""

from __future__ import annotations

from collections.abc import Callable

from midflight.asking import Asker
from midflight.epc.method import Method
from midflight.epc.methods.arguments import absolute_path, text
from midflight.epc.server import ServerConnection
from midflight.epc.services import Services
from midflight.errors import RequestError
from midflight.line_breakpoints import LineBreakpoint

__all__ = ["BreakpointMethods"]

Plist = dict[str, object]


class BreakpointMethods:
    """The breakpoints of one connection. `asks` gives who is asked if nobody has started the process."""

    def __init__(self, services: Services, connection: ServerConnection, asks: Callable[[], Asker | None]) -> None:
        self._breakpoints = services.breakpoints
        self._connection = connection
        self._asks = asks
        connection.at_close(self._end)

    def methods(self) -> tuple[Method, ...]:
        """Return the methods."""
        return (
            Method("breakpoint/set", self.set),
            Method("breakpoint/list", self.list),
            Method("breakpoint/clear", self.clear),
        )

    def set(self, path: object, source: object, lines: object) -> list[Plist | None]:
        """Have LINES, (LINE CONDITION) each, be this connection's breakpoints in the file PATH, whose text is SOURCE.

        Return a breakpoint for each of them, nil where no code is at or after the line. A CONDITION is an expression,
        or nil. Each version has them at the line that is the same by what surrounds it.
        """
        placed = self._breakpoints.place(
            absolute_path(path, "PATH"), text(source, "SOURCE"), _lines(lines), self._connection, self._asks
        )
        return [None if each is None else self._plist(each) for each in placed]

    def list(self) -> list[Plist]:
        """Return the breakpoints of all connections, by file and line; `:own` is t for those of this one."""
        return [self._plist(each) for each in self._breakpoints.all()]

    def clear(self) -> int:
        """Remove the breakpoints of this connection; return how many there were."""
        return self._breakpoints.clear(self._connection)

    def _end(self) -> None:
        self._breakpoints.clear(self._connection)

    def _plist(self, point: LineBreakpoint) -> Plist:
        return {
            "number": point.number,
            "file": point.path,
            "line": point.line,
            "function": point.function,
            "text": point.text,
            "condition": point.condition,
            "hits": point.hits,
            "own": point.owner is self._connection,
        }


def _lines(value: object) -> list[tuple[int, str | None]]:
    found: list[tuple[int, str | None]] = []
    for each in [] if value is None else value if isinstance(value, list) else [value]:
        match each:
            case [int(line), None | str() as condition] if line > 0 and not isinstance(line, bool):
                found.append((line, condition))
            case _:
                raise RequestError(
                    f"LINES must be a list of (LINE CONDITION), received {each!r}; no breakpoint was changed. "
                    "Send that."
                )
    return found
