"""`StateMachine`: a server whose callbacks depend on the state that it is in; and `Next`, what they return.

The life of an event: a call, a cast, another message, a timeout or an inserted event -> `handle_event`, which is by
default the state's own method -> `Next` -> the state changes, events are inserted or postponed, timeouts start ->
the enter call -> the next event.

Laws:
1. One event at a time, each in the newest version of the class, and no message before all that is queued is done.
2. Events that were postponed come again after the next change of the state, oldest first, before all others.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from reprlib import recursive_repr
from typing import Any, NamedTuple

from midflight.code.lowlevel import fields_of
from midflight.kernel import Client, Ref, arguments, cancel_timer, self_, send_after
from midflight.otp.event_queue import EVENT_TIMEOUT, STATE_TIMEOUT, Event, EventQueue
from midflight.otp.gen_server import GenServer
from midflight.otp.protocol import IGNORE, NOREPLY, Continue, Stop, value_of
from midflight.text import Token, short

__all__ = ["Next", "StateMachine"]

SAME = Token("SAME")
MORE = Token("MORE")  # the value of the Continue that takes a queued event


class Timer:
    """A timeout that runs: `ref` is the kernel's timer."""

    __slots__ = ("ref",)
    ref: Ref


class Rang(NamedTuple):
    """The message of a machine to itself when a timeout is over. `timer` tells it from the one that replaced it."""

    kind: Any
    timer: Timer


class Next:
    """The return value of a state machine's callback: the state to be in, and what comes with the change.

    `state`: the next state; none given: the same. A state that equals the one before does not count as a change.
    `reply`: the reply to the call that the event is.
    `postpone`: the event comes again after the next change of the state.
    `events`: (type, content) pairs, mostly ("internal", content), which come next, before all that waits.
    `state_timeout`: seconds, or (seconds, content): the event "state_timeout" comes if the state does not change.
    `event_timeout`: the same for "timeout", which comes if no other event does.
    `timeouts`: by name the same for ("timeout", name), which comes whatever happens. math.inf cancels a timeout, and a
        new one takes the place of one of the same name.
    `repeat`: the enter call is made also if the state is the same.
    Raises: TypeError or ValueError that names what is wrong.
    OTP: {next_state, State, Data, Actions}, {keep_state_and_data, Actions}, repeat_state.

    Example:

        Next("open", state_timeout=5)  # -> Next('open', state_timeout=(5, None))
    """

    __slots__ = ("events", "postpone", "repeat", "reply", "state", "timeouts")

    def __init__(
        self,
        state: Any = SAME,
        *,
        reply: Any = NOREPLY,
        postpone: bool = False,
        events: Iterable[Event] = (),
        state_timeout: float | tuple[float, Any] | None = None,
        event_timeout: float | tuple[float, Any] | None = None,
        timeouts: Mapping[Any, float | tuple[float, Any]] | None = None,
        repeat: bool = False,
    ) -> None:
        self.state = state
        self.reply = reply
        self.postpone = postpone
        self.repeat = repeat
        self.events = tuple(arguments.items("Next: events", events))
        for each in self.events:
            if type(each) is not tuple or len(each) != 2:
                raise TypeError(f'Next: an event is a pair such as ("internal", content), not {short(each)}')
        self.timeouts: dict[Any, tuple[float, Any]] = {}
        if state_timeout is not None:
            self.timeouts[STATE_TIMEOUT] = _timeout("state_timeout", state_timeout)
        if event_timeout is not None:
            self.timeouts[EVENT_TIMEOUT] = _timeout("event_timeout", event_timeout)
        if timeouts is not None and not isinstance(timeouts, Mapping):
            raise TypeError(f"Next: timeouts must be a dict of names and seconds, not {short(timeouts)}")
        for name, value in (timeouts or {}).items():
            self.timeouts["timeout", name] = _timeout(f"timeout {short(name)}", value)

    def __repr__(self) -> str:
        parts = [] if self.state is SAME else [repr(self.state)]
        parts += [] if self.reply is NOREPLY else [f"reply={self.reply!r}"]
        parts += [f"{name}=True" for name in ("postpone", "repeat") if getattr(self, name)]
        parts += [f"events={self.events!r}"] if self.events else []
        names = {EVENT_TIMEOUT: "event_timeout"}
        parts += [f"{names.get(kind, kind)}={value!r}" for kind, value in self.timeouts.items() if type(kind) is str]
        named = {kind[1]: value for kind, value in self.timeouts.items() if type(kind) is tuple}
        return f"Next({', '.join(parts + ([f'timeouts={named!r}'] if named else []))})"


