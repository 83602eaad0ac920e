"""Objects whose every special method raises, as messages and as reasons."""

from __future__ import annotations

from typing import Any, NoReturn

__all__ = ["HostileError", "HostileMessage", "HostileText"]


class Hostility(Exception):
    """What a hostile object raises."""


class HostileMessage:
    """A message that cannot be shown, compared, measured, hashed, copied or asked."""

    def refuse(self, *_: Any) -> NoReturn:
        """Raise whatever is asked."""
        raise Hostility

    __repr__ = __str__ = __eq__ = __hash__ = __bool__ = __len__ = __iter__ = refuse  # type: ignore[assignment]
    __getattr__ = __copy__ = __deepcopy__ = __reduce_ex__ = __format__ = __getitem__ = refuse  # type: ignore[assignment]


class HostileText(str):
    """A text, equal to nothing, that cannot be shown."""

    __slots__ = ()
    __repr__ = __str__ = __eq__ = __format__ = HostileMessage.refuse  # type: ignore[assignment]
    __hash__ = str.__hash__


class HostileError(Exception):
    """A reason that cannot be shown, nor given a traceback."""

    def with_traceback(self, trace: object) -> NoReturn:
        """Refuse."""
        raise Hostility

    __repr__ = __str__ = __eq__ = HostileMessage.refuse  # type: ignore[assignment]
    __hash__ = Exception.__hash__
