"""The text of a durable server is looked at for what cannot be stored, and for what a restored one would lack."""

from __future__ import annotations

from textwrap import dedent

import pytest

HEAD = """
import threading
from threading import RLock as Lock
import socket
from midflight import GenServer, send_after, self_

"""
FAULTS = {
    "lock": ("self.lock = threading.Lock()", "self.lock of the durable Till is made by threading.Lock"),
    "renamed": ("self.lock = Lock()", "self.lock of the durable Till is made by Lock"),
    "socket": ("self.peer: object = socket.socket()", "self.peer of the durable Till is made by socket.socket"),
    "file": ("self.log = open('log')", "self.log of the durable Till is made by open"),
    "lambda": ("self.key = lambda: 1", "self.key of the durable Till is a lambda"),
    "generator": ("self.items = (n for n in ())", "self.items of the durable Till is a generator"),
    "timer": ("send_after(1, self_(), 'tick')", "init of the durable Till calls send_after"),
}  # fmt: skip


def told(project, body, extra="", durable="True"):
    """Return the warnings about durable servers of a load."""
    text = f"class Till(GenServer):\n    durable = {durable}\n{extra}\n    def init(self):\n        {body}\n"
    report = project.load_text("till", HEAD + dedent(text))
    return [each.message for each in report.warnings if each.code == "durable"]


@pytest.mark.parametrize(("body", "said"), FAULTS.values(), ids=FAULTS)
def test_a_fault_of_the_text_is_a_warning(project, body, said):
    """Before somebody starts the server and is refused."""
    (found,) = told(project, body)

    assert found.startswith(said)


@pytest.mark.parametrize("body", [each for each, _ in FAULTS.values()], ids=FAULTS)
def test_a_server_that_is_not_durable_may_do_so(project, body):
    """Nothing of it is stored."""
    assert told(project, body, durable="False") == []


@pytest.mark.parametrize(
    ("body", "extra"),
    [
        ("self.lock = threading.Lock()", "    durable_attributes = ('total',)"),
        ("self.lock = threading.Lock()", "    def __getstate__(self):\n        return {}"),
        ("send_after(1, self_(), 'tick')", "    def restored(self):\n        send_after(1, self_(), 'tick')"),
        ("self.count = len('abc')", ""),
        ("lock = threading.Lock()", ""),
    ],
    ids=["left out", "getstate", "restored", "plain", "local"],
)
def test_what_is_right_is_not_told(project, body, extra):
    """The class says what it keeps, and makes the rest again."""
    assert told(project, body, extra) == []
