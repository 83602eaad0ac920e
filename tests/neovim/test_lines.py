"""A line that a process asks for: Neovim reads it."""

from __future__ import annotations

import time

import pytest

from helpers.neovim import DEADLINE_SECONDS, Neovim


@pytest.fixture
def shell(neovim: Neovim) -> Neovim:
    """A Neovim in the prompt of an open shell."""
    neovim.nvim.command("MidflightShell")
    neovim.wait_prompt("1> ")
    return neovim


def ask(shell: Neovim, text: str) -> None:
    """Evaluate `text`, and wait until Neovim asks."""
    shell.nvim.input(f"{text}<CR>")
    deadline = time.monotonic() + DEADLINE_SECONDS
    while shell.nvim.api.get_mode()["mode"] != "c":  # the one request that it answers while it asks
        assert time.monotonic() < deadline, "it never asks"


@pytest.mark.parametrize("function", ["input('name? ')", "__import__('getpass').getpass('name? ')"])
def test_a_line_is_read(shell: Neovim, function: str) -> None:
    """At the bottom of the screen; the evaluation goes on with it."""
    ask(shell, function)

    shell.nvim.input("Joe<CR>")

    assert shell.wait_prompt("2> ")[-1] == "'Joe'"


def test_ctrl_c_breaks_off_the_wait(shell: Neovim) -> None:
    """The evaluation is interrupted."""
    ask(shell, "input('name? ')")

    shell.nvim.input("<C-c>")

    assert shell.wait_prompt("2> ")[-1] == "KeyboardInterrupt"
