"""What must be true whenever everything rests: every process waits, and no load is under way.

Each rule is a function of the world that yields a line for each breach. None looks at how the runtime is built: they
compare the ledger with what the public functions say.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

from chaos.ledger import Broken, Letter, Ring, shown
from chaos.player import Player
from chaos.world import World
from midflight import Down, Exit, code, process_info, processes, registered, whereis
from midflight.otp.protocol import Cast

__all__ = ["RULES", "TOLD_AGAIN_SECONDS", "check"]

SWALLOWS = sys.version_info < (3, 13)
TOLD_AGAIN_SECONDS = 6.0


def check(world: World) -> None:
    """Raise Broken if any rule is."""
    found = list(world.ledger.wrong)
    for rule in RULES:
        found += [f"{rule.__name__}: {text}" for text in rule(world)]
    if found:
        raise Broken("\n".join(found[:20]))


def mailbox_of(player: Player) -> list[Any]:
    """Return the messages that a player has not taken yet."""
    assert player.pid is not None
    info = process_info(player.pid)
    return [] if info is None else [each.message if isinstance(each, Cast) else each for each in info["messages"]]


def state_of(player: Player) -> str:
    """Return where a player is, for a report."""
    info = (process_info(player.pid) if player.pid is not None else None) or {}
    wanted = ("status", "waiting_for", "current_function", "line", "message_queue_len", "trap_exit")
    return ", ".join(f"{name} {info.get(name)!r}" for name in wanted)


def is_being_told_again(world: World, player: Player) -> bool:
    """Say whether asyncio may have swallowed the exit signal of `player`, which is thrown again within some seconds.

    Before Python 3.13 a TaskGroup does so, and before 3.12 `wait_for`: see midflight.kernel.swallowed.
    """
    info = process_info(player.pid) if player.pid is not None else None
    if not SWALLOWS or info is None or info["status"] != "exiting":
        return False
    now = world.ledger.now()
    if player.exiting_since is None:
        player.exiting_since = now
    return now < player.exiting_since + TOLD_AGAIN_SECONDS


def letters_arrive(world: World) -> Iterator[str]:
    """Every letter to a living player was heard or is in its mailbox, in order."""
    ledger = world.ledger
    waiting: Counter[tuple[int, int, str]] = Counter()
    for player in world.alive():
        for message in mailbox_of(player):
            if isinstance(message, Letter):
                key = message.sender, player.number, message.colour
                waiting[key] += 1
                due = ledger.heard[key] + waiting[key]
                if message.number != due:
                    yield f"{player!r} has {message} in its mailbox, where number {due} is due"
    for key, count in ledger.sent.items():
        if ledger.players[key[1]].is_alive and ledger.heard[key] + waiting[key] != count:
            yield f"{key}: {count} were sent, {ledger.heard[key]} heard, {waiting[key]} wait"


def ends_are_known(world: World) -> Iterator[str]:
    """The witness hears of every end exactly once, with a reason that was given; who has to end has ended."""
    ledger = world.ledger
    peers: dict[int, set[str]] = {}
    for one, other in (sorted(pair) for pair in ledger.links):
        for a, b in ((one, other), (other, one)):
            ended = ledger.players[b].ended
            if ended is not None:
                peers.setdefault(a, set()).add(ended)
            if ended == "?":  # it had ended before the witness looked; the one linked to it has heard why
                peers[a] |= ledger.players[b].causes
    for player in ledger.players.values():
        if player.pid is None:
            continue
        if player.is_alive:
            if player.downs:
                yield f"{player!r} lives, and its end was told"
            if player.must_end and not is_being_told_again(world, player):
                yield f"{player!r} lives, and had to end: {sorted(player.causes)}; {state_of(player)}"
        elif player.downs != 1:
            yield f"{player!r} is dead; its end was told {player.downs} times"
        elif player.ended not in (causes := player.causes | peers.get(player.number, set()) | {"?"}):
            yield f"{player!r} ended with {player.ended}; known causes: {sorted(causes)}"


def links_pull(world: World) -> Iterator[str]:
    """Of two linked players one does not outlive the other's bad end, unless it traps exits."""
    ledger = world.ledger
    for pair in ledger.links:
        one, other = (ledger.players[number] for number in sorted(pair))
        if one.is_alive and other.is_alive:
            for a, b in ((one, other), (other, one)):
                info = process_info(a.pid) if a.pid is not None else None
                if info is not None and b.pid not in info["links"]:
                    yield f"{a!r} is linked to {b!r}, and process_info does not say so: {info['links']}"
        elif one.is_alive or other.is_alive:
            living, dead = (one, other) if one.is_alive else (other, one)
            if dead.ended not in ("normal", "?") and not living.traps and not is_being_told_again(world, living):
                yield f"{living!r} has outlived {dead!r}, linked to it, which ended with {dead.ended}"


def exits_are_heard(world: World) -> Iterator[str]:
    """A living player that traps exits has heard every one that was due to it, exactly once."""
    ledger = world.ledger
    for player in world.alive():
        if not player.traps or not player.has_begun:
            continue
        due = Counter(player.exits_due)
        for pair in ledger.links:
            if player.number in pair:
                (other,) = pair - {player.number}
                ended = ledger.players[other].ended
                if ended == "?":  # the witness does not know; what was heard is taken for right
                    ended = next((reason for number, reason in player.exits_heard if number == other), None)
                if ended is not None:
                    due[other, ended] += 1
        heard = Counter(player.exits_heard)
        for message in mailbox_of(player):
            if isinstance(message, Exit):
                heard[ledger.sender_of(message), shown(message.reason)] += 1
        if due != heard and player.kind != "server":  # the behaviour takes the exits of its parent itself
            yield f"{player!r} was to hear {due - heard} more exits, and heard {heard - due} too many"


