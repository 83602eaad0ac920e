"""`ApplicationSpec`: the description of an application, what OTP has in a .app file, and its checks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, get_args

from midflight.otp.restart import Restart
from midflight.text import short

__all__ = ["ApplicationSpec", "checked_restart", "spec_of"]

NOTHING = "nothing was loaded"


@dataclass(frozen=True, slots=True)
class ApplicationSpec:
    """An application: its name, the callback module that starts its supervision tree, and what it needs.

    `module` is a module's name, or an object with the same functions, which are plain or async: `start(kind, args)`
    returns the pid of the tree's supervisor, linked to the caller, or (pid, state); `kind` is "normal". The others may
    be left out: `start_phase(phase, kind, args)` for each of `start_phases`, in order, `prep_stop(state)`, which
    returns the state that `stop` gets, and `stop(state)`, after the tree has ended. They are looked up at each call, so
    the current version runs. Without a module nothing runs: it is a library, or an environment.
    `applications` are those that must run before it. `env` is its environment, see application.get_env. `restart`
    says what its end means to the others: see application.start.
    Raises: TypeError or ValueError for wrong values. OTP: the application resource file, with `mod` as two fields.

    Example:

        spec = ApplicationSpec("desk", "shop", env={"port": 80})
        spec.applications, spec.restart  # -> ((), 'temporary')
    """

    name: str
    module: Any = None
    args: Any = None
    applications: tuple[str, ...] = ()
    env: Mapping[str, Any] = field(default_factory=dict)
    start_phases: tuple[tuple[str, Any], ...] = ()
    description: str = ""
    vsn: str = ""
    restart: Restart = "temporary"

    def __post_init__(self) -> None:
        for what in ("name", "description", "vsn"):
            _check(what, getattr(self, what), type(getattr(self, what)) is str, "a str")
        _check("name", self.name, bool(self.name), "a name, not empty")
        is_name = type(self.module) is not str or bool(self.module)
        _check("module", self.module, is_name, "the name of a module, not empty")
        names = _items(self.applications)
        is_names = names is not None and all(type(each) is str for each in names)
        _check("applications", self.applications, is_names, 'names, such as ["store"]')
        object.__setattr__(self, "applications", names)
        is_env = isinstance(self.env, Mapping) and all(type(each) is str for each in self.env)
        _check("env", self.env, is_env, "a dict with str keys")
        object.__setattr__(self, "env", dict(self.env))
        phases: Any = self.start_phases
        phases = _items(phases.items() if isinstance(phases, Mapping) else phases)
        is_phases = phases is not None and all(_is_phase(each) for each in phases)
        _check("start_phases", self.start_phases, is_phases, 'pairs of a name and arguments, such as [("warm", 1)]')
        object.__setattr__(self, "start_phases", tuple((phase, args) for phase, args in phases))
        checked_restart(self.restart, NOTHING)


def checked_restart(restart: Any, unchanged: str) -> Restart:
    """Return `restart`. Raises: ValueError for another value than the three."""
    if type(restart) is not str or restart not in get_args(Restart):
        raise ValueError(f"restart must be one of {get_args(Restart)}, not {short(restart)}; {unchanged}")
    return restart  # type: ignore[return-value]  # it is one of them


def spec_of(name: str, table: Any) -> ApplicationSpec:
    """Return the application `name` as a table of a configuration file has it. Raises: TypeError or ValueError."""
    if not isinstance(table, dict):
        raise TypeError(f"an application is a table, not {short(table)}; {NOTHING}")
    known = [each.name for each in fields(ApplicationSpec) if each.name != "name"]
    unknown = [each for each in table if each not in known]
    if unknown:
        raise ValueError(f"an application has no {', '.join(unknown)}; {NOTHING}. It takes {', '.join(known)}")
    return ApplicationSpec(name, **table)


def _check(what: str, value: object, is_right: bool, wanted: str) -> None:
    if not is_right:
        raise TypeError(f"the {what} of an application must be {wanted}, not {short(value)}; {NOTHING}")


def _items(value: object) -> tuple[Any, ...] | None:
    """Return the items of a value, None if it has none to be listed."""
    return None if isinstance(value, str) or not isinstance(value, Iterable) else tuple(value)


def _is_phase(value: object) -> bool:
    return isinstance(value, tuple | list) and len(value) == 2 and type(value[0]) is str
