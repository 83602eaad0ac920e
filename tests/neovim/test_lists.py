"""The lists of processes, versions and crashes, and what their keys do."""

from __future__ import annotations

import pytest

from helpers.neovim import Neovim, Project

TILL = """\
from midflight import GenServer


class Till(GenServer):
    def init(self):
        self.total = 5

    def handle_call(self, request, client):
        self.total += request
        return self.total
"""


@pytest.fixture
def till(neovim: Neovim, project: Project) -> Neovim:
    """A Neovim in till.py; a server named `till` runs."""
    (project.root / "till.py").write_text(TILL)
    neovim.edit("till.py")
    neovim.nvim.command("MidflightLoad")
    neovim.wait_message("till v1 loaded")
    neovim.ask("pid = await till.Till.start(name='till')", "2> ")
    return neovim


def page(neovim: Neovim, name: str, text: str = "") -> list[str]:
    """Return the lines of the page, waited for, which has `text` in it."""
    condition = (
        "(function() for _, b in ipairs(vim.api.nvim_list_bufs()) do "
        "if vim.api.nvim_buf_get_name(b):find(a[2], 1, true) then "
        "local l = vim.api.nvim_buf_get_lines(b, 0, -1, false) "
        "if table.concat(l, '\\n'):find(a[3], 1, true) then return l end end end end)()"
    )
    return list(neovim.wait(f"the page {name!r} with {text!r}", condition, f"/{name}", text))


def press(neovim: Neovim, window: str, pattern: str, keys: str) -> None:
    """Press keys in a page's window, on the line with `pattern`."""
    neovim.nvim.exec_lua(
        "for _, w in ipairs(vim.api.nvim_list_wins()) do "
        "if vim.api.nvim_buf_get_name(vim.api.nvim_win_get_buf(w)):find(..., 1, true) then "
        "vim.api.nvim_set_current_win(w) end end",
        f"/{window}",
    )
    neovim.nvim.command(f"call search('{pattern}', 'w')")
    neovim.nvim.feedkeys(neovim.nvim.replace_termcodes(keys, True, True, True), "x")


def test_a_process_is_looked_into_from_the_list(till: Neovim) -> None:
    """Place, state and frames."""
    till.nvim.command("MidflightProcesses")
    page(till, "processes", "till")

    press(till, "processes", " till ", "<CR>")

    lines = page(till, "process <", "State of till.Till")
    assert "  total = 5" in lines


def test_a_state_is_edited_and_written_back(till: Neovim) -> None:
    """As any text is written."""
    till.nvim.command("MidflightProcesses")
    page(till, "processes", "till")
    press(till, "processes", " till ", "s")
    assert "total = 5" in page(till, "state of <", "total")

    press(till, "state of <", "total", ":s/5/40/<CR>")
    till.nvim.command("write")

    till.wait_message("has it: total")
    assert till.ask("await call(pid, 2)", "3> ") == ["42"]


def test_a_process_is_killed_after_a_question(till: Neovim) -> None:
    """`n` leaves it."""
    till.nvim.exec_lua("vim.fn.confirm = function() return 1 end")
    till.nvim.command("MidflightProcesses")
    page(till, "processes", "till")

    press(till, "processes", " till ", "K")

    till.wait_message("exit signal sent to <")
    assert till.ask("is_alive(pid)", "3> ") == ["False"]


def test_versions_are_compared_shown_and_rolled_back(till: Neovim) -> None:
    """From the list of versions."""
    till.nvim.exec_lua("vim.fn.confirm = function() return 1 end")
    till.replace(TILL.replace("+= request", "+= 2 * request"))
    till.nvim.command("MidflightLoad")
    till.wait_message("till v2 loaded")
    till.nvim.command("MidflightVersions")
    page(till, "versions of till", "v2")

    press(till, "versions of till", "^v2", "d")
    assert "+        self.total += 2 * request" in page(till, "till version 1 to 2", "+++")
    press(till, "versions of till", "^v2", "<CR>")
    assert "        self.total += 2 * request" in page(till, "till version 2", "class")
    till.nvim.command("edit till.py")
    till.nvim.command("MidflightRollback")

    till.wait_message("till v3 loaded")


def test_a_crashed_process_is_started_again_with_its_state(till: Neovim) -> None:
    """From the list of crashes."""
    till.ask("await call(pid, 1)", "3> ")
    till.ask("cast(pid, 'no clause for this')", "4> ")
    till.nvim.command("MidflightCrashes")
    page(till, "crashes", "till")

    press(till, "crashes", "^1 ", "<CR>")
    assert "  total = 6" in page(till, "crash 1", "State")
    press(till, "crash 1", "State", "R")

    till.wait_message("runs, in version 1, with the state that it had")


