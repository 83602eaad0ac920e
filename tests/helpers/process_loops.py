"""A long module of process loops, of which one is edited: the text of a day's work."""

from __future__ import annotations

HEAD = '''\
"""Processes that keep counts, and what they keep them of."""
import dataclasses
import enum

from midflight import receive
import shop

LIMIT = 3


class Kind(enum.Enum):
    IN = 1
    OUT = 2


@dataclasses.dataclass
class Item:
    name: str
    count: int = 0


def limit():
    return LIMIT
'''
LOOP = '''

async def {name}(who, total, seen=()):
    """Keep a count of what comes in, and tell it on request."""
    match await receive():
        case ("add", count) if count >= 0:
            seen = (*seen, count)
            return {name}(who, total + count * {factor}, seen)
        case ("tell", pid):
            pid << (who, total, limit())
            return {name}(who, total, seen)
        case ("ask", pid, name):
            answer = [each for each in seen if each > LIMIT and name]
            pid << ("answer", name, answer)
            return shop.{name}(who, total, seen)
        case "switch":
            return shop.{name}(who, total, seen)
        case "stop":
            return None
        case message:
            print(f"{name} does not know {{message!r}}")
            return {name}(who, total, seen)
'''


def process_loops(number: int, lines: int) -> str:
    """Return a text of some so many lines: `loop`, `loop_1` and so on. Only `loop_1` depends on `number`."""
    found = HEAD + LOOP.format(name="loop", factor=1)
    index = 1
    while found.count("\n") < lines:
        found += LOOP.format(name=f"loop_{index}", factor=number if index == 1 else 1)
        index += 1
    return found
