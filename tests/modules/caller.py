"""A module that is imported once and never loaded: it has a name of `calls` by `from`, and a process that holds."""
from midflight import code, receive
import calls
from calls import Thing, which


async def answer(kind, held):
    match kind:
        case "which()":
            return which()
        case "Thing().which()":
            return Thing().which()
        case "calls.which()":
            return calls.which()
        case "held.function()":
            return held.function()
        case "held.decorated()":
            return held.decorated()
        case "held.method()":
            return held.method()
        case "held.class_method()":
            return held.class_method()
        case "held.partial()":
            return held.partial()
        case "held.local_closure()":
            return held.local_closure()
        case "held.qualified_closure()":
            return held.qualified_closure()
        case "next(held.generator)":
            return next(held.generator)
        case "await anext(held.items)":
            return await anext(held.items)
        case "code.current(held.function)()":
            return code.current(held.function)()
        case "code.current(held.method)()":
            return code.current(held.method)()


async def hold(held, sink):
    while True:
        sink.append(await answer(await receive(), held[0]))