def test_reports_of_supervisors_are_below_the_crashes(till: Neovim) -> None:
    """Which child ended, and what is done."""
    till.ask(
        "_ = await Supervisor.start_link([ChildSpec('child', till.Till, restart='temporary')], name='tree')", "3> "
    )
    till.ask("_ = [cast(each.pid, 'no clause') for each in await Supervisor.which_children('tree')]", "4> ")
    till.ask("_ = await Supervisor.which_children('tree')", "5> ")
    till.nvim.command("MidflightCrashes")

    assert any("child terminated" in line for line in page(till, "crashes", "Supervisor"))


def test_applications_are_started_and_stopped_from_their_list(till: Neovim) -> None:
    """One with all that it needs."""
    till.ask("from midflight.otp import application", "3> ")
    till.ask("application.load(application.ApplicationSpec('store'))", "4> ")
    till.ask("class Desk:\n    def start(kind, args): return Supervisor.start_link([])\n", "5> ")
    till.ask("application.load(application.ApplicationSpec('desk', Desk, applications=['store']))", "6> ")
    till.nvim.command("MidflightApplications")
    page(till, "applications", "desk")

    press(till, "applications", "^desk", "s")
    till.wait_message("started store, desk")
    assert any(line.split()[:2] == ["desk", "running"] for line in page(till, "applications", "running"))

    till.nvim.exec_lua("vim.fn.confirm = function() return 1 end")
    press(till, "applications", "^desk", "x")
    till.wait_message("stopped desk")


def test_a_durable_server_goes_back_to_an_earlier_state(neovim: Neovim, project: Project) -> None:
    """From the list of what the store has, and of what it had."""
    (project.root / "pyproject.toml").write_text('[tool.midflight]\nstore = "state.sqlite"\n')
    (project.root / "till.py").write_text(TILL.replace("(GenServer):", '(GenServer):\n    durable = "sync"\n'))
    neovim.edit("till.py")
    neovim.nvim.command("MidflightLoad")
    neovim.wait_message("till v1 loaded")
    neovim.ask("pid = await till.Till.start(name='till')", "2> ")
    neovim.ask("await stop('till')", "3> ")
    neovim.nvim.command("MidflightDurable")
    assert any("a kill would lose" in line for line in page(neovim, "durable servers", "till.Till"))
    neovim.nvim.exec_lua("vim.fn.confirm = function() return 1 end")

    press(neovim, "durable servers", "^till ", "<CR>")
    page(neovim, "stored state of till", "'total' = 5")
    press(neovim, "durable servers", "^till ", "d")
    neovim.wait_message("the state of till is number 1 of its history")
    page(neovim, "durable servers", "has no state")
    neovim.ask("pid = await till.Till.start(name='till')", "4> ")
    neovim.ask("await call('till', 2)", "5> ")
    press(neovim, "durable servers", "no state", "r")
    page(neovim, "durable servers", "<0.")
    press(neovim, "durable servers", "^till ", "h")
    page(neovim, "states of till", "deleted")
    press(neovim, "states of till", "deleted", "R")

    neovim.wait_message("till has state 1; the one before is number")
    assert "6" in neovim.ask("await call('till', 1)", "6> ")


def test_a_trace_is_followed_and_ended(till: Neovim) -> None:
    """Its lines come as things happen."""
    till.nvim.command("MidflightTrace till")
    page(till, "trace", "Tracing <")

    till.ask("await call(pid, 7)", "3> ")

    page(till, "trace", "7")
    till.nvim.command("MidflightTrace!")
    till.wait_message("the trace has ended")


def test_the_keys_of_a_page_are_named(till: Neovim) -> None:
    """By g?, as in other plugins."""
    till.nvim.command("MidflightProcesses")
    page(till, "processes", "till")

    press(till, "processes", " till ", "g?")

    names = till.nvim.exec_lua(
        "for _, w in ipairs(vim.api.nvim_list_wins()) do if vim.api.nvim_win_get_config(w).relative ~= '' then "
        "return vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(w), 0, -1, false) end end"
    )
    assert any(line.endswith("move it to the current version") for line in names)


def test_a_line_of_nobody_is_said_to_be_one(till: Neovim) -> None:
    """The heading."""
    till.nvim.command("MidflightProcesses")
    page(till, "processes", "till")

    press(till, "processes", "^Pid", "s")

    till.wait_message("the line is none of a process")
