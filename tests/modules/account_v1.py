"""A bit of all that a load has to do with. What changes: `NUMBER`, and so what `which` returns."""
import dataclasses
import enum

from midflight import receive
from midflight.code import on_load, on_unload, once
import account

__persist__ = ["KEPT"]

NUMBER = 1
KEPT = [NUMBER]
CONNECTION = once("connection", object)


class Colour(enum.Enum):
    RED = 1


@dataclasses.dataclass
class Entry:
    amount: "int" = 0

    def which(self):
        return NUMBER


def which():
    return NUMBER


async def loop(total):
    match await receive(("add", ...), ("tell", ...), "switch", "stop"):
        case ("add", amount):
            return loop(total + amount)
        case ("tell", sink):
            sink.append((which(), total))
            return loop(total)
        case "switch":
            return account.loop(total)
        case "stop":
            return total


@on_unload
def unload():
    KEPT.append("unload")


@on_load
def load():
    KEPT.append("load")
