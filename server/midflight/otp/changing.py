"""The changes of a server's object: to the newest version of its class, by replace_state, by code_change.

All are made by the loop in serving.py, between two messages.
"""

from __future__ import annotations

import logging
from typing import Any

from midflight.code.lowlevel import become, copied, renew_members
from midflight.errors import MigrationError
from midflight.kernel import self_, trouble
from midflight.otp.newest import newest
from midflight.otp.protocol import Stop, value_of

__all__ = ["NotObeyed", "changed", "of_the_newest_class", "replaced"]

logger = logging.getLogger("midflight.gen_server")


class NotObeyed(Exception):
    """A system request was not obeyed; nothing was changed."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def of_the_newest_class(server: Any) -> Any:
    """Return `server` as an object of the newest version of its class; as it is if that is gone, or cannot take it."""
    cls = newest(type(server))
    if cls is type(server) or not _is_server_class(cls):
        return server
    try:
        found = become(server, cls, sets_slots_later=True)
        if left := renew_members(found):
            text = f"{self_()!r}: enum members in {', '.join(left)} are gone from the new version, and stay old"
            trouble.log(logger, logging.WARNING, text)
        return found
    except MigrationError as error:
        until = f"until {cls.__module__} is loaded again"
        text = f"{self_()!r} goes on with its older {cls.__qualname__} {until}: {error}"
        trouble.log(logger, logging.WARNING, text)
        return server


def _is_server_class(cls: Any) -> bool:
    return isinstance(cls, type) and hasattr(cls, "handle_call")


async def replaced(function: Any, server: Any) -> Any:
    """Return the server that `function` makes of `server`. Raises: its exceptions; TypeError if it makes none."""
    found = await value_of(function(server))
    if not _is_server_class(type(found)):
        raise TypeError(f"replace_state: the function must return a server object, not {found!r}; nothing was changed")
    return found


async def changed(server: Any, module: Any, old_vsn: Any, extra: Any) -> Any:
    """Return a copy of `server`, of its newest class, after code_change. Raises: what that raised; `server` is as it
    was; NotObeyed if `module` does not define its class."""
    name = module if isinstance(module, str) else getattr(module, "__name__", None)
    if name not in [cls.__module__ for cls in type(server).__mro__]:
        raise NotObeyed(f"{type(server).__qualname__} is no class of {module!r}")
    cls = newest(type(server))
    found = copied(server, cls if _is_server_class(cls) else type(server))
    try:
        await value_of(found.code_change(old_vsn, extra))
        if hasattr(found, "renew"):  # a supervisor's children
            await found.renew(is_rehearsal=False)
            await found.settle_renewal()
    except Stop as stop:
        raise NotObeyed(f"code_change stopped: {stop.reason!r}") from None
    return found
