"""`live`: a callable that always calls the current version of a function, class or application.

A router, a signal or a timer keeps the function object that it was given. Given `live(f)`, it keeps this one, which
looks the name up at each call. A call that has begun, a generator or a connection too, ends in the version that it
began in.

Laws:
1. It is of the kind of what it was made for (plain, `async def`, generator), as frameworks look at that once.
2. There is one live callable for a name, so what was registered by `live(f)` is found again by `live(f)`.
"""

from __future__ import annotations

import ast
import functools
import sys
import weakref
from collections.abc import Iterator
from types import FunctionType, MethodType, ModuleType
from typing import Any

from midflight.code.held.live_callable import MADE, is_live, live_callable, refresh
from midflight.code.identity.current import current
from midflight.code.source.bindings import Bindings
from midflight.code.version.facade import Namespace
from midflight.code.version.modules import all_modules, known
from midflight.parsing import module_or_none

__all__ = ["live", "refresh_live"]

_all: weakref.WeakValueDictionary[tuple[str, str], Any] = weakref.WeakValueDictionary()


def live(function: Any) -> Any:
    """Return a callable that always calls the current version of `function`, with its signature and of its kind.

    `function` is a function, class, method or any callable object that a module binds to a name; as a text it is that
    name, "shop:app". As a decorator it makes the name itself such a callable. For an ASGI or WSGI application it is an
    application: each request goes to the current one, a lifespan and a connection end where they began, and
    what a lifespan has put into `app.state` is carried to the application that takes the place of the one before.

    Raises: LookupError if no module binds it, or more than one does and none of those by a statement of its own; at a
    call, if the name is gone; TypeError for what cannot be called.
    OTP: fun m:f/1, which is looked up at each call.

    Example:

        code.load("desk", "def price(): return 2")
        price = code.live(desk.price)
        code.load("desk", "def price(count=1): return 3 * count")
        price(), price(2), price is code.live(desk.price)  # -> (3, 6, True)
    """
    if isinstance(function, str):
        module, name = _split(function)
        return _live_name(module, name, _found(module, name))
    if not callable(function):
        raise TypeError(f"live takes something that can be called, not {function!r}; nothing was made")
    if is_live(function):
        return function
    address = _address(function, sys._getframe(1).f_globals)
    if address is None:
        current(function)  # raises, if it has no newest version
        return live_callable(function, functools.partial(current, function), "")
    return _live_name(*address, function)


def refresh_live(module: str) -> Iterator[str]:
    """Show of the live callables of a module what their current versions are like; yield what users have to know."""
    for (owner, name), found in list(_all.items()):
        if owner == module and (problem := refresh(found)) is not None:
            yield f"live({name}): {problem}"


def _live_name(module: str, name: str, function: Any) -> Any:
    key = module, name
    found = _all.get(key)
    if found is None:
        found = _all[key] = live_callable(function, functools.partial(_found, module, name), f"{module}:{name}")
    return found


def _split(text: str) -> tuple[str, str]:
    module, colon, name = text.partition(":")
    if not colon or not module or not name:
        raise LookupError(f"{text!r} names nothing; write the module and the name in it: 'shop:app'")
    return module, name


def _found(module: str, name: str) -> Any:
    """Return the object that the name of a module means now, without a `@live` before it. Raises: LookupError."""
    found: Any = sys.modules.get(module)
    if found is None:
        raise LookupError(f"there is no module {module}, so {name} cannot be called")
    namespace: Namespace = vars(found)
    try:
        found = namespace[name]
    except KeyError:
        found = _resolve(found, module, name)
    if type(found) is FunctionType and MADE in found.__dict__:
        return namespace.get(MADE, {}).get(name, found)
    return found


def _resolve(found: Any, module: str, name: str) -> Any:
    for part in name.split("."):
        found = getattr(found, part, None)
    if found is None:
        raise LookupError(f"{module} has no {name} any more; load it with that name, or register another one")
    return found


# --- The name of an object ----------------------------------------------------------------------------------------


def _address(function: Any, caller: Namespace) -> tuple[str, str] | None:
    """Return the module and name that bind `function`; None for a method or a partial, which `current` finds.

    Raises: LookupError.
    """
    if isinstance(function, (functools.partial, MethodType)):
        return None
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", None)
    if isinstance(function, (FunctionType, type)) and isinstance(module, str) and isinstance(name, str):
        if type(function) is FunctionType and function.__globals__ is caller and "." not in name:
            if caller.get(name) is not function:  # a decorator: the name is about to be bound
                caller.setdefault(MADE, {})[name] = function
            return module, name
        if _means(module, name, function):
            return module, name
    return _bound(function, caller)


def _means(module: str, name: str, function: Any) -> bool:
    try:
        return _found(module, name) is function or current(function) is not None
    except (LookupError, AttributeError):
        return False


def _bound(function: Any, caller: Namespace) -> tuple[str, str]:
    """Return the one module and name of a module level that are bound to `function` by a statement of its own."""
    found = [(module.__name__, name) for module in _modules(caller) for name in _names_in(module, function)]
    if len(found) > 1:
        found = [each for each in found if _is_own(*each)] or found
    if not found:
        raise LookupError(f"no module binds {function!r} to a name, so it has no newest version; give it one first")
    if len(found) > 1:
        names = " and ".join(":".join(each) for each in found[:3])
        raise LookupError(f"{function!r} is {names}; nothing was made. Say which: live({':'.join(found[0])!r})")
    return found[0]


def _modules(caller: Namespace) -> list[ModuleType]:
    """Return the modules that may bind the object that a program means: the caller's, the loaded and the project's."""
    names = [str(caller.get("__name__")), *(module.name for module in all_modules()), *sys.modules]
    found = ((name, sys.modules.get(name)) for name in dict.fromkeys(names))
    return [each for name, each in found if type(each) is ModuleType or (known(name) is not None and each is not None)]


def _names_in(module: ModuleType, function: Any) -> list[str]:
    return [name for name, value in list(vars(module).items()) if value is function and not name.startswith("__")]


def _is_own(module: str, name: str) -> bool:
    """Say whether the text of a module binds the name otherwise than by an import."""
    record = known(module)
    text = record.current.text if record is not None and record.current is not None else _file_text(module)
    tree = module_or_none(text) if text is not None else None
    if tree is None or text is None:
        return False
    found = Bindings(tree, text).by_name.get(name, [])
    return any(not isinstance(each.statement, (ast.Import, ast.ImportFrom)) for each in found)


def _file_text(module: str) -> str | None:
    path = getattr(sys.modules.get(module), "__file__", None)
    try:
        with open(path or "", encoding="utf-8") as stream:
            return stream.read()
    except (OSError, ValueError):
        return None
