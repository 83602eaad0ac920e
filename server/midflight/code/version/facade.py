"""`Facade`: the module object that others import, the same for all versions.

The object in `sys.modules` always stays the same, a plain module: what changes is the dictionary behind it. So
`counter.f` anywhere, in old code and in `counter` itself, is a read of the current version, at the price of any
module attribute. A class with a `__getattribute__` of its own would do the same for many times that price
(bench/facade.py), and would never free the first dictionary of a module that was imported before.

Laws:
1. `switch` is one assignment under the interpreter's lock: no thread sees a module without a version, or half a one.
2. While a version is in the making, the thread that makes it, and no other, sees the new `__dict__` (dataclasses,
   typing and pydantic look names up there), and writes into it. `counter.f` and `from counter import f` are reads of
   the version before; what asks for a name otherwise (getattr, pickle) is about the one that is made. To a body of the
   same load that runs in the midst of this one they are reads of what this one has bound so far, as at an import.
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

from midflight.code.source.look import is_class, is_module

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


_made_now: set[int] = set()  # the ids of the namespaces of versions in the making


class _Making:
    """A version in the making: the thread that makes it, its namespace, and the class that it wants for the module."""

    __slots__ = ("namespace", "reads_new", "thread", "wanted")

    def __init__(self, namespace: Namespace) -> None:
        self.thread = get_ident()
        self.namespace = namespace
        self.reads_new = False
        self.wanted: type[ModuleType] = ModuleType


class Facade:
    """One module object, and the view of it that the maker of its next version has.

    The life of a version: `begin`, its body runs, `finish`, `end`, then `switch` or `abandon`. A body that never ends
    is given up: all but its thread then see the module as if it had never begun. That thread goes on seeing and
    writing its own dictionary, so that nothing it does later reaches the module, until it calls `forget`.
    """

    __slots__ = ("_makers", "_making", "_plain", "module")

    def __init__(self, module: ModuleType) -> None:
        self.module = module
        self._makers: dict[int, _Making] = {}  # by thread: the maker of the next version, and those that were given up
        self._making: _Making | None = None  # what `switch` makes current
        self._plain: type[ModuleType] = ModuleType  # the module's class, as those see it who make nothing

    @property
    def namespace(self) -> Namespace:
        """The dictionary that everybody sees but the maker of the next version."""
        found: Namespace = ModuleType.__getattribute__(self.module, "__dict__")
        return found

    def begin(self, namespace: Namespace) -> None:
        """Let this thread make a version in `namespace`: from now on it sees that as `__dict__`."""
        if not self._makers:
            self._plain = type(self.module)
        self._making = _Making(namespace)
        self._makers[self._making.thread] = self._making
        _made_now.add(id(namespace))
        self._show(self._plain)

    def begin_first(self) -> None:
        """Note that the module's own namespace, which nobody has seen before, is in the making, until `end`."""
        _made_now.add(id(self.namespace))

    def finish(self) -> None:
        """Let the maker read attributes of the new version too, in bodies of other modules that run after it."""
        self._makers[get_ident()].reads_new = True

    def end(self) -> None:
        """Let the maker see the current version. The new one is kept for `switch`. May be repeated."""
        _made_now.discard(id(self.namespace))
        if self._making is not None:
            self._leave(self._making.thread)

    def abandon(self) -> None:
        """Forget the version in the making; nothing of it stays."""
        self.end()
        self._making = None

    def give_up(self) -> None:
        """Forget the version in the making, whose body still runs. Callable from any thread."""
        self._making = None

    def forget(self) -> None:
        """Let the calling thread, whose version was given up, see the current version, as everybody does."""
        self._leave(get_ident())

    def switch(self) -> None:
        """Make the version in the making the current one. Cannot fail; may be repeated, then it does nothing."""
        making = self._making
        if making is None:
            return
        self.end()
        _set_dict(self.module, making.namespace, None)
        if making.wanted is not self._plain:
            self._show(making.wanted)
        self._making = None

    def vacate(self, load: Callable[[], object]) -> None:
        """Leave no version: the next read of an attribute calls `load`, which makes one current or raises."""
        found = self.namespace
        _set_dict(self.module, {name: found[name] for name in IDENTITY if name in found}, None)
        self._show(type("module", (_Vacant,), {"_load": staticmethod(load)}))

    def _leave(self, thread: int) -> None:
        making = self._makers.pop(thread, None)
        if making is not None:
            _made_now.discard(id(making.namespace))
            if not self._makers:
                self._show(self._plain)

    def _show(self, plain: type[ModuleType]) -> None:
        """Give the module the class `plain`, or one like it by which each maker sees its own version."""
        self._plain = plain
        new = _in_the_making(plain, self) if self._makers else plain
        ModuleType.__setattr__(self.module, "__class__", new)

    # What the maker does through the module.

    def is_maker(self) -> bool:
        """Say whether the calling thread makes a version of this module now."""
        return get_ident() in self._makers

    def read(self, native: Callable[[str], Any], name: str, reader: FrameType) -> Any:
        """Return attribute `name` for the maker; `native` reads the version before. `reader` is the frame that asks."""
        making = self._makers.get(get_ident())
        if making is None:  # another thread has ended it just now
            return native(name)
        new = making.namespace
        if name == "__dict__":
            return new
        is_half_made = not making.reads_new and _is_of_another(reader, new)
        if name in new and (making.reads_new or is_half_made or not _is_written_out(reader)):
            return new[name]
        if is_half_made and name in self.namespace and "__getattr__" not in new:
            raise AttributeError(f"half made module {self.module.__name__!r} has no attribute {name!r} yet", name=name)
        try:
            return native(name)
        except AttributeError:
            if name in new:  # the version before lacks it
                return new[name]
            raise

    def write(self, name: str, value: Any) -> None:
        """Set attribute `name` for the maker."""
        if name == "__class__":
            if not (is_class(value) and issubclass(value, ModuleType)) or hasattr(value, "_in_the_making"):
                raise TypeError(f"the __class__ of a module must be made from types.ModuleType itself, not {value!r}")
            self._makers[get_ident()].wanted = value
            return
        if is_module(value) and sys.modules.get(f"{self.namespace.get('__name__')}.{name}") is value:
            self.namespace[name] = value  # a submodule: imported, so it is there whatever becomes of this version
        self._makers[get_ident()].namespace[name] = value

    def delete(self, name: str) -> None:
        """Delete attribute `name` for the maker."""
        new = self._makers[get_ident()].namespace
        if name not in new:
            raise AttributeError(f"module {new.get('__name__')!r} has no attribute {name!r}")
        del new[name]


def _is_of_another(reader: FrameType, new: Namespace) -> bool:
    """Say whether the text that `reader` is in is of another version in the making than `new`."""
    return reader.f_globals is not new and id(reader.f_globals) in _made_now


def _is_written_out(reader: FrameType) -> bool:
    """Say whether the text that `reader` is in reads an attribute there, and does not call something that does."""
    return reader.f_code.co_code[reader.f_lasti] in WRITTEN_OUT


def _in_the_making(base: type[ModuleType], facade: Facade) -> type[ModuleType]:
    """Return a class like `base` by which the maker of a version sees that version, and others the current one."""

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
