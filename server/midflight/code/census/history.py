"""The current version of a module, the texts of all, how two differ, and the processes that run one."""

from __future__ import annotations

from midflight.code.census.census import spots_of, take_census
from midflight.code.source.definitions import Diff, compare, definitions_of, unified
from midflight.code.version.modules import Versions, known, module_of, versions_of
from midflight.code.version.version import version_of
from midflight.errors import UnknownVersionError
from midflight.kernel import Pid

__all__ = [
    "check_process_code",
    "current_version",
    "diff",
    "is_loaded",
    "processes",
    "source",
]


def current_version(name: str) -> int | None:
    """Return the number of the current version of module `name`; None if it has none, or was never loaded.

    Example:

        code.current_version("shop")  # -> 1
        code.load("shop", TEXT.replace("PRICE = 2", "PRICE = 3"))
        code.current_version("shop")  # -> 2
    """
    module = known(name)
    return None if module is None or module.current is None else module.current.number


def processes(name: str, version: int | None = None) -> tuple[Pid, ...]:
    """Return the pids of the processes that run module `name`, in that version or in any, oldest first.

    A process that awaits code of one version from code of another runs both.
    Raises: UnknownModuleError.
    OTP: erlang:processes/0 with erlang:check_process_code/2 for each.

    Example:

        pid = spawn(shop.sell)
        code.processes("shop") == (pid,)  # -> True
    """
    module_of(name)
    found = take_census().rows(name, lambda each: version is None or each.number == version)
    return tuple(sorted((pid for group in found.groups for pid in group.pids), key=lambda pid: pid.number))


def check_process_code(pid: Pid, name: str, version: int | None = None) -> bool:
    """Say whether a process has a frame in that version of module `name`; none given: in any but the current one.

    False for a dead process. A function that it only holds does not count, nor does a child task of it.
    Raises: UnknownModuleError.
    OTP: erlang:check_process_code/2, which knows one old version.

    Example:

        pid = spawn(shop.sell)
        await sleep(0)
        code.check_process_code(pid, "shop")  # -> False
        code.load("shop", TEXT.replace("PRICE = 2", "PRICE = 3"))
        code.check_process_code(pid, "shop")  # -> True
    """
    module = module_of(name)
    found = (version_of(spot.f_globals) for spot in spots_of(pid))
    return any(
        each.number == version if version is not None else each is not module.current
        for each in found
        if each is not None and each.name == name
    )


def is_loaded(name: str) -> str | None:
    """Return the file of the current version of module `name`; None if it has none, or was only imported.

    OTP: code:is_loaded/1.

    Example:

        code.is_loaded("shop") == shop.__file__  # -> True
        code.is_loaded("json")  # -> None
    """
    module = known(name)
    return None if module is None or module.current is None else module.current.path


def source(name: str, version: int | None = None) -> str:
    """Return the text of a version; for None, of the current one. The last 100 are kept.

    Raises: UnknownModuleError; UnknownVersionError, also for a module that was changed on disk after it was imported
    and before it was first loaded: what it was then is not known.

    Example:

        code.load("shop", TEXT.replace("PRICE = 2", "PRICE = 3"))
        code.source("shop", 1) == TEXT  # -> True
        "PRICE = 3" in code.source("shop")  # -> True
    """
    module = versions_of(name)
    found = module.version(version)
    text = found.text
    if text is None:
        raise UnknownVersionError(name, found.number, _kept(module))
    return text


def _kept(module: Versions) -> list[int]:
    return [number for number, version in sorted(module.versions.items()) if version.has_text]


def diff(name: str, a: int, b: int | None = None) -> Diff:
    """Return the differences from version `a` to version `b`, by default the current one.

    Raises: UnknownModuleError; UnknownVersionError, as `source` does.

    Example:

        code.load("shop", TEXT.replace("PRICE = 2", "PRICE = 3"))
        code.diff("shop", 1).changed  # -> ('PRICE',)
    """
    module = versions_of(name)
    old, new = module.version(a), module.version(b)
    texts = source(name, old.number), source(name, new.number)
    labels = (f"{version.path} (version {version.number})" for version in (old, new))
    found = compare(*map(definitions_of, texts))
    return Diff(unified(*texts, *labels), *found)
