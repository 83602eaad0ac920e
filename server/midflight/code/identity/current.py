"""`current`: a held value, looked up by its name in the current version. It is never called here.

Law: the result is the object that the name means when it is written again. A function that was wrapped in passing, and
a method that was taken from a class, have the name of another thing: those are found by who had them in their own
version.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from types import FunctionType, MethodType
from typing import Any

from midflight.code.source.look import is_class
from midflight.code.version.facade import Namespace

__all__ = ["current"]

ABSENT = object()


def current(function: Callable[..., Any]) -> Any:
    """Return the newest version of a function or class that is held as a value: the object that its name means now.

    A method is found in the newest version of the class that it was taken from: one of an object is bound to the same
    object, a class's own to the newest class. A function that another one was wrapped in is not what that one's name
    means: it has a newest version if the module binds it to a name, as in `f = retry(g)`.

    Raises: LookupError if the name is gone, or if it is a local one that nobody can look up.
    OTP: fun m:f/1, which is a name; a fun that is held is not looked up again.

    Example:

        held = shop.sell
        code.load("shop", TEXT.replace("PRICE = 2", "PRICE = 3"))
        held is shop.sell, code.current(held) is shop.sell  # -> (False, True)
    """
    if type(function) is MethodType:
        return _method(function)
    if isinstance(function, functools.partial):
        return functools.partial(current(function.func), *function.args, **function.keywords)
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", None)
    if type(function) is FunctionType or hasattr(function, "__wrapped__"):
        module, name = _address(function, module, name)
    found = sys.modules.get(module) if isinstance(module, str) else None
    if found is None or not isinstance(name, str):
        raise LookupError(f"{function!r} belongs to no module that is there, so it has no newest version")
    try:
        return _resolve(name, found)
    except AttributeError:
        raise LookupError(f"{module} has no {name} any more, or never had by that name") from None


def _resolve(name: str, found: Any) -> Any:
    for part in name.split("."):
        found = getattr(found, part)
    return found


def _method(method: MethodType) -> Any:
    function, owner = method.__func__, method.__self__
    cls = owner if is_class(owner) else type(owner)
    name = function.__name__
    try:
        newest = current(cls)
    except LookupError:  # a local one, say; the class that has the method in its text need not be
        newest = cls
    if newest is not cls and getattr(owner, name, None) == method:
        found = inspect.getattr_static(newest, name, ABSENT)
        if found is ABSENT:
            raise LookupError(f"{newest.__module__}.{newest.__qualname__} has no {name} any more")
        if owner is cls:
            return getattr(newest, name)
    else:  # the class is what it was, or a base's method was taken, by super(): what has it in its text may be newer
        found = current(function)
        if owner is cls:
            return MethodType(found.__func__, newest) if type(found) is MethodType else found
    return found.__get__(owner, type(owner)) if hasattr(found, "__get__") else found


def _address(function: Any, module: Any, name: Any) -> tuple[Any, Any]:
    """Return module and name by which `function` is to be had: its own, unless those meant another thing by it.

    Raises: LookupError if they did, and no name of a module means it.
    """
    namespaces = list(_namespaces(function))
    if not namespaces or not isinstance(name, str):
        return module, name
    meant = _meant(namespaces[-1], name)
    if getattr(meant, "__func__", meant) is function:
        return module, name
    for namespace in namespaces:
        for each, value in list(namespace.items()):
            if value is function:
                return namespace.get("__name__"), each
    if meant is ABSENT and not hasattr(function, "__wrapped__"):
        return module, name
    raise LookupError(
        f"{function!r} was made in passing: {module}.{name} is another thing, so it has no newest version"
    )


def _namespaces(function: Any) -> Iterator[Namespace]:
    """Yield the namespaces that `function`, and what is wrapped in it, were made in: its own version's comes last."""
    seen = set()
    while id(function) not in seen:
        seen.add(id(function))
        if type(function) is FunctionType:
            yield function.__globals__
        function = getattr(function, "__wrapped__", function)


def _meant(namespace: Namespace, name: str) -> Any:
    first, _, rest = name.partition(".")
    found = namespace.get(first, ABSENT)
    try:
        return found if found is ABSENT or not rest else _resolve(rest, found)
    except AttributeError:
        return ABSENT
