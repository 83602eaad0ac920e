"""Actions with processes: spawn, send, link, monitor, exit, names, timers, trees."""

from __future__ import annotations

from functools import partial
from typing import Any

from chaos.actions.waits import in_wait
from chaos.ledger import Ring, Timer, Wait, shown
from chaos.player import Player, Switch
from chaos.world import World
from midflight import (
    NoSuchName,
    NoSuchProcess,
    alias,
    call,
    cancel_timer,
    cast,
    demonitor,
    link,
    monitor,
    send,
    send_after,
    unalias,
    unlink,
)
from midflight.errors import CallError

__all__ = ["ACTIONS"]

MOST_PLAYERS = 40


def spawn_one(world: World) -> str:
    """Start a player."""
    if len(world.alive()) >= MOST_PLAYERS:
        return ""
    return f"spawn {world.start().number}"


def bear(world: World) -> str:
    """Have a player start another one."""
    parent = world.pick(idle=True)
    if parent is None or len(world.alive()) >= MOST_PLAYERS:
        return ""
    way = world.rng.choice(("spawn", "spawn_link", "spawn_monitor"))
    world.order(parent, way, lambda me: void(world.start(by=me, way=way)))
    return f"{parent.number}: {way}"


def post(world: World, count: int = 1) -> str:
    """Have a player send letters to another."""
    sender, receiver = world.pick(), world.pick()
    if sender is None or receiver is None:
        return ""
    way = world.rng.choice(("<<", "send", "name", "cast"))
    world.order(sender, f"letter to {receiver.number}", partial(write, receiver, count, way))
    return f"{sender.number}: {count} letters to {receiver.number} by {way}"


def write(receiver: Player, count: int, way: str, me: Player) -> None:
    """Send letters from the running player."""
    assert receiver.pid is not None
    for _ in range(count):
        letter = me.ledger.next_letter(me.number, receiver.number, "plain")
        if way == "send" and receiver.pid.process is not None:
            send(receiver.pid, letter)
        elif way == "name" and receiver.name is not None and receiver.is_alive:
            send(receiver.name, letter)
        elif way == "cast" and receiver.kind == "server":
            cast(receiver.pid, letter)
        else:
            receiver.pid << letter


def flood(world: World) -> str:
    """Have a player send many letters at once: more than a receiver takes in one turn."""
    return post(world, world.rng.randrange(150, 700))


def send_through_alias(world: World) -> str:
    """Send a player letters through an alias of it, one of them after it was closed."""
    player = world.pick(idle=True)
    if player is None:
        return ""

    def use(me: Player) -> None:
        ref = alias()
        ref << me.ledger.next_letter(me.number, me.number, "plain")
        unalias(ref)
        ref << "dropped: nobody may hear this"

    world.order(player, "alias", use)
    return f"{player.number}: alias"


def link_two(world: World) -> str:
    """Link a player to another one, which may be dead by then."""
    player = world.pick(idle=True)
    if player is None:
        return ""
    others = [each for each in world.ledger.players.values() if each is not player and each.pid is not None]
    if not others:
        return ""
    other = world.rng.choice(others)

    def do(me: Player) -> None:
        assert other.pid is not None
        was_alive = other.is_alive
        try:
            link(other.pid)
        except NoSuchProcess:
            if was_alive or me.traps:
                me.ledger.fault(f"{me!r} could not link to {other!r}, alive: {was_alive}")
            return
        if was_alive:
            me.ledger.links.add(frozenset((me.number, other.number)))
        else:
            me.exits_due[other.number, "noproc"] += 1

    world.order(player, f"link {other.number}", do)
    return f"{player.number}: link {other.number}"


def unlink_two(world: World) -> str:
    """Take back a link."""
    pairs = [each for each in world.ledger.links if all(world.ledger.players[one].is_alive for one in each)]
    if not pairs:
        return ""
    one, other = (world.ledger.players[number] for number in sorted(world.rng.choice(sorted(pairs, key=sorted))))

    def do(me: Player) -> None:
        assert other.pid is not None
        if other.is_alive:
            unlink(other.pid)
            me.ledger.links.discard(frozenset((me.number, other.number)))

    world.order(one, f"unlink {other.number}", do)
    return f"{one.number}: unlink {other.number}"


def watch(world: World) -> str:
    """Have a player monitor another, which may be dead by then, once or several times."""
    watcher = world.pick(idle=True)
    others = [each for each in world.ledger.players.values() if each.pid is not None]
    if watcher is None or not others:
        return ""
    target, times = world.rng.choice(others), world.rng.choice((1, 1, 2))

    def do(me: Player) -> None:
        for _ in range(times):
            dest: Any = target.pid
            if target.name is not None and target.is_alive and times == 2:
                dest = target.name
            me.ledger.note_monitor(monitor(dest), me.number, target.number)

    world.order(watcher, f"monitor {target.number}", do)
    return f"{watcher.number}: monitor {target.number} x{times}"


