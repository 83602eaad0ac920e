"""The process of a GenServer: it starts the server, hands it its messages one by one, and ends it.

The life of a server: `start` (starting.py) -> `Serving` runs in the new process -> init -> the starter is told -> one
callback a message -> terminate -> the exit reason.

Laws:
1. The loop is here, the callbacks are the current version's: after a load the next message runs the new ones with
   the old state. So an idle server runs no code of its module, and no load ever leaves it behind.
2. A server changes version, or state by a system message, only between two messages. It takes a new class as any
   object does, by its `__migrate__` if it has one; if that fails it goes on with the old class and state.
3. While it is suspended it handles system messages, and the exit signal of its parent. All else waits.
4. What a callback returned as `Continue` comes before any message, and in the newest version like one.
5. `terminate` runs once, if init was done, for every end but `kill` and the Ctrl-C that ends the program.
6. A keeper is told of the state before each message is taken and before `terminate`, in the server's process.
"""

from __future__ import annotations

from typing import Any

from midflight.code.lowlevel import fields_of
from midflight.errors import AlreadyStarted, NotDurable, ProcessExit
from midflight.kernel import (
    OUTSIDE,
    Behaviour,
    Client,
    Exit,
    Pid,
    System,
    answering,
    current_process,
    is_coroutine,
    receive,
    self_,
    sleep,
)
from midflight.otp.changing import NotObeyed, changed, of_the_newest_class, replaced
from midflight.otp.debugging import Debug
from midflight.otp.keeper import Keeper, keeper_of
from midflight.otp.limits import has_limits, note_limits
from midflight.otp.newest import home_of, newest
from midflight.otp.protocol import IGNORE, NOREPLY, Call, Cast, Continue, Name, Stop, Timeout, value_of
from midflight.outside import is_from_outside

__all__ = ["Revived", "Serving"]

IN_A_ROW = 100  # Continues, after which a server lets others run: one that always goes on never waits for a message


