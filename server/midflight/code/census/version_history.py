"""`VersionInfo`, one for each known version of a module: who loaded it and when, its changes, its processes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from midflight.code.census.census import Census, take_census
from midflight.code.report.load_report import Lingering
from midflight.code.source.find_module import ModulePlace, locate
from midflight.code.version.modules import LOADED, Versions, module_of, versions_of
from midflight.code.version.version import Version

__all__ = ["VersionInfo", "lingering", "module_name", "version_history", "versions"]


class VersionInfo(NamedTuple):
    """One version, current or not, run or not, as long as its text is kept (the last 100).

    `vsn` is `__vsn__` if the module sets it, else a digest of the text. `is_alive` says whether something can still run
    it: a process, or a function, class or object of it that is held. `processes` counts those with a frame in it, each
    once. `loaded_by` is "" if nobody said who he is. `added`, `changed` and `removed` name its definitions, against the
    version that it replaced. `is_earlier` tells one that an earlier interpreter has run, and a store has kept.
    """

    version: int
    vsn: object
    is_current: bool
    is_alive: bool
    is_imported: bool
    processes: int
    loaded_at: float
    loaded_by: str
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    has_text: bool
    is_earlier: bool = False


def module_name(path_or_name: str) -> str:
    """Return the name of the module that a file or a dotted name means.

    Raises: UnknownModuleError if it was never loaded.
    """
    found = locate(path_or_name, LOADED)
    name = found.name if isinstance(found, ModulePlace) else path_or_name
    return versions_of(name).name


def versions(name: str) -> tuple[VersionInfo, ...]:
    """Return the versions of module `name` that are current or that some process runs, oldest first.

    An old one is freed when the last process has left it; an object that still holds a function of it keeps only that.
    Raises: UnknownModuleError.
    OTP: code:get_object_code/1 and module_info(attributes) have no such list; there are two at most.

    Example:

        spawn(shop.sell)
        await sleep(0)
        code.load("shop", TEXT.replace("PRICE = 2", "PRICE = 3"))
        [(each.version, each.is_current) for each in code.versions("shop")]  # -> [(1, False), (2, True)]
    """
    return tuple(each for each in _all_versions(module_of(name)) if each.is_current or each.processes)


def version_history(path_or_name: str) -> tuple[VersionInfo, ...]:
    """Return all versions of a module whose text is kept, oldest first, those included that nothing can run any more.

    Raises: UnknownModuleError.
    OTP: nothing like it; there a version that nobody runs is gone.

    Example:

        code.load("shop", TEXT.replace("PRICE = 2", "PRICE = 3"))
        [(each.version, each.changed) for each in code.version_history("shop")]  # -> [(1, ()), (2, ('PRICE',))]
    """
    return _all_versions(versions_of(module_name(path_or_name)))


def _all_versions(module: Versions) -> tuple[VersionInfo, ...]:
    run = _counts(take_census(), module.name)
    return tuple(
        _info(version, is_current=version is module.current, processes=run[number])
        for number, version in sorted(module.versions.items())
    )


def _info(version: Version, *, is_current: bool, processes: int) -> VersionInfo:
    added, changed, removed = version.differences or ((), (), ())
    return VersionInfo(
        version=version.number,
        vsn=version.vsn,
        is_current=is_current,
        is_alive=version.namespace is not None,
        is_imported=version.is_imported,
        processes=processes,
        loaded_at=version.loaded_at,
        loaded_by=version.loaded_by,
        added=added,
        changed=changed,
        removed=removed,
        has_text=version.has_text,
        is_earlier=version.is_earlier,
    )


def _counts(census: Census, name: str) -> Counter[int]:
    """Return how many processes have a frame in each version of a module."""
    return Counter({number: len(census.rows(name, _is(number))) for number in census.numbers(name)})


def _is(number: int) -> Callable[[Version], bool]:
    return lambda version: version.number == number


def lingering(path_or_name: str) -> Sequence[Lingering]:
    """Return the processes in older versions of a module, oldest first: `purge` would end them.

    Raises: UnknownModuleError.
    OTP: erlang:check_process_code/2 for each process.

    Example:

        spawn(shop.sell)
        await sleep(0)
        code.load("shop", TEXT.replace("PRICE = 2", "PRICE = 3"))
        [(each.version, each.function) for each in code.lingering("shop")]  # -> [(1, 'sell')]
    """
    module = module_of(module_name(path_or_name))
    return take_census().in_module(module.name, lambda version: version is not module.current)
