"""Methods for an inspector: a value as a page, and the way into its parts. The values belong to one connection.

User code (an expression, a property, a `__repr__`) runs as a process of its own, with a time
limit; these methods overtake, so an evaluation of the shell holds none of them up.

(call 8 inspect/open (1 "pid"))
(return 8 (:value 1 :type "Pid" :text "<0.37.0>" :pid "<0.37.0>" :parts (...) :start 0 :total 3 ...))
"""

from __future__ import annotations

import keyword
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from midflight.epc.method import Lane, Method
from midflight.epc.methods.arguments import find_pid, number, text
from midflight.epc.methods.store import live_store
from midflight.epc.server import ServerConnection
from midflight.epc.services import Services
from midflight.errors import RequestError
from midflight.introspect import (
    InspectorTable,
    Page,
    Scope,
    definition_of,
    is_there,
    page_of,
    part_of,
    resolve,
    target_of_value,
)
from midflight.observer import evaluate, run_aside, server_in
from midflight.shell import Session

__all__ = ["InspectMethods"]

Plist = dict[str, object]


class InspectMethods:
    """The values that one connection looks at."""

    def __init__(
        self,
        services: Services,
        connection: ServerConnection,
        scope: Callable[[object, object], Scope],
        find_session: Callable[[object], Session],
    ) -> None:
        self._services = services
        self._scheduler = services.scheduler
        self._log = services.log
        self._scope = scope
        self._find_session = find_session
        self._table = InspectorTable()
        connection.at_close(self._table.clear)

    def methods(self) -> tuple[Method, ...]:
        """Return the methods."""
        return (
            Method("inspect/open", self.open, Lane.ASIDE),
            Method("inspect/state", self.state, Lane.ASIDE),
            Method("inspect/stored", self.stored, Lane.ASIDE),
            Method("inspect/page", self.page, Lane.ASIDE),
            Method("inspect/part", self.part, Lane.ASIDE),
            Method("inspect/bind", self.bind, Lane.ASIDE),
            Method("inspect/definition", self.definition, Lane.ASIDE),
            Method("inspect/close", self.close, Lane.ASIDE),
        )

    def open(self, where: object, expression: object, inside: object = None) -> Plist:
        """Inspect the value of EXPRESSION in WHERE. A name or a chain of names is looked up; else it is evaluated.

        Raises: RequestError if it is not an expression, raises, or takes too long.
        """
        scope, source = self._scope(where, inside), text(expression, "EXPRESSION")
        found = resolve(scope, source)
        if found is not None and is_there(found):
            value, is_owned = found.value, False
        else:
            value, is_owned = evaluate(self._scheduler, source, scope.globals(), sink=self._log), True
        return self._shown(value, self._table.add(value, is_owned=is_owned))

    def state(self, pid: object) -> Plist:
        """Inspect the object that holds the state of the server PID, as it is now."""
        target = find_pid(self._scheduler, pid)
        server = server_in(target.process, target)
        return self._shown(server, self._table.add(server))

    def stored(self, name: object, earlier: object = None) -> Plist:
        """Inspect the attributes of the server NAME as the store has them, or those of its earlier state EARLIER."""
        which = None if earlier is None else number(earlier, "EARLIER")
        found = live_store(self._services).attributes(text(name, "NAME"), which)
        return self._shown(found, self._table.add(found))

    def page(self, value: object, start: object = 0) -> Plist:
        """Return the page of VALUE, a number, from part START on."""
        key = number(value, "VALUE")
        return self._shown(self._table.get(key), key, number(start, "START"))

    def part(self, value: object, index: object) -> Plist:
        """Inspect part INDEX of VALUE: a new value with a number of its own."""
        owner, which = self._table.get(number(value, "VALUE")), number(index, "INDEX")

        async def find() -> tuple[Any, bool]:
            return part_of(owner, which)

        found, is_owned = run_aside(self._scheduler, find, "The look into it", sink=self._log)
        return self._shown(found, self._table.add(found, is_owned=is_owned))

    def bind(self, value: object, session: object, name: object) -> bool:
        """Let inputs of the shell SESSION know VALUE as NAME."""
        found, chosen = self._table.get(number(value, "VALUE")), text(name, "NAME")
        if not chosen.isidentifier() or keyword.iskeyword(chosen):
            raise RequestError(f"{chosen!r} is no name in Python; nothing was bound. Choose one like x.")
        self._find_session(session).bindings.namespace[chosen] = found
        return True

    def definition(self, value: object) -> Plist | None:
        """Return where VALUE is defined, or its class; nil if that is in no file."""
        target = target_of_value(self._table.get(number(value, "VALUE")))
        definition = None if target is None else definition_of(target)
        return None if definition is None else asdict(definition)

    def close(self, values: object) -> bool:
        """Forget VALUES, a list of numbers."""
        if not isinstance(values, list | None):
            raise RequestError(f"VALUES must be a list of numbers, received {values!r}; nothing was done. Send a list.")
        self._table.drop(number(each, "VALUES") for each in values or [])
        return True

    def _shown(self, value: Any, key: int, start: int = 0) -> Plist:
        async def look() -> Page:
            return await page_of(value, start)

        page = run_aside(self._scheduler, look, "The look at it", sink=self._log)
        return asdict(page) | {"value": key, "parts": [asdict(part) for part in page.parts]}
