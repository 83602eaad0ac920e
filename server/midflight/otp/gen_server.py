"""`GenServer`: a process that keeps state and answers calls. A program subclasses and calls the names in this file.

The clients' functions (`call`, `cast`, `reply`, `stop`) are in calls.py, the process's loop in serving.py.
"""

from __future__ import annotations

import logging
from reprlib import recursive_repr
from typing import Any, ClassVar

from midflight.code.lowlevel import fields_of
from midflight.kernel import Client, self_, trouble
from midflight.otp.limits import OverLimit
from midflight.otp.protocol import Name, value_of
from midflight.otp.starting import Starting, start
from midflight.text import medium, short

__all__ = ["GenServer"]

logger = logging.getLogger("midflight.gen_server")


class GenServer:
    """A server: subclass it, keep the state in `self`, define the callbacks that you need.

    Each callback is an async or a plain method. It runs in the server's process, one at a time: while one waits,
    messages wait. A callback that raises ends the process, with the exception as its reason, after `terminate`;
    one that raises Stop ends it in good order. An un-awaited coroutine that an async one returns is its tail call.
    After a load of its module, from the next message on, the object is one of the module's newest version of the
    class, with the state it had, or what `__migrate__` of that class makes of it. If the name of the class is gone, it
    stays what it is.

    A class may set limits: `max_mailbox`, of messages that wait, and `max_heap`, of bytes; `over_limit` is "kill",
    "warn", "shed", or a method that gets a LimitReport and returns one of these. limit_process says what they mean.

    OTP: gen_server. There the state is passed and returned; here it is `self`'s attributes.

    Example:

        class Counter(GenServer):
            def init(self, total=0):
                self.total = total

            def handle_call(self, request, client):
                self.total += request
                return self.total

        pid = await Counter.start(10)
        await call(pid, 5)  # -> 15
    """

    durable: ClassVar[bool | str] = False
    """True to keep the state in the runtime's store between two messages; "sync" to also hold replies until it is."""

    durable_attributes: ClassVar[tuple[str, ...] | None] = None
    """The attributes that are kept; None for all. `restored` makes the others."""

    restart_from: ClassVar[str] = "last"
    """What a server begins with after a crash: the "last" state that was kept, or "init"."""

    max_mailbox: ClassVar[int | None] = None
    """How many messages may wait, None for any number; see limit_process."""

    max_heap: ClassVar[int | None] = None
    """How many bytes the state and the messages may take, None for any number; see limit_process."""

    over_limit: ClassVar[OverLimit] = "kill"
    """What happens to a server over a limit; see limit_process."""

    # --- Starting -----------------------------------------------------------------------------------------

    @classmethod
    def start(cls, *args: Any, name: str | Name | None = None, timeout: float | None = None) -> Starting:
        """Start a process for a new object of this class and wait until `init(*args)` is done: to be awaited.

        `name` is registered before init runs: a name of the runtime or a Registry's `via(key)`. `timeout` is in
        seconds, None for no limit; a process whose init takes longer is killed.
        Returns: the pid, or None if init returned IGNORE.
        Raises: what init raised, if that is an Exception; InitFailed if it ended the process otherwise (by Stop,
        ProcessExit, kill) or took too long; AlreadyStarted if another has the name; NotInProcess. TypeError or
        ValueError for a `name` or `timeout` that cannot be one, at once.
        OTP: gen_server:start/3,4, which returns {error, Reason}.

        Example:

            pid = await shop.Till.start(name="till")
            whereis("till") == pid  # -> True
        """
        return start(cls, args, name, timeout, is_linked=False)

    @classmethod
    def start_link(cls, *args: Any, name: str | Name | None = None, timeout: float | None = None) -> Starting:
        """Start as `start` does, linked to the caller, which is then the parent of the server.

        If init fails the caller ends too, with the same reason; one that traps exits gets the error raised instead,
        and no Exit message. OTP: gen_server:start_link/3,4.

        Example:

            pid = await shop.Till.start_link()
            process_info(self_())["links"] == [pid]  # -> True
        """
        return start(cls, args, name, timeout, is_linked=True)

    # --- Callbacks ----------------------------------------------------------------------------------------

    def init(self, *args: Any, **kwargs: Any) -> Any:
        """Set up the state; the first to run, in the new process.

        Return None, a Continue, a Timeout, or IGNORE: then the process ends with reason "normal" and `start` returns
        None. What it raises `start` raises; Stop(reason) makes no crash report. OTP: Module:init/1.
        """

    def restored(self, *args: Any, **kwargs: Any) -> Any:
        """Go on from the state that was kept: this runs in place of `init` in a durable server that has one.

        Make the timers, links, monitors and connections here that `init` makes. Return what init may return. What it
        raises `start` raises, and the state stays in the store.
        Differs from OTP, which keeps no state of a process.
        """

    @classmethod
    def durable_key(cls, *args: Any) -> str | None:
        """Return the key of the state of a durable server that is started without a name; None if it has none.

        `args` are those of `start`. Two live servers of a runtime cannot have the same key.
        """

    async def begin(self, args: tuple[Any, ...]) -> Any:
        """Run `init(*args)` and return what the server does first: a Continue, a Timeout, None, or IGNORE.

        A behaviour that is built on this one overrides it; programs do not.
        """
        return await value_of(self.init(*args))

    def handle_continue(self, value: Any) -> Any:
        """Go on after `init` or a callback that returned Continue(value), before any message is taken.

        It may return a Continue or a Timeout itself; another value is not used. OTP: Module:handle_continue/2.
        """
        raise NotImplementedError(
            f"{type(self).__qualname__} has no handle_continue, and returned Continue({short(value)}); define it"
        )

    def handle_call(self, request: Any, client: Client) -> Any:
        """Answer a call: the value that it returns is the reply; NOREPLY if that comes later, by reply(client, value).

        A Continue or Timeout has the reply in it, `Timeout(60, reply=total)`, and says what is done next.
        `client.pid` is the caller's pid. If it raises, the caller gets a CallError with the reason.
        OTP: Module:handle_call/3.
        """
        raise NotImplementedError(
            f"{type(self).__qualname__} has no handle_call, and was called with {request!r}; define it"
        )

    def handle_cast(self, message: Any) -> Any:
        """Handle a message sent by `cast`. OTP: Module:handle_cast/2.

        The value that it returns is not used, except a Continue or a Timeout, which say what is done next.
        """
        raise NotImplementedError(f"{type(self).__qualname__} has no handle_cast, and was sent {message!r}; define it")

    def handle_info(self, message: Any) -> Any:
        """Take any other message: one sent by `<<`, a Down, an Exit, "timeout" after a Timeout.

        It may return a Continue or a Timeout; another value is not used.
        Not defined: it is logged and dropped. The Exit of the parent, and of the runtime itself, does not come
        here: it ends a server that traps exits. OTP: Module:handle_info/2.
        """
        text = f"{self_()!r} {medium(self)} has no handle_info and dropped {short(message)}"
        trouble.log(logger, logging.WARNING, text)

    def terminate(self, reason: object) -> Any:
        """Clean up: this runs last, at every end of the process but `kill`. Its value is not used.

        `reason` is the exit reason to be; if this raises, that is the reason. It may await; a supervisor waits for
        it for the child's shutdown time.
        Differs from OTP, where an exit signal runs Module:terminate/2 only in a server that traps exits: here
        exit signals unwind every process, `finally` blocks included, and this is the `finally` of a server.
        """

    def code_change(self, old_vsn: Any, extra: Any) -> Any:
        """Change the state to the form that this version of the class takes. The value that it returns is not used.

        Runs when `sys.change_code` or an upgrade asks for it, in the suspended server's process, with `self` a copy
        of the server that is of the new class already. If it raises, the copy is dropped: the server is as it was,
        and after `change_code` suspended still; an upgrade changes no server then, and lets all go on. Not defined:
        the state stays. A plain load does not run it.
        OTP: Module:code_change/3.
        """

    def format_status(self, status: dict[str, Any]) -> dict[str, Any]:
        """Return what sys.get_status is to show: `status`, with "state", the attributes by name, and "log", the events.

        Runs between two messages. Change the dict, or return another one, to hide a secret or to say more. Not defined:
        all is shown. OTP: Module:format_status/1; a crash report does not ask it.
        """
        return status

    @recursive_repr()
    def __repr__(self) -> str:
        state = ", ".join(f"{name}={short(value)}" for name, value in fields_of(self).items())
        return f"<{type(self).__qualname__} {state}>" if state else f"<{type(self).__qualname__}>"
