"""Two nodes on loopback: messages a second one way, and round trips of a call, next to OTP's distribution.

    python bench/nodes.py [--messages 100000] [--calls 3000]

Each side of each pair is a program of its own. A message is ("tick", number); a call is of a GenServer. It prints a
line for each pair; OTP's is left out where no `erl` is installed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from midflight import GenServer, Runtime, call, cluster, receive, self_, sleep

COOKIE = "the cookie of a benchmark"
A_STEP = 100  # messages between two moments for others

ERLANG = """
-module(nodes_bench).
-export([main/2, count/1, serve/0]).
main(Messages, Calls) ->
    {ok, _, N} = peer:start_link(#{name => peer:random_name(), connection => standard_io, args => ["-pa", "."]}),
    true = net_kernel:connect_node(N), Me = self(),
    P = spawn(N, ?MODULE, count, [Messages]),
    T0 = erlang:monotonic_time(microsecond),
    [P ! {tick, I} || I <- lists:seq(1, Messages)], P ! {done, Me}, receive counted -> ok end,
    T1 = erlang:monotonic_time(microsecond),
    Q = spawn(N, ?MODULE, serve, []),
    [begin R = monitor(process, Q), Q ! {self(), R, I}, receive {R, _} -> demonitor(R, [flush]) end end
     || I <- lists:seq(1, Calls)],
    T2 = erlang:monotonic_time(microsecond),
    io:format("~p ~p~n", [(T1 - T0) / 1.0e6, (T2 - T1) / 1.0e6]), halt().
count(0) -> receive {done, P} -> P ! counted end;
count(N) -> receive {tick, _} -> count(N - 1) end.
serve() -> receive {P, R, I} -> P ! {R, I}, serve() end.
"""


class Echo(GenServer):
    """Answers with the request."""

    def handle_call(self, request: Any, _client: Any) -> Any:
        """Answer."""
        return request


async def count(left: int, sender: Any) -> Any:
    """Take `left` messages, then say so."""
    for _ in range(left):
        await receive()
    sender << "counted"


async def start_echo() -> Any:
    """Start the server of the calls."""
    return await Echo.start()


async def measure(messages: int, calls: int) -> tuple[float, float]:
    """Return the seconds of all messages one way, and of all calls."""
    cluster.monitor_nodes()
    if not cluster.nodes():
        await receive(("nodeup", ...))
    pid = await cluster.spawn("b", count, messages, self_())
    began = time.perf_counter()
    for number in range(messages):
        pid << ("tick", number)
        if number % A_STEP == 0:
            await sleep(0)
    await receive("counted")
    one_way = time.perf_counter() - began
    server = await cluster.call_function("b", start_echo)
    began = time.perf_counter()
    for number in range(calls):
        await call(server, number)
    return one_way, time.perf_counter() - began


async def as_b(endpoint: str) -> None:
    """Be the other node until the program's input ends."""
    async with Runtime(node="b", join=[endpoint], cookie=COOKIE):
        await asyncio.to_thread(sys.stdin.read)


async def as_a(endpoint: str, messages: int, calls: int) -> tuple[float, float]:
    """Be the node that measures."""
    async with Runtime(node="a", listen=[endpoint], cookie=COOKIE) as runtime:
        other = subprocess.Popen([sys.executable, __file__, "--be-b", endpoint], stdin=subprocess.PIPE)
        try:
            found: tuple[float, float] = await runtime.run(measure, messages, calls)
            return found
        finally:
            other.communicate(b"")


def of_otp(messages: int, calls: int) -> tuple[float, float] | None:
    """Return the same of OTP, None if it is not installed."""
    erl = shutil.which("erl")
    if erl is None or shutil.which("erlc") is None:
        return None
    port = str(free_port())
    env = {**os.environ, "ERL_EPMD_PORT": port, "ERL_EPMD_ADDRESS": "127.0.0.1"}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "nodes_bench.erl").write_text(ERLANG, encoding="utf-8")
        subprocess.run(["erlc", "nodes_bench.erl"], cwd=folder, check=True)
        main = f"nodes_bench:main({messages}, {calls})"
        command = [erl, "-noshell", "-noinput", "-sname", f"bench{port}@localhost", "-pa", ".", "-eval", main]
        try:
            ran = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=True, timeout=300)
        finally:
            subprocess.run(["epmd", "-port", port, "-kill"], env=env, capture_output=True, check=False)
    one_way, round_trip = map(float, ran.stdout.split())
    return one_way, round_trip


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--calls", type=int, default=3000)
    parser.add_argument("--be-b", metavar="ENDPOINT", help=argparse.SUPPRESS)
    options = parser.parse_args()
    sys.modules.setdefault("nodes", sys.modules["__main__"])
    if options.be_b:
        asyncio.run(as_b(options.be_b))
        return
    ours = asyncio.run(as_a(f"tcp/127.0.0.1:{free_port()}", options.messages, options.calls))
    for name, found in (("Midflight", ours), ("OTP", of_otp(options.messages, options.calls))):
        if found is not None:
            one_way, round_trip = found
            rate, each = options.messages / one_way, round_trip / options.calls * 1e6
            print(f"{name:10} {rate:10,.0f} messages/s one way {each:8,.0f} us a call")


if __name__ == "__main__":
    main()
