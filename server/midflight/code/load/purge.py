"""Purge old versions: `purge` ends the processes that run them, `soft_purge` only says whether there are any."""

from __future__ import annotations

from midflight.code.census.bystanders import forget_typing_caches, kill
from midflight.code.census.census import take_census
from midflight.code.loading.lock import load_lock
from midflight.code.version.modules import module_of
from midflight.kernel import Pid

__all__ = ["purge", "soft_purge"]


def soft_purge(name: str) -> bool:
    """Say whether no process runs an old version of module `name`. Kills nobody and does not wait.

    There is nothing else to do: an old version is freed as soon as nothing can run it any more.
    Raises: UnknownModuleError.
    OTP: code:soft_purge/1, which drops the old code then.

    Example:

        spawn(shop.sell)
        await sleep(0)
        code.load("shop", TEXT.replace("PRICE = 2", "PRICE = 3"))
        code.soft_purge("shop")  # -> False
    """
    current = module_of(name).current
    forget_typing_caches()
    return not take_census().rows(name, lambda version: version is not current)


def purge(name: str) -> tuple[Pid, ...]:
    """End, with reason "killed", the processes that run an old version of module `name`; return them, oldest first.

    Trapping exits does not save them, and a caller that runs old code itself ends too. Those that hold a function of
    it only are left alone, and it goes on working.
    Raises: UnknownModuleError.
    OTP: code:purge/1, which says only whether it killed.

    Example:

        pid = spawn(shop.sell)
        await sleep(0)
        code.load("shop", TEXT.replace("PRICE = 2", "PRICE = 3"))
        code.purge("shop") == (pid,)  # -> True
    """
    record = module_of(name)

    def end() -> tuple[Pid, ...]:
        lingering = take_census().rows(name, lambda version: version is not record.current)
        pids = tuple(pid for pid, *_ in lingering)
        kill(list(pids))
        return pids

    killed = load_lock.call(end)
    forget_typing_caches()
    return killed
