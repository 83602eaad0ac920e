"""A process whose only job is to keep a counter."""
from midflight import receive
import counter                      # a dotted call through the module is a fully qualified call

async def start():
    return loop(0)

async def loop(total):
    match await receive():
        case ("increment", count):
            return loop(total + count)
        case ("print",):
            print(f"Sum is {total}")
            return loop(total)
        case ("counter", pid):
            pid << ("counter", total)
            return loop(total)
        case "code_switch":
            return counter.codeswitch(total)
        case message:
            print(f"Unhandled message {message!r}")
            return loop(total)

async def codeswitch(total):
    return loop(total)
