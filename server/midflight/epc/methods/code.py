"""Methods that change modules: load them, upgrade their servers, roll them back, move and purge their processes.

    (call 4 code/load ("/project/counter.py" nil nil))
    (return 4 (:status "loaded" :module "counter" :version 2 :path "/project/counter.py" :summary ... ))

A load that is refused is not an error of the protocol: its answer has the status "failed" and the diagnostics.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from midflight import code
from midflight.code import lowlevel
from midflight.epc.method import Lane, Method
from midflight.epc.methods.arguments import (
    absolute_path,
    flags,
    keywords,
    modules_of,
    name_or_path,
    names,
    number,
    text,
)
from midflight.epc.methods.loading import MOST_NAMES, Loading, Plist, loads_plists, moves_plist, report_plist
from midflight.epc.services import Services
from midflight.errors import RequestError
from midflight.observer import evaluate

__all__ = ["CodeMethods"]

_LOAD_OPTIONS = ("force", "two_versions", "move", "forward")
_ROLLBACK_OPTIONS = ("force", "move")
_UPGRADE_OPTIONS = ("force", "dry_run", "extra", "to", "timeout")
_UPGRADE_MANY_OPTIONS = ("force", "dry_run", "extra", "timeout")


class CodeMethods:
    """The code server, as one connection may change modules by it."""

    def __init__(self, services: Services, loading: Loading) -> None:
        self._scheduler = services.scheduler
        self._names = services.names
        self._loading = loading
        self._forwards = {"forward": services.forwards}

    def methods(self) -> tuple[Method, ...]:
        """Return the methods."""
        return (
            Method("code/load", self.load),
            Method("code/load-many", self.load_many),
            Method("code/load-modified", self.load_modified),
            Method("code/define", self.define),
            Method("code/define-region", self.define_region),
            Method("code/upgrade", self.upgrade),
            Method("code/upgrade-many", self.upgrade_many),
            Method("code/rollback", self.rollback),
            Method("code/loading", self.loading, Lane.ASIDE),
            Method("code/interrupt", self.interrupt, Lane.ASIDE),
            Method("code/move", self.move),
            Method("code/soft-purge", self.soft_purge),
            Method("code/purge", self.purge),
        )

    def load(self, path: object, source: object, options: object) -> Plist:
        """Load the file PATH, or SOURCE in its place, as a new version. Tells the other connections."""
        file = absolute_path(path, "PATH")
        given = None if source is None else text(source, "SOURCE")
        chosen = keywords(options, (*_LOAD_OPTIONS, "fresh", "thread"))
        fresh = names(chosen.pop("fresh", None), "FRESH")
        thread = chosen.pop("thread", None)
        if thread not in (None, "runtime"):
            raise RequestError(f'THREAD must be nil or "runtime", received {thread!r}; nothing was done. Send that.')
        given_options: dict[str, Any] = self._forwards | {name: bool(switch) for name, switch in chosen.items()}
        given_options |= {"fresh": fresh, "thread": thread}
        return self._loading.one(lambda: lowlevel.load_or_upgrade(file, given, **given_options))

    def load_many(self, modules: object, options: object = None) -> Plist:
        """Load MODULES, each a name, an absolute path, or a list of a path and a text, together or not at all."""
        chosen = keywords(options, (*_LOAD_OPTIONS, "fresh"))
        fresh = names(chosen.pop("fresh", None), "FRESH")
        given: dict[str, Any] = {name: bool(switch) for name, switch in (self._forwards | chosen).items()}
        given["fresh"] = fresh
        wanted = modules_of(modules)
        try:
            return self._loading.many(lambda: lowlevel.load_or_upgrade_many(wanted, **given))
        except ValueError as error:
            raise RequestError(f"{error}.") from None

    def load_modified(self, options: object = None) -> Plist:
        """Load all loaded modules whose file differs from the running text, together or not at all."""
        switches: dict[str, Any] = self._forwards | flags(options, _LOAD_OPTIONS)
        plist = self._loading.many(lambda: lowlevel.load_or_upgrade_many(code.modified_modules(), **switches))
        missing = [str(each) for each in code.missing_modules()]
        if not missing:
            return plist
        summary = "; ".join([str(plist["summary"]), *missing])
        return plist | {"summary": summary, "text": "\n".join([str(plist["text"]).rstrip("\n"), *missing]) + "\n"}

    def define(self, path: object, source: object, line: object, method: object) -> Plist:
        """Load the definition around LINE of SOURCE into what runs of the file PATH; with METHOD that method alone."""
        file, given, at = absolute_path(path, "PATH"), text(source, "SOURCE"), number(line, "LINE")
        try:
            found = self._loading.as_loader(lambda: lowlevel.load_definition(file, given, at, is_method=bool(method)))
        except lowlevel.NoDefinition as error:
            raise RequestError(f"{error}; nothing was loaded.") from None
        return self._defined(found)

    def define_region(self, path: object, source: object, first: object, last: object) -> Plist:
        """Load the statements on the lines FIRST to LAST of SOURCE that bind names into what runs of the file PATH.

        The answer has what is left of these lines, to be evaluated, as `:rest`; nothing else if no definition is there.
        """
        file, given = absolute_path(path, "PATH"), text(source, "SOURCE")
        begin, end = number(first, "FIRST"), number(last, "LAST")
        try:
            found, rest = self._loading.as_loader(lambda: lowlevel.load_definitions(file, given, begin, end))
        except lowlevel.NoDefinition as error:
            raise RequestError(f"{error}; nothing was loaded.") from None
        return {"rest": rest} if found is None else self._defined(found) | {"rest": rest}

    def _defined(self, found: lowlevel.Defined) -> Plist:
        self._loading.note_holders(found.report)
        plist = report_plist(found.report)
        self._loading.tell([plist])
        return plist | {
            "summary": found.summary,
            "definition": found.name,
            "left_out": list(found.left_out or ())[:MOST_NAMES],
        }

    def upgrade(self, module: object, source: object, options: object) -> Plist:
        """Load MODULE, a name or an absolute path, or SOURCE in its place, and change the states of its servers."""
        name = name_or_path(module, "MODULE")
        given = None if source is None else text(source, "SOURCE")
        chosen = keywords(options, _UPGRADE_OPTIONS)
        to = None if chosen.get("to") is None else number(chosen["to"], ":to")
        if given is not None and to is not None:
            raise RequestError("SOURCE and :to exclude each other; nothing was done. Send one of them.")
        terms = self._terms(chosen)
        return self._loading.one(lambda: lowlevel.upgrade_sync(name, given, to=to, **terms))

    def upgrade_many(self, modules: object, options: object = None) -> Plist:
        """Do so with MODULES, each a name, an absolute path, or a list of a path and a text; all of it or nothing."""
        wanted = modules_of(modules)
        terms = self._terms(keywords(options, _UPGRADE_MANY_OPTIONS))
        return self._loading.many(lambda: lowlevel.upgrade_many_sync(wanted, **terms))

    def _terms(self, chosen: Mapping[str, object]) -> dict[str, Any]:
        """Return the terms of an upgrade by the chosen options."""
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

    def rollback(self, module: object, version: object, options: object = None) -> Plist:
        """Load the text of an earlier VERSION (nil: the one before the current) of MODULE as a new one."""
        name = text(module, "MODULE")
        to = None if version is None else number(version, "VERSION")
        switches = flags(options, _ROLLBACK_OPTIONS)
        return self._loading.one(lambda: code.rollback(name, to, **switches))

    def loading(self) -> list[Plist]:
        """Return the loads under way, of all clients, and those given up whose threads run on, oldest first."""
        return loads_plists()

    def interrupt(self, load: object = None) -> list[Plist]:
        """Break off the load of number LOAD; nil: all of this connection; t: of these, those that have begun.

        `:outcome` of each is "ended", "given-up" if its body runs on, or "late" if it was current before.
        """
        if load is None or load is True:
            return self._loading.break_off_own(is_begun=load is True)
        return self._loading.break_off(number(load, "LOAD"))

    def move(self, module: object) -> Plist:
        """Move the idle processes in old versions of MODULE to the current one; say of each of the others why not."""
        report = code.move(text(module, "MODULE"))
        said = {"summary": code.summary(report), "text": code.text(report)}
        return {"module": report.module, "version": report.version} | said | moves_plist(report)

    def soft_purge(self, module: object) -> bool:
        """Drop the old versions of MODULE if nobody runs them; say whether they are gone."""
        return code.soft_purge(text(module, "MODULE"))

    def purge(self, module: object) -> list[str]:
        """Drop the old versions of MODULE, killing the processes that run them; return their pids."""
        return [repr(pid) for pid in code.purge(text(module, "MODULE"))]
