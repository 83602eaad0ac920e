"""Which locals are read after an await: cases by hand, and random functions that run with the dead ones spoiled."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from itertools import count
from textwrap import dedent, indent
from types import FrameType, coroutine
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from midflight.code.source import liveness
from midflight.code.source.liveness import EFFECTS, TOUCH_LOCALS, Doubt, live_after

SPOILED = object()


@coroutine
def pause(*_: object) -> Iterator[object]:
    """Stand in for receive: what is sent is what it returns."""
    return (yield)


def function_of(body: str, parameters: str = "", **names: object) -> Any:
    """Make an async function f of that body."""
    namespace = {"pause": pause, **names}
    exec(f"async def f({parameters}):\n{indent(dedent(body).strip(), '    ')}\n", namespace)
    return namespace["f"]


def begun(body: str, *messages: object, parameters: str = "", arguments: tuple[object, ...] = ()) -> Any:
    """Return a coroutine of that body that waits in the pause after those messages."""
    coro = function_of(body, parameters)(*arguments)
    coro.send(None)
    for message in messages:
        coro.send(message)
    return coro


def live_in(body: str, *messages: object, parameters: str = "", arguments: tuple[object, ...] = ()) -> set[str]:
    """Return what is live where the body waits after those messages."""
    coro = begun(body, *messages, parameters=parameters, arguments=arguments)
    try:
        return set(live_after(coro.cr_code, coro.cr_frame.f_lasti))
    finally:
        coro.close()


@pytest.mark.parametrize(
    ("body", "live"),
    [
        ("x = 1\nawait pause()\nprint(x)", {"x"}),
        ("x = 1\nprint(x)\nawait pause()", set()),
        ("x = 1\nx = await pause()\nprint(x)", set()),
        ("x = y = 1\nawait pause()\nx, y = y, x", {"x", "y"}),
        ("x = y = 1\nawait pause()\ny = x = 2\nprint(x, y)", set()),
        ("x = 1\nawait pause()\nx += 1", {"x"}),
        ("x = 1\nawait pause()\ndel x", {"x"}),
        ("x = 1\nawait pause()\nif True:\n    print(x)", {"x"}),
        ("x = [1]\nawait pause()\nx[0] = 2", {"x"}),
        ("x = 1\nawait pause()\nprint(f'{x}')", {"x"}),
        ("x = y = 1\nawait pause()\nprint(x if id(0) else y)", {"x", "y"}),
        ("x = y = 1\nawait pause()\nx and y", {"x", "y"}),
        ("x = 1\nawait pause()\nreturn\nprint(x)", set()),
        ("x = 1\nawait pause()\nraise ValueError\nprint(x)", set()),
        ("x = y = z = 1\nawait pause()\nfor x in y:\n    z = x", {"y"}),
        ("x = 1\nawait pause()\nfor x in ():\n    pass\nprint(x)", {"x"}),
        ("x = 1\nawait pause()\nwhile id(0):\n    x = 2\nprint(x)", {"x"}),
        ("x = 1\nawait pause()\nwith open(x) as x:\n    print(x)", {"x"}),
        ("x = 1\nawait pause()\nprint(x := 2)", set()),
        ("x = 1\nawait pause()\nmatch id(0):\n    case [x]:\n        pass\n    case _:\n        print(x)", {"x"}),
        ("x = y = 1\nmatch await pause():\n    case (x, y):\n        print(x, y)\n    case x:\n        pass", set()),
        ("y = x = 1\nmatch await pause():\n    case (x, y) if y > 3:\n        print(x)", set()),
        ("y = x = 1\nmatch await pause():\n    case x if y > 3:\n        print(x)", {"y"}),
    ],
)
def test_straight_on(body, live):
    """What is read before it is set anew, on any way on from the await."""
    assert live_in(body) == live


@pytest.mark.parametrize(
    ("body", "messages", "live"),
    [
        ("total = 0\nwhile True:\n    message = await pause()\n    total += message", (1,), {"total"}),
        ("total = 0\nwhile True:\n    total += await pause()", (1,), set()),  # it is on the stack already
        ("while True:\n    message = await pause()\n    print(message)", ("x",), set()),
        ("last = 0\nwhile True:\n    message = await pause(last)\n    print(last)", (1,), {"last"}),
        ("last = 0\nwhile True:\n    message = await pause()\n    last = message", (1,), set()),
        ("for n in (1, 2, 3):\n    await pause()\n    print(n)", (0,), {"n"}),
        ("for n in (1, 2, 3):\n    await pause()", (0,), set()),
        (
            "a = b = 1\nwhile True:\n    await pause()\n    if id(0):\n        a = b\n    else:\n        b = a",
            (),
            {"a", "b"},
        ),
    ],
)
def test_round_a_loop(body, messages, live):
    """The next turn comes after the await too."""
    assert live_in(body, *messages) == live


@pytest.mark.parametrize(
    ("body", "live"),
    [
        ("x = 1\ntry:\n    await pause()\nexcept ValueError:\n    print(x)", {"x"}),
        ("x = 1\ntry:\n    await pause()\nfinally:\n    print(x)", {"x"}),
        ("x = 1\ntry:\n    await pause()\nexcept ValueError as x:\n    print(x)", set()),
        ("x = y = 1\nawait pause()\ntry:\n    x = id(0)\nexcept ValueError:\n    print(x)", {"x"}),
        ("x = 1\nawait pause()\nx = 2\ntry:\n    id(0)\nexcept ValueError:\n    print(x)", set()),
        ("x = y = 1\ntry:\n    x = await pause()\nexcept ValueError:\n    print(x)", {"x"}),
        ("x = 1\nwith open('/dev/null'):\n    await pause()\n    x = 2\nprint(x)", {"x"}),
        (
            "x = 1\nawait pause()\ntry:\n    try:\n        x = id(0)\n    finally:\n        2\nfinally:\n    print(x)",
            {"x"},
        ),
    ],
)
def test_by_way_of_an_exception(body, live):
    """A handler reads what was set when the exception came, be that thrown into the await."""
    assert live_in(body) == live


def test_two_of_a_name_in_a_row():
    """One instruction may set a local and read it, or read two: what counts is which comes first."""
    assert live_in("x = y = 1\nx = await pause()\ny = x\nprint(x, y)") == set()
    assert live_in("x = y = 1\nawait pause()\ny = x\nprint(y, x)") == {"x"}
    assert live_in("x = y = 1\nx, y = await pause()\nprint(y, x)") == set()


def test_a_comprehension_has_its_own_variable():
    """It hides a local of that name, and gives it back. Known weakness: from 3.12 on that counts as a read."""
    hidden = live_in("x = 1\nawait pause()\nprint([x for x in ()])")

    assert live_in("x = 1\nawait pause()\nprint([x for x in ()], x)") == {"x"}
    assert live_in("x = y = 1\nawait pause()\nprint([x for x in y])") - {"x"} == {"y"}
    assert live_in("await pause()\nprint([n for n in ()])") - {"n"} == set()
    assert hidden == ({"x"} if sys.version_info >= (3, 12) else set())


@pytest.mark.parametrize("look", ["locals()", "vars()", "dir()", "eval('x')", "exec('x')", "sys._getframe()"])
def test_all_are_live_if_the_function_may_look_at_all(look):
    """By a builtin that sees its caller's locals, or through the frame; a method of that name is something else."""
    assert live_in(f"x = y = 1\nawait pause()\nprint({look})") == {"x", "y"}
    assert live_in(f"x = y = 1\nprint({look} if 0 else 1)\nawait pause()") == set()
    assert live_in("x = y = 1\nawait pause()\ny.eval(x)") == {"x", "y"}
    assert live_in("x = y = 1\nawait pause()\nid.eval(0)") == set()


