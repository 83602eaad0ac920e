"""Completion: the names that a beginning of a name can become. Runs no user code; see safe_look.py."""

from __future__ import annotations

import builtins
import keyword
import sys
from dataclasses import dataclass
from inspect import Parameter
from types import ModuleType

from midflight.introspect.cursor import Written, read_written
from midflight.introspect.loaded import module_names
from midflight.introspect.safe_look import (
    Found,
    Instance,
    find_member,
    is_a,
    kind_of,
    members_of,
    short_text,
    version_number,
)
from midflight.introspect.scopes import Scope, owner_in, resolve
from midflight.introspect.signatures import parameters_of, signature_text

__all__ = ["Candidate", "Completion", "complete"]

MOST = 500  # candidates: nobody reads more, and a frame has its limit


@dataclass(frozen=True, slots=True)
class Candidate:
    """A name to choose. `detail` is its signature or its value in short; `version` is that of its module."""

    name: str
    kind: str
    detail: str = ""
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """The completions of `written`, the beginning of a name, sorted; `is_whole` unless there were too many to send."""

    written: str
    candidates: tuple[Candidate, ...]
    is_whole: bool = True


def complete(scope: Scope, text: str) -> Completion:
    """Return the completions of the name at the end of `text`, the beginning of a statement."""
    written = read_written(text)
    if written.is_text:
        return Completion("", ())
    if written.imports_from is not None:
        prefix, candidates = _imports(written, written.imports_from)
    elif written.owner is not None:
        prefix, candidates = written.last, _attributes(scope, written.owner, written.last)
    else:
        prefix, candidates = written.last, [*_keywords(scope, written), *_names(scope, written.last)]
    return Completion(prefix, tuple(candidates[:MOST]), len(candidates) <= MOST)


def _is_wanted(name: str, prefix: str) -> bool:
    return name.startswith(prefix) and (prefix.startswith("_") or not name.startswith("_"))


def _candidate(name: str, found: Found | None) -> Candidate:
    if found is None:
        return Candidate(name, "name")
    kind, value = kind_of(found), found.value
    detail = signature_text(found)
    if not detail and type(value) is not Instance and kind not in ("module", "class", "property"):
        detail = short_text(value)
    return Candidate(name, kind, detail, version_number(value))


def _members(owner: object, prefix: str) -> list[Candidate]:
    names = sorted(name for name in members_of(owner) if _is_wanted(name, prefix) and name.isidentifier())
    return [_candidate(name, find_member(owner, name)) for name in names[: MOST + 1]]


def _attributes(scope: Scope, owner: str, prefix: str) -> list[Candidate]:
    found = resolve(scope, owner)
    if found is None:
        return []
    return _members(owner_in(found), prefix)


def _names(scope: Scope, prefix: str) -> list[Candidate]:
    candidates = []
    for name in sorted(name for name in scope.names() if _is_wanted(name, prefix))[: MOST + 1]:
        found = scope.find(name)
        if keyword.iskeyword(name):
            candidates.append(Candidate(name, "keyword"))
        elif found is not None and name in vars(builtins) and found.value is vars(builtins)[name]:
            candidates.append(Candidate(name, "builtin"))  # a hundred and fifty signatures that everybody knows
        else:
            candidates.append(_candidate(name, found))
    return candidates


def _keywords(scope: Scope, written: Written) -> list[Candidate]:
    """Return the parameters of the call being written, as keywords."""
    call = written.call
    found = resolve(scope, call.callee) if call is not None and call.is_argument_start else None
    if found is None:
        return []
    texts, which, _ = parameters_of(found)
    return [
        Candidate(f"{each.name}=", "parameter", text)
        for text, each in zip(texts, which, strict=True)
        if each is not None
        and each.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
        and each.name.startswith(written.last)
    ]


def _imports(written: Written, source: str) -> tuple[str, list[Candidate]]:
    """Return the completions of an import statement: names of `source`, or modules for an empty one."""
    if source:
        module = sys.modules.get(source)
        if module is None or not is_a(module, ModuleType):
            return written.last, []
        return written.last, _members(module, written.last)
    package, dot, last = written.last.rpartition(".")
    loaded = set(module_names())
    names = {
        name[len(package) + len(dot) :].partition(".")[0]
        for name in list(sys.modules)
        if name.startswith(package + dot) and (name in loaded or not name.startswith("_"))
    }
    wanted = sorted(name for name in names if _is_wanted(name, last) and name)
    return last, [_candidate(name, _module(f"{package}{dot}{name}")) for name in wanted]


def _module(name: str) -> Found | None:
    module = sys.modules.get(name)
    return None if module is None else Found(module)
