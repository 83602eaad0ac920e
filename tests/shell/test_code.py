"""Modules in the shell: there by name once they are loaded, loaded anew, and described. Case s10 is the tutorial."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.shells import Shell
from helpers.versions import forget_modules_in
from midflight import code
from midflight.code.load import modified
from midflight.introspect import complete

COUNTER = Path(__file__).parents[2] / "examples" / "counter.py"
RESET = '        case ("reset",):\n            return loop(0)\n'


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Path]:
    """A copy of the tutorial's module, which nobody has loaded; forgotten afterwards."""
    file = tmp_path / "counter.py"
    shutil.copy(COUNTER, file)
    path = sys.path[:]
    yield file
    sys.path[:] = path
    forget_modules_in(tmp_path)


def add_reset(file: Path) -> None:
    """Write version 2: it knows a message more."""
    text = file.read_text()
    at = text.index("        case message:")
    file.write_text(text[:at] + RESET + text[at:])


def test_a_loaded_module_is_there_by_name(shell: Shell, counter: Path) -> None:
    """From the moment it is loaded, without an import; in functions of the shell too."""
    assert "NameError" in shell.error("counter")

    code.load(str(counter))

    assert shell.value("counter.__name__") == "'counter'"
    shell.ask("def start(): return spawn(counter.start)\n")
    assert shell.value("is_alive(start())") == "True"
    assert "counter" in [each.name for each in complete(shell.session.scope, "coun").candidates]


def test_the_package_of_a_loaded_module_is_there_by_name(shell: Shell, counter: Path) -> None:
    """Else its modules could not be written."""
    package = counter.parent / "counting"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "part.py").write_text("answer = 42\n")

    code.load(str(package / "part.py"))

    assert shell.value("counting.part.answer") == "42"


def test_c_loads_a_file_and_says_so(shell: Shell, counter: Path) -> None:
    """The line that the editors echo; processes run on while the body runs in a thread."""
    assert shell.value(f"c({str(counter)!r})") is None

    assert shell.output.take().startswith("counter v1 loaded")


def test_l_loads_by_name_a_new_version(shell: Shell, counter: Path) -> None:
    """The module knows its file."""
    code.load(str(counter))

    shell.ask("l('counter')")

    assert shell.output.take().startswith("counter v2 loaded")


def test_a_refused_load_is_told_and_is_no_crash(shell: Shell, counter: Path) -> None:
    """As c() answers `error`: the shell keeps its pid, the module its version."""
    code.load(str(counter))
    before = shell.value("self()")
    counter.write_text("def broken(:\n")

    shell.ask("c('counter')")

    printed = shell.output.take()
    assert "counter not loaded: line 1" in printed
    assert "Version 1 stays current" in printed
    assert shell.value("self()") == before


def test_c_inside_an_expression_has_to_be_awaited(shell: Shell, counter: Path) -> None:
    """As a whole input it is awaited for the user."""
    assert "write await before it" in str(shell.value(f"[c({str(counter)!r})]"))

    shell.ask(f"x = 1; await c({str(counter)!r})")

    assert "counter v1 loaded" in shell.output.take()


def test_lm_loads_what_has_changed(shell: Shell, counter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And says so if nothing has."""
    monkeypatch.setattr(modified, "imported_modules", list)  # pytest's are not what their files say
    code.load(str(counter))

    shell.ask("lm()")
    assert shell.output.take() == "no loaded module's file has changed\n"

    add_reset(counter)
    shell.ask("lm()")
    assert "counter v2 loaded" in shell.output.take()


def test_m_describes_a_module(shell: Shell, counter: Path) -> None:
    """Its file, its versions with who runs them, what it defines."""
    code.load(str(counter))
    pid = shell.value("pid = spawn(counter.start)")
    add_reset(counter)
    code.load(str(counter))

    shell.ask("m('counter')")

    first, _, old, new, names = shell.output.take().splitlines()
    assert first == f"counter, {counter}"
    assert (old.split()[0], old.split()[2:]) == ("v1", ["old", pid])
    assert (new.split()[0], new.split()[2:]) == ("v2", ["current", "none"])
    assert names == "defines codeswitch, loop, start"


def test_m_lists_the_modules(shell: Shell, counter: Path) -> None:
    """One line each."""
    code.load(str(counter))
    shell.ask("pid = spawn(counter.start)")
    shell.output.take()

    shell.ask("m()")

    assert ["counter", "v1", "1", "in", "v1", str(counter)] in [
        line.split() for line in shell.output.take().splitlines()
    ]


def test_m_of_an_unknown_module_says_how_to_load_it(shell: Shell) -> None:
    """No error: the shell keeps its pid."""
    shell.ask("m('nowhere')")

    assert shell.output.take() == "nowhere is not loaded; c('nowhere') loads it\n"


def test_the_tutorial(shell: Shell, counter: Path) -> None:
    """s10: every line of it comes out as the tutorial shows, the process's own words before the value."""

    def said(text: str) -> str:
        value = shell.value(text)
        return shell.output.take() + (value or "")

    code.load(str(counter))
    assert said("pid = spawn(counter.start)").startswith("<0.")
    assert said('pid << ("increment", 3)') == "('increment', 3)"
    assert said('pid << ("print",)') == "Sum is 3\n('print',)"
    add_reset(counter)
    code.load(str(counter))
    assert said('pid << ("reset",)') == "Unhandled message ('reset',)\n('reset',)"
    assert said('pid << "code_switch"') == "'code_switch'"
    assert said('pid << ("print",)') == "Sum is 3\n('print',)"
    assert said('pid << ("reset",)') == "('reset',)"
    assert said('pid << ("print",)') == "Sum is 0\n('print',)"
