"""Methods that load modules and change the states of their live servers with them.

(call 4 code/upgrade-many (("till" "ledger") (:dry-run t)))
(return 4 (:status "dry-run" :summary "2 modules would load: till v2, ledger v4; 3 servers would be ..." ... ))
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from midflight.code import lowlevel
from midflight.epc.method import Method
from midflight.epc.methods.arguments import keywords, modules_of, name_or_path, number, text
from midflight.epc.methods.loading import Loading, Plist
from midflight.epc.services import Services
from midflight.errors import RequestError
from midflight.observer import evaluate

__all__ = ["UpgradeMethods"]

_MANY_OPTIONS = ("force", "dry_run", "extra", "timeout")
_OPTIONS = ("force", "dry_run", "extra", "to", "timeout")


class UpgradeMethods:
    """Upgrades, as one connection may ask for them."""

    def __init__(self, services: Services, loading: Loading) -> None:
        self._scheduler = services.scheduler
        self._names = services.names
        self._loading = loading

    def methods(self) -> tuple[Method, ...]:
        """Return the methods."""
        return (
            Method("code/upgrade", self.upgrade),
            Method("code/upgrade-many", self.upgrade_many),
        )

    def upgrade(self, module: object, source: object, options: object) -> Plist:
        """Load MODULE, a name or an absolute path, or SOURCE in its place, and change the states of its servers."""
        name = name_or_path(module, "MODULE")
        given = None if source is None else text(source, "SOURCE")
        chosen = keywords(options, _OPTIONS)
        to = None if chosen.get("to") is None else number(chosen["to"], ":to")
        if given is not None and to is not None:
            raise RequestError("SOURCE and :to exclude each other; nothing was done. Send one of them.")
        terms = self._terms(chosen)
        return self._loading.one(lambda: lowlevel.upgrade_sync(name, given, to=to, **terms))

    def upgrade_many(self, modules: object, options: object = None) -> Plist:
        """Do so with MODULES, each a name, an absolute path, or a list of a path and a text; all of it or nothing."""
        wanted = modules_of(modules)
        terms = self._terms(keywords(options, _MANY_OPTIONS))
        return self._loading.many(lambda: lowlevel.upgrade_many_sync(wanted, **terms))

    def _terms(self, chosen: Mapping[str, object]) -> dict[str, Any]:
        """Return what both are told, of the options that were chosen."""
        extra, timeout = chosen.get("extra"), chosen.get("timeout")
        terms: dict[str, Any] = {name: bool(chosen.get(name)) for name in ("force", "dry_run")}
        if timeout is not None:
            terms["timeout"] = number(timeout, ":timeout")
        if extra is not None:
            terms["extra"] = self._value_of(text(extra, ":extra"))
        return terms

    def _value_of(self, expression: str) -> object:
        """Return the value of an expression that knows the names of a shell. Raises: RequestError."""
        sink = io.StringIO()
        try:
            return evaluate(self._scheduler, expression, self._names(sink), sink=sink)
        except RequestError as error:
            raise RequestError(f":extra could not be evaluated; nothing was done.\n{error}") from None
