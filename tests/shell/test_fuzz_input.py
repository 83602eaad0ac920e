"""Inputs of the shell that nobody would type: each gets an answer, in time, and the shell goes on."""

from __future__ import annotations

import ast
import time
import warnings

from hypothesis import given
from hypothesis import strategies as st

from helpers.fuzz import fuzzed
from helpers.shells import DEADLINE_SECONDS, Shell
from midflight.introspect import call_tip, complete
from midflight.shell.source import Code, Incomplete, Malformed, Nothing, Reader, repeated_job

PIECES = [
    *(
        "(",
        ")",
        "[",
        "{",
        "}",
        ":",
        ",",
        ".",
        "'",
        '"',
        '"""',
        "\\",
        "\\\n",
        "\t",
        "  ",
        "\n",
        "\r",
        "\x0c",
        "\x00",
        "#",
    ),
    *(
        "\ud800",
        "\ufeff",
        "\xa0",
        "é",
        "😀",
        "½",
        "9" * 5000,
        "e(1)",
        "v(1)",
        "e(",
        "f()",
        "f'{",
        "lambda",
        "await ",
        "x",
    ),
    *(
        "yield ",
        "return ",
        "async ",
        "def f():\n",
        "match x:\n",
        "if 1:\n",
        "import ",
        "from . import ",
        "%",
        "!",
        "?",
        "=",
    ),
    *(
        "(" * 300,
        "-" * 2000,
        "x." * 500,
        "1/0",
        "raise SystemExit\n",
        "raise KeyboardInterrupt\n",
        "class A(A): pass\n",
    ),
    *(
        "from __future__ import annotations\n",
        "global x\n",
        "*x",
        "**x",
        "_",
        "self",
        "pid(",
        "1e999",
        "0x",
        "1if 1else 2",
    ),
]
inputs = st.lists(st.sampled_from(PIECES), max_size=8).map("".join) | st.text(max_size=40)
HARMFUL = (ast.While, ast.For, ast.AsyncFor, ast.comprehension, ast.Pow, ast.LShift, ast.Mult, ast.Await)
SAFE_CALLS = {"e", "v", "f", "pid"}


def is_harmless(text: str) -> bool:
    """Say whether evaluating `text` ends at once and leaves the shell to the next input."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return True
    for node in ast.walk(tree):
        if isinstance(node, HARMFUL):
            return False
        if isinstance(node, ast.Call) and not (isinstance(node.func, ast.Name) and node.func.id in SAFE_CALLS):
            return False
    return True


@given(inputs)
@fuzzed(600)
def test_any_input_is_read_as_one_of_four(text: str) -> None:
    """Code, nothing, the beginning of an input, or a syntax error in words."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        match Reader().read(text, "<shell>"):
            case Code() | Nothing() | Incomplete():
                pass
            case Malformed(error=error):
                assert error.endswith("\n")
    job = repeated_job(text)
    assert job is None or isinstance(job, int)


@given(inputs.filter(is_harmless))
@fuzzed(150)
def test_any_input_is_answered_and_the_shell_goes_on(shell: Shell, text: str) -> None:
    """With one of the four words; then the next input is evaluated."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        answer = shell.session.eval(text).result(DEADLINE_SECONDS)
        assert answer.status in ("ok", "error", "incomplete", "interrupted")

        following = shell.session.eval("6 + 36").result(DEADLINE_SECONDS)
    assert (following.status, following.value) == ("ok", "42")


@given(inputs)
@fuzzed(300)
def test_any_beginning_can_be_completed(shell: Shell, text: str) -> None:
    """A list, perhaps an empty one, and a call or none; and both at once."""
    scope = shell.session.scope
    began = time.process_time()
    complete(scope, text)
    call_tip(scope, text)
    assert time.process_time() - began < DEADLINE_SECONDS


@given(
    st.sampled_from(["(", "[", "a.", "a(", "'", '"', "lambda ", "\\", "f'{", "x = ", "-", "(a, "]), st.integers(1, 4)
)
@fuzzed(40)
def test_long_beginnings_are_completed_in_time(shell: Shell, piece: str, size: int) -> None:
    """Ten thousand of anything."""
    text = piece * (2500 * size)
    began = time.process_time()

    complete(shell.session.scope, text)
    call_tip(shell.session.scope, text)

    assert time.process_time() - began < 1.0
