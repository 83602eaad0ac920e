"""A process that keeps a counter. What changes: codeswitch takes a second argument."""
from midflight import receive
import counter


async def start():
    return loop(0)


async def loop(total):
    match await receive():
        case ("increment", count):
            return loop(total + count)
        case ("tell", sink):
            sink.append(total)
            return loop(total)
        case ("reset",):
            return loop(0)
        case "code_switch":
            return counter.codeswitch(total, "pieces")
        case "stop":
            return total
        case message:
            print(f"Unhandled message {message!r}")
            return loop(total)


async def codeswitch(total, unit):
    return loop(total)
