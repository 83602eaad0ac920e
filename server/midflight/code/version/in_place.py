"""`Renewal`: a function object gets the code and the namespace of another version, and stays the same object.

So whatever holds it, in a list, a weak reference or C, calls the new code, and bound methods that were made before
equal those that are made after.

Laws:
1. A frame borrows its globals from its function (CPython 3.11 and later), so a dictionary that a function had must live
   as long as a frame that was begun with it. Such a frame holds its code object. A hold keeps the dictionary as long
   as that code object lives, so each code object is given to one function with one dictionary.
2. Code and dictionary cannot be exchanged in one step, and another thread may call the function between the two. A call
   in that moment runs a code object of its own, whose hold keeps both dictionaries.
3. A code object may die while its last frame is being taken apart. No Python code runs at that moment: what it held is
   laid aside, and goes when the next renewal is done or the garbage collector next starts.
"""

from __future__ import annotations

import ctypes
import gc
import weakref
from types import CodeType, FunctionType
from typing import Any

from midflight.code.version.facade import Namespace

__all__ = ["FORWARDED", "WEAKLY_HELD", "Renewal", "borrowed"]

FORWARDED = "__midflight_forwarded__"  # in a namespace: functions that came to it from an older one, each with its name
WEAKLY_HELD = "__midflight_weakly_held__"  # in a namespace: older functions that others have by weak references only

_increase = ctypes.pythonapi["Py_IncRef"]  # by item: nobody else sets its types
_increase.argtypes, _increase.restype = (ctypes.py_object,), None
_decrease = ctypes.pythonapi["Py_DecRef"]
_decrease.argtypes, _decrease.restype = (ctypes.py_object,), None

_WORD = ctypes.sizeof(ctypes.c_void_p)


def _offset_of_globals() -> int:
    """Return where in a function object the pointer to its globals is, in bytes. Raises: ImportError."""

    def probe() -> None: ...

    for index in range(1, 8):
        if ctypes.c_void_p.from_address(id(probe) + index * _WORD).value == id(probe.__globals__):
            return index * _WORD
    raise ImportError(
        "this Python keeps the globals of a function elsewhere than CPython 3.11 to 3.14; use one of those"
    )


_OFFSET = _offset_of_globals()


class _Hold(weakref.ref[CodeType]):
    """A weak reference to a code object, which keeps dictionaries as long as that lives."""

    __slots__ = ("namespaces",)
    # By identity, and in C: equal code objects are not one, and law 3 wants no Python code.
    __hash__ = object.__hash__
    __eq__ = object.__eq__

    namespaces: tuple[Namespace, ...]


_holds: set[_Hold] = set()
_dead: list[_Hold] = []


def _hold(code: CodeType, *namespaces: Namespace) -> None:
    hold = _Hold(code, _dead.append)
    hold.namespaces = namespaces
    _holds.add(hold)


def _let_go(phase: str = "start", _: object = None) -> None:
    """Drop the holds of code objects that have died. The garbage collector calls it as long as there are others."""
    if phase == "start":
        while _dead:
            _holds.discard(_dead.pop())
        if not _holds and _let_go in gc.callbacks:
            gc.callbacks.remove(_let_go)


def borrowed() -> int:
    """Return how many code objects keep a dictionary for frames that were begun before a renewal."""
    _let_go()
    return len(_holds)


class Renewal:
    """The change of one function, made beforehand. `apply` cannot fail, and may be repeated.

    `code` is compiled for this function alone, or None to keep the code that it has; it must have the free variables of
    the old one. Defaults stay what they are, unless `like` is a function to take them from, with its attributes.
    """

    def __init__(
        self, function: FunctionType, code: CodeType | None, namespace: Namespace, like: FunctionType | None = None
    ) -> None:
        self.function = function
        self._like = like
        self._namespace = namespace
        self._codes: tuple[CodeType, CodeType] | None = (
            function.__code__.replace(),
            (code or function.__code__).replace(),
        )

    def apply(self) -> None:
        """Give the function its new code and namespace."""
        if self._codes is None:
            return
        function, new_namespace, (between, new) = self.function, self._namespace, self._codes
        old_namespace, old = function.__globals__, function.__code__
        if old is not between and old is not new:
            _hold(old, old_namespace)
        if old is not new and old_namespace is not new_namespace:
            _hold(between, old_namespace, new_namespace)
            function.__code__ = between
            _increase(new_namespace)
            ctypes.c_void_p.from_address(id(function) + _OFFSET).value = id(new_namespace)
            _decrease(old_namespace)
        function.__code__ = new
        if self._like is not None:
            _take_over(function, self._like)
        self._codes = None  # who keeps this keeps no code, so that those are gone with their last frames
        del between, new, old
        if _holds and _let_go not in gc.callbacks:
            gc.callbacks.append(_let_go)
        _let_go()


def _take_over(function: FunctionType, like: FunctionType) -> None:
    """Give `function` the defaults, the docstring, the annotations and the attributes of `like`."""
    function.__defaults__, function.__kwdefaults__ = like.__defaults__, like.__kwdefaults__
    names: list[str] = ["__doc__", "__type_params__"]
    names.append("__annotate__" if hasattr(like, "__annotate__") else "__annotations__")
    for name in names:
        if hasattr(like, name):
            value: Any = getattr(like, name)
            setattr(function, name, value)
    vars(function).update(vars(like))
