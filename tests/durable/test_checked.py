"""The text of a durable server is looked at for what cannot be stored, and for what a restored one would lack."""

from __future__ import annotations

import importlib
from textwrap import dedent

import pytest

HEAD = """
import concurrent.futures
import threading
from threading import RLock as Lock
import socket
from midflight import GenServer, monitor, send_after, self_


def numbers():
    yield 1


def begin():
    send_after(1, self_(), "tick")

"""
FAULTS = {
    "lock": ("self.lock = threading.Lock()", "self.lock of the durable Till is made by threading.Lock"),
    "renamed": ("self.lock = Lock()", "self.lock of the durable Till is made by Lock"),
    "socket": ("self.peer: object = socket.socket()", "self.peer of the durable Till is made by socket.socket"),
    "file": ("self.log = open('log')", "self.log of the durable Till is made by open"),
    "lambda": ("self.key = lambda: 1", "self.key of the durable Till is a lambda"),
    "annotated": ("self.lock: object = threading.RLock()", "self.lock of the durable Till is made by threading.RLock"),
    "with": ("with open('log') as self.log: pass", "self.log of the durable Till is made by open"),
    "setattr": ("setattr(self, 'lock', Lock())", "self.lock of the durable Till is made by Lock"),
    "past setattr": ("object.__setattr__(self, 'lock', Lock())", "self.lock of the durable Till is made by Lock"),
    "dict": ("self.__dict__['lock'] = Lock()", "self.lock of the durable Till is made by Lock"),
    "walrus": ("self.lock = (lock := Lock())", "self.lock of the durable Till is made by Lock"),
    "walrus before": ("if (lock := Lock()): self.lock = lock", "self.lock of the durable Till is made by Lock"),
    "name": ("lock = Lock(); self.lock = lock", "self.lock of the durable Till is made by Lock"),
    "two": ("self.count, self.lock = 1, Lock()", "self.lock of the durable Till is made by Lock"),
    "chain": ("self.lock = lock = Lock()", "self.lock of the durable Till is made by Lock"),
    "in a list": ("self.locks = [Lock() for _ in range(3)]", "self.locks of the durable Till is made by Lock"),
    "in a dict": ("self.locks = {'a': Lock()}", "self.locks of the durable Till is made by Lock"),
    "choice": ("self.lock = Lock() if threading else None", "self.lock of the durable Till is made by Lock"),
    "default": ("self.lock = None or Lock()", "self.lock of the durable Till is made by Lock"),
    "long name": ("self.pool = concurrent.futures.ThreadPoolExecutor()", "self.pool of the durable Till is made by"),
    "module": ("self.network = socket", "self.network of the durable Till is a module"),
    "generator function": ("self.items = numbers()", "self.items of the durable Till is a generator, which numbers is"),
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


def test_what_a_method_assigns_that_init_calls_is_told(project):
    """The attribute is there before the state is stored for the first time."""
    extra = "    def open_all(self):\n        self.log = open('log')\n"
    (found,) = told(project, "self.open_all()", extra)

    assert found.startswith("self.log of the durable Till is made by open")


def test_a_function_made_in_a_method_is_told(project):
    """No name leads to it."""
    (found,) = told(project, "def key(x): return x\n        self.key = key")

    assert found.startswith("self.key of the durable Till is a function made in a method")


@pytest.mark.parametrize(
    ("body", "said"),
    [("self.arm()", "calls monitor in arm, and the class has no restored"), ("begin()", "calls send_after in begin,")],
    ids=["method", "function"],
)
def test_what_init_has_others_make_is_told(project, body, said):
    """It is lacking after a restart all the same."""
    (found,) = told(project, body, "    def arm(self):\n        monitor('stock')\n")

    assert said in found


def test_a_server_that_is_durable_by_its_base_is_told(project):
    """The word need not be in the text."""
    project.load_text("kept", "from midflight import GenServer\nclass Kept(GenServer):\n    durable = True\n")
    text = "import threading\nfrom kept import Kept\nclass Till(Kept):\n    def init(self):\n"
    report = project.load_text("till", text + "        self.lock = threading.Lock()\n")

    assert [each.code for each in report.warnings] == ["durable"]


def test_the_base_in_the_same_module_is_looked_at(project):
    """A method that is replaced is not."""
    text = """
        class Base(GenServer):
            def init(self):
                self.log = open("log")

            def close(self):
                self.lock = Lock()

        class Till(Base):
            durable = True

            def close(self):
                pass
    """
    report = project.load_text("till", HEAD + dedent(text))

    assert [each.message.partition(" is ")[0] for each in report.warnings] == ["self.log of the durable Till"]


@pytest.mark.parametrize("extra", ["", "    def restored(self):\n        begin()\n"], ids=["without", "with restored"])
def test_a_start_warns_of_what_a_restart_would_lack(project, lives, caplog, monkeypatch, extra):
    """Once for a class: the program may have been started without a load."""
    text = f"class Till(GenServer):\n    durable = True\n    def init(self):\n        begin()\n{extra}"
    project.write("till.py", HEAD + text)
    monkeypatch.syspath_prepend(project.root)
    till = importlib.import_module("till")

    async def main():
        await till.Till.start(name="a")
        await till.Till.start(name="b")

    lives.run(main)
    assert caplog.text.count("init of the durable Till calls send_after in begin") == (0 if extra else 1)
