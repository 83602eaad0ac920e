"""A server under hostile connections, with an honest client throughout; and many fuzzed frames into the parser.

    .venv/bin/python bench/hostile.py [--connections 1000] [--at-once 64] [--frames 1000000] [--seed N]

Starts a real server in a folder of its own, on the loopback address, and stops it. The hostile connections come from
one more process: strangers who are slow, silent, loud or half, and connections with the cookie that flood, block, send
frames of 8 MB or do not read. Each lasts some seconds at most. It prints what an honest client waits for, before and
during that, and threads and memory of the server. Exit code 1 if the server or the honest client was lost.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

from midflight.epc import ProjectFiles, RemoteServer
from midflight.epc.wire import FrameReader, Message, Oversized, decode, encode, opening
from midflight.errors import FrameError, MidflightError, WireError

SECONDS_A_CONNECTION = 6.0
QUIET_SECONDS = 3.0
LONGEST_SECONDS = 600.0
MEGABYTE = 1024 * 1024

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def frame(text: str | bytes) -> bytes:
    """Return `text` as one frame."""
    data = text.encode() if isinstance(text, str) else text
    return b"%06x" % (len(data) + 1) + data + b"\n"


# --- Strangers -------------------------------------------------------------------------------------------------


async def slow(streams: Streams, _cookie: str, _chance: random.Random) -> None:
    """A first frame, a byte at a time, that is never complete."""
    for byte in frame(f'(call 1 authenticate ("{"0" * 64}"))')[:-1]:
        streams[1].write(bytes([byte]))
        await streams[1].drain()
        await asyncio.sleep(0.2)


async def silent(streams: Streams, _cookie: str, _chance: random.Random) -> None:
    """Nothing, until the server has enough."""
    await streams[0].read()


async def garbage(streams: Streams, _cookie: str, chance: random.Random) -> None:
    """Random bytes."""
    streams[1].write(chance.randbytes(chance.randrange(1, 5000)))
    await streams[0].read()


async def half(streams: Streams, _cookie: str, chance: random.Random) -> None:
    """A part of a frame, then a reset."""
    streams[1].write(frame("(call 1 ping nil)")[: chance.randrange(1, 20)])
    await asyncio.sleep(0.05)
    streams[1].transport.abort()


async def oversized(streams: Streams, _cookie: str, _chance: random.Random) -> None:
    """The longest header, and as much as the server takes of what it announces."""
    streams[1].write(b"ffffff" + b"x" * MEGABYTE)
    await streams[0].read()


async def wrong_cookie(streams: Streams, _cookie: str, chance: random.Random) -> None:
    """A frame of the right shape with another cookie, several times."""
    for _ in range(5):
        streams[1].write(frame(f'(call 1 authenticate ("{chance.randbytes(32).hex()}"))'))
    await streams[0].read()


async def browser(streams: Streams, _cookie: str, _chance: random.Random) -> None:
    """A web page's request."""
    streams[1].write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20\r\n\r\n(call 1 ping nil)\n")
    await streams[0].read()


# --- With the cookie -------------------------------------------------------------------------------------------


async def enter(streams: Streams, cookie: str) -> None:
    """Show the cookie and take the answer."""
    streams[1].write(frame(f'(call 0 authenticate ("{cookie}"))'))
    await streams[0].readexactly(int(await streams[0].readexactly(6), 16))


async def floods(streams: Streams, cookie: str, _chance: random.Random) -> None:
    """Ten thousand pings at once, and what comes for them is read."""
    await enter(streams, cookie)
    streams[1].write(frame("(call 1 ping nil)") * 10_000)
    async with asyncio.timeout(SECONDS_A_CONNECTION):
        while await streams[0].read(MEGABYTE):
            pass


async def does_not_read(streams: Streams, cookie: str, _chance: random.Random) -> None:
    """Requests whose answers stay unread."""
    await enter(streams, cookie)
    streams[1].transport.pause_reading()
    streams[1].write(frame("(methods 1)") * 2000)
    await asyncio.sleep(2.0)
    streams[1].transport.abort()


