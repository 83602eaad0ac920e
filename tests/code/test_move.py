"""The rule by which idle processes are moved: each clause, that it refuses, in what words; that a neighbour moves."""

from __future__ import annotations

import subprocess
import sys
from textwrap import indent

import pytest

from helpers.stage import IMPORTS, V1, V2, body
from midflight import code, exit

# --- The shape of the function, in both versions -------------------------------------------------------------------

SHAPES = {
    "match": "match await receive():\n    case _:\n        return f(total)",
    "assignment": "message = await receive()\nprint(message)\nreturn f(total)",
    "alone": "await receive()\nreturn f(total)",
    "docstring": '"""Count."""\nawait receive()\nreturn f(total)',
    "while": "while True:\n    await receive()",
    "all": '"""Count."""\nwhile True:\n    match await receive(int, timeout=3):\n        case n:\n            f(n)',
    "dotted": "await midflight.receive()",
}
NO_SHAPES = {
    "something first": "total += 0\nawait receive()",
    "try": "try:\n    await receive()\nfinally:\n    total = 1",
    "another loop": "while total < 9:\n    await receive()",
    "part of more": "print(await receive())",
}


@pytest.mark.parametrize("old", SHAPES)
@pytest.mark.parametrize("new", SHAPES)
def test_from_each_shape_to_each(stage, old, new):
    """A docstring and `while True:` may come before the await, which stands alone, in a match or in an assignment."""
    assert stage.moved(body(SHAPES[old]), body(SHAPES[new])) == "moved"


@pytest.mark.parametrize("shape", NO_SHAPES)
def test_no_other_shape(stage, shape):
    """There it is not where a call begins; or a call does not begin where it is."""
    assert stage.moved(body(NO_SHAPES[shape]), V2) == "f does not begin with a receive"
    assert stage.moved(V1, body(NO_SHAPES[shape])) == "f does not begin with a receive in NEW"


def test_no_call_in_the_arguments(stage):
    """It would be made once more."""
    quiet, calls = body("await receive(timeout=3)"), body("await receive(timeout=len('abc'))")
    reason = "f calls something in the arguments of its receive"

    assert stage.moved(quiet, quiet) == "moved"
    assert stage.moved(calls, quiet) == reason
    assert stage.moved(quiet, calls) == f"{reason} in NEW"


def test_no_decorated_function(stage):
    """A decorator may do something of its own around it, or put something else in its place."""
    decorated = "def decorate(f):\n    return f\n\n\n@decorate\n"

    assert stage.moved(decorated + V1, V2) == "f is decorated"
    assert stage.moved(V1, decorated + V2) == "f is decorated in NEW"


@pytest.mark.parametrize(
    ("old", "reason"),
    [
        (f"def g():\n{indent(V1, '    ')}    return f\n\nf = g()\n", "g.<locals>.f is no async def at module level"),
        (f"class A:\n{indent(V1, '    ')}\nf = A.f\n", "A.f is no async def at module level"),
        (f"if True:\n{indent(V1, '    ')}", "f is no async def at module level"),
        (f"{V1}\ng = f\n\n\n{body('await receive()')}\nf = g\n", "f is not what its text defines"),
        (f"{V1}\nmidflight_receive = receive\n".replace("await r", "await midflight_r"), "moved"),
    ],
)
def test_only_from_a_function_of_the_module(stage, old, reason):
    """Not from one that is nested, of a class, conditional, or defined twice; receive may have another name."""
    assert stage.moved(old, V2) == reason


FOREIGN = "f begins with a receive that is not Midflight's in NEW"


