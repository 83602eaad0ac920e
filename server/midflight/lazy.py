"""Names of a package that are imported when they are first used, as PEP 562 has it: what nobody uses costs nothing.

    if TYPE_CHECKING:
        from midflight.kernel import Pid
    else:
        __getattr__ = names_of(__name__, {"midflight.kernel": "Pid"})

The import under TYPE_CHECKING is for type checkers and for readers; a test compares the two.
A name must not be that of a module of the package too, whose import would make the name mean the module.
"""

import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType

__all__ = ["names_of", "put_off"]


def names_of(package: str, names: Mapping[str, str], modules: Collection[str] = ()) -> Callable[[str], object]:
    """Return the `__getattr__` of `package`.

    `names` maps a module to the names, with spaces between them, that `package` offers of it. `modules` are those of
    the package that are attributes of it as soon as it is imported. A name is looked up once, and is an attribute then.
    """
    homes = {name: module for module, listed in names.items() for name in listed.split()}

    def get(name: str) -> object:
        if name in modules:
            return import_module(f"{package}.{name}")
        home = homes.get(name)
        if home is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}", name=name, obj=sys.modules[package])
        value = getattr(import_module(home), name)
        setattr(sys.modules[package], name, value)
        return value

    return get


@contextmanager
def put_off(name: str) -> Iterator[None]:
    """Let an import of the module `name` in the block bring a stand-in, which imports it when something of it is used.

    Only an import in the block meets the stand-in. A module that was imported before is itself.
    """
    if name in sys.modules:
        yield
        return
    stand_in = sys.modules[name] = _StandIn(name)
    try:
        yield
    finally:
        if sys.modules.get(name) is stand_in:
            del sys.modules[name]


class _StandIn(ModuleType):
    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)  # the import system looks for such names
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(import_module(self.__name__), name)
