"""Law 6: asyncio and its libraries work inside a process as they are, and see it as the current task."""

from __future__ import annotations

import asyncio
import sqlite3

import aiohttp
import aiosqlite
import anyio
import httpx
import pytest
from aiohttp import web

import midflight
from midflight import Down, exit, receive, run_process, self_, sleep, spawn, spawn_monitor


def as_program(function):
    """Run the async test as the first process of a runtime on the real clock."""

    def test():
        midflight.run(function)

    test.__name__, test.__doc__ = function.__name__, function.__doc__
    return test


async def serve_hello(top):
    """Serve HTTP on a free port of the loopback interface, from a process, and tell `top` the port."""

    async def hello(request):
        return web.json_response({"path": request.path, "body": await request.text()})

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", hello)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        top << ("port", runner.addresses[0][1])
        await receive("stop")
    finally:
        await runner.cleanup()


@as_program
async def test_the_current_task_is_the_process():
    """asyncio.current_task() in each process is that process, before and after it has waited."""
    me = asyncio.current_task()

    async def other(top):
        before = asyncio.current_task()
        await asyncio.sleep(0)
        assert asyncio.current_task() is before
        assert before.get_name() == repr(self_())
        top << before.get_name()

    pid = spawn(other, self_())
    assert await receive() == repr(pid)
    assert asyncio.current_task() is me
    assert not me.done()


@as_program
async def test_queues_locks_streams_and_threads():
    """asyncio's own things: Queue, Lock, gather, to_thread, streams, wait_for."""
    queue, lock = asyncio.Queue(), asyncio.Lock()

    async def put():
        async with lock:
            await queue.put(await asyncio.to_thread(sum, [1, 2]))

    spawn(put)
    assert await asyncio.wait_for(queue.get(), 5) == 3
    assert await asyncio.gather(asyncio.sleep(0, "a"), asyncio.sleep(0, "b")) == ["a", "b"]

    async def echo(reader, writer):
        writer.write(await reader.readline())
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"over a socket\n")
        assert await reader.readline() == b"over a socket\n"
        writer.close()
        await writer.wait_closed()


@as_program
async def test_http_server_and_clients():
    """aiohttp's server in one process; aiohttp's and httpx's clients in others."""
    _server, _ = spawn_monitor(serve_hello, self_())
    port = (await receive(("port", int)))[1]
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"http://127.0.0.1:{port}/a", data="x", timeout=aiohttp.ClientTimeout(5)) as answer,
    ):
        assert await answer.json() == {"path": "/a", "body": "x"}
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(f"http://127.0.0.1:{port}/b", content="y", timeout=5)
        assert answer.json() == {"path": "/b", "body": "y"}


@as_program
async def test_anyio_scopes_and_groups():
    """anyio's cancel scopes and task groups take a process for their host task."""
    with anyio.move_on_after(0.01) as scope:
        await receive()
    assert scope.cancelled_caught
    async with anyio.create_task_group() as group:
        group.start_soon(anyio.sleep, 0)
    with pytest.raises(TimeoutError), anyio.fail_after(0.01):
        await anyio.sleep(10)
    assert asyncio.current_task().cancelling() == 0


@as_program
async def test_a_database():
    """aiosqlite: a thread of its own that answers through futures."""
    async with aiosqlite.connect(":memory:") as database:
        await database.execute("create table t (n integer)")
        await database.executemany("insert into t values (?)", [(n,) for n in range(10)])
        async with database.execute("select sum(n) from t") as cursor:
            assert await cursor.fetchone() == (45,)
        with pytest.raises(sqlite3.OperationalError):
            await database.execute("not sql")


@as_program
async def test_an_exit_signal_closes_what_a_library_holds_open():
    """The server process is told to exit amid its work: aiohttp's clean-up runs, and the port is free."""
    pid, _ = spawn_monitor(serve_hello, self_())
    port = (await receive(("port", int)))[1]
    exit(pid, "shutdown")
    assert (await receive(Down)).reason == "shutdown"
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


@as_program
async def test_a_task_runs_a_process_and_waits_for_it():
    """run_process is the way from a task into the runtime; a cancelled task ends its process."""
    ended = []

    async def work(number):
        try:
            return await receive() if number < 0 else number * 2
        finally:
            ended.append(number)

    async def fail():
        raise ValueError("the task gets it")

    assert await asyncio.create_task(run_process(work, 21)) == 42
    with pytest.raises(ValueError, match="the task gets it"):
        await asyncio.create_task(run_process(fail))
    task = asyncio.create_task(run_process(work, -1))
    await asyncio.sleep(0)
    await sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == [21, -1]
