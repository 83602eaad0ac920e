"""The class of a server in another version, and its `code_change`. Looks only, and runs nothing.

A class of servers is known by its having a `code_change`; that of the behaviours themselves does nothing, and does not
count as one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import FunctionType
from typing import Any

from midflight.code.source.definitions import definitions_of
from midflight.code.source.look import is_class, is_from
from midflight.code.version.facade import Namespace
from midflight.code.version.modules import known
from midflight.code.version.version import Version, version_of

__all__ = [
    "CALLBACK",
    "age_of",
    "class_in",
    "definer_of",
    "has_code_change",
    "has_renewal",
    "is_news",
    "newest_version_with",
]

CALLBACK = "code_change"


def class_in(namespace: Namespace, name: str) -> type[Any] | None:
    """Return the class of servers with the qualified name `name`; None if there is none."""
    first, *rest = name.split(".")
    found: Any = namespace.get(first)
    for part in rest:
        found = getattr(found, part, None)
    return found if is_class(found) and hasattr(found, CALLBACK) else None


def has_code_change(cls: type[Any]) -> bool:
    """Say whether the class, or one that it is made of, defines a `code_change`."""
    return definer_of(cls) is not None


def has_renewal(cls: type[Any], old: type[Any]) -> bool:
    """Say whether servers of the class `old`, which become those of `cls`, have a part to renew.

    So it is if `cls` has an `init` of the program's own, or other values of the attributes that `renewed_by` names.
    """
    if not hasattr(cls, "renew"):
        return False
    if definer_of(cls, "init") is not None:
        return True
    return any(getattr(cls, each, None) != getattr(old, each, None) for each in getattr(cls, "renewed_by", ()))


def definer_of(cls: type[Any], callback: str = CALLBACK) -> type[Any] | None:
    """Return the class of the program's own that has `callback` in its text; None if none has."""
    base = next((base for base in cls.__mro__ if callback in vars(base)), None)
    return None if base is None or is_from("midflight", base) else base


def newest_version_with(cls: type[Any]) -> Version | None:
    """Return the newest version that has `cls`, else the version that made it; None if neither is known."""
    record = known(cls.__module__)
    versions = [] if record is None else sorted(record.versions.items(), reverse=True)
    for _, version in versions:
        namespace = version.namespace
        if namespace is not None and class_in(namespace, cls.__qualname__) is cls:
            return version
    return next((version for version in _versions_of_functions(cls) if version.name == cls.__module__), None)


def _versions_of_functions(cls: type[Any]) -> Iterator[Version]:
    for value in list(vars(cls).values()):
        version = version_of(value.__globals__) if type(value) is FunctionType else None
        if version is not None:
            yield version


def age_of(version: Version) -> int:
    """Return the number of the first version with the same text: a rollback is as old as what it goes back to."""
    record = known(version.name)
    versions = {} if record is None or not version.digest else dict(record.versions)
    same = [number for number, each in versions.items() if each.digest == version.digest]
    return min([version.number, *same])


def is_news(cls: type[Any], making: Mapping[str, Version], old: type[Any]) -> bool:
    """Say whether the `code_change` of `cls` has something to do for an object of the class `old`.

    It has if it was not there, or was another one; or if a module says by its `__vsn__` that its states are others:
    that of the class, or the one of whose class it inherits the `code_change`.
    `making` are the versions in the making, by the names of their modules; that of `cls` is among them.
    """
    definer, before = definer_of(cls), definer_of(old)
    if definer is None:
        return False
    if before is None or _is_other_vsn(making.get(old.__module__), newest_version_with(old)):
        return True
    is_there_still = definer.__module__ == before.__module__
    if is_there_still and _is_other_vsn(_newest_of(definer, making), newest_version_with(before)):
        return True
    if vars(before)[CALLBACK] is vars(definer)[CALLBACK]:
        return False
    said = _definition(definer, _newest_of(definer, making))
    return said is None or said != _definition(before, newest_version_with(before))


def _newest_of(cls: type[Any], making: Mapping[str, Version]) -> Version | None:
    """Return the version in the making if it has `cls`, else the newest one that does."""
    version = making.get(cls.__module__)
    namespace = None if version is None else version.namespace
    if namespace is not None and class_in(namespace, cls.__qualname__) is cls:
        return version
    return newest_version_with(cls)


def _is_other_vsn(new: Version | None, old: Version | None) -> bool:
    return _explicit_vsn(new) is not None and _explicit_vsn(new) != _explicit_vsn(old)


def _explicit_vsn(version: Version | None) -> object:
    return None if version is None or version.vsn == version.digest else version.vsn


def _definition(cls: type[Any], version: Version | None) -> str | None:
    """Return the definition of the callback of `cls` in the text of `version`, without its layout."""
    text = None if version is None else version.text
    return None if text is None else definitions_of(text).get(f"{cls.__qualname__}.{CALLBACK}")
