"""A shop of durable servers under load, a program to be killed: it writes each reply that it got to its output.

    python durable_shop.py FOLDER TILLS CLERKS SEED UPGRADES

Lines: `start NAME TOTAL` for each till, `up`, then `NAME TOTAL` after each reply, and `upgraded VERSION`.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import sys
from pathlib import Path
from typing import Any

from midflight import Runtime, call, code, receive, sleep, spawn

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


async def clerk(names: list[str], rng: random.Random) -> None:
    """Sell, one call after another."""
    while True:
        name = rng.choice(names)
        say(f"{name} {await call(name, 1, timeout=None)}")


async def shop(folder: Path, tills: int, clerks: int, rng: random.Random, upgrades: int) -> None:
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
    for _ in range(upgrades):
        await sleep(rng.random() * 0.3)
        (found,) = re.findall(r"version (\d+)", path.read_text("utf-8"))
        draft = path.with_suffix(".new")
        draft.write_text(text_of(int(found) + 1), "utf-8")
        draft.rename(path)
        await code.upgrade(str(path))
        say(f"upgraded {int(found) + 1}")
    await receive("never")


async def main() -> None:
    """Run the shop on its store."""
    folder, tills, clerks, seed, upgrades = sys.argv[1:]
    async with Runtime(store=Path(folder) / "state.sqlite") as runtime:
        await runtime.run(shop, Path(folder), int(tills), int(clerks), random.Random(seed), int(upgrades))


if __name__ == "__main__":
    asyncio.run(main())