def monitors_tell_once(world: World) -> Iterator[str]:
    """A monitor tells once of the end of its target, with the reason of that end, and never of one that lives."""
    ledger = world.ledger
    waiting: Counter[Any] = Counter()
    for player in world.alive():
        for message in mailbox_of(player):
            if isinstance(message, Down):
                waiting[message.ref] += 1
    for ref, record in ledger.monitors.items():
        watcher, target = ledger.players[record.watcher], ledger.players[record.target]
        if not watcher.is_alive:
            continue
        told = record.downs + waiting[ref]
        if target.is_alive and told:
            yield f"{watcher!r} was told of the end of {target!r}, which lives"
        if not target.is_alive and not record.is_off and told != 1:
            yield f"{watcher!r} was told {told} times of the end of {target!r}"
        if record.reason not in (None, "noproc", target.ended) and target.ended != "?":
            yield f"{watcher!r} was told that {target!r} ended with {record.reason}, the witness: {target.ended}"


def timers_ring(world: World) -> Iterator[str]:
    """A timer whose time has come has rung, or waits in a mailbox, unless it was cancelled or its receiver ended."""
    ledger, now = world.ledger, world.ledger.now()
    waiting = {
        message.number for player in world.alive() for message in mailbox_of(player) if isinstance(message, Ring)
    }
    for timer in ledger.timers.values():
        player = ledger.players[timer.dest]
        has_rung = timer.rang_at is not None or timer.number in waiting
        if timer.due <= now and player.is_alive and not timer.is_cancelled and not has_rung:
            yield f"timer {timer.number} was due at {timer.due}, it is {now}, and {player!r} has heard nothing"
        if timer.number in waiting and timer.is_cancelled:
            yield f"timer {timer.number} was cancelled in time, and is in the mailbox of {player!r}"


def waits_end(world: World) -> Iterator[str]:
    """A wait that was released, or whose time has come, is over; one that was not goes on; a dead player is unwound."""
    ledger, now = world.ledger, world.ledger.now()
    for wait in ledger.waits.values():
        player = ledger.players[wait.player]
        if wait.clean_ups > 1:
            yield f"wait {wait.number} ({wait.kind}) was cleaned up {wait.clean_ups} times"
        if not player.is_alive:
            if wait.state == "waiting":
                yield f"{player!r} is dead, and its wait {wait.number} ({wait.kind}) was not unwound"
        elif wait.state == "waiting" and (wait.is_released or (wait.due is not None and wait.due <= now)):
            yield f"{player!r} waits for {wait.kind} ({wait.number}), due {wait.due}, released {wait.is_released}"
        elif wait.state == "unwound":
            yield f"{player!r} lives, and was torn out of its wait {wait.number} ({wait.kind})"


def versions_are_right(world: World) -> Iterator[str]:
    """The code server finds each player in the version that it must be in, and old versions only where players are."""
    for line in world.lines:
        if line.is_open:
            continue
        current = line.current()
        run: dict[int, set[Any]] = {}
        for player in world.alive():
            if player.line is line and player.kind != "server" and player.version is not None:
                run.setdefault(player.version, set()).add(player.pid)
        for info in code.versions(line.name):
            if info.is_current != (info.version == current):
                yield f"{line.name}: versions() says that {info.version} is current, current_version() {current}"
            found = set(code.processes(line.name, info.version))
            servers = {each.pid for each in world.alive() if each.kind == "server"}
            if found - servers != run.pop(info.version, set()):
                yield f"{line.name} {info.version}: the code server finds {found}, {info.version} must run elsewhere"
        for version, pids in run.items():
            yield f"{line.name}: {pids} run version {version}, which versions() does not know"


def processes_are_counted(world: World) -> Iterator[str]:
    """The runtime knows the players that live, the witness, and what waits have started; and no more names."""
    found = set(processes())
    known = {each.pid for each in world.alive()} | {world.witness}
    strangers = found - known - world.allowed
    helpers = sum(each.state == "waiting" and each.kind == "run_process" for each in world.ledger.waits.values())
    if len(strangers) > helpers and not world.is_shared:
        yield f"{len(strangers)} processes are nobody's, {helpers} may be: {sorted(strangers)[:10]}"
    if known - found:
        yield f"processes() does not know {known - found}"
    names = {each.name: each.pid for each in world.alive() if each.name is not None} | {"witness": world.witness}
    for name in registered():
        if name not in names and not world.is_shared:
            yield f"{name!r} is registered, as {whereis(name)!r}"
    for name, pid in names.items():
        if whereis(name) != pid:
            yield f"{name!r} is {whereis(name)!r}, and must be {pid!r}"


def crashes_are_told(world: World) -> Iterator[str]:
    """There is one crash report for each player that an exception of its own ended, and none for others."""
    ledger = world.ledger
    for pid, count in ledger.crashes.items():
        player = ledger.by_pid.get(pid)
        if count > 1 or player is None or player.crash is None:
            yield f"{pid!r} ({player!r}) had {count} crash reports"
    for player in ledger.players.values():
        if player.crash is not None and player.ended == player.crash and player.pid not in ledger.crashes:
            yield f"{player!r} has crashed, and no report was made"


RULES = (
    letters_arrive,
    ends_are_known,
    links_pull,
    exits_are_heard,
    monitors_tell_once,
    timers_ring,
    waits_end,
    versions_are_right,
    processes_are_counted,
    crashes_are_told,
)
