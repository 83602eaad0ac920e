"""A real server that is given what would end a program, or make everything in it stand still: it goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.server_process import Program
from midflight.epc import RemoteServer

Start = Callable[..., Program]

FATAL = """\
import asyncio, logging
from midflight import *
from midflight.kernel import schedulers

async def stay():
    await receive("end")

async def raises(error):
    raise error

async def in_a_task(error):
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(raises(error))

async def in_a_callback(error):
    asyncio.get_running_loop().call_soon(throw, error)
    await asyncio.sleep(0)

def throw(error):
    raise error

class Odd:
    def __repr__(self):
        raise SystemExit("of a repr")

async def with_state(state, error):
    raise error

async def deep():
    error = ValueError("at the bottom")
    for _ in range(1000):
        error = ExceptionGroup("deep", [error])
    raise error

class Refusing(logging.Filter):
    def filter(self, record):
        raise SystemExit("of a filter")

def with_broken_log():
    logging.getLogger("midflight.crash").addFilter(Refusing())
    return spawn(raises, ValueError())

def with_broken_listener():
    schedulers()[0].on_crash.append(lambda _: 1 / 0)
    return spawn(raises, ValueError())
"""

INPUTS = [
    "raise KeyboardInterrupt",
    "raise SystemExit",
    "exit_ = __import__('sys').exit()",
    "spawn(fatal.raises, KeyboardInterrupt())",
    "spawn(fatal.raises, SystemExit())",
    "spawn(fatal.in_a_task, KeyboardInterrupt())",
    "spawn(fatal.in_a_task, SystemExit())",
    "spawn(fatal.in_a_callback, KeyboardInterrupt())",
    "spawn(fatal.in_a_callback, SystemExit())",
    "spawn(fatal.with_state, fatal.Odd(), ValueError())",
    "spawn(fatal.with_state, 10**5000, ValueError(10**5000))",
    "spawn(fatal.with_state, type('deque', (), {})(), ValueError())",
    "spawn(fatal.deep)",
    "fatal.with_broken_log()",
    "send_after(0, self(), fatal.Odd())",
    "fatal.with_broken_listener()",
]


@pytest.mark.parametrize("text", INPUTS)
def test_an_input_that_would_end_the_program_ends_its_process_at_most(start: Start, project: Path, text: str) -> None:
    """Its monitors hear of it, another process lives, timers ring, and the client is answered."""
    (project / "fatal.py").write_text(FATAL)
    start("serve").port()
    with RemoteServer.attach(project) as client:
        client.call("code/load", str(project / "fatal.py"), None, None)
        session = client.call("shell/open")["session"]

        def ask(source: str) -> str:
            answer = client.call("shell/eval", session, source)
            return str(answer.get("value") or answer.get("error"))

        ask("bystander = spawn(fatal.stay)")
        ask(f"pid = {text}" if text.startswith(("spawn", "fatal")) else text)
        ask("ref = send_after(0, self(), 'rung')")

        assert ask("await receive('rung', timeout=30)") == "'rung'"
        assert ask("is_alive(bystander)") == "True"
        if text.startswith(("spawn", "fatal")):
            ask("ref = monitor(pid)")
            assert ask("(await receive(Down, timeout=30)).ref == ref") == "True"
        assert client.call("ping") is not None
