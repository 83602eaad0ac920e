"""A process that keeps a counter. What changes: the state is a pair, and codeswitch takes the old one."""
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
            return counter.codeswitch(total)
        case "stop":
            return total
        case message:
            print(f"Unhandled message {message!r}")
            return loop(total)


async def codeswitch(total):
    return pair(total, "moved")


async def pair(total, note):
    match await receive():
        case ("tell", sink):
            sink.append((total, note))
            return pair(total, note)
        case "stop":
            return total
