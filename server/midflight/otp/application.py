"""Applications: supervision trees with a name, which start after those that they need, and stop before them.

`from midflight.otp import application`. An application is described by an ApplicationSpec, or by a table
`[tool.midflight.applications.NAME]` of the project, which `midflight serve` loads and starts.
What starts or stops is awaited in a process; the rest are plain calls on the runtime's thread.
OTP: application.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from midflight.errors import AlreadyStarted, ApplicationError
from midflight.kernel import Pid, Scheduler, arguments, current_process, current_scheduler
from midflight.otp.application_controller import NAME, Applications, Controller, applications_of, stop_in_order
from midflight.otp.application_master import application_var
from midflight.otp.application_spec import ApplicationSpec, checked_restart, spec_of
from midflight.otp.calls import call
from midflight.otp.restart import Restart

__all__ = [
    "ApplicationFacts",
    "ApplicationSpec",
    "ApplicationState",
    "ensure_all_started",
    "ensure_started",
    "get_all_env",
    "get_application",
    "get_env",
    "get_supervisor",
    "load",
    "loaded_applications",
    "on_halt",
    "put_env",
    "spec_of",
    "start",
    "states",
    "stop",
    "stop_all",
    "unload",
    "unset_env",
    "which_applications",
]


class ApplicationFacts(NamedTuple):
    """An application, as `which_applications` and `loaded_applications` list it."""

    name: str
    description: str
    vsn: str


class ApplicationState(NamedTuple):
    """An application as front ends list it. `status`: "loaded", "starting", "running" or "stopping"."""

    name: str
    status: str
    restart: str
    supervisor: Pid | None
    applications: tuple[str, ...]
    vsn: str
    description: str


# --- Starting and stopping ------------------------------------------------------------------------------------


def load(spec: ApplicationSpec) -> None:
    """Make an application known, and its environment; nothing of it runs.

    Raises: ApplicationError ("already_loaded", name); TypeError. OTP: application:load/1.
    """
    if type(spec) is not ApplicationSpec:
        raise TypeError(f"load() takes an ApplicationSpec, not {spec!r}; nothing was loaded")
    applications = _applications()
    if spec.name in applications.loaded:
        raise ApplicationError(spec.name, ("already_loaded", spec.name), "unload() it first")
    applications.loaded[spec.name] = spec
    applications.env.setdefault(spec.name, {}).update(spec.env)


def unload(name: str) -> None:
    """Forget an application that does not run, and its environment.

    Raises: ApplicationError ("not_loaded", name) or ("running", name). OTP: application:unload/1.
    """
    applications = _applications()
    if name in applications.running:
        raise ApplicationError(name, ("running", name), "stop() it first")
    _loaded(applications, name)
    del applications.loaded[name]
    applications.env.pop(name, None)


async def start(name: str, restart: Restart | None = None) -> None:
    """Start an application, whose `applications` run already, and wait until its start phases are done.

    `restart` says what its end by itself means; by default what its ApplicationSpec says. "temporary": it is reported.
    "permanent": it is reported, all other applications are stopped, the last one started first, and `midflight serve`
    ends. "transient": the same, unless the reason is "normal". A supervisor that gives up ends with "shutdown".
    Raises: ApplicationError with OTP's reason: ("not_loaded", name), ("already_started", name), ("not_started", other),
    ("bad_return", value), or what its `start` or `start_phase` raised: the tree is stopped, and it is loaded still.
    OTP: application:start/1,2, which loads it too; there the runtime ends with a permanent application.

    Example:

        class Desk:
            def start(kind, args):
                return Supervisor.start_link([ChildSpec("till", shop.Till)])

        application.load(application.ApplicationSpec("desk", Desk))
        await application.start("desk")
        application.which_applications()[0].name  # -> 'desk'
        await application.stop("desk")
    """
    if restart is not None:
        checked_restart(restart, "nothing was started")
    await _ask(("start", arguments.given_name("an application", name), restart))


async def ensure_started(name: str, restart: Restart | None = None) -> None:
    """Start an application unless it runs. Raises: as `start`. OTP: application:ensure_started/1,2."""
    if not _applications().is_running(name):
        await start(name, restart)


async def ensure_all_started(names: str | Iterable[str], restart: Restart | None = None) -> list[str]:
    """Start applications, and before each all that it needs; return those that were started, in order.

    Raises: as `start`, and ApplicationError for applications that need one another in a circle; those that it has
    started are stopped again then. OTP: application:ensure_all_started/1,2.
    """
    applications, started = _applications(), list[str]()
    for name in _in_order(applications, [names] if isinstance(names, str) else list(names)):
        if applications.is_running(name):
            continue
        try:
            await start(name, restart)
        except ApplicationError as error:
            if error.reason == ("already_started", name):  # by somebody else, meanwhile
                continue
            for each in reversed(started):
                await stop(each)
            raise
        started.append(name)
    return started


async def stop(name: str) -> None:
    """Stop an application: its prep_stop, the end of its tree, its stop; what it has left running is killed.

    What needs it runs on. Raises: ApplicationError ("not_started", name). OTP: application:stop/1.
    """
    await _ask(("stop", arguments.given_name("an application", name)))


async def stop_all() -> None:
    """Stop all applications, the last one that has started first. OTP: init:stop/0 does so."""
    await stop_in_order(_applications())


# --- Who runs -------------------------------------------------------------------------------------------------


def which_applications() -> list[ApplicationFacts]:
    """Return the applications that run, the last one started first. OTP: application:which_applications/0."""
    running = [each.spec for each in _applications().running.values() if each.status == "running"]
    return [_facts(spec) for spec in reversed(running)]


def loaded_applications() -> list[ApplicationFacts]:
    """Return all applications that are loaded, running or not. OTP: application:loaded_applications/0."""
    return [_facts(spec) for spec in _applications().loaded.values()]


def get_application(pid: Pid | None = None) -> str | None:
    """Return the application that a process is of, the calling one by default; None if it is of none.

    It is of that of the process that has spawned it. OTP: application:get_application/0,1, by the group leader.
    """
    process = current_process("get_application()") if pid is None else arguments.pid("get_application", pid).process
    return None if process is None else process.context.get(application_var)


def get_supervisor(name: str) -> Pid | None:
    """Return the top supervisor of an application that runs; None for others. OTP: application:get_supervisor/1."""
    found = _applications().running.get(name)
    return None if found is None else found.supervisor


def states(scheduler: Scheduler) -> list[ApplicationState]:
    """Return all applications of a runtime for a front end: those that run in the order of their start, then others."""
    applications = applications_of(scheduler)
    running = list(applications.running.values())
    found = [(each.spec, each.status, each.restart, each.supervisor) for each in running]
    names = {each.spec.name for each in running}
    found += [(spec, "loaded", spec.restart, None) for spec in list(applications.loaded.values())]
    return [
        ApplicationState(spec.name, status, restart, supervisor, spec.applications, spec.vsn, spec.description)
        for spec, status, restart, supervisor in found
        if status != "loaded" or spec.name not in names
    ]


def on_halt(scheduler: Scheduler, function: Callable[[], object]) -> None:
    """Have `function` called when the end of a permanent or transient application has stopped all others."""
    applications_of(scheduler).on_halt = function


# --- Environment ----------------------------------------------------------------------------------------------


def get_env(name: str, key: str, default: Any = None) -> Any:
    """Return a value of an application's environment, or `default`. OTP: application:get_env/2,3.

    Example:

        application.put_env("desk", "port", 80)
        application.get_env("desk", "port")  # -> 80
    """
    return _applications().env.get(name, {}).get(key, default)


def put_env(name: str, key: str, value: Any) -> None:
    """Set a value of an application's environment, which need not be loaded; the spec's own wins when it is.

    It is gone when the application is unloaded. OTP: application:set_env/3; Elixir: Application.put_env/3.
    """
    _applications().env.setdefault(name, {})[key] = value


def unset_env(name: str, key: str) -> None:
    """Take a value from an application's environment, if it is there. OTP: application:unset_env/2."""
    _applications().env.get(name, {}).pop(key, None)


