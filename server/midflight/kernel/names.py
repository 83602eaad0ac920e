"""Registered names: `register`, `unregister`, `whereis`, `registered`."""

from __future__ import annotations

from midflight.errors import RegistrationError
from midflight.kernel import arguments
from midflight.kernel.core import Pid
from midflight.kernel.running import current_scheduler

__all__ = ["register", "registered", "unregister", "whereis"]


def register(name: str, pid: Pid) -> None:
    """Give `pid` the name `name`; it goes when the process ends.

    Raises: RegistrationError for a taken name, a process that has one, "undefined", a dead pid; TypeError if `name`
    is not a str or `pid` not a Pid; ValueError for a process of another runtime. OTP: register/2.

    Example:

        register("echo", self_())
        send("echo", "hello")
        await receive()  # -> 'hello'
    """
    scheduler = current_scheduler()
    name = scheduler.check_name(name)
    process = arguments.own_pid("register()", pid, scheduler).process
    if process is None:
        raise RegistrationError(f"{pid!r} is not alive; {name!r} was not given")
    if process.name is not None:
        raise RegistrationError(f"{pid!r} is registered as {process.name!r}; {name!r} was not given")
    process.name = name
    scheduler.names[name] = process


def unregister(name: str) -> None:
    """Free the name.

    Raises: RegistrationError if nobody has it; TypeError if it is not a str. OTP: unregister/1.

    Example:

        register("echo", self_())
        unregister("echo")
        whereis("echo")  # -> None
    """
    name = arguments.name("unregister()", name)
    process = current_scheduler().names.pop(name, None)
    if process is None:
        raise RegistrationError(f"no process is registered as {name!r}; see registered()")
    process.name = None


def whereis(name: str) -> Pid | None:
    """Return the pid that has `name`, or None. Raises: TypeError if it is not a str. OTP: whereis/1.

    Example:

        pid = spawn(receive, name="echo")
        whereis("echo") == pid  # -> True
    """
    process = current_scheduler().names.get(arguments.name("whereis()", name))
    return None if process is None else process.pid


def registered() -> list[str]:
    """Return the registered names, in the order of registration. OTP: registered/0.

    Example:

        spawn(receive, name="first")
        spawn(receive, name="second")
        registered()  # -> ['first', 'second']
    """
    return list(current_scheduler().names)
