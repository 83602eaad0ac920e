"""`Suspension`: servers held between two messages while their new states are made: suspended, changed, and let go.

The life of a suspended server: "suspend" is sent -> it is between two messages; it goes on once more if another that is
to be suspended waits for its answer -> in its own process a copy of it is made and changed -> `install` puts the copy
in its place, or the copy is dropped -> "resume" is sent.

Laws:
1. Each server that was asked to suspend is let go: told to resume, or the message that it has not read is taken back.
   A server that somebody else had suspended before stays so.
2. Until `install` nothing has changed for a server. `install` cannot fail.
3. What runs here runs in processes of ours on the servers' own threads. `Suspension` is used from another thread,
   but for the methods that say so.
"""

from __future__ import annotations

import time
from collections.abc import Sequence, Set
from functools import partial
from typing import NamedTuple

from midflight.code.identity.server_state import swap_state
from midflight.code.load.journal import Changed
from midflight.code.load.new_version import NewVersion
from midflight.code.load.outcome import Commit
from midflight.code.report.upgrade_report import ServerChange
from midflight.code.upgrade.account import changes_of, servers_of
from midflight.code.upgrade.in_thread import Stopped, Ticket
from midflight.code.upgrade.plan import Planner, Terms, serving, stragglers
from midflight.code.upgrade.suspended import SuspendedServer, called_by, let_go, place_of, preparing, what_it_does
from midflight.kernel import (
    OUTSIDE,
    Down,
    Process,
    Ref,
    Scheduler,
    System,
    current_process,
    demonitor,
    monitor,
    receive,
    schedulers,
)

__all__ = ["Busy", "Suspension"]

LOOK_SECONDS = 0.02  # between two looks whether who is to be suspended waits for one that is


class Late(NamedTuple):
    """A server that did not obey in time: the activity that keeps it from that, and its kind."""

    server: SuspendedServer
    why: str
    code: str = "busy"


class Busy(Exception):
    """Servers did not obey in time."""

    def __init__(self, late: Sequence[Late]) -> None:
        super().__init__("; ".join(each.why for each in late))
        self.late = late


class _Answers:
    """Takes the answers to system messages, for `process`: as they are, where a runtime copies messages."""

    def __init__(self, scheduler: Scheduler, process: Process) -> None:
        self._scheduler = scheduler
        self._process = process

    def __lshift__(self, message: tuple[Ref, object]) -> None:
        self._scheduler.deliver(self._process, message[0])  # who it was; what it says nobody needs


