"""Messages of superseded classes that wait in mailboxes are counted in the report."""

from __future__ import annotations

import sys

import pytest

from midflight import exit

TEXT = """
from dataclasses import dataclass
from midflight import receive

@dataclass
class Order:
    name: str

async def passing(told):
    while True:
        told.append(await receive("only this"))
"""
NEW = TEXT.replace("    name: str\n", "    name: str\n    count: int = 1\n")


@pytest.fixture
def waiting(project, runtime):
    """Give a process that passes over all that it is sent but one word."""
    project.load_text("shop", TEXT)
    pid = runtime.spawn(sys.modules["shop"].passing, [])
    runtime.run_until_idle()
    yield pid
    exit(pid, "kill")
    runtime.run_until_idle()


def said(report):
    return [(each.size, each.why) for each in report.state if each.name == "Order"]


@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: ("order", x), lambda x: ("call", 3, {"order": [x]})])
def test_a_message_of_an_old_class_is_counted(project, runtime, waiting, wrap):
    """Alone, or in a tuple or the like; the line names the process, and what helps."""
    waiting << wrap(sys.modules["shop"].Order("tea"))
    waiting << ("order", "of no class")

    ((size, why),) = said(project.load_text("shop", NEW))

    assert size == 1
    assert why.startswith(f"1 message of the old class waits for {waiting!r}: new code does not take it")


def test_messages_of_several_processes_are_counted_together(project, runtime, waiting):
    """The processes are named, the first ones."""
    pids = [runtime.spawn(sys.modules["shop"].passing, []) for _ in range(5)]
    for pid in pids:
        for name in ("tea", "milk"):
            pid << sys.modules["shop"].Order(name)
    runtime.run_until_idle()

    ((size, why),) = said(project.load_text("shop", NEW))

    assert size == 10
    assert "10 messages of the old class wait for " in why
    assert "and 2 more" in why
    for pid in pids:
        exit(pid, "kill")
    runtime.run_until_idle()


def test_nothing_is_said_of_a_class_that_is_kept(project, runtime, waiting):
    """New code takes its objects for what they are."""
    waiting << sys.modules["shop"].Order("tea")

    report = project.load_text("shop", TEXT.replace("only this", "only that"))

    assert said(report) == []
