"""Inputs that are evaluated in a module: its names, its current version, and what they assign."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.shells import DEADLINE_SECONDS, Shell
from helpers.versions import forget_modules_in
from midflight import code
from midflight.introspect import complete
from midflight.shell import EvalResult

TEXT = """from asyncio import sleep

RATE = 2
SEEN = []


def price(amount):
    return amount * RATE
"""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Path]:
    """A loaded module; forgotten afterwards."""
    file = tmp_path / "shop_of_inputs.py"
    file.write_text(TEXT)
    path = sys.path[:]
    code.load(str(file))
    yield file
    sys.path[:] = path
    forget_modules_in(tmp_path)


def ask(shell: Shell, module: Path, text: str, **options: int) -> EvalResult:
    """Evaluate `text` in `module`."""
    return shell.session.eval(text, module=module.stem, **options).result(DEADLINE_SECONDS)


def test_an_input_has_the_names_of_the_module(shell: Shell, shop: Path) -> None:
    """Inside of functions and comprehensions too."""
    assert ask(shell, shop, "price(21)").value == "42"
    assert ask(shell, shop, "[price(n) for n in range(3)]").value == "[0, 2, 4]"
    assert ask(shell, shop, "(lambda: RATE)()").value == "2"
    assert ask(shell, shop, "await sleep(0, RATE)").value == "2"


def test_the_names_are_those_of_the_current_version(shell: Shell, shop: Path) -> None:
    """At the moment of the input."""
    code.load(str(shop), TEXT.replace("amount * RATE", "amount + RATE"))

    assert ask(shell, shop, "price(21)").value == "23"


def test_an_assignment_goes_into_the_module(shell: Shell, shop: Path) -> None:
    """As in the files of SLIME and CIDER; its functions see it, and the shell has no such name."""
    ask(shell, shop, "RATE = 3")
    ask(shell, shop, "def half(n):\n    return n / RATE\n")

    assert ask(shell, shop, "price(2), half(6)").value == "(6, 2.0)"
    assert "NameError" in shell.error("RATE")


def test_an_assigned_value_is_state_that_the_next_load_keeps(shell: Shell, shop: Path) -> None:
    """The report names it."""
    ask(shell, shop, "RATE = 3")

    report = code.load(str(shop), TEXT.replace("amount * RATE", "amount + RATE"))

    assert ask(shell, shop, "price(2)").value == "5"
    assert "RATE" in code.summary(report)


def test_the_names_of_the_shell_come_after_those_of_the_module(shell: Shell, shop: Path) -> None:
    """So a pid that the shell has bound can be sent a message, and helpers work."""
    shell.ask("mine, RATE = 7, 'of the shell'")

    assert ask(shell, shop, "mine, RATE, v(1)").value == "(7, 2, (7, 'of the shell'))"
    assert ask(shell, shop, "is_alive(self())").value == "True"


def test_the_shell_goes_into_a_module_and_out_again(shell: Shell, shop: Path) -> None:
    """One input may have the shell's own names all the same."""
    shell.ask("RATE = 'of the shell'")
    shell.session.module = shop.stem

    assert shell.value("RATE") == "2"
    assert shell.session.eval("RATE", is_own=True).result(DEADLINE_SECONDS).value == "'of the shell'"
    assert {"price", "spawn"} <= {each.name for each in complete(shell.session.scope, "").candidates}

    shell.session.module = None
    assert shell.value("RATE") == "'of the shell'"


def test_an_input_is_repeated_where_it_was_evaluated(shell: Shell, shop: Path) -> None:
    """And the list of jobs says where."""
    ask(shell, shop, "RATE")

    assert shell.value("e(1)") == "2"
    shell.ask("h()")
    assert f"{shop.stem} 1: RATE" in shell.output.take()


def test_a_module_that_is_gone_evaluates_nothing(shell: Shell, shop: Path) -> None:
    """The input uses no number."""
    del sys.modules[shop.stem]

    result = ask(shell, shop, "1")

    assert (result.status, result.number) == ("error", 1)
    assert f"{shop.stem} is not loaded any more; nothing was evaluated" in (result.error or "")


def test_a_value_is_broken_into_lines_of_a_width(shell: Shell, shop: Path) -> None:
    """Where it has parts."""
    assert ask(shell, shop, "{'first': 1, 'second': 2}", columns=20).value == "{'first': 1,\n 'second': 2}"