class Suspension:
    """The servers whose class there is a plan for, from `suspend` to `release`. The States of a commit.

    By the terms, no server is suspended for longer than `timeout` seconds of its runtime's clock, and the `caller`,
    which waits for all this, cannot be suspended. `changes` are the outcomes by module. `seconds` is how long servers
    have been suspended, None if none was.
    """

    def __init__(self, new: Sequence[NewVersion], ticket: Ticket, terms: Terms) -> None:
        self.new = tuple(new)
        self.changes: dict[str, tuple[ServerChange, ...]] = {}
        self._plan_for = Planner(new, terms)
        self._plan_for.read_ahead()
        self._ticket = ticket
        self._terms = terms
        self._deadlines: dict[Scheduler, float] = {}
        self._all: list[SuspendedServer] = []
        self._installed: list[SuspendedServer] | None = None
        self._since: float | None = None
        self._until: float | None = None

    @property
    def servers(self) -> list[SuspendedServer]:
        """The servers that are changed, or would be but for an error, oldest first."""
        if self._installed is not None:
            return self._installed
        changed = [each for each in self._all if each.is_alive and (each.new is not None or each.error is not None)]
        return sorted(changed, key=lambda each: each.pid)

    @property
    def failed(self) -> list[SuspendedServer]:
        """The servers whose code_change raised, oldest first."""
        return [each for each in self.servers if each.error is not None]

    @property
    def seconds(self) -> float | None:
        """The time since the first server was asked to suspend, or until all went on."""
        if self._since is None:
            return None
        return (self._until or time.perf_counter()) - self._since

    def suspend(self) -> None:
        """Suspend all servers that are not suspended yet. Raises: Busy, Stopped."""
        self._since = self._since or time.perf_counter()
        for scheduler in schedulers():
            self._ticket.run(scheduler, self._suspend, scheduler)

    def change(self, *, is_rehearsal: bool = False) -> None:
        """Have all that are suspended make their new states. With `is_rehearsal`, tell the whole state of each.

        What a code_change raised is not raised: `failed` has it. Raises: Busy, Stopped.
        """
        for scheduler in schedulers():
            self._ticket.run(scheduler, self._change, scheduler, is_rehearsal)
        servers = self.servers
        self.changes = {
            each.unit.name: changes_of(servers_of(each, servers), is_whole=is_rehearsal) for each in self.new
        }

    def are_ready(self, commit: Commit) -> bool:
        """Say whether all servers that there are now are suspended, and have new states. On the runtime's thread.

        Warns in `commit` of servers that stay behind.
        Raises: Stopped, also if the state of a server is no longer the one that was copied.
        """
        self._ticket.check()
        if any(self._find(scheduler) for scheduler in schedulers()):
            return False
        touched = [each for each in self.servers if each.new is not None and not each.is_as_it_was]
        if touched:
            raise Stopped(f"somebody else has resumed {touched[0]!r} meanwhile, or replaced its state")
        for new, warning in stragglers(self.new):
            commit.warn(new, [warning])
        return True

    def changed(self) -> list[Changed]:
        """Return the servers with their new states. On the runtime's thread."""
        return [Changed(each.process, each.new) for each in self.servers if each.new is not None]

    def install(self) -> None:
        """Give every server its new state. On the runtime's thread. Cannot fail, and may be done again."""
        self._installed = self.servers
        for each in self._installed:
            each.behaviour.server = swap_state(each.old, each.new)

    def release(self) -> None:
        """Let everybody go on; returns before they do."""
        installed = self._installed or ()
        for each in self._all:
            each.scheduler.on_own_thread(partial(let_go, each, is_installed=each in installed))
        self._until = time.perf_counter()

    # --- In a process of the servers' scheduler ---------------------------------------------------------------

    def _find(self, scheduler: Scheduler) -> list[SuspendedServer]:
        suspended = {each.process for each in self._all}
        found = []
        for process in serving(scheduler):
            behaviour = process.behaviour
            if process in suspended or process.exit_reason is not None:
                continue
            server = behaviour.starting if behaviour.server is None else behaviour.server
            plan = None if server is None else self._plan_for(type(server))
            if plan is not None:
                found.append(SuspendedServer(scheduler, process, plan))
        return found

    async def _suspend(self, scheduler: Scheduler) -> None:
        if self._terms.timeout is not None:
            self._deadlines.setdefault(scheduler, scheduler.clock.now() + self._terms.timeout)
        found = self._find(scheduler)
        self._all += found
        for each in found:
            each.behaviour.is_held = True
        own = [each for each in found if each.process is self._terms.caller]
        if own:
            raise Busy([Late(own[0], f"{own[0]!r} asks for it itself, in a callback; have another process do so")])
        late = await self._ask(scheduler, [(each, "suspend") for each in found], is_suspending=True)
        for each in found:
            each.is_taken = each not in late
        if late:
            raise Busy([Late(each, f"{each!r} {what_it_does(each)}") for each in late])

    async def _change(self, scheduler: Scheduler, is_rehearsal: bool) -> None:
        """Have each server make its new state; look again at its class, which a last message may have changed."""
        taken = [each for each in self._all if each.is_taken and each.is_alive and each.old is None]
        asked = []
        for each in taken:
            if each.scheduler is scheduler:
                each.plan = self._plan_for(type(each.behaviour.server))
                if each.plan is not None:
                    asked.append((each, ("replace_state", preparing(each, each.plan, is_rehearsal=is_rehearsal))))
        late = await self._ask(scheduler, asked)
        if late:
            raise Busy([self._still_changing(each) for each in late])
        for each, _ in asked:
            if each.new is None and each.error is None and each.is_alive:
                each.error = RuntimeError("it has not made a new state, though it was asked to")

    def _still_changing(self, server: SuspendedServer) -> Late:
        said = f"{server!r} is still in its {server.callback}{place_of(server)}"
        callee = called_by(server.process)
        suspended = next((each for each in self._all if each.process is callee), None)
        if suspended is None:
            return Late(server, said)
        why = f"{said}, and waits for an answer of {suspended!r}, which is suspended too"
        return Late(server, why, "suspended-call")

    def _let_answer(self, waiting: Set[SuspendedServer], scheduler: Scheduler) -> list[SuspendedServer]:
        """Have suspended servers go on through their mailboxes if one of the `waiting` waits for their answer.

        Else that one would never come to its next message. Nothing of them has been copied yet. They are returned, to
        be suspended once more.
        """
        callees = {called_by(each.process) for each in waiting}
        found = [each for each in self._all if each.process in callees and each not in waiting and each.is_alive]
        own = [each for each in found if each.scheduler is scheduler]
        suspended = [each for each in own if each.old is None and not each.was_suspended]
        for each in suspended:
            scheduler.deliver(each.process, System("resume", Ref(), OUTSIDE))
        return suspended

    async def _ask(
        self, scheduler: Scheduler, asked: Sequence[tuple[SuspendedServer, object]], *, is_suspending: bool = False
    ) -> list[SuspendedServer]:
        """Send each server a system message and wait for all answers; return the servers that are late with theirs."""
        answers = _Answers(scheduler, current_process("an upgrade"))
        deadline = self._deadlines.get(scheduler)
        waiting: dict[Ref, SuspendedServer] = {}
        requests = list(asked)
        while requests or waiting:
            for suspended, request in requests:
                ref = monitor(suspended.pid)
                waiting[ref] = suspended
                suspended.is_asked = True
                suspended.message = System(request, ref, answers)
                scheduler.deliver(suspended.process, suspended.message)
            requests = []
            left = None if deadline is None else max(0.0, deadline - scheduler.clock.now())
            if is_suspending:
                left = LOOK_SECONDS if left is None else min(LOOK_SECONDS, left)
            message = await receive(timeout=left, default=None)
            if message is None:
                if not is_suspending or (deadline is not None and scheduler.clock.now() >= deadline):
                    break
                requests = [(each, "suspend") for each in self._let_answer(set(waiting.values()), scheduler)]
                continue
            ref = message.ref if type(message) is Down else message
            done = waiting.pop(ref, None) if type(ref) is Ref else None
            if done is not None:
                demonitor(ref)
                done.message = None
        return list(waiting.values())
