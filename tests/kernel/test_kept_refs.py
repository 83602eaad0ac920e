"""A ref outlives the process that made it: who keeps one keeps a small value, and no dead process."""

from __future__ import annotations

import gc
import weakref

import pytest

from midflight import NOREPLY, GenServer, Task, alias, call, make_ref, monitor, self_


def record_of(pid):
    """Return a weak reference to what the kernel has of a process: mailbox, context, last message, coroutine."""
    return weakref.ref(pid.process)


@pytest.mark.parametrize("make", [make_ref, alias, lambda: monitor(self_())])
def test_a_ref_does_not_keep_the_process_that_made_it(runtime, make):
    """A table of old monitors or aliases is no table of dead processes."""
    kept = []

    async def maker():
        kept.append(make())

    record = record_of(runtime.spawn(maker))
    runtime.run_until_idle()
    gc.collect()

    assert len(kept) == 1
    assert record() is None


def test_a_client_does_not_keep_its_caller(runtime):
    """A server that has not replied yet knows whom to reply to, and keeps no caller that has ended."""
    clients = []

    class Silent(GenServer):
        def handle_call(self, request, client):
            clients.append(client)
            return NOREPLY

    async def caller():
        await call("silent", "ask")

    async def main():
        await Silent.start(name="silent")

    runtime.spawn(main)
    runtime.run_until_idle()
    record = record_of(runtime.spawn(caller))
    runtime.run_until_idle()
    runtime.shutdown()
    gc.collect()

    assert len(clients) == 1
    assert record() is None


def test_a_client_is_gone_with_its_call(runtime):
    """At once: a server that is asked a million times leaves nothing for the garbage collector."""
    clients = []

    class Echo(GenServer):
        def handle_call(self, request, client):
            clients.append(weakref.ref(client))
            return request

    async def main():
        server = await Echo.start()
        for number in range(4):
            await call(server, number)
        return [client() for client in clients[:2]]  # the newest are last messages

    gc.disable()
    try:
        assert runtime.run(main) == [None, None]
    finally:
        gc.enable()


def test_a_task_does_not_keep_its_process(runtime):
    """The handle of a task that is done holds its result; the task's process is gone."""
    records = []

    async def work():
        return "done"

    async def main():
        task = Task.start(work)
        records.append(record_of(task.pid))
        await task.result()
        gc.collect()
        return task, records[0]()

    assert runtime.run(main)[1] is None
