"""Loading a buffer: what is sent, and how the answer shows."""

from __future__ import annotations

from helpers.neovim import Neovim, Project
from midflight.epc import RemoteServer

BROKEN = "import counter\n\nasync def start(:\n    return 1\n"


def test_a_syntax_error_in_unsaved_text_is_a_diagnostic(neovim: Neovim, project: Project) -> None:
    """At its place in the buffer; the file, the version and its processes are as they were."""
    neovim.edit("counter.py")
    neovim.nvim.command("MidflightLoad")
    neovim.wait_message("counter v1 loaded (")
    neovim.ask("pid = spawn(counter.start)", "2> ")
    on_disk = (project.root / "counter.py").read_text()

    neovim.replace(BROKEN)
    neovim.nvim.command("MidflightLoad")

    neovim.wait_message("counter not loaded: line 3")
    (found,) = neovim.diagnostics()
    assert (found["lnum"], found["source"], found["code"]) == (2, "midflight", "syntax")
    assert found["severity"] == 1
    assert (project.root / "counter.py").read_text() == on_disk
    assert neovim.ask("is_alive(pid), code.versions('counter')[-1].version", "3> ") == ["(True, 1)"]


def test_a_load_that_succeeds_takes_the_diagnostics_away(neovim: Neovim) -> None:
    """They are those of the last load."""
    neovim.edit("counter.py")
    neovim.replace(BROKEN)
    neovim.nvim.command("MidflightLoad")
    neovim.wait_message("counter not loaded")
    assert neovim.diagnostics()

    neovim.replace("answer = 42\n")
    neovim.nvim.command("MidflightLoad")

    neovim.wait_message("counter v1 loaded")
    assert neovim.diagnostics() == []


def test_a_column_counts_characters_before_it(neovim: Neovim) -> None:
    """The server counts characters, Neovim bytes."""
    neovim.edit("counter.py")
    neovim.replace('text = "äöü"; undefined_name\n')
    neovim.nvim.command("MidflightLoad")

    neovim.wait_message("counter not loaded")
    (found, *_) = neovim.diagnostics()
    assert found["col"] == len('text = "äöü"; '.encode())


def test_the_mapping_loads(neovim: Neovim) -> None:
    """<localleader>ck, as a key that is typed."""
    neovim.edit("counter.py")

    neovim.nvim.input(",ck")

    neovim.wait_message("counter v1 loaded")


def test_what_a_module_prints_while_it_is_loaded_shows_in_the_shell(neovim: Neovim) -> None:
    """It has nowhere else to go."""
    neovim.edit("counter.py")
    neovim.replace("print('body runs')\n")
    neovim.nvim.command("MidflightLoad")

    neovim.wait_message("counter v1 loaded")

    neovim.wait_shell("body runs")


def test_a_buffer_without_a_file_is_not_loaded(neovim: Neovim) -> None:
    """It could be no module."""
    neovim.nvim.command("enew")
    neovim.nvim.command("MidflightLoad")

    assert "this buffer has no file, so it is no module; nothing was loaded" in neovim.messages()


def test_bang_loads_what_a_check_refuses(neovim: Neovim) -> None:
    """`force`."""
    neovim.edit("counter.py")
    neovim.replace("def f():\n    return undefined_name\n")
    neovim.nvim.command("MidflightLoad")
    neovim.wait_message("counter not loaded")

    neovim.nvim.command("MidflightLoad!")

    neovim.wait_message("counter v1 loaded")


def test_the_report_has_a_page_of_its_own(neovim: Neovim) -> None:
    """With all that the one line leaves out; q leads back."""
    neovim.edit("counter.py")
    neovim.replace(BROKEN)
    neovim.nvim.command("MidflightLoad")
    neovim.wait_message("counter not loaded")

    neovim.nvim.command("MidflightReport")

    assert "Refused because" in neovim.nvim.current.buffer[:]
    neovim.nvim.input("q")
    neovim.wait("the module's window", "vim.fn.expand('%:t') == 'counter.py'")


def test_a_load_by_another_editor_is_told(neovim: Neovim, project: Project) -> None:
    """Who shares a server sees what others change."""
    neovim.edit("counter.py")
    neovim.nvim.command("MidflightLoad")
    neovim.wait_message("counter v1 loaded")

    with RemoteServer.attach(project.root) as other:
        other.call("code/load", str(project.root / "counter.py"), None, None)

    assert "(by " in neovim.wait_message("counter v2 loaded")


def test_the_versions_of_a_module_have_a_page(neovim: Neovim) -> None:
    """How many processes run each."""
    neovim.edit("counter.py")
    neovim.nvim.command("MidflightLoad")
    neovim.wait_message("counter v1 loaded")
    neovim.ask("pid = spawn(counter.start)", "2> ")
    neovim.nvim.command("MidflightLoad")
    neovim.wait_message("counter v2 loaded")

    neovim.nvim.command("MidflightVersions")

    neovim.wait("the page", "vim.fn.expand('%'):find('versions of counter', 1, true)")
    rows = [line.split() for line in neovim.nvim.current.buffer[:]]
    assert [(row[0], row[1], row[-1]) for row in rows[1:]] == [("v1", "old", "1"), ("v2", "current", "0")]