def get_all_env(name: str) -> dict[str, Any]:
    """Return a copy of an application's environment. OTP: application:get_all_env/1."""
    return dict(_applications().env.get(name, {}))


def _applications() -> Applications:
    return applications_of(current_scheduler())


def _loaded(applications: Applications, name: str) -> ApplicationSpec:
    spec = applications.loaded.get(name)
    if spec is None:
        raise ApplicationError(name, ("not_loaded", name), "application.load() it first")
    return spec


def _facts(spec: ApplicationSpec) -> ApplicationFacts:
    return ApplicationFacts(spec.name, spec.description, spec.vsn)


def _in_order(applications: Applications, names: Sequence[str]) -> list[str]:
    """Return `names` and all that they need, each after what it needs. Raises: ApplicationError."""
    order: list[str] = []

    def add(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            circle = " -> ".join([*path[path.index(name) :], name])
            raise ApplicationError(name, ("circle", circle), "take one of these out of `applications`")
        if name not in order:
            for needed in _loaded(applications, name).applications:
                add(needed, (*path, name))
            order.append(name)

    for each in names:
        add(arguments.given_name("an application", each), ())
    return order


async def _ask(request: tuple[Any, ...]) -> None:
    """Ask the controller, which is started for it if it does not run. Raises: ApplicationError."""
    current_process("application")
    if NAME not in current_scheduler().names:
        with suppress(AlreadyStarted):  # by somebody else, meanwhile
            await Controller.start(applications_of(current_scheduler()), name=NAME)
    answer = await call(NAME, request, timeout=None)
    if isinstance(answer, ApplicationError):
        if isinstance(answer.reason, BaseException):
            raise answer from answer.reason
        raise answer