async def large(streams: Streams, cookie: str, chance: random.Random) -> None:
    """Frames of 8 MB that are hard to read."""
    await enter(streams, cookie)
    piece = chance.choice([b"a ", b"()", b'"\\""', b"' ", b"\\x", b"(", b'""', b"#("])
    streams[1].write(frame(b"(call 1 echo (" + piece * (8 * MEGABYTE // len(piece) - 20) + b"))"))
    await streams[1].drain()
    await streams[0].readexactly(6)


async def answers(streams: Streams, cookie: str, _chance: random.Random) -> None:
    """Answers to calls that nobody made."""
    await enter(streams, cookie)
    for number in range(200):
        streams[1].write(frame(f'(return {number} "{"x" * 50_000}")'))
        await streams[1].drain()


async def blocks(streams: Streams, cookie: str, _chance: random.Random) -> None:
    """Evaluations that never end, as many as it likes."""
    await enter(streams, cookie)
    for number in range(1, 13):
        streams[1].write(frame(f"(call {number} shell/open nil)"))
    text = await streams[0].readuntil(b":session ")
    text += await streams[0].read(50)
    session = re.search(rb":session (\d+)", text)
    assert session is not None
    for number in range(20, 40):
        streams[1].write(frame(f'(call {number} shell/eval ({int(session[1])} "await receive(17)"))'))
    await asyncio.sleep(2.0)


STRANGERS = (slow, silent, garbage, half, oversized, wrong_cookie, browser)
ADMITTED = (floods, does_not_read, large, answers, blocks)


async def attack(port: int, cookie: str, count: int, at_once: int, seed: int, only: str | None) -> None:
    """Open `count` hostile connections, `at_once` at a time, and print how each kind ended; `only` names one kind."""
    chance = random.Random(seed)
    slots = asyncio.Semaphore(at_once)
    ends: Counter[str] = Counter()

    async def one(kind: Callable[[Streams, str, random.Random], Awaitable[None]]) -> None:
        async with slots:
            try:
                streams = await asyncio.open_connection("127.0.0.1", port)
            except OSError as error:
                ends[f"{kind.__name__} was not let in: {type(error).__name__}"] += 1
                return
            try:
                async with asyncio.timeout(SECONDS_A_CONNECTION):
                    await kind(streams, cookie, chance)
            except (OSError, asyncio.IncompleteReadError, TimeoutError):
                pass  # closed by the server, or its time is over
            ends[kind.__name__] += 1
            streams[1].transport.abort()

    kinds = [chance.choice(STRANGERS if chance.random() < 0.7 else ADMITTED) for _ in range(count)]
    if only is not None:
        kinds = [kind for kind in STRANGERS + ADMITTED if kind.__name__ == only] * count
    async with asyncio.timeout(LONGEST_SECONDS):
        await asyncio.gather(*map(one, kinds))
    print(", ".join(f"{count} {name}" for name, count in sorted(ends.items())))


# --- The honest client -----------------------------------------------------------------------------------------


class Honest:
    """A client that pings, evaluates and attaches anew, and notes how long each took."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._client = RemoteServer.attach(root)
        self._session = self._client.call("shell/open")["session"]
        self.times: dict[str, list[float]] = {}
        self.failures: Counter[str] = Counter()
        self._count = 0

    def round(self) -> None:
        """Do one of each, and attach now and then."""
        self._count += 1
        self._timed("ping", lambda: self._client.call("ping") == "pong")
        text = f"{self._count} + 1"
        self._timed(
            "evaluate", lambda: self._client.call("shell/eval", self._session, text)["value"] == str(self._count + 1)
        )
        if self._count % 20 == 0:
            self._timed("attach", lambda: RemoteServer.attach(self._root).close() is None)

    def _timed(self, what: str, function: Callable[[], bool]) -> None:
        began = time.perf_counter()
        try:
            assert function()
        except (MidflightError, TimeoutError) as error:
            self.failures[f"{what}: {str(error)[:120]}"] += 1
        self.times.setdefault(what, []).append(time.perf_counter() - began)

    def table(self, heading: str) -> None:
        """Print what was noted, and forget it."""
        for what, times in self.times.items():
            times.sort()
            parts = [times[len(times) // 2], times[len(times) * 99 // 100], times[-1]]
            print(f"| {heading} | {what} | {len(times):,} | {' | '.join(f'{1000 * part:.1f}' for part in parts)} |")
        self.times = {}


def state_of(process: int) -> str:
    """Return threads and memory of a process, as the system knows them."""
    text = Path(f"/proc/{process}/status").read_text()
    threads, resident = (re.search(rf"{key}:\s+(\d+)", text) for key in ("Threads", "VmRSS"))
    assert threads is not None
    assert resident is not None
    return f"{threads[1]} threads, {int(resident[1]) // 1024} MB"


def hostile(count: int, at_once: int, seed: int, only: str | None) -> bool:
    """Run the attack with the honest client; say whether server and client came through."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve() / "project"
        root.mkdir()
        (root / "pyproject.toml").touch()
        os.environ["MIDFLIGHT_RUNTIME_DIR"] = str(Path(folder).resolve() / "runtime")
        server = subprocess.Popen(
            [sys.executable, "-P", "-m", "midflight.cli", "serve", "--root", str(root)],
            stdout=subprocess.PIPE,
            text=True,
        )
        attackers: subprocess.Popen[str] | None = None
        try:
            assert server.stdout is not None
            port = int(server.stdout.readline())
            honest = Honest(root)
            print("| | the honest client's | times | median ms | p99 ms | longest ms |\n|---|---|---|---|---|---|")
            until = time.monotonic() + QUIET_SECONDS
            while time.monotonic() < until:
                honest.round()
            honest.table("quiet")
            before, most = state_of(server.pid), (0, "")
            found = ProjectFiles(root).find()
            arguments = f"--attack {port}:{found.cookie} --connections {count} --at-once {at_once} --seed {seed}"
            if only is not None:
                arguments += f" --only {only}"
            began = time.monotonic()
            attackers = subprocess.Popen(
                [sys.executable, __file__, *arguments.split()],
                stdout=subprocess.PIPE,
                text=True,
            )
            while attackers.poll() is None and server.poll() is None:
                honest.round()
                now = state_of(server.pid)
                most = max(most, (int(now.split()[0]), now))
            seconds = time.monotonic() - began
            honest.table("under attack")
            time.sleep(8.0)  # the last strangers, and the threads that are idle, go
            print(f"\n{count} hostile connections, {at_once} at once, in {seconds:.0f} s; server: {before} before, ")
            print(f"{most[1]} at most, {state_of(server.pid)} afterwards")
            assert attackers.stdout is not None
            print(f"hostile: {attackers.stdout.read().strip()}")
            is_alive = server.poll() is None
            print(f"failures of the honest client: {dict(honest.failures) or 'none'}; server alive: {is_alive}\n")
            return not honest.failures and is_alive and attackers.returncode == 0
        finally:
            for process in (attackers, server):
                if process is not None and process.poll() is None:
                    process.terminate()
                    process.wait(20)


# --- Frames ----------------------------------------------------------------------------------------------------

SAMPLES = [
    encode("call", 7, "process/view", ["<0.37.0>"]),
    encode("return", 7, {"pid": "<0.37.0>", "name": "counter", "line": 9, "current": None, "at": 1.5}),
    frame('(call 3 code/load ("/p/c.py" "é = \\"λ\\"\n" (:force t :two-versions nil)))'),
    frame('(call 5 echo ([1 2] (a . b) \'c #("p" 0 1 (face x)) "\\303\\u00e9"))'),
    frame("(methods 6)"),
    frame('(epc-error 9 "no such method")'),
]
PIECES = [
    b"(",
    b")",
    b'"',
    b"\\",
    b"'",
    b"[",
    b"]",
    b";",
    b"#",
    b"\x00",
    b"\xff",
    b"000000",
    b"ffffff",
    b"9" * 600,
    b"nil",
]


def fuzz(count: int, seed: int) -> bool:
    """Put `count` frames, most of them spoiled, through the frame reader and the parser, in pieces."""
    chance = random.Random(seed)
    outcomes: Counter[str] = Counter()
    longest = 0.0
    began = time.monotonic()
    for _ in range(count):
        data = bytearray(chance.choice(SAMPLES))
        for _ in range(chance.randrange(4)):
            at = chance.randrange(len(data)) if chance.random() < 0.2 else chance.randrange(6, len(data))
            what = chance.randrange(3)
            if what == 0:
                data[at] = chance.randrange(256)
            elif what == 1:
                data[at:at] = chance.choice(PIECES)
            else:
                del data[at : at + chance.randrange(1, 8)]
            if len(data) <= 6:
                break
        if chance.random() < 0.9:
            data[:6] = b"%06x" % max(0, len(data) - 6)
        cut = chance.randrange(len(data) + 1)
        one = time.perf_counter()
        outcomes[outcome_of(bytes(data[:cut]), bytes(data[cut:]))] += 1
        longest = max(longest, time.perf_counter() - one)
    seconds = time.monotonic() - began
    print(f"{count:,} fuzzed frames, seed {seed}, in {seconds:.0f} s; the longest {1000 * longest:.1f} ms:")
    print(", ".join(f"{number:,} {name}" for name, number in outcomes.most_common()))
    return True


def outcome_of(*pieces: bytes) -> str:
    """Return what became of a frame, by its first event; anything but our own errors is raised."""
    reader = FrameReader(4096)
    outcome = "not whole"
    for piece in pieces:
        reader.feed(piece)
        try:
            while (event := reader.next_event()) is not None:
                payload = event.head if isinstance(event, Oversized) else event.payload
                opening(payload)
                if isinstance(event, Oversized):
                    outcome = "too long"
                else:
                    assert isinstance(decode(payload), Message)
                    outcome = "a message"
        except WireError as error:
            return "no frame" if isinstance(error, FrameError) else "no message"
    return outcome


def main() -> None:
    """Run both, or the attack alone."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--at-once", type=int, default=64)
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--only", metavar="KIND", help="one kind of connection, for instance floods")
    parser.add_argument("--attack", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.attack:
        port, cookie = options.attack.split(":")
        asyncio.run(attack(int(port), cookie, options.connections, options.at_once, options.seed, options.only))
        return
    print(f"CPython {platform.python_version()}, seed {options.seed}, load {os.getloadavg()[0]:.1f}\n", flush=True)
    is_well = hostile(options.connections, options.at_once, options.seed, options.only) if options.connections else True
    is_well = (fuzz(options.frames, options.seed) if options.frames else True) and is_well
    sys.exit(0 if is_well else 1)


if __name__ == "__main__":
    main()