def stop_watching(world: World) -> str:
    """Take back a monitor, with flush or without."""
    found = [(ref, each) for ref, each in world.ledger.monitors.items() if not each.is_off and not each.downs]
    found = [pair for pair in found if world.ledger.players[pair[1].watcher].is_alive]
    if not found:
        return ""
    ref, record = world.rng.choice(found)
    flush = world.rng.random() < 0.5

    def do(me: Player) -> None:
        record.is_off = True
        if not demonitor(ref, flush=flush) and not flush:
            record.may_be_late = True

    world.order(world.ledger.players[record.watcher], "demonitor", do)
    return f"{record.watcher}: demonitor {record.target} flush={flush}"


def end_one(world: World) -> str:
    """Send an exit signal to a player, from the driver or from another player."""
    player = world.pick()
    if player is None:
        return ""
    tag = world.ledger.tag()
    reason: Any = world.rng.choice(("normal", "shutdown", "kill", "kill", ("told", tag), ValueError("told", tag)))
    if shown(reason) == "kill":
        world.ledger.counts["kills"] += 1
    sender = world.pick(idle=True, but=player)
    if sender is None or world.rng.random() < 0.5:
        world.send_exit(player, reason)
        return f"exit {player.number} {shown(reason)}"
    number = sender.number
    world.order(sender, f"exit {player.number}", lambda me: world.send_exit(player, reason, number))
    return f"{number}: exit {player.number} {shown(reason)}"


def leave(world: World) -> str:
    """Have a player end of its own accord: by a reason, or by a crash."""
    player = world.pick(idle=True)
    if player is None:
        return ""
    tag = world.ledger.tag()
    reason: Any = world.rng.choice(("normal", "shutdown", ("left", tag), RuntimeError("crashed", tag)))
    world.order(player, f"leave {shown(reason)}", lambda me: me.leave(reason))
    return f"{player.number}: leaves, {shown(reason)}"


def switch(world: World) -> str:
    """Have a player go on in the current version of its module."""
    player = world.pick()
    if player is None:
        return ""
    assert player.pid is not None
    player.pid << Switch()
    return f"{player.number}: switch"


def set_timer(world: World) -> str:
    """Set a timer, by pid or by name, from a player or from the driver; its receiver may end before."""
    player, setter = world.pick(), world.pick(idle=True)
    if player is None:
        return ""
    assert player.pid is not None
    ledger = world.ledger
    seconds = world.rng.choice((0.0, 0.001, 0.01, 0.02, 0.05))
    by_name = player.name is not None and world.rng.random() < 0.5

    def do(_: object) -> None:
        if not player.is_alive:
            return
        timer = Timer(ledger.tag(), player.number, ledger.now() + seconds)
        ledger.timers[timer.number] = timer
        dest: Any = player.name if by_name else player.pid
        timer.ref = send_after(seconds, dest, Ring(timer.number))
        ledger.counts["timers"] += 1

    if setter is None or world.rng.random() < 0.3:
        do(None)
    else:
        world.order(setter, "set timer", do)
    return f"timer in {seconds} for {player.number}"


def take_timer_back(world: World) -> str:
    """Cancel a timer."""
    found = [each for each in world.ledger.timers.values() if each.ref is not None and not each.is_cancelled]
    if not found:
        return ""
    timer = world.rng.choice(found[-10:])
    assert timer.ref is not None
    left = cancel_timer(timer.ref)
    if left is not None:
        timer.is_cancelled = True
        if timer.rang_at is not None:
            world.ledger.fault(f"timer {timer.number} rang, and then had {left} s left")
    return f"cancel timer {timer.number}: {left}"


def ask(world: World) -> str:
    """Have a player call a server, which answers, has ended, or ends meanwhile."""
    caller = world.pick(idle=True)
    servers = [each for each in world.ledger.players.values() if each.kind == "server" and each.pid is not None]
    servers = [each for each in servers if each is not caller and (each.wait is None or not each.is_alive)]
    if caller is None or not servers:
        return ""
    server, tag = world.rng.choice(servers), world.ledger.tag()

    async def do(me: Player, wait: Wait) -> None:
        assert server.pid is not None
        wait.due, wait.is_open = me.ledger.now() + 0.05, True
        try:
            answer = await call(server.pid, ("asked", tag), timeout=0.05)
        except CallError:
            return  # it has ended, or was in a wait or held for longer
        if answer[0] != ("asked", tag):
            me.ledger.fault(f"{me!r} asked {tag} and was answered {answer!r}")
        if answer[2] != server.changes and not world.is_live:
            me.ledger.fault(f"{server!r} has lived {server.changes} upgrades, and its state says {answer[2]}")

    world.order(caller, f"call {server.number}", partial(in_wait, "call", do, tag))
    return f"{caller.number}: call {server.number}"


def name_nobody(world: World) -> str:
    """Send to a name that nobody has: an error for the sender, and nothing else."""
    try:
        send("nobody-has-this-name", "lost")
    except NoSuchName:
        return "send to nobody"
    world.ledger.fault("a message to a name that nobody has was accepted")
    return "send to nobody"


def void(_: object) -> None:
    """Return None, whatever was given."""


ACTIONS = (
    (spawn_one, 16),
    (bear, 6),
    (post, 22),
    (flood, 1),
    (send_through_alias, 2),
    (link_two, 8),
    (unlink_two, 3),
    (watch, 10),
    (stop_watching, 4),
    (end_one, 8),
    (leave, 5),
    (switch, 5),
    (set_timer, 10),
    (take_timer_back, 4),
    (ask, 6),
    (name_nobody, 1),
)
