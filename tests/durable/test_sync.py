"""`durable = "sync"`: no reply leaves before the change that it tells of is on the disk. DESIGN section 10."""

from __future__ import annotations

import sqlite3
import sys
import threading

import pytest

from helpers.versions import text_of
from midflight import call, receive, self_, spawn, spawn_monitor
from midflight.durable.store_error import StoreError
from midflight.errors import CallError

TEXT = text_of("till_v1").replace("durable = True", 'durable = "sync"')
LATER = """
            case ("later", value):
                self.total += value
                self.client = client
                spawn(reply, client, value)
                return NOREPLY
            case ("stop", value):
                self.total += value
                raise Stop("normal", reply=self.total)
            case ("tell", pid, value):
                self.total += value
                pid << "told"
"""


@pytest.fixture
def till(project):
    """Load the till with "sync" and give its module."""
    text = TEXT.replace("import GenServer", "import NOREPLY, GenServer, Stop, reply, spawn")
    project.load_text("till", text.replace('            case "crash"', LATER.lstrip("\n") + '            case "crash"'))
    return sys.modules["till"]


class Disk:
    """The disk of a store: it writes nothing while it is `held`, and fails while `error` is set."""

    def __init__(self, keeper):
        self.writer = keeper.store.writer
        self.held = threading.Event()
        self.held.set()
        self.error = None
        before = self.writer.archive.write

        def write(connection, rows):
            self.held.wait(timeout=30)
            if self.error is not None:
                raise self.error
            before(connection, rows)

        self.writer.archive.write = write


def ask(pid, request, top):
    async def client():
        top << ("reply", request, await call(pid, request, timeout=None))

    return spawn(client)


@pytest.mark.parametrize(
    ("request_", "answer"),
    [(("add", 5), 5), (("later", 5), 5), (("stop", 5), 5)],
    ids=["handle_call", "reply", "Stop"],
)
def test_a_reply_waits_for_the_commit(till, lives, request_, answer):
    """However the reply is given."""
    order = []

    async def main():
        disk = Disk(lives.runtime.scheduler.states)
        server = await till.Till.start(name="till")
        disk.held.clear()
        lives.runtime.scheduler.states.store.writer.tell(lambda _: order.append("commit"))
        threading.Timer(0.1, disk.held.set).start()
        ask(server, request_, self_())
        found = await receive(("reply", ..., ...))
        order.append("reply")
        return found[2]

    assert lives.run(main) == answer
    assert order == ["commit", "reply"]


def test_a_message_sent_in_a_handler_leaves_at_once(till, lives):
    """As in OTP: a handler that awaits an answer would else wait for itself."""

    async def main():
        disk = Disk(lives.runtime.scheduler.states)
        server = await till.Till.start(name="till")
        disk.held.clear()
        ask(server, ("tell", self_(), 5), self_())
        first = await receive()
        disk.held.set()
        return first, await receive()

    told, replied = lives.run(main)
    assert (told, replied[2]) == ("told", 5)


def test_a_reply_that_tells_of_no_change_waits_for_the_change_before(till, lives):
    """Else it would show a state that a power cut undoes."""
    order = []

    async def main():
        disk = Disk(lives.runtime.scheduler.states)
        server = await till.Till.start(name="till")
        disk.held.clear()
        ask(server, ("add", 5), self_())
        ask(server, "total", self_())
        lives.runtime.scheduler.states.store.writer.tell(lambda _: order.append("commit"))
        threading.Timer(0.1, disk.held.set).start()
        for _ in range(2):
            order.append((await receive(("reply", ..., ...)))[2])

    lives.run(main)
    assert order == ["commit", 5, 5]


def test_a_commit_that_fails_is_an_error_as_the_reply(till, lives, caplog):
    """The server runs on with the change, and writes it when the disk has room again."""

    async def main():
        disk = Disk(lives.runtime.scheduler.states)
        server = await till.Till.start(name="till")
        disk.error = sqlite3.OperationalError("database or disk is full")
        with pytest.raises(CallError) as caught:
            await call(server, ("add", 5))
        disk.error = None
        return caught.value.reason, await call(server, ("add", 2))

    reason, total = lives.run(main)
    assert isinstance(reason, StoreError)
    assert "could not be written (database or disk is full); the change is made in memory alone" in str(reason)
    assert total == 7
    assert "The servers run on, and their states wait in memory" in caplog.text
    assert "is written again, with all states that waited" in caplog.text


def test_a_state_that_does_not_pickle_any_more_is_an_error_as_the_reply(till, lives, caplog):
    """It names the attribute; the state before stays in the store."""

    async def main():
        server = await till.Till.start(name="till")
        await call(server, ("add", 5))
        with pytest.raises(CallError, match=r"self\.lock cannot be stored.*lock"):
            await call(server, ("set", "lock", threading.Lock()))

    lives.run(main)
    assert "The store keeps the state before" in caplog.text


def test_a_crash_of_the_next_message_does_not_take_the_reply_away(till, lives):
    """The reply to the message before is held back, and leaves before the process ends."""

    async def main():
        disk = Disk(lives.runtime.scheduler.states)
        server = await till.Till.start(name="till")
        disk.held.clear()
        ask(server, ("add", 5), self_())
        crashing, _ = spawn_monitor(call, server, "crash")
        threading.Timer(0.1, disk.held.set).start()
        return (await receive(("reply", ..., ...)))[2], crashing.process

    assert lives.run(main)[0] == 5


@pytest.mark.parametrize("is_other", [False, True], ids=["moved", "another file"])
def test_a_store_that_was_moved_takes_no_change(till, lives, caplog, is_other):
    """SQLite would write on into a file that the next start does not find. Put back, it has all."""
    aside = lives.path.with_name("aside.sqlite")

    async def main():
        server = await till.Till.start(name="till")
        lives.path.rename(aside)
        if is_other:
            lives.path.write_text("another program's")
        with pytest.raises(CallError) as caught:
            await call(server, ("add", 5))
        aside.replace(lives.path)
        return caught.value.reason, await call(server, ("add", 2))

    reason, total = lives.run(main)
    assert ("is another file now; put it back" if is_other else "was moved or deleted; put it back") in str(reason)
    assert total == 7
    assert "is written again, with all states that waited" in caplog.text

    async def later():
        return await call(await till.Till.start(name="till"), "total")

    assert lives.run(later) == 7