def _timeout(what: str, value: Any) -> tuple[float, Any]:
    """Return (seconds, content). Raises: TypeError or ValueError for seconds that no timeout can have."""
    seconds, content = value if type(value) is tuple and len(value) == 2 else (value, None)
    arguments.seconds(f"Next: {what}", seconds, or_ever=True)
    return seconds, content


class StateMachine(GenServer):
    """A server that is always in one state: subclass it and define a method for each state, or `handle_event`.

    `init(*args)` returns the first state, or a Next with it. `state` is the current one, to be read; the data of the
    machine is the other attributes of `self`. A callback returns a Next, or None to stay in the state; raise Stop to
    end. Calls, casts, `stop`, `sys`, supervision and loads are those of a GenServer: after a load the next event runs
    the newest version, `code_change(old_vsn, extra)` may set `state`, and an upgrade waits until no event is queued.

    OTP: gen_statem. Its callback mode is here whether `handle_event` is defined; a state's method gets no data, which
    is in `self`.

    Example:

        class Door(StateMachine):
            def init(self, code):
                self.code = code
                return "locked"

            def locked(self, kind, content):
                match kind, content:
                    case ("call", client), code if code == self.code:
                        return Next("open", reply="welcome", state_timeout=5)
                    case ("call", client), _:
                        return Next(reply="wrong code")

            def open(self, kind, content):
                match kind:
                    case "state_timeout":
                        return Next("locked")
                    case ("call", client):
                        return Next(postpone=True)

        door = await Door.start(1234)
        await call(door, 1), await call(door, 1234)  # -> ('wrong code', 'welcome')
    """

    state: Any = None
    state_enter = False  # set it in a subclass to get the event ("enter", the state before) in each new state

    # --- Callbacks ----------------------------------------------------------------------------------------

    def handle_event(self, kind: Any, content: Any, state: Any) -> Any:
        """Handle an event in `state`; return a Next, or None for the same state.

        `kind` is its type: ("call", client), "cast", "info", "state_timeout", "timeout", ("timeout", name), "enter", or
        what a Next inserted. Not defined: the method with the state's name is called, with `kind` and `content`.
        The answer to "enter", whose content is the state before, may have timeouts, but neither another state, nor
        events, nor `postpone`. OTP: Module:handle_event/4 and Module:StateName/3.
        """
        return getattr(self, self._checked(state))(kind, content)

    # --- The machine --------------------------------------------------------------------------------------

    async def begin(self, args: tuple[Any, ...]) -> Any:
        """Take the first state, which init returned; its timeouts, events and enter call come next."""
        answer = await super().begin(args)
        if answer is IGNORE:
            return IGNORE
        first = answer if type(answer) is Next else Next(answer)
        if answer is None or first.state is SAME or first.postpone or first.reply is not NOREPLY:
            name = type(self).__qualname__
            raise TypeError(f"{name}.init must return its first state, or Next(state), not {answer!r}; not started")
        if type(self).handle_event is StateMachine.handle_event:
            self._checked(first.state)
        self._events = EventQueue()
        self.state = first.state
        return Continue(first)

    async def handle_continue(self, value: Any) -> Any:
        """Begin in the first state, or take an event that is queued."""
        if type(value) is Next:
            await self._go_on(value, None, is_new=True)
        else:
            await self._handle(self._events.take())
        return self._step()

    async def handle_call(self, request: Any, client: Client) -> Any:
        """Take a call as the event ("call", client)."""
        await self._handle((("call", client), request))
        return self._step() or NOREPLY

    async def handle_cast(self, message: Any) -> Any:
        """Take a cast as the event "cast"."""
        await self._handle(("cast", message))
        return self._step()

    async def handle_info(self, message: Any) -> Any:
        """Take any other message as the event "info", and the end of a timeout as that."""
        event: Event | None = ("info", message)
        if type(message) is Rang:
            event = self._events.ring(message.kind, message.timer)
        if event is not None:
            await self._handle(event)
        return self._step()

    def _step(self) -> Continue | None:
        return Continue(MORE) if self._events else None

    @classmethod
    def _checked(cls, state: Any) -> str:
        """Return the name of the method of a state. Raises: TypeError or ValueError if there can be none."""
        name = cls.__qualname__
        if type(state) is not str:
            raise TypeError(f"{name}: a state is the name of a method, not {short(state)}; or define handle_event")
        if hasattr(StateMachine, state):
            raise ValueError(f"{name}: {short(state)} is a name of every server; give the state another one")
        if not callable(getattr(cls, state, None)):
            raise ValueError(f"{name} has no state {short(state)}; define a method of that name, or handle_event")
        return state

    def unfit_for(self, cls: type[Any]) -> str | None:
        """Return why an object of `cls`, another version of its class, could not go on in the state that it is in.

        None if it could. Loads and upgrades ask it: a machine whose state is gone would end at its next event.
        """
        if not issubclass(cls, StateMachine) or cls.handle_event is not StateMachine.handle_event:
            return None
        try:
            cls._checked(self.state)
        except (TypeError, ValueError) as error:
            return str(error)
        return None

    async def _handle(self, event: Event) -> None:
        kind, content = event
        self._cancel(EVENT_TIMEOUT)
        try:
            answer = await value_of(self.handle_event(kind, content, self.state))
        except Stop as stop:
            stop.client = _client_of(kind)
            raise
        await self._go_on(self._next(answer), event, is_new=False)

    def _next(self, answer: Any) -> Next:
        if answer is None:
            return Next()
        if type(answer) is not Next:
            where = f"{type(self).__qualname__} in state {short(self.state)}"
            raise TypeError(f"{where} returned {short(answer)}; a callback returns Next(...), or None to stay")
        return answer

    async def _go_on(self, wanted: Next, event: Event | None, *, is_new: bool) -> None:
        """Do what a callback wants after `event`, and make the enter call if the state is a new one."""
        before = self.state
        if wanted.reply is not NOREPLY:
            client = None if event is None else _client_of(event[0])
            if client is None:
                raise ValueError(f"{wanted!r} has a reply, but the event was {short(event)}; use reply(client, value)")
            client.answer(wanted.reply)
        if wanted.postpone and event is not None:
            self._events.postpone(event)
        if wanted.state is not SAME and wanted.state != before:
            if type(self).handle_event is StateMachine.handle_event:
                self._checked(wanted.state)
            is_new = True
            self.state = wanted.state
            self._cancel(STATE_TIMEOUT)
            self._events.change_state()
        self._events.insert(wanted.events)
        self._set_timeouts(wanted)
        if self.state_enter and (is_new or wanted.repeat):
            entered = self._next(await value_of(self.handle_event("enter", before, self.state)))
            if entered.state not in (SAME, self.state) or entered.postpone or entered.events:
                raise ValueError(f'{entered!r} is not allowed in answer to "enter": only timeouts are')
            self._set_timeouts(entered)

    def _set_timeouts(self, wanted: Next) -> None:
        for kind, (seconds, content) in wanted.timeouts.items():
            self._cancel(kind)
            if seconds == 0:
                self._events.set_timer(kind, None, content)
            elif seconds != math.inf:
                timer = Timer()
                timer.ref = send_after(seconds, self_(), Rang(kind, timer))
                self._events.set_timer(kind, timer, content)

    def _cancel(self, kind: Any) -> None:
        timer = self._events.cancel(kind)
        if timer is not None:
            cancel_timer(timer.ref)

    @recursive_repr()
    def __repr__(self) -> str:
        data = {name: value for name, value in fields_of(self).items() if name not in ("state", "_events")}
        parts = [type(self).__qualname__, short(self.state), *(f"{key}={short(value)}" for key, value in data.items())]
        return f"<{' '.join(parts)}>"


def _client_of(kind: Any) -> Client | None:
    return kind[1] if type(kind) is tuple and len(kind) == 2 and kind[0] == "call" else None
