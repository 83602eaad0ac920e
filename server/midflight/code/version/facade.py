"""The one module object that others import, whatever version is current.

The object in `sys.modules` stays the same for ever, a plain module: what changes is the dictionary behind it. So
`counter.f` anywhere, in old code and in `counter` itself, is a read of the current version, at the price of any
module attribute. A class with a `__getattribute__` of its own would do the same for many times that price
(bench/facade.py), and would keep the first dictionary of a module that was imported before alive for ever.

Laws:
1. `switch` is one assignment under the interpreter's lock: no thread sees a module without a version, or half a one.
2. While a version is in the making, the thread that makes it, and no other, sees the new `__dict__` (dataclasses,
   typing and pydantic look names up there), and writes into it. `counter.f` and `from counter import f` are reads of
   the version before; what asks for a name otherwise (getattr, pickle) is about the one that is made.
3. Nothing here knows a process, a file or a number.
"""

from __future__ import annotations

import ctypes
import dis
import sys
from _thread import get_ident
from collections.abc import Callable
from functools import partial
from types import FrameType, ModuleType
from typing import Any

__all__ = ["Facade", "Namespace"]

Namespace = dict[str, Any]

# The setter of `__dict__` for types that offer one, documented in the C API; modules have the slot, but no setter
# in Python. Called through PyDLL, so the interpreter's lock is held throughout.
_set_dict = ctypes.pythonapi.PyObject_GenericSetDict
_set_dict.argtypes = [ctypes.py_object, ctypes.py_object, ctypes.c_void_p]
_set_dict.restype = ctypes.c_int

# What stays of a deleted module, so that the import system still knows it.
IDENTITY = (
    "__name__",
    "__package__",
    "__spec__",
    "__loader__",
    "__file__",
    "__path__",
    "__doc__",
    "__builtins__",
)


# The instructions of `counter.f`, `counter.f()` and `from counter import f`.
WRITTEN_OUT = {dis.opmap[name] for name in ("LOAD_ATTR", "LOAD_METHOD", "IMPORT_FROM") if name in dis.opmap}


class Facade:
    """One module object, and what the maker of its next version sees of that.

    The life of a version: `begin`, its body runs, `finish`, `end`, then `switch` or `abandon`.
    """

    __slots__ = ("_class", "_maker", "_new", "_plain", "_reads_new", "module")

    def __init__(self, module: ModuleType) -> None:
        self.module = module
        self._maker = 0  # the thread that makes a version, 0 when none does
        self._new: Namespace | None = None
        self._reads_new = False
        self._plain: type[ModuleType] = ModuleType  # the module's class while none is in the making
        self._class: type[ModuleType] = ModuleType  # the one that the version in the making wants

    @property
    def namespace(self) -> Namespace:
        """The dictionary that everybody sees but the maker of the next version."""
        found: Namespace = ModuleType.__getattribute__(self.module, "__dict__")
        return found

    def begin(self, namespace: Namespace) -> None:
        """Let this thread make a version in `namespace`: from now on it sees that as `__dict__`."""
        self._plain, self._class = type(self.module), ModuleType
        self._maker, self._new, self._reads_new = get_ident(), namespace, False
        self._set_class(_in_the_making(self._plain, self))

    def finish(self) -> None:
        """Let the maker read attributes of the new version too: what is made with it comes after it."""
        self._reads_new = True

    def end(self) -> None:
        """Let the maker see what everybody sees. What was made is kept for `switch`. May be repeated."""
        if self._maker:
            self._maker = 0
            self._set_class(self._plain)

    def abandon(self) -> None:
        """Forget the version in the making; nothing of it stays."""
        self.end()
        self._new = None

    def switch(self) -> None:
        """Make the version in the making the current one. Cannot fail; may be repeated, then it does nothing."""
        if self._new is None:
            return
        self.end()
        _set_dict(self.module, self._new, None)
        if self._class is not type(self.module):
            self._set_class(self._class)
        self._new = None

    def vacate(self, load: Callable[[], object]) -> None:
        """Leave no version: the next read of an attribute calls `load`, which makes one current or raises."""
        found = self.namespace
        _set_dict(self.module, {name: found[name] for name in IDENTITY if name in found}, None)
        self._set_class(type("module", (_Vacant,), {"_load": staticmethod(load)}))

    def _set_class(self, new: type[ModuleType]) -> None:
        ModuleType.__setattr__(self.module, "__class__", new)

    # What the maker does through the module.

    def is_maker(self) -> bool:
        """Say whether the calling thread makes a version of this module now."""
        return self._maker == get_ident()

    def read(self, native: Callable[[str], Any], name: str, reader: FrameType) -> Any:
        """Return attribute `name` for the maker; `native` reads the version before. `reader` is the frame that asks."""
        new = self._new or {}
        if name == "__dict__":
            return new
        if name in new and (self._reads_new or not _is_written_out(reader)):
            return new[name]
        try:
            return native(name)
        except AttributeError:
            if name in new:  # the version before lacks it
                return new[name]
            raise

    def write(self, name: str, value: Any) -> None:
        """Set attribute `name` for the maker."""
        if name == "__class__":
            if not (isinstance(value, type) and issubclass(value, ModuleType)) or hasattr(value, "_in_the_making"):
                raise TypeError(f"the __class__ of a module must be made from types.ModuleType itself, not {value!r}")
            self._class = value
            return
        if isinstance(value, ModuleType) and sys.modules.get(f"{self.namespace.get('__name__')}.{name}") is value:
            self.namespace[name] = value  # a submodule: imported, so it is there whatever becomes of this version
        assert self._new is not None
        self._new[name] = value

    def delete(self, name: str) -> None:
        """Delete attribute `name` for the maker."""
        assert self._new is not None
        if name not in self._new:
            raise AttributeError(f"module {self._new.get('__name__')!r} has no attribute {name!r}")
        del self._new[name]


def _is_written_out(reader: FrameType) -> bool:
    """Say whether the text that `reader` is in reads an attribute there, and does not call something that does."""
    return reader.f_code.co_code[reader.f_lasti] in WRITTEN_OUT


def _in_the_making(base: type[ModuleType], facade: Facade) -> type[ModuleType]:
    """Return a class like `base` by which the maker of a version sees that version, and others what they saw."""

    # No super() in it: the maker may give the module its class back while another thread has just come in here, and
    # super() wants an object of this class.
    class InTheMaking(base):  # type: ignore[misc, valid-type]  # the base is known when it runs
        _in_the_making = True

        def __getattribute__(self, name: str) -> Any:
            if facade.is_maker():
                return facade.read(partial(base.__getattribute__, self), name, sys._getframe(1))
            return base.__getattribute__(self, name)

        def __setattr__(self, name: str, value: Any) -> None:
            if facade.is_maker():
                facade.write(name, value)
            else:
                base.__setattr__(self, name, value)

        def __delattr__(self, name: str) -> None:
            if facade.is_maker():
                facade.delete(name)
            else:
                base.__delattr__(self, name)

    InTheMaking.__name__ = InTheMaking.__qualname__ = base.__name__
    return InTheMaking


class _Vacant(ModuleType):
    """The class of a module that was deleted: it asks to be loaded again when something is read from it."""

    _load: Callable[[], object]

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("__"):
            type(self)._load()
            if name in self.__dict__:
                return self.__dict__[name]
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}", name=name, obj=self)
