"""The world that actions act on: players, the modules that they run, the witness of their ends, and the ledger.

The witness is a process that starts all players and monitors each. So the end of a player is known whatever the
player does, and its reason too.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from chaos.ledger import OUTSIDE, Ledger, Wait, shown
from chaos.player import Order, Player
from chaos.texts import good_text, text_number
from midflight import (
    CrashReport,
    Down,
    GenServer,
    Pid,
    code,
    exit,
    monitor,
    process_info,
    receive,
    spawn,
    spawn_link,
    spawn_monitor,
    trap_exit,
)
from midflight.errors import UnknownVersionError
from midflight.kernel import Scheduler

__all__ = ["KINDS", "Line", "World"]

KEPT = 100  # texts of versions: as many as the code server keeps
KINDS = ("tail", "tail", "while", "newest", "server")


class Line:
    """A module and its versions. `texts` maps the number of each version to the number of its text.

    While it `is_moving`, players may be moved to a younger version at any moment. A line that `is_open` is loaded by
    others, who move and purge as they like; what its versions are is asked of the code server.
    """

    def __init__(self, name: str, folder: Path, *, is_open: bool = False) -> None:
        self.name = name
        self.is_open = self.is_moving = is_open
        self.path = folder / f"{name}.py"
        self.texts: dict[int, int] = {}
        self.sources: dict[int, str] = {}
        self.is_busy = False  # a load of it is under way
        self.next_text = 1

    def current(self) -> int | None:
        """Return the number of the current version, as the code server says."""
        return code.current_version(self.name)

    def new_text(self, extra: int, **options: bool) -> tuple[int, str]:
        """Return the number of a text that was not there before, and the text."""
        number, self.next_text = self.next_text, self.next_text + 1
        return number, good_text(self.name, number, extra, **options)

    def took(self, version: int, text: int, source: str) -> None:
        """Note that a version with that text has become current, or may at any moment."""
        self.texts[version] = text
        self.sources[version] = source
        self.sources.pop(version - KEPT, None)  # else they are what grows in an hour

    def text_of(self, version: int) -> int | None:
        """Return the number of the text of a version, None if it is not known."""
        if self.is_open and version not in self.texts:
            try:
                self.texts[version] = text_number(code.source(self.name, version))
            except UnknownVersionError:
                return None
        return self.texts.get(version)

    def younger(self, version: int | None, text: int) -> int | None:
        """Return the version after `version` that has that text, `version` itself if none has."""
        current = self.current()
        if version is None or current is None:
            return version
        found = (each for each in range(current, version, -1) if self.text_of(each) == text)
        return next(found, version)

    def module(self) -> Any:
        """Return the module."""
        return sys.modules[self.name]


class World:
    """Everything that one run acts on. `run_load` calls a function that loads, and hands on what came of it."""

    def __init__(self, rng: Random, scheduler: Scheduler, folder: Path, *, is_live: bool) -> None:
        self.rng = rng
        self.scheduler = scheduler
        self.folder = folder
        self.is_live = is_live
        self.complaints: list[str] = []  # of the event loop: tasks that nobody ended, exceptions that nobody saw
        self.is_shared = False  # others have processes and names in this runtime
        self.ledger = Ledger(scheduler.clock.now)
        self.lines: list[Line] = []
        self.witness: Pid | None = None
        self.advance: Callable[[float], object] = lambda seconds: None
        self.settle: Callable[[], object] = lambda: None
        self.run_load: Callable[[Callable[[], Any], Callable[[Any], object]], object] = run_at_once
        self.run_upgrade: Callable[[Callable[[], Any], Callable[[Any], object]], object] | None = None
        self.allowed: set[Pid] = set()  # processes that belong to nobody's round

    # --- The witness -------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Begin a round: a new ledger, and a witness for it."""
        self.ledger = Ledger(self.scheduler.clock.now)
        self.witness = spawn(self._witness, self.ledger, name="witness")

    async def _witness(self, ledger: Ledger) -> None:
        trap_exit(True)
        while True:
            message = await receive()
            match message:
                case Order():
                    result = message.function(self)
                    if result is not None:
                        await result
                    del result
                case Down():
                    self._note_end(ledger, message)
                case "end":
                    return
            del message

    def _note_end(self, ledger: Ledger, down: Down) -> None:
        player = ledger.by_pid.get(down.pid)  # type: ignore[arg-type]  # none is monitored by name
        if player is None:
            ledger.fault(f"the witness heard of the end of {down.pid!r}, which is no player")
            return
        player.downs += 1
        reason = shown(down.reason)
        if reason != "noproc":  # the witness came too late to hear the reason
            player.ended = reason
        elif player.ended is None:
            player.ended = "?"
        ledger.counts["ends"] += 1

    def crashed(self, report: CrashReport) -> None:
        """Note a crash report; a listener of the runtime."""
        self.ledger.crashes[report.pid] += 1

    def complained(self, _: object, context: dict[str, Any]) -> None:
        """Note what the event loop complains of; its exception handler.

        A child that has failed before its parent was killed is nobody's to hear of, and so the loop is told.
        """
        if "but its parent task" in str(context.get("message")):
            return
        self.complaints.append(str(context.get("message")) + " " + repr(context.get("task") or context.get("future")))

    # --- Players -----------------------------------------------------------------------------------------------

    def start(self, *, by: Player | None = None, way: str = "spawn") -> Player:
        """Start a player, from the witness, or in the process of player `by`, which it is linked to or monitors."""
        rng = self.rng
        line = rng.choice(self.lines)
        kind = rng.choice(KINDS if by is None else KINDS[:-1])
        player = Player(self.ledger, line, kind, traps=rng.random() < 0.3)
        if by is None and rng.random() < 0.2:
            player.name = f"player-{player.number}"
        if line.is_open:
            player.causes.add("killed")
        self.ledger.counts["spawns"] += 1
        if by is None:
            self.witness_does(f"start {player.number}", partial(self.start_here, player))
        else:
            self._bear(by, player, way)
        return player

    def start_here(self, player: Player, _: World) -> Any:
        """Start `player` in the process that calls, the witness, which monitors it."""
        if player.kind == "server":
            return self._start_server(player)
        function = getattr(player.line.module(), f"start_{player.kind}")
        player.version = player.line.current()
        pid, _ref = spawn_monitor(function, player, name=player.name)
        self._known(player, pid)
        return None

    async def _start_server(self, player: Player) -> None:
        server: type[GenServer] = player.line.module().Server
        pid = await server.start(player, name=player.name)
        assert pid is not None
        self._known(player, pid)
        monitor(pid)

    def _bear(self, parent: Player, player: Player, way: str) -> None:
        """Start `player` in the process of `parent`, which is running."""
        function = getattr(player.line.module(), f"start_{player.kind}")
        player.version = player.line.current()
        if way == "spawn_link":
            pid = spawn_link(function, player)
            self.ledger.links.add(frozenset((parent.number, player.number)))
        elif way == "spawn_monitor":
            pid, ref = spawn_monitor(function, player)
            self.ledger.note_monitor(ref, parent.number, player.number)
        else:
            pid = spawn(function, player)
        self._known(player, pid)
        self.witness_does(f"watch {player.number}", lambda _: watch(pid))

    def _known(self, player: Player, pid: Pid) -> None:
        player.pid = pid
        self.ledger.by_pid[pid] = player
        if pid.process is not None:
            self.ledger.processes.append(weakref.ref(pid.process))

    def witness_does(self, text: str, function: Callable[[Any], Any]) -> None:
        """Have the witness call `function` in its process."""
        assert self.witness is not None
        self.witness << Order(text, function)

    def alive(self, *, idle: bool = False, but: Player | None = None) -> list[Player]:
        """Return the players that live; with `idle`, those of them that are in no wait."""
        return [
            each
            for each in self.ledger.players.values()
            if each.is_alive and each is not but and not (idle and each.wait is not None)
        ]

    def pick(self, *, idle: bool = False, but: Player | None = None) -> Player | None:
        """Return one of these by chance, None if there is none."""
        found = self.alive(idle=idle, but=but)
        return self.rng.choice(found) if found else None

    def order(self, player: Player, text: str, function: Callable[[Player], Any]) -> None:
        """Send `player` an order."""
        assert player.pid is not None
        player.pid << Order(text, function)

    def send_exit(self, player: Player, reason: object, sender: int = OUTSIDE) -> None:
        """Send an exit signal from here, and note what has to come of it."""
        pid = player.pid
        assert pid is not None
        info = process_info(pid)
        text = shown(reason)
        if info is None:
            exit(pid, reason)
            return
        if text == "kill":
            player.causes.add("killed")
            player.must_end = True
        elif info["trap_exit"] and player.kind == "server" and sender == OUTSIDE:
            player.causes.add(text)  # the runtime's own exit signals end a server that traps exits, too, once it hears
        elif info["trap_exit"]:
            player.exits_due[sender, text] += 1
        elif text != "normal":
            player.causes.add(text)
            player.must_end = True
        exit(pid, reason)
        if text == "kill" and pid.process is not None:
            self.ledger.fault(f"{player!r} lives after exit(pid, 'kill')")

    def release(self, wait: Wait) -> None:
        """Let a wait end."""
        wait.is_released = True
        release, wait.release = wait.release, None
        if release is not None:
            release()


def run_at_once(function: Callable[[], Any], then: Callable[[Any], object]) -> None:
    """Call `function`, and `then` with what it returned or raised."""
    try:
        result = function()
    except Exception as error:
        result = error
    then(result)


async def watch(pid: Pid) -> None:
    """Monitor `pid`; to be called in the witness."""
    monitor(pid)
