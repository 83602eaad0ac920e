"""Objects whose special methods raise or lie, by what they do: each name makes a new one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

__all__ = ["HOSTILE", "HOSTILE_ERRORS", "RAISED"]

RAISED: dict[str, Callable[[], BaseException]] = {
    "ValueError": lambda: ValueError("hostile"),
    "SystemExit": lambda: SystemExit("hostile"),
    "KeyboardInterrupt": lambda: KeyboardInterrupt("hostile"),
    "GeneratorExit": lambda: GeneratorExit("hostile"),
    "CancelledError": lambda: asyncio.CancelledError("hostile"),
    "StopIteration": lambda: StopIteration("hostile"),
    "RecursionError": lambda: RecursionError("hostile"),
    "MemoryError": lambda: MemoryError("hostile"),
    "BaseException": lambda: BaseException("hostile"),
    "an int too long": lambda: ValueError(10**5000),
}

METHODS = (
    "__repr__ __str__ __eq__ __ne__ __hash__ __bool__ __len__ __iter__ __getattr__ __getattribute__ __reduce__ "
    "__reduce_ex__ __deepcopy__ __copy__ __format__ __lt__ __contains__ __getitem__ __call__ __sizeof__ __dir__ "
    "__index__ __del__"
).split()


def _raising(error: str) -> Callable[..., Any]:
    def method(*_: object, **__: object) -> Any:
        raise RAISED[error]()

    return method


def _object(methods: dict[str, Any], *bases: type) -> Callable[[], Any]:
    cls: Any = type("Hostile", bases, methods)
    new = bases[0].__new__ if bases else object.__new__
    return lambda: new(cls)


def _without_del(error: str) -> dict[str, Any]:
    return {name: _raising(error) for name in METHODS if name != "__del__"}


class _HostileMeta(type):
    """A metaclass that raises whatever is asked of its classes."""

    def __instancecheck__(cls, _: object) -> bool:
        raise SystemExit("hostile")

    def __subclasscheck__(cls, _: object) -> bool:
        raise SystemExit("hostile")

    def __getattribute__(cls, _: str) -> Any:
        raise SystemExit("hostile")

    def __repr__(cls) -> str:
        raise SystemExit("hostile")

    __eq__ = __instancecheck__
    __hash__ = None  # type: ignore[assignment]


def _deep_list() -> list[Any]:
    value: list[Any] = []
    for _ in range(2_000):
        value = [value]
    return value


def _self_holding() -> list[Any]:
    value: list[Any] = []
    value.extend([value] * 300)
    return value


HOSTILE: dict[str, Callable[[], Any]] = {
    **{f"every method raises {name}": _object(_without_del(name)) for name in RAISED},
    "a tuple whose methods raise": _object(_without_del("SystemExit"), tuple),
    "a list whose methods raise": _object(_without_del("SystemExit"), list),
    "a dict whose methods raise": _object(_without_del("SystemExit"), dict),
    "a str whose methods raise": _object(_without_del("SystemExit"), str),
    "an int whose methods raise": _object(_without_del("SystemExit"), int),
    "a class whose metaclass raises": lambda: _HostileMeta("Hostile", (), {}),
    "an object of such a class": lambda: object.__new__(_HostileMeta("Hostile", (), {})),
    "says that it is a str": _object({"__class__": property(lambda _: str)}),
    "says that it is a tuple": _object({"__class__": property(lambda _: tuple)}),
    "says that it is a ProcessExit": _object({"__class__": property(lambda _: asyncio.CancelledError)}),
    "raises if asked for its class": _object({"__class__": property(_raising("SystemExit"))}),
    "is equal to everything": _object({"__eq__": lambda *_: True, "__hash__": lambda _: 0}),
    "a repr that is no str": _object({"__repr__": lambda _: 17}),
    "a repr that is a megabyte": _object({"__repr__": lambda _: "x" * 1_000_000}),
    "a repr with surrogates": _object({"__repr__": lambda _: "\udc80\ud800"}),
    "named deque": lambda: type("deque", (), {})(),
    "named array": lambda: type("array", (), {})(),
    "an int of 5,000 digits": lambda: 10**5000,
    "a list 2,000 deep": _deep_list,
    "a list that holds itself": _self_holding,
}


def _deep_group() -> BaseException:
    error: Exception = ValueError("at the bottom")
    for _ in range(1_000):
        error = ExceptionGroup("deep", [error])
    return error


def _long_chain() -> BaseException:
    error = ValueError(0)
    for number in range(20_000):
        error, error.__context__ = ValueError(number), error
    first = error
    newest = ValueError("newest")
    newest.__context__ = first
    return newest


def _ring() -> BaseException:
    one, two = ValueError("one"), ValueError("two")
    one.__cause__, two.__cause__ = two, one
    return one


def _error(methods: dict[str, Any], base: type = Exception) -> Callable[[], BaseException]:
    if issubclass(base, BaseExceptionGroup):
        return lambda: type("HostileError", (base,), methods)("hostile", [ValueError("in it")])  # type: ignore[no-any-return]
    return lambda: type("HostileError", (base,), methods)("hostile")  # type: ignore[no-any-return]


def _noted() -> BaseException:
    error = ValueError("noted")
    error.__notes__ = [HOSTILE["every method raises SystemExit"](), "\udc80", 10**5000]
    return error


HOSTILE_ERRORS: dict[str, Callable[[], BaseException]] = {
    "an int of 5,000 digits in it": lambda: ValueError(10**5000),
    "a group 1,000 deep": _deep_group,
    "20,000 contexts": _long_chain,
    "a ring of causes": _ring,
    "hostile notes": _noted,
    "notes that raise": _error({"__notes__": property(_raising("SystemExit"))}),
    "with_traceback raises": _error({"with_traceback": _raising("ValueError")}),
    "a cause that raises": _error({"__cause__": property(_raising("SystemExit"))}),
    "a cause that is always new": _error({"__cause__": property(lambda self: type(self)("again"))}),
    "a traceback that raises": _error({"__traceback__": property(_raising("KeyboardInterrupt"))}),
    "exceptions that raise": _error({"exceptions": property(_raising("SystemExit"))}, ExceptionGroup),
    "exceptions that are always new": _error({"exceptions": property(lambda self: [self, self])}, ExceptionGroup),
    "a reason that raises": _error({"reason": property(_raising("SystemExit"))}),
    "says that it is a cancellation": _error({"__class__": property(lambda _: asyncio.CancelledError)}),
    "raises if asked for its class": _error({"__class__": property(_raising("SystemExit"))}),
    **{
        f"every method raises {name}": _error(
            {method: raising for method, raising in _without_del(name).items() if method != "__hash__"}
        )
        for name in RAISED
    },
    "args of hostile objects": lambda: ValueError(*(make() for make in HOSTILE.values())),
}
