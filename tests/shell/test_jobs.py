"""The number of the prompt, and the jobs by number. The rules are Erlang's, P40 and P43; cases s01, s04 and s13."""

from __future__ import annotations

from collections.abc import Callable

from helpers.shells import Shell


def test_each_evaluated_input_uses_one_number(shell: Shell) -> None:
    """s01: failing ones too."""
    numbers = [shell.ask(text).number for text in ("x = 5", "x + 1", "1/0", "x")]

    assert numbers == [2, 3, 4, 5]
    assert shell.session.number == 5


def test_a_syntax_error_uses_no_number_and_no_process(shell: Shell) -> None:
    """s13: the next input works as if nothing had been typed."""
    before = shell.value("self()")

    result = shell.ask("foo(.")

    assert (result.status, result.number) == ("error", 2)
    assert "SyntaxError" in str(result.error)
    assert shell.value("self()") == before


def test_an_input_may_span_lines(shell: Shell) -> None:
    """s13: until it is whole it is incomplete, and uses no number."""
    assert shell.ask("x = [1,\n2,") == shell.ask("x = [1,")
    assert shell.ask("x = [1,").status == "incomplete"
    assert shell.ask("x = [1,").number == 1
    assert shell.value("x = [1,\n2,\n3]") == "[1, 2, 3]"


def test_an_empty_input_uses_no_number(shell: Shell) -> None:
    """Return at an empty prompt shows the same prompt again."""
    assert shell.ask("  # nothing\n") == shell.ask("")
    assert (shell.ask("").status, shell.ask("").number) == ("ok", 1)


def test_v_is_the_value_of_a_job(shell: Shell) -> None:
    """s04: by number, or counted back from the last."""
    shell.ask("10")

    assert shell.value("v(1) * 2") == "20"
    assert shell.value("v(-1) + 1") == "21"


def test_v_of_a_failed_job_is_its_exception(shell: Shell) -> None:
    """s04: Erlang gives {'EXIT', Reason}."""
    shell.ask("1/0")

    assert shell.value("v(1)") == "ZeroDivisionError('division by zero')"


def test_an_unknown_job_uses_no_number_and_no_process(shell: Shell) -> None:
    """s04, P40: it is no crash either, so the shell keeps its pid."""
    before = shell.value("self()")

    result = shell.ask("v(99)")

    assert (result.status, result.number) == ("error", 2)
    assert "99: no such job" in str(result.error)
    assert shell.ask("e(99)").number == 2
    assert shell.value("self()") == before


def test_e_evaluates_a_job_again(shell: Shell) -> None:
    """s04: its text, with the bindings of now, as a job of its own."""
    shell.ask("x = 1")
    shell.ask("x + 1")
    shell.ask("x = 10")

    assert shell.value("e(2)") == "11"
    assert shell.value("v(4)") == "11"


def test_e_of_a_job_that_awaits_awaits(shell: Shell) -> None:
    """It stands for the text, so nothing is special about a job that waits."""
    shell.ask("await sleep(0) or 'slept'")

    assert shell.value("e(1)") == "'slept'"


def test_e_inside_an_expression_says_what_to_use(shell: Shell) -> None:
    """It is an input, not a function."""
    shell.ask("1")

    assert "v(1) is the value of that job" in shell.error("e(1) + 1")


def test_h_lists_jobs_and_values(shell: Shell) -> None:
    """s04: as Erlang's h() does."""
    shell.ask("10")
    shell.ask("1/0")
    shell.ask("h()")

    assert shell.output.take() == "1: 10\n-> 10\n2: 1/0\n-> ZeroDivisionError('division by zero')\n"


def test_only_the_last_jobs_are_kept(make_shell: Callable[..., Shell]) -> None:
    """P43: as many as the session was made for."""
    shell = make_shell(jobs_kept=2)
    for number in (1, 2, 3):
        shell.ask(str(number))

    assert "the ones kept: 2 to 3" in shell.error("v(1)")
    assert shell.value("v(2)") == "2"


def test_a_repr_that_raises_is_shown_as_such(shell: Shell) -> None:
    """The input has succeeded; only its value cannot be shown."""
    shell.ask("class Odd:\n    def __repr__(self): return 1/0\n\n")

    assert shell.value("Odd()") == "<Odd object whose __repr__ raised ZeroDivisionError: division by zero>"


def test_a_huge_value_is_shown_in_part(shell: Shell) -> None:
    """An editor and the wire have limits; v(N) has none."""
    shown = str(shell.value("'x' * 300_000"))

    assert shown.endswith("... (100002 more characters; the value itself is whole)")
    assert shell.value("len(v(1))") == "300000"


def test_none_shows_nothing(shell: Shell) -> None:
    """As in Python's own shell; the number is used."""
    assert shell.ask("None").value is None
    assert shell.session.number == 2
