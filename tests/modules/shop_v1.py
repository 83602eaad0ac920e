"""A process that keeps a stock, and what long modules are full of. What changes: `NUMBER`, and each function with it."""
import dataclasses
import enum
import functools
import typing

from midflight import receive
import shop

NUMBER = 1


class Kind(enum.Enum):
    IN = "in"
    OUT = "out"


@dataclasses.dataclass
class Item:
    name: str
    count: int = 0
    tags: "list[str]" = dataclasses.field(default_factory=list)

    def which(self):
        return NUMBER


SEEN = typing.Optional[Item]


def which():
    return NUMBER


async def loop(who, total):
    match await receive():
        case ("add", count):
            return loop(who, total + count)
        case ("tell", sink):
            sink.append((who, which(), Item("x").which(), total))
            return loop(who, total)
        case "switch":
            return shop.loop(who, total)
        case "stop":
            return None


@functools.lru_cache
def price(count):
    return count * NUMBER