def test_parameters_are_locals():
    """Live or not, as any."""
    assert live_in("await pause()\nprint(a)", parameters="a, *b, c=1, **d", arguments=(1,)) == {"a"}


def test_shared_variables_are_a_doubt():
    """Another function may read a cell at any time."""
    coro = begun("x = 1\nawait pause()\nreturn lambda: x")

    with pytest.raises(Doubt, match="shares variables: x"):
        live_after(coro.cr_code, coro.cr_frame.f_lasti)

    coro.close()


def test_what_is_no_instruction_is_a_doubt():
    """An offset beyond the end, and one in the midst of an instruction."""
    code = function_of("await pause()").__code__

    for offset in (len(code.co_code), 1, -1):
        with pytest.raises(Doubt, match="no instruction at"):
            live_after(code, offset)


def test_an_unknown_instruction_that_touches_locals_is_a_doubt(monkeypatch):
    """As those of a newer Python are, until somebody has looked at what they do."""
    body = "x = 1\nawait pause()\nx = 2  # here"
    assert live_in(body) == set()

    monkeypatch.delitem(EFFECTS, "STORE_FAST")

    with pytest.raises(Doubt, match="unknown instruction, STORE_FAST"):
        live_in(body + "\nif id(0):\n    x = 3")


def test_a_newer_python_is_a_doubt(monkeypatch):
    """Whatever its instructions are called: until this has been run there."""
    monkeypatch.setattr(liveness, "NEWEST", (sys.version_info[0], sys.version_info[1] - 1))

    with pytest.raises(Doubt, match=r"the byte code of Python 3\.\d+ is not known yet"):
        live_in("x = 'newer'\nawait pause()")


def test_every_instruction_of_this_python_that_touches_locals_is_known():
    """All but those of cells, which are a doubt as a whole, and those that the compiler keeps to itself."""
    names = {sys.modules["dis"].opname[each] for each in TOUCH_LOCALS if each < 256}

    unknown = {name for name in names if "FAST" in name} - set(EFFECTS)

    assert unknown == set()


def test_a_long_function(tmp_path):
    """Jumps and names beyond 255 take more than one instruction each."""
    names = [f"v{number}" for number in range(300)]
    lines = [f"{name} = await pause()" for name in names]
    body = "\n".join(["while True:", *(f"    {line}" for line in lines), "    print(v0, v299)"])

    assert live_in(body) == set()
    assert live_in(body, *range(1)) == {"v0"}
    assert live_in(body, *range(300)) == set()


