"""A project with a durable counter under a supervisor, which says when it is up and what it goes on with."""

from __future__ import annotations

CONFIGURED = '[tool.midflight]\nstart = "app:start"\nstore = "state-{name}.sqlite"\n'
APP = """\
from midflight import ChildSpec, GenServer, Supervisor, receive


class Counter(GenServer):
    durable = "sync"

    def init(self):
        self.total = 0

    def restored(self):
        print("restored", self.total, flush=True)

    def handle_call(self, count, client):
        self.total += count
        return self.total


async def start():
    await Supervisor.start_link([ChildSpec("counter", Counter, name="counter")], name="top")
    print("up", flush=True)
    await receive("end")
"""
