"""Imports go one way, through what a package lists, and never wait until a function runs."""

from __future__ import annotations

from textwrap import dedent

import pytest

from architecture import imports
from architecture.imports import between_rooms, direction, inside_functions, taken_by_the_kernel, undeclared, waiting
from architecture.sources import Module, declared_names, modules


def module(name: str, text: str, *, is_package: bool = False) -> Module:
    return Module(name, dedent(text), is_package)


def test_every_part_of_the_package_is_seen() -> None:
    """The rules below look at every layer that there is; an empty look would always pass."""
    parts = {imports.part_of(one.name) for one in modules()}

    assert {"errors", "kernel", "code", "shell", "epc", "app", "cli", "driver"} <= parts


def test_imports_go_one_way() -> None:
    """errors <- kernel <- code <- otp <- shell <- epc <- app <- cli; driver and editors see less."""
    assert [broken for one in modules() for broken in direction(one)] == []


def test_imports_between_the_rooms_of_the_code_server_go_one_way() -> None:
    """report <- source <- version <- loading <- census <- identity <- state <- held <- checks <- move <- load...

    then upgrade, and editing at the top.
    """
    rooms = {one.name.split(".")[2] for one in modules() if one.is_package and one.name.count(".") == 2}

    assert set(imports.ROOMS) <= rooms
    assert [broken for one in modules() for broken in between_rooms(one)] == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("midflight.code.census.history", "from midflight.code.load.adopt import adopt"),
        ("midflight.code.report.load_report", "from midflight.code.source import unit"),
        ("midflight.code.lock", "from midflight.code.report.load_report import LoadReport"),
        ("midflight.code.attic.dust", "import os"),
    ],
)
def test_an_import_of_a_room_further_up_is_found(name: str, text: str) -> None:
    """Rooms that nobody has given a place are found too."""
    assert len(list(between_rooms(module(name, text)))) == 1


@pytest.mark.parametrize("target", ["code.source.unit", "code.load.prepare", "code.lock", "kernel"])
def test_an_import_of_a_room_further_down_is_allowed(target: str) -> None:
    """A room sees itself, the rooms below it and the files that stand in no room."""
    assert list(between_rooms(module("midflight.code.load.commit", f"from midflight.{target} import it"))) == []


def test_no_import_stands_inside_a_function() -> None:
    """A cycle is untied by moving code, not by importing late."""
    assert [broken for one in modules() for broken in inside_functions(one)] == []


def test_only_some_parts_can_wait_for_the_world() -> None:
    """No socket outside epc, no subprocess below app, no selector but a test's and the loop's."""
    assert [broken for one in modules() for broken in waiting(one)] == []


def test_the_kernel_has_no_event_loop_and_no_thread() -> None:
    """It takes of asyncio only what a process meets that awaits; driver.py waits."""
    assert [broken for one in modules() for broken in taken_by_the_kernel(one)] == []


def test_a_part_takes_from_another_only_what_its_package_lists() -> None:
    """The names in `__all__` of a package are what other parts may import; its files are its own."""
    offered = {
        one.name: declared_names(one) or () for one in modules() if one.is_package or one.name in imports.SECOND_LISTS
    }

    assert [broken for one in modules() for broken in undeclared(one, offered)] == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("midflight.kernel.core", "from midflight.code import load"),
        ("midflight.kernel.core", "import midflight.epc.wire"),
        ("midflight.kernel.core", "from ..code import load"),
        ("midflight.code.load", "from midflight import otp"),
        ("midflight.code.load", "from midflight import spawn"),
        ("midflight.epc.server", "from midflight.driver import run"),
        ("midflight.editors.neovim.bridge", "from midflight.kernel import spawn"),
        ("midflight.epc.server", "if TYPE_CHECKING:\n    from midflight.app import App"),
        ("midflight", "from midflight.cli import main"),
        ("midflight.extras", "import os"),
    ],
)
def test_an_import_that_goes_up_is_found(name: str, text: str) -> None:
    """Each way to write an import is understood, and each forbidden direction reported."""
    assert len(list(direction(module(name, text)))) == 1