# --- At random -----------------------------------------------------------------------------------------------------

names = st.sampled_from(("a", "b", "c"))
loops = st.sampled_from(("break", "continue"))

assignment = st.one_of(
    st.builds("{} = {}".format, names, names),
    st.builds("{} = {} = {}".format, names, names, names),
    st.builds("{}, {} = {}, {}".format, names, names, names, names),
    st.builds("{0} = [{1} for {1} in ({2}, 5)][0]".format, names, names, names),  # read another: 3.11 makes a cell
    st.builds("{} = await pause()".format, names),
    st.builds("{} = maybe({})".format, names, names),
    st.builds("del {}".format, names),
)
simple = st.one_of(
    assignment,
    st.builds("{}; {}".format, assignment, assignment),  # on one line, where 3.13 makes one instruction of two
    st.builds("log({})".format, names),
    st.sampled_from(("await pause()", "maybe(0)", "raise KeyError", "return log(0)")),
)


def block(statements: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Some statements, one level in; the last one says what there is, so that it matters."""
    some = st.lists(statements, min_size=1, max_size=3)
    return st.builds(lambda lines, name: indent("\n".join([*lines, f"log({name})"]), "    "), some, names)


def compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """The statements with blocks in them."""
    return st.one_of(
        st.builds("if choose():\n{}\nelse:\n{}".format, block(inner), block(inner)),
        st.builds("try:\n{}\nexcept KeyError as {}:\n{}".format, block(inner), names, block(inner)),
        st.builds("try:\n{}\nexcept KeyError:\n{}".format, block(inner), block(inner)),
        st.builds("try:\n{}\nfinally:\n{}".format, block(inner), block(simple)),
        st.builds("for {} in range(2):\n{}\n    if choose(): {}".format, names, block(inner), loops),
        st.builds("while choose():\n{}".format, block(inner)),
        st.builds(
            "match await pause():\n case ({}, _) if choose():\n{}\n case {}:\n{}".format,
            names,
            block(inner),
            names,
            block(inner),
        ),
    )


programs = block(st.recursive(simple, compound, max_leaves=8)).map(dedent)


class World:
    """What a function meets, the same at each run: it says what `choose` is true of, and keeps what it hears."""

    def __init__(self, choices: list[bool]) -> None:
        self.choices = list(choices)
        self.heard: list[object] = []

    def choose(self) -> bool:
        return self.choices.pop() if self.choices else False

    def maybe(self, value: object) -> object:
        if self.choose():
            raise KeyError
        return value

    def log(self, value: object) -> object:
        self.heard.append(value)
        return value


def spoil(frame: FrameType, live: frozenset[str]) -> None:
    """Put something else in the place of each local that is said to be dead; one that is not set stays so."""
    values = frame.f_locals
    for name in set(values) - live:
        values[name] = SPOILED
    if isinstance(values, dict):  # before 3.13: a copy, put back by the function that debuggers use
        ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(frame), ctypes.c_int(0))


def run(body: str, choices: list[bool], *, is_spoiled: bool) -> tuple[list[object], str]:
    """Run a function of that body to its end; return what it did. Spoil what is dead, at each of its pauses."""
    world = World(choices)
    text = "a, b = 1, 2\nif choose():\n    c = 3\n" + body
    coro = function_of(text, choose=world.choose, maybe=world.maybe, log=world.log)()
    message: object = None
    for number in count():  # none of its loops is endless
        try:
            coro.send(message)
        except (StopIteration, KeyError, NameError) as end:
            return world.heard, f"{type(end).__name__}: {end}"
        if is_spoiled:
            spoil(coro.cr_frame, live_after(coro.cr_code, coro.cr_frame.f_lasti))
        message = (number, 0) if number % 2 else number
    raise AssertionError


def test_spoiling_spoils():
    """The check below would notice: what is live, and spoiled all the same, changes what the function does."""
    coro = begun("x = 1\nawait pause()\nreturn x")

    spoil(coro.cr_frame, frozenset())

    with pytest.raises(StopIteration) as end:
        coro.send(None)
    assert end.value.value is SPOILED


@settings(max_examples=100, deadline=None, derandomize=True)
@given(programs, st.lists(st.booleans(), min_size=4, max_size=12))
@example("try:\n    c = log(a)\n    await pause()\n    c = maybe(b)\nexcept KeyError as b:\n    log(c)", [True, True])
@example("await pause()\ntry:\n    a = maybe(b)\nexcept KeyError:\n    log(a)", [True, True])
@example("c = 5\nawait pause()\na = [c for c in (a, 5)]\nlog(c)", [])
@example("await pause()\nb = 3; c = a\nlog(c)", [])
@example("await pause()\na, b = 3, 4\nlog(a)", [])
@example("await pause()\ntry:\n    a = maybe(b)\nfinally:\n    log(a)", [True])
def test_what_is_dead_can_be_anything(body, choices):
    """A function does the same with every dead local spoiled."""
    assert run(body, choices, is_spoiled=True) == run(body, choices, is_spoiled=False)
