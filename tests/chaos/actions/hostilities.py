"""Actions that try to stop the runtime by what they hand to it; none may hold up anybody but its own player."""

from __future__ import annotations

from typing import Any

from chaos.hostile import HostileError, HostileMessage, HostileText
from chaos.ledger import shown
from chaos.world import World
from midflight import CrashReport, send_after, spawn, whereis

__all__ = ["ACTIONS", "listener_that_raises"]


def send_hostile(world: World) -> str:
    """Send a player what cannot be shown or compared."""
    player = world.pick()
    if player is None or player.pid is None:
        return ""
    player.pid << HostileMessage()
    return f"a hostile message to {player.number}"


def leave_hostile(world: World) -> str:
    """Have a player raise what other runtimes end of, or what cannot be shown."""
    player = world.pick(idle=True)
    if player is None:
        return ""
    tag = world.ledger.tag()
    chain: BaseException = ValueError("link", 0)
    for number in range(300):
        chain, below = ValueError("link", number), chain
        chain.__context__ = below
    reason: Any = world.rng.choice(
        (
            KeyboardInterrupt("raised", tag),
            SystemExit(tag),
            GeneratorExit("raised", tag),
            HostileError("raised", tag),
            ExceptionGroup("group", [ValueError(1), HostileError()]),
            chain,
            ValueError(10**5000),
        )
    )
    world.order(player, "leave, hostile", lambda me: me.leave(reason))
    return f"{player.number}: raises {type(reason).__name__} ({tag})"


def exit_hostile(world: World) -> str:
    """Send a player an exit signal with a reason that cannot be shown."""
    player = world.pick()
    if player is None:
        return ""
    reason: Any = world.rng.choice((HostileMessage(), HostileText("told"), HostileError(), 10**5000))
    world.send_exit(player, reason)
    return f"exit {player.number} {shown(reason)[:40]}"


def ring_at_nobody(world: World) -> str:
    """Set timers for who is dead already, and for who is nobody, which is refused."""
    gone = [each.pid for each in world.ledger.players.values() if each.pid is not None and not each.is_alive]
    if gone:
        send_after(0.01, world.rng.choice(gone), "dropped: nobody may hear this")
    for nobody in (None, 17, 1.5, whereis("misspelt")):
        try:
            send_after(0.001, nobody, "tick")  # type: ignore[arg-type]  # that is what is tried
        except TypeError:
            continue
        world.ledger.fault(f"send_after took {nobody!r} for a destination")
    return "timers for nobody"


def spawn_hostile(world: World) -> str:
    """Spawn what has no name and raises when it is asked, with arguments that cannot be shown."""

    class Function:
        def __call__(self, *_: object) -> None:
            return None

        def __getattr__(self, name: str) -> Any:
            raise RuntimeError(name)

    spawn(Function(), HostileMessage())
    return "spawn of a hostile function"


def listener_that_raises(_: CrashReport) -> None:
    """Be a listener of crashes that fails."""
    raise RuntimeError("this listener always fails")


ACTIONS = ((send_hostile, 4), (leave_hostile, 3), (exit_hostile, 2), (ring_at_nobody, 2), (spawn_hostile, 1))
