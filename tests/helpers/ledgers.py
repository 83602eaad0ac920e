"""A server whose next version changes its state, for the tests of upgrades: its texts, and what they do with it.

It is that of the module `ledger`; where several modules are upgraded together, each has one like it.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from textwrap import dedent, indent
from typing import Any

from helpers.versions import Project
from midflight import Pid, call, code, process_info, register, self_, spawn
from midflight.kernel import System

LEDGER = """
from midflight import GenServer, receive, send
__vsn__ = {number}

class Ledger(GenServer):
    def init(self, total=0, attributes=()):
        self.total = total
        self.entries = [[total]]
        vars(self).update(attributes)

    async def handle_call(self, request, client):
        if request == "wait":
            await receive("go on")
        return {number}, self.total

    def handle_cast(self, message):
        self.entries.append(message)
"""

TO_A_DICT = "self.total = {'sum': self.total}"
HOLD = "send('top', 'begun')\nawait receive('go on')"  # a code_change that is held open by a message


def ledger(number: int, code_change: str | None = None) -> str:
    """Return the text of version `number` of the server; `code_change` is the body of that callback."""
    text = LEDGER.format(number=number)
    if code_change is None:
        return text
    return f"{text}\n    async def code_change(self, old_vsn, extra):\n{indent(dedent(code_change), ' ' * 8)}\n"


def load_ledger(project: Project, number: int = 1, code_change: str | None = None) -> code.LoadReport:
    """Load a version of the server."""
    return code.load(project.write("ledger.py", ledger(number, code_change)))


async def upgrade_ledger(code_change: str | None, number: int = 2, **options: Any) -> code.UpgradeReport:
    """Upgrade to a version of the server with that `code_change`."""
    return await code.upgrade("ledger", ledger(number, code_change), **options)


def load_ledgers(project: Project, *names: str, number: int = 1) -> None:
    """Load a version of the server as each of these modules, together."""
    code.load_many([project.write(f"{name}.py", ledger(number)) for name in names])


async def upgrade_ledgers(
    changes: dict[str, str | None], number: int = 2, **options: Any
) -> tuple[code.UpgradeReport, ...]:
    """Upgrade these modules together to a version of the server, each with its `code_change`."""
    return await code.upgrade_many([(name, ledger(number, body)) for name, body in changes.items()], **options)


async def start_ledgers(*totals: int, module: str = "ledger", **attributes: Any) -> list[Pid]:
    """Start a server of the module for each total."""
    return [await sys.modules[module].Ledger.start(total, attributes) for total in totals]


async def answers(pids: list[Pid]) -> list[Any]:
    """Call each server and return what they answered: version and total."""
    return [await call(pid, "get", timeout=None) for pid in pids]


def call_later(pid: Pid, request: object = "get") -> None:
    """Call a server in a process of its own, which sends the caller ("answer", reply)."""
    top = self_()

    async def ask() -> None:
        top << ("answer", await call(pid, request, timeout=None))

    spawn(ask)


def be_top() -> None:
    """Let servers send to the calling process as "top"."""
    register("top", self_())


async def until(condition: Callable[[], object]) -> None:
    """Return once `condition` holds; others run meanwhile."""
    while not condition():
        await asyncio.sleep(0)


def system_messages(pid: Pid) -> list[System]:
    """Return the system messages that wait for a server."""
    info = process_info(pid)
    return [message for message in (info["messages"] if info else ()) if isinstance(message, System)]


def state_of(pid: Pid) -> dict[str, Any]:
    """Return the attributes of a server."""
    process: Any = pid.process
    return vars(process.behaviour.server)


def current(module: str = "ledger") -> int:
    """Return the number of the version that is current."""
    return next(each.version for each in code.versions(module) if each.is_current)
