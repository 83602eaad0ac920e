"""The whole tutorial, in a real Neovim against a real server."""

from __future__ import annotations

from helpers.neovim import Neovim

RESET = ['        case ("reset",):', "            return loop(0)"]


def test_the_tutorial(neovim: Neovim) -> None:
    """Load, spawn, send; load unsaved text that knows a message more; switch at a message; the state is kept."""
    neovim.edit("counter.py")
    neovim.nvim.command("MidflightLoad")
    neovim.wait_message("counter v1 loaded (")
    pid = neovim.ask("pid = spawn(counter.start)", "2> ")[-1]
    assert pid.startswith("<0.")
    assert neovim.ask('pid << ("increment", 3)', "3> ") == ["('increment', 3)"]
    assert neovim.ask('pid << ("print",)', "4> ") == ["Sum is 3", "('print',)"]

    lines = neovim.nvim.current.buffer[:]
    at = lines.index("        case message:")
    neovim.nvim.current.buffer[at:at] = RESET
    neovim.nvim.command("MidflightLoad")
    shown = neovim.wait_message(f"counter v2 loaded: loop changed; 1 process still runs v1: {pid} at loop:9 (")
    assert shown.count("\n") < 20

    assert neovim.ask('pid << ("reset",)', "5> ") == ["Unhandled message ('reset',)", "('reset',)"]
    assert neovim.ask('pid << "code_switch"', "6> ") == ["'code_switch'"]
    assert neovim.ask('pid << ("print",)', "7> ") == ["Sum is 3", "('print',)"]
    assert neovim.ask('pid << ("reset",)', "8> ") == ["('reset',)"]
    assert neovim.ask('pid << ("print",)', "9> ") == ["Sum is 0", "('print',)"]
    assert neovim.shell()[-3:] == ["Sum is 0", "('print',)", "9> "]
