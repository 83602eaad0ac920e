"""Actions on code: loads good and bad, upgrades, rollbacks, moves, purges, all while the players run on."""

from __future__ import annotations

from functools import partial
from traceback import format_exception
from typing import Any

from chaos.texts import BAD, bad_text
from chaos.world import Line, World
from midflight import code
from midflight.errors import LoadError, UnknownVersionError, UpgradeError

__all__ = ["ACTIONS", "first_load"]


def first_load(line: Line) -> None:
    """Load the first version of a module."""
    text, source = line.new_text(0)
    line.path.write_text(source, encoding="utf-8")
    report = code.load(str(line.path))
    assert report.version is not None
    line.took(report.version, text, source)


def pick_line(world: World) -> Line | None:
    """Return a module that no load of ours is at."""
    lines = [each for each in world.lines if not each.is_busy and not each.is_open]
    return world.rng.choice(lines) if lines else None


def run(world: World, line: Line, function: Any, then: Any, *, moves: bool = False) -> None:
    """Load; no other load of ours comes near that module meanwhile."""
    line.is_busy, line.is_moving = True, moves

    def after(result: Any) -> None:
        line.is_busy = line.is_moving = False
        then(result)

    world.run_load(function, after)


def load_good(world: World) -> str:
    """Load a new text, as the module's file or as the text of a buffer, with idle processes moved or not."""
    line = pick_line(world)
    if line is None:
        return ""
    text, source = line.new_text(world.rng.randrange(100))
    saved, move = world.rng.random() < 0.5, world.rng.random() < 0.3
    number = next_number(line)
    if saved:
        line.path.write_text(source, encoding="utf-8")
    line.took(number, text, source)
    run(
        world,
        line,
        lambda: code.load(str(line.path), None if saved else source, move=move),
        partial(loaded, world, line, number),
        moves=move,
    )
    return f"load {line.name} text {text} move={move}"


def next_number(line: Line) -> int:
    """Return the number that the next version of a module gets."""
    return max(line.texts, default=0) + 1


def loaded(world: World, line: Line, number: int, result: Any) -> None:
    """Check the report of a load that had to go well."""
    if isinstance(result, Exception):
        world.ledger.fault(f"{line.name} was not loaded: {''.join(format_exception(result))}")
        return
    world.ledger.counts["good loads"] += 1
    if result.version != number or (line.current() or 0) < number:
        world.ledger.fault(f"{line.name} became version {result.version}, {line.current()} is current, not {number}")
    moved(world, line, result.moved)


def moved(world: World, line: Line, pids: Any) -> None:
    """Note who was moved. In a live world a player may have switched by itself since, to a younger version."""
    for pid in pids:
        player = world.ledger.by_pid.get(pid)
        world.ledger.counts["moved"] += 1
        if player is None:
            world.ledger.fault(f"{pid!r} was moved to {line.name} {line.current()}, and is no player")
        else:
            player.version = line.current()


def load_bad(world: World) -> str:
    """Load a text that must be refused: nothing has changed then."""
    line = pick_line(world)
    if line is None:
        return ""
    what = world.rng.choice(sorted(BAD))
    source = bad_text(line.name, line.next_text, what)
    before = line.current()

    def then(result: Any) -> None:
        world.ledger.counts["bad loads"] += 1
        if not isinstance(result, LoadError):
            world.ledger.fault(f"{line.name} with {what} gave {result!r}")
        if line.current() != before:
            world.ledger.fault(f"{line.name} with {what}: {line.current()} is current after it, {before} was before")

    run(world, line, lambda: code.load(str(line.path), source), then)
    return f"load {line.name}, bad: {what}"


def roll_back(world: World) -> str:
    """Load the text of an older version as a new one."""
    line = pick_line(world)
    if line is None:
        return ""
    kept = sorted(line.texts)[-20:]
    to = world.rng.choice([None, *kept]) if len(kept) > 1 else kept[0]
    source_of = kept[-2] if to is None else to
    number, move = next_number(line), world.rng.random() < 0.3

    def then(result: Any) -> None:
        if isinstance(result, UnknownVersionError):
            world.ledger.fault(f"{line.name} could not go back to {to}: {result}")
            return
        loaded(world, line, number, result)
        world.ledger.counts["rollbacks"] += 1
        if code.source(line.name, number) != line.sources[number]:
            world.ledger.fault(f"{line.name} version {number} has not the text of {source_of}, which it was made of")

    line.took(number, line.texts[source_of], line.sources[source_of])
    run(world, line, lambda: code.rollback(line.name, to, move=move), then, moves=move)
    return f"rollback {line.name} to {to}"


