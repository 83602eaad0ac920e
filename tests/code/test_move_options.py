"""Every way to load can move idle processes, and what they would be moved away from is no reason to refuse."""

from __future__ import annotations

import sys

import pytest

from helpers.stage import V1, V2
from midflight import GenServer, code
from midflight.code import LoadError

OTHER = """\
from midflight import receive


async def g(total=0):
    while True:
        n = await receive(int)
        total += n
"""

CALLS = """\
async def f(total=0):
    while True:
        match await receive():
            case "go":
                thing.go(total)
            case ("tell", sink):
                sink.append([{version}, total])


{rest}
"""


def test_load_many_moves_those_of_all_modules(stage):
    """When all of them are current."""
    other = stage.project.write("other.py", OTHER)
    code.load(other)
    stage.load(V1)
    pids = (stage.begin(7), stage.begin_in(sys.modules["other"].g))

    reports = code.load_many([stage.write(V2), (other, OTHER.replace("+=", "-="))], move=True)

    assert [report.moved for report in reports] == [(pids[0],), (pids[1],)]
    assert [report.lingering for report in reports] == [(), ()]
    assert stage.tell(pids[0]) == [2, 7]
    assert code.processes("other", 2) == (pids[1],)


def test_load_many_moves_nobody_unless_it_is_asked_to(stage):
    """Nor if it is refused."""
    stage.load(V1)
    pid = stage.begin()

    (report,) = code.load_many([stage.write(V2)])
    with pytest.raises(LoadError):
        code.load_many([stage.write(V2), stage.project.write("broken.py", "(")], move=True)

    assert (report.moved, report.not_moved) == ((), ())
    assert stage.tell(pid) == [1, 0]


def test_load_modified_moves(stage):
    """As load_many, which it is."""
    stage.load(V1)
    pid = stage.begin(3)
    stage.write(V2)

    (report,) = code.load_modified(move=True)

    assert report.moved == (pid,)
    assert stage.tell(pid) == [2, 3]


def test_load_modified_can_be_forced(project):
    """A name that nothing defines."""
    project.load_text("thing", "x = 1\n")
    project.write("thing.py", "def f():\n    return nonesuch\n")

    with pytest.raises(LoadError, match="nonesuch"):
        code.load_modified()

    assert code.load_modified(force=True)[0].version == 2


def test_rollback_moves_those_that_are_idle_back(stage):
    """With the state that they have by now."""
    stage.load(V1)
    stage.load(V2)
    pid = stage.begin()
    stage.send(pid, ("add", 5))

    report = code.rollback("thing", move=True)

    assert (report.version, report.moved) == (3, (pid,))
    assert stage.tell(pid) == [1, 5]


def test_who_would_be_moved_first_does_not_die(stage):
    """It waits in code that calls what the new version lacks, and is out of there before it could."""
    stage.load(CALLS.format(version=1, rest="def go(n): pass"))
    pid = stage.begin(2)
    new = CALLS.format(version=2, rest="def went(n): pass").replace("thing.go", "thing.went")

    with pytest.raises(LoadError, match="would end there"):
        stage.load(new)
    report = stage.load(new, move=True)

    assert (report.moved, report.warnings) == ((pid,), ())
    stage.send(pid, "go")
    assert stage.tell(pid) == [2, 2]


def test_who_would_not_be_moved_is_named_alone(stage):
    """One waits, another is in the midst of something."""
    text = CALLS.format(version=1, rest="def go(n): pass").replace("thing.go(total)", "thing.go(await receive(int))")
    stage.load(text)
    pids = [stage.begin(), stage.begin()]
    stage.send(pids[1], "go")

    with pytest.raises(LoadError) as caught:
        stage.load(CALLS.format(version=2, rest="x = 1").replace("thing.go(total)", "pass"), move=True)

    (problem,) = caught.value.report.refusals
    assert repr(pids[1]) in problem.message
    assert repr(pids[0]) not in problem.message
    assert stage.tell(pids[0]) == [1, 0]


