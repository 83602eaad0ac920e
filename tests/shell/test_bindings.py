"""The names that an input can use. The rules are Erlang's, P43; case s03."""

from __future__ import annotations

import sys

import midflight
from helpers.shells import Shell


def test_an_assignment_shows_its_value_and_stays(shell: Shell) -> None:
    """s01: as `X = 5.` does."""
    assert shell.value("x = 5") == "5"
    assert shell.value("x") == "5"


def test_f_forgets_one_binding_or_all(shell: Shell) -> None:
    """s03: the others stay; what is not there is forgotten without a word."""
    shell.ask("x = 1; y = 2")

    assert shell.ask("f('x')").status == "ok"
    assert "NameError" in shell.error("x")
    assert shell.value("y") == "2"
    assert shell.ask("f('x')").status == "ok"
    shell.ask("f()")
    assert "NameError" in shell.error("y")
    assert shell.value("x = 3") == "3"


def test_b_lists_the_bindings(shell: Shell) -> None:
    """In the order they were made."""
    shell.ask("y = 1")
    shell.ask("x = 'two'")
    shell.ask("b()")

    assert shell.output.take() == "y = 1\nx = 'two'\n"


def test_a_function_of_the_shell_sees_later_bindings(shell: Shell) -> None:
    """Its globals are the bindings themselves."""
    shell.ask("def double(): return factor * 2\n")
    shell.ask("factor = 21")

    assert shell.value("double()") == "42"
    assert shell.value("[factor for _ in range(2)]") == "[21, 21]"


def test_public_names_are_there_inside_functions_too(shell: Shell) -> None:
    """They stand where the builtins stand."""
    shell.ask("def me(): return self_()\n")

    assert shell.value("me() == self()") == "True"
    assert shell.value("receive.__module__.startswith('midflight.')") == "True"


def test_every_public_name_of_midflight_is_there(shell: Shell) -> None:
    """Without an import."""
    shell.bind(public=midflight.__all__)

    assert shell.value("[name for name in public if name not in __builtins__]") == "[]"


def test_forgetting_a_binding_uncovers_what_it_hid(shell: Shell) -> None:
    """A helper's short name can be used for something else meanwhile."""
    shell.ask("i = 5")
    assert shell.value("i") == "5"

    shell.ask("f('i')")

    shell.value("i()")
    assert "processes" in shell.output.take()


def test_an_unknown_name_is_a_name_error(shell: Shell) -> None:
    """In a function as well as in the input itself."""
    shell.ask("def f2(): return nowhere\n")

    assert "NameError: name 'nowhere' is not defined" in shell.error("nowhere")
    assert "NameError: name 'nowhere' is not defined" in shell.error("f2()")


def test_a_module_that_is_not_hosted_must_be_imported(shell: Shell) -> None:
    """Only modules that the code server has loaded are there by name."""
    assert "json" in sys.modules

    assert "NameError" in shell.error("json")
    shell.ask("import json")
    assert shell.value("json.dumps(1)") == "'1'"