def move(world: World) -> str:
    """Move the idle players in old versions of a module to the current one."""
    line = pick_line(world)
    if line is None:
        return ""

    def then(report: Any) -> None:
        world.ledger.counts["moves"] += 1
        if isinstance(report, Exception):
            world.ledger.fault(f"{line.name}: move raised {report!r}")
        else:
            moved(world, line, report.moved)

    run(world, line, lambda: code.move(line.name), then, moves=True)
    return f"move {line.name}"


def purge(world: World) -> str:
    """End who runs old versions of a module, or only ask whether anybody does."""
    line = pick_line(world)
    if line is None:
        return ""
    if world.rng.random() < 0.5:
        run(world, line, lambda: code.soft_purge(line.name), partial(soft_purged, world, line))
        return f"soft purge {line.name}"
    old = [each for each in world.alive() if each.line is line and each.version != line.current()]
    for each in old:
        each.causes.add("killed")

    def then(pids: Any) -> None:
        world.ledger.counts["purges"] += 1
        if isinstance(pids, Exception):
            world.ledger.fault(f"{line.name}: purge raised {pids!r}")
            return
        for pid in pids:
            player = world.ledger.by_pid.get(pid)
            if player is None or pid.process is not None:
                world.ledger.fault(f"{pid!r} was purged: player {player!r}, alive {pid.process is not None}")
            else:
                player.causes.add("killed")
        if not world.is_live and not set(pids) <= {each.pid for each in old}:
            world.ledger.fault(f"{line.name}: purge killed {pids}, in old code were {old}")

    run(world, line, lambda: code.purge(line.name), then)
    return f"purge {line.name}"


def soft_purged(world: World, line: Line, is_free: Any) -> None:
    """Check what a soft purge says, if nobody can have run meanwhile."""
    world.ledger.counts["soft purges"] += 1
    if world.is_live:
        return
    old = [
        each for each in world.alive() if each.line is line and each.version != line.current() and each.kind != "server"
    ]
    if (is_free is not True and is_free is not False) or (is_free and old):
        world.ledger.fault(f"{line.name}: soft purge says {is_free}, in old code are {old}")


def upgrade(world: World) -> str:
    """Load a new text and change the states of the module's servers: all of it, or nothing if a code_change raises."""
    line = pick_line(world)
    if line is None or world.run_upgrade is None:
        return ""
    world.settle()
    servers = [each for each in world.alive() if each.line is line and each.kind == "server"]
    if not world.is_live and any(each.wait is not None for each in servers):
        return ""  # the upgrade would wait for that one, and time stands still
    fails = world.rng.random() < 0.3
    text, source = line.new_text(world.rng.randrange(100), change_fails=fails)
    number, before = next_number(line), line.current()
    line.took(number, text, source)  # before it is so: players may see it before the report comes

    def then(result: Any) -> None:
        world.ledger.counts["upgrades"] += 1
        if isinstance(result, UpgradeError):
            world.ledger.counts["upgrades refused"] += 1
            if not fails and not world.is_live:
                world.ledger.fault(f"{line.name} was not upgraded: {result}")
            if line.current() != before:
                world.ledger.fault(f"{line.name}: {line.current()} is current after a refused upgrade, not {before}")
            line.texts.pop(number, None)
        elif isinstance(result, Exception):
            line.texts.pop(number, None)
            world.ledger.fault(f"{line.name}: upgrade raised {result!r}")
        else:
            upgraded(world, line, number, text, source, result)

    upgrade_it = partial(code.upgrade, str(line.path), source, timeout=0.5)
    line.is_busy = True

    def after(result: Any) -> None:
        line.is_busy = False
        then(result)

    world.run_upgrade(upgrade_it, after)
    return f"upgrade {line.name} text {text} fails={fails}"


def upgraded(world: World, line: Line, number: int, text: int, source: str, report: Any) -> None:
    """Note an upgrade that was done."""
    line.took(number, text, source)
    world.ledger.counts["good loads"] += 1
    if report.version != number:
        world.ledger.fault(f"{line.name} was upgraded to version {report.version}, not {number}")
    for change in report.servers:
        player = world.ledger.by_pid.get(change.pid)
        if player is None:
            world.ledger.fault(f"{change.pid!r} was upgraded, and is no player")
        elif change.is_changed:
            player.changes += 1


ACTIONS = ((load_good, 6), (load_bad, 4), (roll_back, 3), (move, 3), (purge, 2), (upgrade, 4))
