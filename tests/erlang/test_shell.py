"""The cases s*: what the shell shows for each input. Each test types the case's inputs, in Python, and compares.

What has nothing to tell answers `ok` in Erlang and None here, which our shell does not show: it is `ok` in these
lines. What is said of an error is each language's own: it is `** error` in the lines of both. Values are shown in
Erlang's notation.
"""

from __future__ import annotations

import re
import shutil
from ast import literal_eval
from collections.abc import Iterator

import pytest

from erlang.cases import FIXTURES, normalised
from erlang.t import Expected, T
from erlang.terms import text
from midflight import ProcessExit
from midflight.shell import Session

same, differs = pytest.mark.same, pytest.mark.differs

BANNER = "Eshell V<N>  (abort with ^G)"
ERROR = "** error"


class Typist:
    """A shell, and who types into it."""

    def __init__(self, t: T) -> None:
        self.t = t
        self.session = Session(t.runtime.scheduler, t)

    def type(self, *inputs: str) -> list[str]:
        """Type each input at its prompt; return the transcript, the last prompt included."""
        lines = [BANNER]
        for source in inputs:
            prompt = f"{self.session.number}> "
            result = self.t.wait_for(self.session.eval(source))
            value = ERROR if result.error is not None else _notation(result.value)
            first, *more = [*self.t.printed, value]
            self.t.printed.clear()
            lines += [prompt + first, *more]
        lines.append(f"{self.session.number}> ")
        return [re.sub(r"[\d.]+ ms", "<N> ms", normalised(line)) for line in lines]


def _notation(shown: str | None) -> str:
    if shown is None:
        return "ok"
    try:
        return text(literal_eval(shown))
    except (ValueError, SyntaxError):
        return shown


@pytest.fixture
def typist(t: T) -> Iterator[Typist]:
    """Give a shell, with the functions that its inputs use."""

    async def leave(reason: object) -> None:
        raise ProcessExit(reason)

    def copy(name: str) -> None:
        shutil.copy(FIXTURES / name, t.folder / "counter.py")

    typist = Typist(t)
    typist.session.bindings.namespace.update(leave=leave, copy=copy, counter_file=str(t.folder / "counter.py"))
    yield typist
    typist.session.close()
    t.runtime.shutdown()


@pytest.fixture
def expected(expected: Expected) -> Expected:
    """Return what Erlang shows, an error as `** error`."""
    shown = [re.sub(r"^(\d+> )\*+ .*", rf"\1{ERROR}", line) for line in expected if not line.startswith("     ")]
    expected[:] = shown
    return expected


SEND = """
async def send_and_wait(message):
    pid << message
    await sleep(0.06)
    return message
"""


@differs("`=` binds anew; it is no match.")
def test_s01_numbers_and_bindings(typist, expected):
    """Prompts count the inputs, failed ones too; bindings stay."""
    shown = typist.type("x = 5", "x + 1", "x = 6", "x = 5", 'a, y = "a", x * 2', "y", "z")

    assert shown == expected.but((f"3> {ERROR}", "3> 6"))


@same
def test_s03_forget(typist, expected):
    """`f("x")`, with the name as a str."""
    shown = typist.type("x = 1; y = 2; y", 'f("x")', "x = 10", "y", "f()", "y", "x = 3")

    assert shown == expected


@differs("The value of a job that failed is its exception.")
def test_s04_history(typist, expected):
    """`v` and `e`; an unknown number uses none up."""
    shown = typist.type("10", "v(1) * 2", "v(-1) + 1", "1/0", "v(4)", "e(1)", "v(99)")

    assert shown == expected.but(
        ("5> {'EXIT',{badarith,[{erlang,'/',", "5> ZeroDivisionError('division by zero')"),
    )


@same
def test_s06_crash_loses_mailbox(typist, expected):
    """After a failed input the shell is another process."""
    shown = typist.type('self() << "hello"', "1/0", "flush()")

    assert shown == expected


@same
def test_s07_linked_crash(typist, expected):
    """A linked process takes the evaluator with it; the bindings stay."""
    shown = typist.type(
        "x = 1",
        'spawn_link(leave, "boom"); await sleep(0.1)',
        "x",
        'spawn(leave, "boom"); await sleep(0.1)',
        "spawn_link(lambda: None); await sleep(0.1)",
        "x",
    )

    assert shown == expected


@differs(
    "`c` says what changed, who still runs old code, and that the loop ends at a message that it does not know. "
    "All else is shown as in Erlang."
)
def test_s09_tutorial_literal(typist, expected):
    """The process ends at the message that it does not know."""
    shown = typist.type(
        'copy("counter_v1.py")',
        "c(counter_file)",
        "pid = spawn(counter.start)",
        SEND,
        'await send_and_wait(("increment", 3))',
        'await send_and_wait(("print",))',
        'copy("counter_v2.py")',
        "c(counter_file)",
        'await send_and_wait(("reset",))',
        'await send_and_wait("code_switch")',
        'await send_and_wait(("print",))',
        'await send_and_wait(("reset",))',
        'await send_and_wait(("print",))',
        "is_alive(pid)",
    )

    assert shown == expected.but(
        ("2> {ok,counter}", "2> counter v1 loaded: 1 warning (<N> ms)", "ok"),
        (
            "8> {ok,counter}",
            "8> counter v2 loaded: loop changed; 1 warning; 1 process still runs v1: <PID> at loop:13 (<N> ms)",
            "ok",
        ),
    )


@differs("`c` says what changed and who still runs old code. All else is shown as in Erlang.")
def test_s10_tutorial_looping(typist, expected):
    """The tutorial, line by line."""
    shown = typist.type(
        'copy("counter_loops.py")',
        "c(counter_file)",
        "pid = spawn(counter.start)",
        SEND,
        'await send_and_wait(("increment", 3))',
        'await send_and_wait(("print",))',
        'copy("counter_loops2.py")',
        "c(counter_file)",
        'await send_and_wait(("reset",))',
        'await send_and_wait("code_switch")',
        'await send_and_wait(("print",))',
        'await send_and_wait(("reset",))',
        'await send_and_wait(("print",))',
    )

    assert shown == expected.but(
        ("2> {ok,counter}", "2> counter v1 loaded (<N> ms)", "ok"),
        (
            "8> {ok,counter}",
            "8> counter v2 loaded: loop changed; 1 process still runs v1: <PID> at loop:13 (<N> ms)",
            "ok",
        ),
    )


@same
def test_s12_send_value(typist, expected):
    """A send has its message as value; a name that nobody has is an error of the sender's."""
    shown = typist.type(
        'send("nobody", "hi")',
        'register("me", self()) is None',
        'send("me", "hi")',
        "flush()",
        'whereis("me") == self()',
        "1/0",
        'whereis("me") or "undefined"',
    )

    assert shown == expected


@same
def test_s13_syntax_errors(typist, expected):
    """A syntax error uses no number up; an input may span lines."""
    shown = typist.type("x = .", "x = [1,\n2,\n3]", "len(x)", "foo(.", "len(x)")

    assert shown == expected