@pytest.mark.parametrize(
    ("new", "reason"),
    [
        ("async def g():\n    pass\n", "there is no f in NEW"),
        ("def f(total=0):\n    return 3\n", "f is no async def at module level in NEW"),
        ("f = 3\n", "f is no async def at module level in NEW"),
        (f"if True:\n{indent(V2, '    ')}", "f is no async def at module level in NEW"),
        (f"{V2}    yield\n", "f is an async generator in NEW"),
        (f"{V2}\ndef g():\n    pass\n\nf = g\n", "f is not what its text defines in NEW"),
        (f"{V2}\nf = print\n", "f is not what its text defines in NEW"),
        (
            f"{V2}\nasync def g(total=0):\n    return 3\n\nf.__code__ = g.__code__\n",
            "f is not what its text defines in NEW",
        ),
        (f"{V2}\nasync def receive():\n    return 1\n", FOREIGN),
        (V2.replace("receive()", "asyncio.receive()"), FOREIGN),
        (V2.replace("receive()", "asyncio.sleep.receive()"), FOREIGN),
        (V2.replace("total=0", "total=0, receive=receive"), FOREIGN),
        (V2.replace("receive()", "receive(n)"), "the receive of f reads n before it is set in NEW"),
        (V2.replace("receive()", "receive(lambda n: n)"), "moved"),
        (V2.replace("receive()", "receive(total)"), "moved"),
        (f"get = receive\n{V2}".replace("receive()", "get()"), "moved"),
    ],
)
def test_only_to_a_function_of_the_module(stage, new, reason):
    """The name must mean in the new version what its text says, and what is awaited be Midflight's receive."""
    assert stage.moved(V1, new) == reason


def test_not_if_somebody_has_replaced_the_function(stage):
    """In either version: a patch of a test, say."""
    stage.load(V1)
    module = sys.modules["thing"]
    own = module.f
    stage.begin()
    module.f = print
    assert stage.load(V2, move=True).not_moved[0].reason == "f is not what its text defines"

    own.__globals__["f"] = own
    module.f = own
    assert code.move("thing").not_moved[0].reason == "f is not what its text defines in v2"


def test_not_if_a_text_is_not_known(stage, unwatched):
    """Of a module that was imported from a file that has changed since, before anybody watched imports."""
    stage.import_(V1)
    stage.begin()

    stage.write("\n" + V1)  # every function at another line: told apart with and without cached byte code

    assert stage.load(V2, move=True).not_moved[0].reason == "the text of f is not known"


def test_from_a_module_that_was_only_imported(stage):
    """As long as its file is what was imported, its text is known."""
    path = stage.import_(V1)
    pid = stage.begin(5)

    assert code.load(path, IMPORTS + V2, move=True).moved == (pid,)
    assert stage.tell(pid) == [2, 5]


# --- Where the process is ------------------------------------------------------------------------------------------


def test_only_from_the_receive_that_the_function_begins_with(stage):
    """Another one is another place, though it is in the same line."""
    text = body("await receive('one'); await receive('two')\nreturn f()")

    assert stage.moved(text, V2, "one") == "it waits at another receive than the first of its function"
    assert stage.moved(text, V2) == "moved"
    assert stage.moved(text, V2, "one", "two") == "moved"


def test_not_out_of_a_deeper_stack(stage):
    """Of functions of its own, or of another module that calls this one's. A tail call is no stack."""
    inner = "async def g():\n    return await receive()\n\n\n"

    assert (
        stage.moved(inner + body("while True:\n    await receive()\n    await g()"), V2, 1) == "a deeper stack: f > g"
    )
    assert stage.moved(inner + body("await receive()\nreturn thing.f()"), V2, 1) == "moved"


def test_not_out_of_another_modules_function(stage):
    """The frame of that one would be lost."""
    stage.load(V1)

    async def outside():
        await sys.modules["thing"].f()

    stage.begin_in(outside)

    assert stage.load(V2, move=True).not_moved[0].reason == "a deeper stack: outside > f"


@pytest.mark.parametrize(
    ("waits", "reason"),
    [
        ("await sleep(3)", "it awaits something else: a time"),
        ("await asyncio.sleep(3)", "it awaits something else: an asyncio future"),
        ("await asyncio.Event().wait()", "it awaits something else: an asyncio future"),
        ("await asyncio.get_running_loop().create_future()", "it awaits something else: an asyncio future"),
        ("await sleep(0)", "moved"),
    ],
)
def test_not_while_it_awaits_something_else(stage, waits, reason):
    """A time, a future."""
    assert stage.moved(body(f"while True:\n    await receive()\n    {waits}"), V2, "go") == reason


