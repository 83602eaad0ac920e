"""Which functions begin by waiting for a message: each shape that does, and its neighbours that do not."""

from __future__ import annotations

from textwrap import indent

import pytest

from midflight.code.source.receive_heads import Head, heads_of

NOT_FIRST = "does not begin with a receive"
CALLS = "calls something in the arguments of its receive"


def head_of(body: str, text: str = "async def f(total=0):\n{}") -> Head | str | None:
    """Return what is found for a function f of that body."""
    return heads_of(text.format(indent(body, "    "))).get("f")


@pytest.mark.parametrize(
    "body",
    [
        "await receive()",
        "message = await receive()",
        "match await receive():\n    case _: pass",
        "while True:\n    await receive()",
        "while True:\n    message = await receive()\n    print(message)",
        "while True:\n    match await receive():\n        case _: pass",
        "'''Count.'''\nawait receive()",
        "'''Count.'''\nwhile True:\n    await receive()",
        "while True:\n    await receive()\nprint('never')",
        "await receive()\nx = 1\nawait sleep(3)",
        "(await receive())",
        "await midflight.receive()",
        "await midflight.kernel.receive()",
        "await get()",
    ],
)
def test_these_begin_with_a_receive(body):
    """A docstring and one `while True:` may come before it. Whose receive it is, the text does not tell."""
    assert isinstance(head_of(body), Head)


@pytest.mark.parametrize(
    "body",
    [
        "pass",
        "print(await receive())",
        "return await receive()",
        "x = 1\nawait receive()",
        "'''Count.'''\n'''More.'''\nawait receive()",
        "f'{total}'\nawait receive()",
        "global x\nawait receive()",
        "while True:\n    '''Count.'''\n    await receive()",
        "while True:\n    x = 1\n    await receive()",
        "while True:\n    while True:\n        await receive()",
        "while True:\n    await receive()\nelse:\n    pass",
        "while 1:\n    await receive()",
        "while total:\n    await receive()",
        "while not False:\n    await receive()",
        "for n in range(3):\n    await receive()",
        "if True:\n    await receive()",
        "try:\n    await receive()\nfinally:\n    pass",
        "while True:\n    try:\n        await receive()\n    except KeyError:\n        pass",
        "with x:\n    await receive()",
        "async with x:\n    await receive()",
        "async for message in receive():\n    pass",
        "x += await receive()",
        "x[0] = await receive()",
        "x.y = await receive()",
        "x = y = await receive()",
        "x, y = await receive()",
        "x: int = await receive()",
        "x = (await receive(), 1)",
        "x = await receive() or 1",
        "await receive",
        "await receives[0]()",
        "await make()()",
        "await (receive or other)()",
        "match (await receive(), 1):\n    case _: pass",
        "match await receive() or 1:\n    case _: pass",
        "if (message := await receive()):\n    pass",
        "yield\nawait receive()",
        "receive()",
    ],
)
def test_these_do_not(body):
    """Something comes before it, or stands around it."""
    assert head_of(body) == NOT_FIRST


@pytest.mark.parametrize(
    "arguments",
    [
        "timeout=3",
        "timeout=-3.5, default=None",
        "('print',), ('add', int)",
        "int, str, ...",
        "PATTERN, timeout=LIMITS.idle",
        "('tell', total)",
        "lambda m: m > 3",
        "LIMITS['idle']",
        "timeout=2 * MINUTES",
    ],
)
def test_arguments_that_do_nothing_are_allowed(arguments):
    """They will be evaluated once more."""
    assert isinstance(head_of(f"await receive({arguments})"), Head)


@pytest.mark.parametrize(
    "arguments",
    [
        "timeout=idle()",
        "pattern()",
        "('add', make())",
        "lambda m: is_one(m)",
        "*patterns",
        "**options",
        "[p for p in patterns]",
        "{p for p in patterns}",
        "{p: 1 for p in patterns}",
        "(p for p in patterns)",
        "x := 3",
        "await other",
        "(yield)",
        "f'{name()}'",
    ],
)
def test_arguments_that_do_something_are_not(arguments):
    """A call, or what calls in disguise."""
    assert head_of(f"await receive({arguments})") == CALLS


def test_a_decorated_function_has_no_head():
    """What its name means, only the decorator knows."""
    assert head_of("await receive()", "@decorator\nasync def f():\n{}") == "is decorated"


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    return receive()\n",
        "class A:\n    async def f():\n        await receive()\n",
        "def g():\n    async def f():\n        await receive()\n",
        "if True:\n    async def f():\n        await receive()\n",
        "f = 1\n",
        "async def f(:\n",
        "\0",
        "",
    ],
)
def test_only_an_async_def_at_module_level_is_looked_at(text):
    """Nor a text that is no module."""
    assert heads_of(text).get("f") is None


def test_of_two_definitions_the_last_one_counts():
    """As it does when the module runs."""
    heads = heads_of("async def f():\n    await receive()\n\nasync def f():\n    pass\n")

    assert heads == {"f": NOT_FIRST}


def test_what_a_head_says():
    """Where its def and its await are, columns in bytes as Python counts them; what is called, and what is read."""
    text = "\nasync def f(é):\n    é = await a.b(é, é.d,\n        timeout=c[e])\n"

    assert heads_of(text)["f"] == Head(2, (3, 4, 9, 21), ("a", "b"), frozenset({"é", "c", "e"}))


def test_a_lambda_reads_what_is_not_its_own():
    """Its parameters are no names of the function."""
    head = head_of("await receive(lambda m, *n, o=p: m > total + q + n[o])")

    assert isinstance(head, Head)
    assert head.reads == {"p", "total", "q"}
