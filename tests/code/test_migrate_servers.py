"""The state of a server whose class has a `__migrate__`: by the one rule for all objects that change class."""

from __future__ import annotations

import asyncio

import pytest

from midflight import call, code
from midflight.code import UpgradeError

TILL = """
from midflight import GenServer

class Till(GenServer):
    def init(self):
        self.total = 1
    def handle_call(self, request, client):
        return {number}, dict(vars(self))
"""

HOOK = """
    @classmethod
    def __migrate__(cls, old_fields):
        {body}
"""

CODE_CHANGE = """
    def code_change(self, old_vsn, extra):
        self.by = "code_change"
"""

RENAME = 'return {"coins": old_fields["total"]}'


def till(number: int, body: str | None = None, more: str = "") -> str:
    return TILL.format(number=number) + ("" if body is None else HOOK.format(body=body)) + more


async def started(project):
    """Load version 1 and start a server of it."""
    module = project.load_text("till", till(1))
    assert module is not None
    return await code.current(__import__("till").Till).start()


def test_a_server_takes_the_new_class_by_its_migrate(runtime, project):
    """At its next message; it stays the same object."""

    async def main():
        pid = await started(project)
        server = pid.process.behaviour.server
        code.load("till", till(2, RENAME))
        return await call(pid, "get"), pid.process.behaviour.server is server

    assert runtime.run(main) == ((2, {"coins": 1}), True)


def test_a_server_is_what_its_migrate_returns(runtime, project):
    """It may return the new object."""
    body = "made = cls(); made.made = True; return made"

    async def main():
        pid = await started(project)
        code.load("till", till(2, body))
        return await call(pid, "get")

    assert runtime.run(main) == (2, {"made": True})


@pytest.mark.parametrize(
    ("body", "why"), [("old_fields['no']", "its __migrate__ raised KeyError: 'no'"), ("return 5", "returned 5")]
)
def test_a_migrate_that_fails_leaves_the_server_as_it_was(runtime, project, caplog, body, why):
    """It handles its messages with the class and the state that it had; the log says so, once."""

    async def main():
        pid = await started(project)
        code.load("till", till(2, body))
        return [await call(pid, "get"), await call(pid, "get")]

    assert runtime.run(main) == [(1, {"total": 1})] * 2
    (said,) = [each.getMessage() for each in caplog.records if each.name == "midflight.gen_server"]
    assert "goes on with its older Till until till is loaded again: " in said
    assert why in said


def test_a_server_that_was_not_migrated_is_after_the_next_load(runtime, project):
    """Then its class is looked up again."""

    async def main():
        pid = await started(project)
        code.load("till", till(2, "raise ValueError"))
        await call(pid, "get")
        code.load("till", till(3, RENAME))
        return await call(pid, "get")

    assert runtime.run(main) == (3, {"coins": 1})


def test_a_server_of_a_kept_class_does_not_migrate(runtime, project):
    """Its object has the class that it had."""
    text = till(2, 'return {"moves": old_fields.get("moves", 0) + 1}')

    async def main():
        pid = await started(project)
        code.load("till", text)
        first = await call(pid, "get")
        code.load("till", text)
        return first, await call(pid, "get")

    first, second = runtime.run(main)
    assert first == second == (2, {"moves": 1})


def test_an_upgrade_migrates_a_server_without_a_code_change(runtime, project):
    """On a copy, with the code: the state is new before the next message."""

    async def main():
        pid = await started(project)
        report = await code.upgrade("till", till(2, RENAME))
        return vars(pid.process.behaviour.server).copy(), report.servers[0].after, await call(pid, "get")

    assert runtime.run(main) == ({"coins": 1}, "coins=1", (2, {"coins": 1}))


def test_an_upgrade_leaves_the_state_to_code_change(runtime, project):
    """Where the class has both, `__migrate__` does not run: neither in the upgrade nor at the next message."""

    async def main():
        pid = await started(project)
        await code.upgrade("till", till(2, RENAME, CODE_CHANGE))
        return await call(pid, "get")

    assert runtime.run(main) == (2, {"total": 1, "by": "code_change"})


def test_a_load_leaves_the_state_to_migrate(runtime, project):
    """Where the class has both, too: a load runs no code_change."""

    async def main():
        pid = await started(project)
        await asyncio.to_thread(code.load, "till", till(2, RENAME, CODE_CHANGE))
        return await call(pid, "get")

    assert runtime.run(main) == (2, {"coins": 1})


def test_an_upgrade_whose_migrate_fails_changes_nothing(runtime, project):
    """As one whose code_change fails; the error says which server and why."""

    async def main():
        pid = await started(project)
        with pytest.raises(UpgradeError, match=r"__migrate__ of .* raised KeyError: 'no';"):
            await code.upgrade("till", till(2, "old_fields['no']"))
        return await call(pid, "get")

    assert runtime.run(main) == (1, {"total": 1})