def test_not_before_it_has_begun(stage):
    """Its first call is the old version's."""
    stage.load(V1)
    stage.pids.append(stage.runtime.spawn(sys.modules["thing"].f))

    assert stage.load(V2, move=True).not_moved[0].reason == "it has not begun"


def test_not_while_it_runs(stage):
    """A process that loads its own module moves the others."""
    text = "async def g():\n    await receive()\n    load()\n    await receive()\n"
    stage.load(V1 + text + "def load():\n    pass\n")
    idle, busy = stage.begin(), stage.begin(function="g")
    reports = []
    path = stage.write(V2)
    sys.modules["thing"].load = lambda: reports.append(code.load(path, move=True))

    stage.send(busy, "go")

    assert reports[0].moved == (idle,)
    assert [(each.pid, each.reason) for each in reports[0].not_moved] == [(busy, "it is running")]


@pytest.mark.parametrize("patterns", ["", "int, tuple", "timeout=9"])
def test_not_with_a_message_on_its_way(stage, patterns):
    """That one was sent to the old version; when it is done with, the process moves."""
    stage.load(V1.replace("receive()", f"receive({patterns})"))
    pid = stage.begin()
    sink: list[object] = []

    pid << ("tell", sink)
    report = stage.load(V2, move=True)
    stage.runtime.run_until_idle()

    assert report.not_moved[0].reason == "a message is on its way to it"
    assert sink == [[1, 0]]
    assert code.move("thing").moved == (pid,)
    assert stage.tell(pid) == [2, 0]


def test_not_when_a_timeout_has_rung(stage, clock):
    """The old version's receive has ended."""
    stage.load(body("x = await receive(timeout=5, default=3)\nprint(x)\nreturn f()"))
    pid = stage.begin()
    clock.advance(5)
    stage.runtime.scheduler.timers.fire(clock.now())

    report = stage.load(V2, move=True)

    assert report.not_moved[0].reason == "it is about to run"
    stage.runtime.run_until_idle()
    assert code.move("thing").moved == (pid,)


def test_not_with_an_exit_signal_on_its_way(stage):
    """It unwinds in the version that it is in; also when it waits for a message there."""
    stage.load(body("await receive()\ntry:\n    await receive()\nexcept BaseException:\n    return f()"))
    pid = stage.begin()

    exit(pid, "shutdown")
    assert stage.load(V2, move=True).not_moved[0].reason == "it is exiting"

    stage.load(body("await receive()\ntry:\n    await receive()\nfinally:\n    await receive()"))
    pid = stage.begin()
    stage.send(pid, "go")
    exit(pid, "shutdown")
    stage.runtime.run_until_idle()
    assert code.move("thing").not_moved == ()
    assert stage.load(V2, move=True).not_moved[0].reason == "it is exiting"


def test_not_with_a_cancellation_on_its_way(stage):
    """A library may have cancelled it, as it does a task."""
    stage.load("tasks = []\n\n\nasync def g():\n    tasks.append(asyncio.current_task())\n    return f()\n\n\n" + V1)
    stage.begin(function="g")

    sys.modules["thing"].tasks[0].cancel()

    assert stage.load(V2, move=True).not_moved[0].reason == "an exception is on its way to it"
    stage.end()


def test_not_when_its_place_in_the_line_is_not_known(tmp_path):
    """A Python that keeps no columns cannot tell two receives of one line."""
    (tmp_path / "thing.py").write_text("from midflight import receive\nasync def f():\n    await receive()\n")
    (tmp_path / "program.py").write_text(
        "import midflight\n"
        "from midflight import code, exit, sleep, spawn\n"
        "async def main():\n"
        "    code.load('thing.py')\n"
        "    import thing\n"
        "    pid = spawn(thing.f)\n"
        "    await sleep(0)\n"
        "    print(code.summary(code.load('thing', move=True)))\n"
        "    exit(pid, 'kill')\n"
        "midflight.run(main)\n"
    )

    for options, said in (
        (("-X", "no_debug_ranges"), "at f:3 (where in its line it waits is not known)"),
        ((), "1 process moved"),
    ):
        command = [sys.executable, *options, "program.py"]
        run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
        assert run.stderr == ""
        assert said in run.stdout


# --- What it has to remember ---------------------------------------------------------------------------------------

