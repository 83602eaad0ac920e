"""Calls of every kind, each asked of a process by its name. What changes: `EDITION`, a letter a version."""
import functools
import sys

from midflight import GenServer, code, receive
import calls

EDITION = "a"


def which():
    return __midflight_version__


def through(function):
    @functools.wraps(function)
    def call(*args):
        return function(*args)

    return call


@through
def decorated():
    return which()


class Base:
    def inherited(self):
        return which()


class Thing(Base):
    def which(self):
        return which()

    def inherited(self):
        return super().inherited()

    @classmethod
    def made(cls):
        return which()


class Guard:
    async def __aenter__(self):
        return await inner()

    async def __aexit__(self, *_):
        pass


async def inner():
    return which()


async def items():
    while True:
        yield which()


def plain_items():
    while True:
        yield which()


class Holding:
    """What somebody makes in one version and keeps."""

    def __init__(self):
        self.thing = Thing()
        self.function = which
        self.decorated = decorated
        self.method = self.thing.which
        self.class_method = Thing.made
        self.partial = functools.partial(which)
        self.local_closure = lambda: which()
        self.qualified_closure = lambda: calls.which()
        self.generator = plain_items()
        self.items = items()


async def begin(holding):
    next(holding.generator)
    await anext(holding.items)
    return holding


async def guarded(guard):
    async with guard() as answer:
        return answer


async def first(iterator):
    async for answer in iterator:
        return answer


async def answer(kind, held):
    match kind:
        case "which()":
            return which()
        case "calls.which()":
            return calls.which()
        case "getattr(sys.modules['calls'], 'which')()":
            return getattr(sys.modules["calls"], "which")()
        case "decorated()":
            return decorated()
        case "calls.decorated()":
            return calls.decorated()
        case "Thing().which()":
            return Thing().which()
        case "calls.Thing().which()":
            return calls.Thing().which()
        case "Thing.made()":
            return Thing.made()
        case "calls.Thing.made()":
            return calls.Thing.made()
        case "Thing().inherited()":
            return Thing().inherited()
        case "await inner()":
            return await inner()
        case "await calls.inner()":
            return await calls.inner()
        case "async with Guard()":
            return await guarded(Guard)
        case "async with calls.Guard()":
            return await guarded(calls.Guard)
        case "async for _ in items()":
            return await first(items())
        case "async for _ in calls.items()":
            return await first(calls.items())
        case "code.current(which)()":
            return code.current(which)()


async def park(held, sink):
    held.append(await begin(Holding()))
    while True:
        sink.append(await answer(await receive(), held[0]))


# --- Ways to wait for the next message -------------------------------------------------------------------------


async def while_true(sink):
    while True:
        await receive()
        sink.append(which())


async def local_tail(sink):
    await receive()
    sink.append(which())
    return local_tail(sink)


async def qualified_tail(sink):
    await receive()
    sink.append(which())
    return calls.qualified_tail(sink)


async def awaited(sink):
    await receive()
    sink.append(which())
    return await calls.awaited(sink)


async def received():
    while True:
        yield await receive()


async def nested(sink):
    async with Guard():
        async for _ in received():
            sink.append(which())


async def handler(sink):
    while True:
        await receive()
        calls.handle(sink)


def handle(sink):
    sink.append(which())


class Server(GenServer):
    def init(self, sink):
        self.sink = sink

    def handle_info(self, message):
        self.sink.append(which())


async def served(sink):
    sink.append(await Server.start(sink))