def test_another_modules_process_is_not_moved_by_it(stage):
    """Its code stays what it is, and what that calls must be there."""
    stage.load("def go(n): pass\n")
    stage.project.load_text("other", "import thing\n" + OTHER.replace("total += n", "thing.go(n)"))
    pid = stage.begin_in(sys.modules["other"].g)

    with pytest.raises(LoadError, match=f"other version 1, g:.*{pid!r} would end there"):
        stage.load("x = 1\n", move=True)


def test_modules_that_move_together_are_no_obstacle_to_each_other(stage):
    """The caller's process is moved by the same load."""
    caller = "import thing\n" + OTHER.replace("total += n", "thing.go(n)")
    stage.load("def go(n): pass\n")
    stage.project.load_text("other", caller)
    pid = stage.begin_in(sys.modules["other"].g)

    reports = code.load_many(
        [(stage.project.path("other.py"), caller.replace("go", "went")), (stage.write("def went(n): pass\n"), None)],
        move=True,
    )

    assert reports[0].moved == (pid,)
    assert reports[1].warnings == ()


SERVER = """\
from midflight import GenServer
import thing


class Counter(GenServer):
    def init(self):
        self.total = 0

    def handle_call(self, request, client):
        self.total = thing.add(self.total, request)
        return self.total

    def handle_info(self, message):
        self.helper()

    def helper(self):
        return thing.help()
"""


@pytest.fixture
def server(stage):
    """Start a server of a module `server`, whose callbacks call `thing`."""
    stage.load("def add(a, b):\n    return a + b\n\n\ndef help(): pass\n")
    stage.project.load_text("server", SERVER)

    async def start():
        return await sys.modules["server"].Counter.start(name="counter")

    result = []

    async def begin():
        result.append(await start())

    stage.runtime.spawn(begin)
    stage.runtime.run_until_idle()
    stage.pids += result
    return result[0]


@pytest.mark.parametrize("new", ["def help(): pass\n", "def add(a): pass\n\n\ndef help(): pass\n"])
def test_what_the_callbacks_of_a_live_server_call_must_stay(stage, server, new):
    """It is in no version while it waits; its next call runs that code all the same."""
    with pytest.raises(LoadError) as caught:
        stage.load(new)

    (problem,) = caught.value.report.refusals
    assert problem.code == "live-call"
    assert problem.message.startswith(
        "server version 1, Counter.handle_call:10, uses thing.add, which the new version "
    )
    assert f"{server!r} would end there" in problem.message


def test_what_a_method_of_a_server_calls_is_a_warning(stage, server):
    """It may come there."""
    report = stage.load("def add(a, b): pass\n")

    (warning,) = report.warnings
    assert warning.severity == "warning"
    assert warning.message == (
        "server version 1, Counter.helper:17, uses thing.help, which the new version lacks; "
        f"{server!r} may come there; keep help as it was until they have left that code"
    )


def test_a_server_takes_the_class_that_is_loaded_with_it(stage, server):
    """So what its old one calls is no matter."""
    new = SERVER.replace("thing.add", "thing.plus").replace("thing.help", "thing.plus")

    reports = code.load_many(
        [(stage.project.path("server.py"), new), (stage.write("def plus(*of): return sum(of)\n"), None)]
    )

    assert [report.warnings for report in reports] == [(), ()]


def test_a_server_of_a_class_that_is_gone_from_its_module_counts(stage, server):
    """It goes on with the old one."""
    stage.project.load_text("server", "x = 1\n")

    with pytest.raises(LoadError, match=r"uses thing\.add"):
        stage.load("def help(): pass\n")


def test_servers_that_call_nothing_of_it_do_not_matter(stage, runtime):
    """A behaviour's own methods, and a class of the program's."""

    class Quiet(GenServer):
        def handle_call(self, request, client):
            return request

    stage.load("x = 1\n")

    async def main():
        await Quiet.start()
        return stage.load("y = 1\n").warnings

    assert runtime.run(main) == ()