class Serving(Behaviour):
    """The process function of a GenServer: called once, in its own process."""

    client: Client  # the starter, until it has been told
    debug: Debug | None = None  # while sys has something turned on
    keeper: Keeper | None = None  # who keeps the state beyond the process
    step: Any = None  # what init returned: a Continue, a Timeout or None

    def __init__(self, cls: type[Any], args: tuple[Any, ...], parent: Pid | None, name: Name | None) -> None:
        self.start: Any = cls, args, name
        self.parent = parent
        self.__module__, self.__qualname__ = cls.__module__, f"{cls.__qualname__}.init"  # shown as the initial call

    def __repr__(self) -> str:
        return repr(self.server)

    async def __call__(self) -> Any:
        """Make the server and run its init; go on as its loop."""
        (cls, args, name), self.start = self.start, None
        try:
            if name is not None:
                name.claim()
            current = newest(cls)
            if current.durable:
                self.keeper = keeper_of(current, args, current_process("init()"))
            answer = await (self.begin(current, args) if self.keeper is None else self.begin_kept(current, args))
            server = self.starting
        except Stop as stop:
            self.note_end(stop.reason)
            raise ProcessExit(stop.reason) from None
        except (AlreadyStarted, NotDurable) as error:
            self.note_end("normal")
            raise ProcessExit(error) from None  # no crash: the starter is told
        except GeneratorExit:  # it is killed
            self.note_end("killed")
            raise
        except BaseException as error:
            self.note_end(_reason_of(error))
            raise
        client = self.client
        del self.client
        if answer is IGNORE:
            client.answer(IGNORE)
            return None
        if answer is not None and type(answer) is not Continue and type(answer) is not Timeout:
            allowed = "None, IGNORE, Continue or Timeout"
            raise TypeError(f"{cls.__qualname__}.init must return {allowed}, not {answer!r}; it was not started")
        self.step = answer
        self.server = server
        del self.starting
        client.answer(current_process("init()").pid)
        return self.serve()

    async def begin(self, cls: type[Any], args: tuple[Any, ...]) -> Any:
        """Make the server, in `starting`; return what its init answers."""
        self.starting = cls()
        return await self.starting.begin(args)

    async def begin_kept(self, cls: type[Any], args: tuple[Any, ...]) -> Any:
        """Make a durable server: of the state that was kept, else by its init. Raises: NotDurable; StoreError."""
        keeper = self.keeper
        assert keeper is not None
        server = await keeper.restore()
        if server is None:
            answer = await self.begin(cls, args)
        else:
            self.starting = server
            answer = await value_of(server.restored(*args))
        if answer is not IGNORE:
            await keeper.begin(self.starting)
        return answer

    def note_end(self, reason: object) -> None:
        """Tell the keeper of the end, if there is one."""
        if self.keeper is not None:
            self.keeper.end(reason)

    async def serve(self) -> None:
        """Handle messages until the end, then run terminate."""
        try:
            await self.handle_messages()
        except GeneratorExit:  # it is killed
            self.note_end("killed")
            raise
        except Stop as error:
            if self.keeper is not None:
                self.keeper.between(self.server)
            self.note_end(error.reason)
            stop = error
        except BaseException as error:
            self.note_end(_reason_of(error))
            if is_from_outside(error) and isinstance(error, KeyboardInterrupt):
                raise
            if self.keeper is not None:
                await self.keeper.let_go()
            await value_of(self.server.terminate(_reason_of(error)))
            raise
        try:
            await value_of(self.server.terminate(stop.reason))
        finally:
            if stop.reply is not NOREPLY and stop.client is not None:
                stop.client.answer(stop.reply)
            if self.keeper is not None:
                await self.keeper.let_go()
        raise stop.reason if isinstance(stop.reason, Exception) else ProcessExit(stop.reason)

    async def handle_messages(self) -> None:
        """Hand the server one message after another. Left by exceptions only."""
        server = self.server
        if has_limits(server):
            note_limits()
        home = home_of(server)
        namespace = None  # of the version that the class was last looked up in
        debug, keeper = self.debug, self.keeper
        step = self.step  # the Continue or Timeout that the last callback returned
        steps = 0
        answerer = None  # what receives, and answers plain calls itself, in C: as below, for the same version
        message: Any
        client: Any
        while True:
            if keeper is not None:
                keeper.between(server)
            if answerer is not None and step is None:
                message = client = answer = None  # it may be long before others are put there
                try:
                    message = await answerer
                except Stop as stop:
                    stop.client = answerer.client
                    raise
            elif step is None:
                message = await receive()
            elif type(step) is Timeout:
                message = await receive(timeout=step.seconds, default=step)
            else:
                message = step
                steps += 1
                if steps % IN_A_ROW == 0:
                    await sleep(0)
            if keeper is not None:
                keeper.take()
            kind = type(message)
            has_begun = answerer is not None and message is answerer  # handle_call has run, and there is more to do
            # Its module was loaded. To be suspended runs none of its code, and is for changing its state first.
            if (
                home.__dict__ is not namespace
                and not has_begun
                and not (kind is System and message.request == "suspend")
            ):
                namespace = home.__dict__
                server = self.server = of_the_newest_class(server)
                if has_limits(server):
                    note_limits()
                if debug is None and keeper is None:
                    answerer = answering(server, home, Call, NOREPLY, (Continue, Timeout))
            if debug is not None and kind is not System and kind is not Continue:
                debug.came_in("timeout" if message is step else message, server)
            if kind is Call or has_begun:
                client = message.client
                if keeper is not None:
                    client.hold = keeper.hold
                try:
                    answer = message.take() if has_begun else server.handle_call(message.request, client)
                    while is_coroutine(answer):
                        answer = await answer
                except Stop as stop:
                    stop.client = client
                    raise
                step = None
                if type(answer) is Continue or type(answer) is Timeout:
                    step = answer
                    answer = step.reply
                if answer is not NOREPLY:
                    client.answer(answer)
                if debug is not None:
                    if answer is NOREPLY:
                        debug.gave_nothing(server)
                    else:
                        debug.went_out(answer, client.pid, server)
                continue
            if kind is Cast:
                answer = server.handle_cast(message.message)
            elif step is not None and message is step:
                answer = server.handle_continue(message.value) if kind is Continue else server.handle_info("timeout")
            elif kind is System:
                await self.obey(message)
                server = self.server
                debug = self.debug
                home = home_of(server)
                namespace = answerer = None  # it may have been loaded meanwhile
                continue  # with the same step: a timeout restarts, as in OTP
            elif self.is_told_to_exit(message):
                raise ProcessExit(message.reason)
            else:
                answer = server.handle_info(message)
            while is_coroutine(answer):
                answer = await answer
            step = answer if type(answer) is Continue or type(answer) is Timeout else None
            if debug is not None:
                debug.gave_nothing(server)

    def is_told_to_exit(self, message: Any) -> bool:
        """Say whether `message` is an exit signal, trapped, of the parent or of nobody's process: the runtime's own."""
        return type(message) is Exit and (message.pid is self.parent or message.pid is OUTSIDE)

    def status(self) -> dict[str, Any]:
        """Return what sys.get_status shows. Raises: what format_status raises; TypeError if it returns no dict."""
        log = [] if self.debug is None else self.debug.obey(("log", "get"))
        formatted: Any = self.server.format_status({"state": fields_of(self.server), "log": log})
        if not isinstance(formatted, dict):
            raise TypeError(f"format_status must return a dict, not {formatted!r}; the server goes on")
        return {
            "pid": self_(),
            "class": type(self.server),
            "status": "suspended" if self.is_suspended else "running",
            "parent": self.parent,
            **formatted,
        }

    async def obey(self, message: System) -> None:
        """Obey a system message; if it says suspend, come back when resumed."""
        await self.obey_one(message)
        while self.is_suspended:
            found = await receive(System, self.is_told_to_exit)
            if type(found) is Exit:
                raise ProcessExit(found.reason)
            await self.obey_one(found)

    async def obey_one(self, message: System) -> None:
        """Obey a system message and answer it."""
        value: Any = None
        answer: tuple[str, Any]
        try:
            match message.request:
                case "suspend":
                    self.is_suspended = True
                case "resume":
                    self.is_suspended = False
                case "get_state":
                    value = self.server
                case "get_status":
                    value = self.status()
                case ("debug", request):
                    debug = self.debug or Debug()
                    value = debug.obey(request)
                    self.debug = debug if debug else None
                case ("replace_state", function):
                    self.server = value = await replaced(function, self.server)
                case ("change_code", _, _, _) if not self.is_suspended:
                    raise NotObeyed("not suspended")
                case ("change_code", module, old_vsn, extra):
                    self.server = await changed(self.server, module, old_vsn, extra)
                    if self.keeper is not None:
                        self.keeper.changed(self.server)
                case ("terminate", reason):
                    raise Stop(reason)
                case unknown:
                    raise NotObeyed(f"{unknown!r} is no system request")
        except NotObeyed as refusal:
            answer = "error", refusal.reason
        except Exception as error:  # the callback's: it answers an error, and the state stays
            answer = "error", error
        else:
            answer = "ok", value
        message.reply_to << (message.ref, answer)


class Revived(Serving):
    """The process function of a server that has its state already: `server`, an object of the newest class.

    It has no parent, and nobody waits for it to be started. OTP: gen_server:enter_loop/3.
    """

    def __init__(self, server: Any) -> None:
        cls = type(server)
        self.start = None
        self.parent = None
        self.server = server
        self.__module__, self.__qualname__ = cls.__module__, f"{cls.__qualname__}, restarted"

    async def __call__(self) -> Any:
        """Go on as the loop."""
        return self.serve()


def _reason_of(error: BaseException) -> object:
    """Return the exit reason of the calling process, which is unwinding from `error`."""
    settled = current_process("terminate()").exit_reason
    if settled is not None:
        return settled[0]
    return error.reason if isinstance(error, ProcessExit) else error
