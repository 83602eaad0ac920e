"""Methods about the meaning of names in the running system: completion, signatures, documentation, definitions.

They run no user code, and they overtake: an evaluation that never ends does not hold them up.

(call 9 look/complete (1 "counter.lo"))
(return 9 (:written "lo" :whole t :candidates (("loop" "async function" "(total)" 2))))
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict
from itertools import islice

from midflight.epc.method import Lane, Method
from midflight.epc.methods.arguments import absolute_path, number, text
from midflight.errors import RequestError
from midflight.introspect import (
    ModuleScope,
    Named,
    Scope,
    apropos,
    call_tip,
    complete,
    definition_of,
    doc_of,
    last_expression,
    module_of_file,
    names_of,
    references_of,
    target_of,
    usable_names,
)
from midflight.shell import Session

__all__ = ["LookMethods"]

Plist = dict[str, object]

_REFERENCES = 1000
_NAMES = 2000


class LookMethods:
    """Questions about names, in a shell of this connection or in a file."""

    def __init__(self, find_session: Callable[[object], Session]) -> None:
        self._find_session = find_session

    def methods(self) -> tuple[Method, ...]:
        """Return the methods."""
        return (
            Method("look/complete", self.complete, Lane.ASIDE),
            Method("look/signature", self.signature, Lane.ASIDE),
            Method("look/doc", self.doc, Lane.ASIDE),
            Method("look/definition", self.definition, Lane.ASIDE),
            Method("look/references", self.references, Lane.ASIDE),
            Method("look/expression", self.expression, Lane.ASIDE),
            Method("look/modules", self.modules, Lane.ASIDE),
            Method("look/names", self.names, Lane.ASIDE),
            Method("look/apropos", self.apropos, Lane.ASIDE),
        )

    def scope(self, where: object, inside: object = None) -> Scope:
        """Return the scope of WHERE: a shell's number, a file's absolute path with the name of the definition around
        the place, or nil for the loaded modules alone.

        Raises: RequestError for anything else.
        """
        if where is None:
            return ModuleScope(None)
        if isinstance(where, str):
            module = module_of_file(absolute_path(where, "WHERE"))
            return ModuleScope(module, "" if inside is None else text(inside, "INSIDE"))
        return self._find_session(number(where, "WHERE")).scope

    def complete(self, where: object, before: object, inside: object = None) -> Plist:
        """Return the completions of the name at the end of BEFORE, the beginning of a statement."""
        found = complete(self.scope(where, inside), text(before, "BEFORE"))
        return {
            "written": found.written,
            "whole": found.is_whole,
            "candidates": [[each.name, each.kind, each.detail, each.version] for each in found.candidates],
        }

    def signature(self, where: object, before: object, inside: object = None) -> Plist | None:
        """Return how the call is made that stands open at the end of BEFORE; nil if there is none that is known."""
        tip = call_tip(self.scope(where, inside), text(before, "BEFORE"))
        return None if tip is None else asdict(tip) | {"parameters": list(tip.parameters)}

    def doc(self, where: object, expression: object, inside: object = None) -> Plist | None:
        """Return the documentation of the object that EXPRESSION means; nil if only evaluation would tell."""
        scope = self.scope(where, inside)
        found = doc_of(scope, text(expression, "EXPRESSION"))
        if found is None:
            return None
        return asdict(found) | {"definition": self.definition(where, expression, inside)}

    def definition(self, where: object, expression: object, inside: object = None) -> Plist | None:
        """Return where that is defined which EXPRESSION means; nil if it is not known, or in no file."""
        target = target_of(self.scope(where, inside), text(expression, "EXPRESSION"))
        definition = None if target is None else definition_of(target)
        return None if definition is None else asdict(definition)

    def references(self, where: object, expression: object, inside: object = None) -> Plist | None:
        """Return the first 1000 uses in loaded modules of the object that EXPRESSION means; nil if unknown."""
        target = target_of(self.scope(where, inside), text(expression, "EXPRESSION"))
        if target is None:
            return None
        found = list(islice(references_of(target), _REFERENCES))
        return {
            "module": target.module,
            "name": target.name,
            "references": [asdict(each) | {"pids": list(each.pids)} for each in found],
        }

    def expression(self, before: object) -> str | None:
        """Return the longest expression at the end of BEFORE, the beginning of a statement; nil if there is none."""
        return last_expression(text(before, "BEFORE"))

    def modules(self) -> list[str]:
        """Return the names of the modules of the project that are loaded or imported, sorted."""
        return usable_names()

    def names(self, module: object) -> list[Plist]:
        """Return the names that MODULE, a name or the path of a file, has of its own, members of its classes too.

        Raises: RequestError if it is not loaded.
        """
        given = text(module, "MODULE")
        name = module_of_file(given) if os.path.isabs(given) else given
        if name not in usable_names():
            raise RequestError(f"{given} is not loaded, so it has no names yet; nothing was done. Load it first.")
        return [_named(each) for each in islice(names_of(name), _NAMES)]

    def apropos(self, words: object) -> list[Plist]:
        """Return the first 2000 names of the modules of the project in which each of WORDS, one text, occurs."""
        return [_named(each) for each in islice(apropos(text(words, "WORDS")), _NAMES)]


def _named(found: Named) -> Plist:
    return asdict(found)
