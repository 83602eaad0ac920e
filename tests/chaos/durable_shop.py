"""A shop of durable servers under load, a program to be killed: it writes each reply that it got to its output.

    python durable_shop.py FOLDER TILLS CLERKS SEED UPGRADES DISK

DISK is `ample`, or how it is filled: `mounted` or `limited`. Lines: `start NAME TOTAL` for each till, `up`, then
`NAME TOTAL` after each reply, `failed NAME` in place of one, `upgraded VERSION` or `refused VERSION`, `full`, `room`,
and `log TEXT` for what the store has to say.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import re
import sys
from pathlib import Path
from typing import Any

from chaos.full_disk import fill, make_room
from midflight import Runtime, call, code, receive, sleep, spawn
from midflight.errors import CallError, LoadError

TEXT = '''"""Tills, version {new}: code_change gives the sum another name."""
from midflight import GenServer


class Till(GenServer):
    durable = {durable}

    def init(self):
        self.total_{new} = 0

    def code_change(self, old_vsn, extra):
        (before,) = vars(self)
        setattr(self, "total_{new}", vars(self).pop(before))

    def handle_call(self, amount, client):
        self.total_{new} += amount
        return self.total_{new}


class Safe(Till):
    durable = "sync"
'''


def text_of(version: int) -> str:
    """Return the text of a version of the tills."""
    return TEXT.format(new=version, durable=True)


def say(line: str) -> None:
    """Write a line at once: what is written is read, also when this is killed the next moment."""
    os.write(1, f"{line}\n".encode())


class Log(logging.Handler):
    """Says what the store has to say."""

    def emit(self, record: logging.LogRecord) -> None:
        """Say one record."""
        say(f"log {record.getMessage()}")


async def clerk(names: list[str], rng: random.Random) -> None:
    """Sell, one call after another. A "sync" till whose disk is full has sold, and answers with an error."""
    while True:
        name = rng.choice(names)
        try:
            say(f"{name} {await call(name, 1, timeout=None)}")
        except CallError as error:
            if "the change is made in memory alone" not in str(error.reason):
                raise
            say(f"failed {name}")


async def disk(folder: Path, rng: random.Random, kind: str) -> None:
    """Fill the disk, and make room again, now and then."""
    is_real = kind == "mounted"
    while True:
        await sleep(rng.random())
        say("full")  # before it is: a change after this line may be lost
        fill(folder, is_real=is_real)
        await sleep(rng.random() * 2)
        make_room(folder, is_real=is_real)
        say("room")
        await sleep(rng.random() * 2)


async def shop(folder: Path, tills: int, clerks: int, rng: random.Random, upgrades: int, kind: str) -> None:
    """Start all tills, let the clerks sell, and upgrade the tills now and then."""
    path = folder / "tills.py"
    code.load(str(path))
    module: Any = sys.modules["tills"]
    names = [f"{'safe' if number % 2 else 'till'}-{number}" for number in range(tills)]
    for name in names:
        await (module.Safe if name.startswith("safe") else module.Till).start(name=name)
        say(f"start {name} {await call(name, 0, timeout=None)}")
    say("up")
    for _ in range(clerks):
        spawn(clerk, names, random.Random(rng.random()))
    if kind != "ample":
        spawn(disk, folder, random.Random(rng.random()), kind)
    for _ in range(upgrades):
        await sleep(rng.random() * 0.3)
        await upgrade(path)
    await receive("never")


async def upgrade(path: Path) -> None:
    """Load the next version of the tills. A full disk refuses it, and then the next life begins with its text."""
    (found,) = re.findall(r"version (\d+)", path.read_text("utf-8"))
    version = int(found) + 1
    try:
        draft = path.with_suffix(".new")
        draft.write_text(text_of(version), "utf-8")
        draft.rename(path)
        await code.upgrade(str(path))
    except OSError:
        say(f"refused {version}")
    except LoadError as error:
        if "the new states could not be stored" not in str(error):
            raise
        say(f"refused {version}")
    else:
        say(f"upgraded {version}")


async def main() -> None:
    """Run the shop on its store."""
    folder, tills, clerks, seed, upgrades, kind = sys.argv[1:]
    logging.getLogger("midflight.durable").addHandler(Log())
    async with Runtime(store=Path(folder) / "state.sqlite") as runtime:
        await runtime.run(shop, Path(folder), int(tills), int(clerks), random.Random(seed), int(upgrades), kind)


if __name__ == "__main__":
    asyncio.run(main())