LAST = "while True:\n    n = await receive()\n    if n:\n        last = n\n"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (LAST + "    print(last)", "a live local: last"),
        (LAST + "        print(last)", "moved"),
        (LAST + "        first = 1\n    print(last, first)", "live locals: last, first"),
        (LAST + "    last = 3\n    print(last)", "moved"),
        (LAST + "    try:\n        last = int(n)\n    except ValueError:\n        print(last)", "a live local: last"),
        (LAST + "    try:\n        last = int(n)\n    finally:\n        print(n)", "moved"),
        (LAST + "    print(len(locals()))", "live locals: n, last"),
        (LAST + "    print(total)", "moved"),
    ],
)
def test_not_with_a_live_local(stage, text, reason):
    """One that is read later, before it is set anew. What is dead does not matter, nor what is a parameter."""
    assert stage.moved(body(text), V2, 2) == reason


def test_a_live_local_that_is_not_set_does_not_matter(stage):
    """The new version finds it as the old one left it."""
    assert stage.moved(body(LAST + "    print(last)"), V2) == "moved"


def test_not_if_the_locals_cannot_be_known(stage, monkeypatch):
    """As under a Python whose instructions nobody here has looked at."""
    text = body("while True:\n    n = await receive()\n    print(n)")
    assert stage.moved(text, V2) == "moved"

    monkeypatch.setitem(sys.modules["midflight.code.source.liveness"].EFFECTS, "STORE_FAST", None)

    assert stage.moved(text + "\n", body("await receive()")) == "moved"
    reason = "which locals are live is not known: an unknown instruction, STORE_FAST"
    assert stage.moved(text.replace("print", "repr"), V2) == reason


def test_not_with_a_shared_variable(stage):
    """A closure of the old version may set it yet. A lambda that shares nothing does not matter."""
    text = body("while True:\n    n = await receive()\n    print(lambda: {})")

    assert stage.moved(text.format("total"), V2) == "a variable shared with a closure: total"
    assert stage.moved(text.format("f"), V2) == "moved"


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ("*rest", "a starred parameter: *rest"),
        ("total=0, **options", "a starred parameter: **options"),
        ("*rest, total=0, **options", "a starred parameter: *rest, **options"),
        ("*, total=0", "moved"),
    ],
)
def test_not_with_starred_parameters(stage, parameters, reason):
    """They have no name to be passed by."""
    assert stage.moved(body("await receive()", parameters), V2) == reason


def test_not_with_a_deleted_parameter(stage):
    """There is nothing to pass, until it is set again."""
    text = body("while True:\n    n = await receive()\n    if n:\n        total = n\n    else:\n        del total")

    assert stage.moved(text, V2, 0) == "a deleted parameter: total"
    assert stage.moved(text, V2, 0, 7) == "moved"
    assert stage.tell(stage.pids[0]) == [2, 7]


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ("a, b", "moved"),
        ("b, a", "moved"),
        ("a, *, b", "moved"),
        ("*, b, a", "moved"),
        ("a, b, c=3", "moved"),
        ("a, b, *, c=3", "moved"),
        ("a=1, b=2, *rest, c=3, **options", "moved"),
        ("a: int, b: str = 'x'", "moved"),
        ("a", "parameters changed: NEW takes no b"),
        ("", "parameters changed: NEW takes no a and takes no b"),
        ("a, c", "parameters changed: NEW takes no b and also needs c"),
        ("a, b, c", "parameters changed: NEW also needs c"),
        ("c, a=1, b=2", "parameters changed: NEW also needs c"),
        ("a, b, *, c", "parameters changed: NEW also needs c"),
        ("a, b, *, c=1, d", "parameters changed: NEW also needs d"),
        ("a, /, b", "parameters changed: NEW takes a by position only"),
        ("a, **options", "parameters changed: NEW takes no b"),
        ("*rest", "parameters changed: NEW takes no a and takes no b"),
    ],
)
def test_not_if_the_parameters_have_changed(stage, parameters, reason):
    """The new signature must take each of the old parameters by its name, and need no other."""
    assert stage.moved(body("await receive()", "a=1, b=2"), body("await receive()", parameters)) == reason
