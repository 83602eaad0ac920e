"""The helpers that look at one process by its numbers, and at the machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from helpers.shells import Shell
from midflight.shell import machine


def test_pid_takes_three_numbers(shell: Shell) -> None:
    """As Erlang's shell; two are none."""
    assert shell.value("pid(0, self().number, 0) == self()") == "True"
    assert shell.value("pid(0, 999, 0)") == "<0.999.0>"
    assert "a pid has three numbers" in shell.error("pid(0, 999)")


def test_i_with_a_pid_shows_all_of_it(shell: Shell) -> None:
    """What process_info says, a line each; of a dead one that it is dead."""
    shell.ask("register('me', self())")
    shell.ask("i(0, self().number, 0)")
    lines = dict(line.split(maxsplit=1) for line in shell.output.take().splitlines())

    assert lines["registered_name"] == "'me'"
    assert lines["message_queue_len"] == "0"

    shell.ask("i(0, 999, 0)")
    assert shell.output.take() == "<0.999.0> is not alive\n"


def test_nregs_is_regs(shell: Shell) -> None:
    """There is one node."""
    shell.ask("register('me', self())")
    shell.ask("nregs()")

    assert "me    <0." in shell.output.take()


def test_memory_is_a_dict(shell: Shell) -> None:
    """Of counts, to calculate with."""
    assert shell.value("memory()['blocks'] > 1000") == "True"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(4, "4 seconds"), (64, "1 minutes and 4 seconds"), (93784, "1 days, 2 hours, 3 minutes and 4 seconds")],
)
def test_uptime_in_words(monkeypatch: pytest.MonkeyPatch, seconds: int, said: str) -> None:
    """As OTP has them, without a plural of its own."""
    monkeypatch.setattr(machine.time, "monotonic", lambda: machine._STARTED + seconds)

    assert machine.uptime() == said


def test_the_folder_of_the_server(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """cd goes there and says where, pwd says where, ls what is there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    (tmp_path / "one.py").touch()

    shell.ask("pwd()")
    assert shell.output.take() == f"{tmp_path}\n"
    shell.ask("ls()")
    assert shell.output.take() == "one.py  sub/\n"
    shell.ask("cd('sub')")
    assert (shell.output.take(), os.getcwd()) == (f"{tmp_path / 'sub'}\n", str(tmp_path / "sub"))
    shell.ask("ls('../one.py')")
    assert shell.output.take() == "../one.py\n"
    assert "No such file" in shell.error("cd('nowhere')")
    assert "No such file" in shell.error("ls('nowhere')")