@pytest.mark.parametrize(
    ("name", "text", "is_package"),
    [
        ("midflight.code.load", "from midflight.kernel import Pid", False),
        ("midflight.code.load", "from .version import Version", False),
        ("midflight.code", "from .version import Version", True),
        ("midflight.epc.methods", "from ..wire import Symbol", True),
        ("midflight.driver", "from midflight.epc import serve", False),
        ("midflight.app", "from midflight.editors.neovim import bridge\nimport asyncio", False),
        ("midflight", "from midflight import kernel", True),
    ],
)
def test_an_import_that_goes_down_is_allowed(name: str, text: str, is_package: bool) -> None:
    """A layer sees itself, the layers below it and other people's packages."""
    assert list(direction(module(name, text, is_package=is_package))) == []


@pytest.mark.parametrize(
    "text",
    [
        "def late():\n    from midflight.code import load",
        "async def late():\n    if True:\n        import os",
        "class Late:\n    def method(self):\n        import midflight.kernel",
    ],
)
def test_an_import_inside_a_function_is_found(text: str) -> None:
    """However deep it stands."""
    assert len(list(inside_functions(module("midflight.shell.evaluator", text)))) == 1


def test_an_import_under_a_condition_of_the_module_is_allowed() -> None:
    """`if TYPE_CHECKING:` and `try:` run with the module."""
    text = """
        if TYPE_CHECKING:
            from midflight.errors import ProcessExit
        try:
            import readline
        except ImportError:
            readline = None
    """

    assert list(inside_functions(module("midflight.shell.evaluator", text))) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("midflight.kernel.core", "import socket"),
        ("midflight.app", "from socket import create_server"),
        ("midflight.shell.session", "import selectors"),
        ("midflight.code.load", "from subprocess import run"),
    ],
)
def test_waiting_in_the_wrong_part_is_found(name: str, text: str) -> None:
    """A socket outside epc, a selector in earnest, a subprocess below app."""
    assert len(list(waiting(module(name, text)))) == 1


def test_a_socket_in_epc_is_allowed() -> None:
    """epc is the part that opens it."""
    assert list(waiting(module("midflight.epc.server", "import socket"))) == []


@pytest.mark.parametrize(
    "text",
    [
        "import asyncio\nasyncio.get_running_loop()",
        "from asyncio import Queue",
        "import asyncio.events",
        "import threading\nthreading.Thread(target=print).start()",
    ],
)
def test_a_loop_or_a_thread_in_the_kernel_is_found(text: str) -> None:
    """By attribute, by name and by submodule; elsewhere it is no matter."""
    assert len(list(taken_by_the_kernel(module("midflight.kernel.core", text)))) == 1
    assert list(taken_by_the_kernel(module("midflight.driver", text))) == []


def test_what_a_process_meets_of_asyncio_is_allowed() -> None:
    """A cancellation is one of asyncio's."""
    text = "import asyncio\nclass ProcessExit(asyncio.CancelledError): ..."

    assert list(taken_by_the_kernel(module("midflight.kernel.core", text))) == []


@pytest.mark.parametrize(
    "text",
    [
        "from midflight.kernel import Core",
        "from midflight.kernel.core import Pid",
        "import midflight.kernel.core",
        "from midflight.code.load import commit",
        "from midflight.code.lowlevel import load",
    ],
)
def test_taking_past_the_list_is_found(text: str) -> None:
    """Neither a name that the package keeps to itself nor one of its files."""
    offered = {
        "midflight.kernel": ("Pid",),
        "midflight.code": ("load",),
        "midflight.code.load": ("commit",),
        "midflight.code.lowlevel": ("readable",),
    }

    assert len(list(undeclared(module("midflight.otp.task", text), offered))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "from midflight.kernel import Pid",
        "from midflight.errors import LoadError",
        "from midflight.otp.sys import suspend",
        "from midflight.code.lowlevel import readable",
        "from midflight.code import lowlevel",
    ],
)
def test_taking_what_is_listed_is_allowed(text: str) -> None:
    """A listed name, one of a second list, a name of a part that is one file, and anything of one's own part."""
    offered = {"midflight.kernel": ("Pid",), "midflight.code": (), "midflight.code.lowlevel": ("readable",)}

    assert list(undeclared(module("midflight.otp.task", text), offered)) == []
