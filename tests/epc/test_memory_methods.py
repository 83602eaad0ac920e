"""The memory of the server and of one process, over the wire."""

from __future__ import annotations

from midflight.epc import RemoteServer


def spawned(client: RemoteServer, *lines: str) -> str:
    """Evaluate lines in a shell, the last of which gives a pid; return that."""
    session = client.call("shell/open")["session"]
    for line in lines:
        answer = client.call("shell/eval", session, line)
        assert answer["status"] == "ok", answer
    return str(answer["value"])


WAIT = "async def wait(held):\n    await receive(int)\n"


def test_server_memory_is_what_the_system_and_python_say(client: RemoteServer) -> None:
    """Bytes, and blocks of Python's own allocator."""
    found = client.call("server/memory")

    assert found["total"] is None or found["total"] > 1_000_000
    assert found["blocks"] > 10_000


def test_process_memory_counts_variables_and_messages(client: RemoteServer) -> None:
    """What a process alone reaches makes the difference to one that holds nothing."""
    small = spawned(client, WAIT, "spawn(wait, None)")
    large = spawned(client, WAIT, "spawn(wait, [bytes(100_000) for _ in range(10)])")
    loaded = spawned(client, WAIT, "pid = spawn(wait, None)", "_ = pid << bytearray(500_000)", "pid")

    sizes = [client.call("process/memory", pid)["bytes"] for pid in (small, large, loaded)]

    assert sizes[1] - sizes[0] > 1_000_000
    assert 500_000 < sizes[2] - sizes[0] < 600_000


def test_process_memory_stops_counting(client: RemoteServer) -> None:
    """A process that reaches half the program does not hold the runtime up; the answer says so."""
    pid = spawned(client, WAIT, "spawn(wait, [[] for _ in range(50_000)])")

    found = client.call("process/memory", pid)

    assert (found["more"], found["objects"]) == (True, 20_000)


def test_process_memory_runs_no_code_of_a_users_class(client: RemoteServer) -> None:
    """Neither `__sizeof__`, nor `__class__`, nor what a metaclass puts in their place."""
    hostile = (
        "class Hostile(list):\n"
        "    def __sizeof__(self): raise SystemExit('asked for its size')\n"
        "    @property\n"
        "    def __class__(self): raise SystemExit('asked for its class')\n"
    )
    pid = spawned(client, WAIT, hostile, "spawn(wait, Hostile([1, 2]))")

    assert client.call("process/memory", pid)["bytes"] > 0


def test_process_memory_of_a_dead_process_is_nil(client: RemoteServer) -> None:
    """As process/view."""
    pid = spawned(client, WAIT, "spawn(wait, None)")
    client.call("process/exit", pid, "kill")

    assert client.call("process/memory", pid) is None
