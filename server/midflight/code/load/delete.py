"""Delete a module: leave it without a current version, while its processes run on."""

from __future__ import annotations

import warnings

from midflight.code.census.bystanders import forget_typing_caches
from midflight.code.load.load import load
from midflight.code.load.outcome import log_failure
from midflight.code.loading.lock import load_lock
from midflight.code.version import hooks
from midflight.code.version.modules import known
from midflight.code.version.text_keeper import leave as leave_text
from midflight.code.version.text_keeper import write_soon
from midflight.errors import LoadError

__all__ = ["delete"]


def delete(name: str) -> bool:
    """Leave module `name` without a current version; say whether it had one. Its processes run on, in old code.

    The next use of the module loads it from its file again; if that fails, it is an AttributeError. Its texts stay
    kept, in a store too; a start with `code="last"` takes its file.
    OTP: code:delete/1, which fails while old code exists.

    Example:

        code.delete("shop")  # -> True
        code.current_version("shop")  # -> None
        shop.PRICE  # -> 2
        code.current_version("shop")  # -> 2
    """

    def leave() -> bool:
        leave_text(name)
        record = known(name)
        if record is None or record.current is None:
            return False
        for problem in hooks.run_unload_hooks(record.path, record.facade.namespace):
            warnings.warn(problem.message, RuntimeWarning, stacklevel=1)
        record.facade.vacate(lambda: _load_again(name))
        record.leave_current()
        try:
            forget_typing_caches()
        except Exception as error:
            log_failure(f"{name} is deleted, but the caches of typing may keep old versions in memory", error)
        return True

    with load_lock.held([name]):
        had_one = load_lock.call(leave)
    write_soon()
    return had_one


def _load_again(name: str) -> None:
    try:
        load(name)
    except LoadError as error:
        raise AttributeError(f"module {name!r} was deleted, and could not be loaded again: {error}") from error
