"""The command: reads options, plays the worlds one after another, prints how it goes and what came of it."""

from __future__ import annotations

import argparse
import logging
import secrets
from collections.abc import Callable
from functools import partial

from chaos.durable import play as play_durable
from chaos.kills import play as play_kills
from chaos.ledger import Broken
from chaos.live import play as play_live
from chaos.record import Record
from chaos.served import play as play_served
from chaos.still import play as play_still

__all__ = ["main"]

WORLDS: dict[str, Callable[..., Record]] = {"still": play_still, "live": play_live, "server": play_served}


def parser() -> argparse.ArgumentParser:
    """Return the parser of the options."""
    made = argparse.ArgumentParser(
        prog="python -m chaos",
        description="Do random things to a runtime and check after each few that nothing is lost, out of order, told "
        "twice, in the wrong version or left behind. Ends with code 1 and the seed if something is.",
    )
    made.add_argument(
        "--world", choices=(*WORLDS, "durable", "all"), default="all", help="which world; all: one after another"
    )
    made.add_argument("--minutes", type=float, help="how long, all worlds together; without it, one round of each")
    made.add_argument("--seed", default=None, help="any text; the same seed does the same in the still world")
    made.add_argument("--steps", type=int, default=400, help="actions a round (default: %(default)s)")
    made.add_argument("--first", type=int, default=0, help="the number of the first round (default: %(default)s)")
    made.add_argument("--rounds", type=int, default=1, help="how many rounds, without --minutes (default: %(default)s)")
    made.add_argument(
        "--kills",
        type=int,
        help="end so many servers by kill -9 and SIGTERM instead; with --world durable: kill a shop so often",
    )
    made.add_argument(
        "--disk",
        choices=("ample", "full"),
        default="ample",
        help="the durable world's; full: now and then (default: %(default)s)",
    )
    return made


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    options = parser().parse_args(arguments)
    seed = options.seed or secrets.token_hex(4)
    logging.getLogger("midflight").setLevel(logging.CRITICAL)
    print(f"seed {seed}", flush=True)
    if options.world == "durable":
        return shown("durable", seed, lambda: play_durable(seed, kills=options.kills or 20, disk=options.disk))
    if options.kills:
        return shown("kills", seed, lambda: play_kills(seed, kills=options.kills))
    worlds = list(WORLDS) if options.world == "all" else [options.world]
    minutes = None if options.minutes is None else options.minutes / len(worlds)
    for world in worlds:
        play = partial(WORLDS[world], seed, rounds=options.rounds, steps=options.steps, first=options.first)
        if shown(f"{world} world", seed, partial(play, minutes=minutes)):
            return 1
    return 0


def shown(title: str, seed: str, play: Callable[[], Record]) -> int:
    """Play, print the summary or the failure, and return the exit code."""
    try:
        record = play()
    except Broken as error:
        print(error, flush=True)
        return 1
    print(record.summary(f"chaos, {title}: no rule broken, nothing left behind", seed=seed), flush=True)
    return 0
