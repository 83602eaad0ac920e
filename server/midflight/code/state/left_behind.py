"""Values that a load left behind: `recover` brings one back, `forget` lets it go, else it goes two loads later."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any, NamedTuple

from midflight.code.state.base import size_of
from midflight.code.state.inner_values import inner_values
from midflight.code.version.modules import module_of

__all__ = ["forget", "keep_left", "recover"]


class Left(NamedTuple):
    """A value that stood behind a name until version `number` became current."""

    value: Any
    number: int


_left: dict[tuple[str, str], Left] = {}


def keep_left(module: str, number: int, values: dict[str, Any], undo: ExitStack) -> None:
    """Keep the values that version `number` leaves behind, and let go of those left two loads ago."""
    undo.callback(_left.update, dict(_left))
    for name in values:
        undo.callback(_left.pop, (module, name), None)
    for key, left in list(_left.items()):
        if key[0] == module and left.number < number - 1:
            del _left[key]
    _left.update({(module, name): Left(value, number) for name, value in values.items()})


def recover(name: str, variable: str) -> Any:
    """Bind a variable of module `name` to the value that a load left behind, and return that value.

    A load leaves a value behind if its statement changed, or the name is gone; its report says so. It is kept until the
    load after the next one. The value that stands there now is left behind in turn, so a second `recover` goes back.
    `variable` may be any name of the report's: "Room.all" is an attribute of a class.

    Raises: UnknownModuleError; LookupError if nothing was left behind under that name.
    OTP: nothing like it; a module has no state there.

    Example:

        code.load("shop", TEXT + "STOCK = []")
        shop.STOCK.append("tea")
        code.load("shop", TEXT + "STOCK = list()")
        code.recover("shop", "STOCK")  # -> ['tea']
    """
    record = module_of(name)
    left = _taken(name, variable)
    namespace = record.facade.namespace
    if not variable.isidentifier():
        place = inner_values(namespace).get(variable)
        if place is None:
            _left[name, variable] = left
            raise LookupError(
                f"the current version of {name} has no {variable}. Nothing was changed, and what was left behind is "
                "there still: load a version that has it"
            )
        _left[name, variable] = Left(place.value, left.number)
        place.put(left.value)
        return left.value
    if variable in namespace:
        _left[name, variable] = Left(namespace[variable], left.number)
    namespace[variable] = left.value
    return left.value


def forget(name: str, variable: str) -> int | None:
    """Let go of the value that a load left behind under `variable` of module `name`; return the count of its items.

    None for a value without items. `recover` says what is left behind, and how long it is kept.
    Raises: UnknownModuleError; LookupError if nothing was left behind under that name.
    OTP: nothing like it.

    Example:

        code.load("shop", TEXT + "STOCK = ['tea']")
        shop.STOCK.append("milk")
        code.load("shop", TEXT + "STOCK = []")
        code.forget("shop", "STOCK")  # -> 2
    """
    module_of(name)
    return size_of(_taken(name, variable).value)


def _taken(name: str, variable: str) -> Left:
    left = _left.pop((name, variable), None)
    if left is None:
        known = sorted(each for module, each in _left if module == name)
        has = f"it has {', '.join(known)}" if known else "it has nothing"
        raise LookupError(
            f"no load has left a value of {name}.{variable} behind, or not in the last two loads; {has}. "
            "Nothing was changed. The report of a load names what it leaves behind"
        )
    return left
