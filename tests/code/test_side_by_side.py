"""Loads side by side: those of different modules do not wait for each other, and none commits what is outdated."""

from __future__ import annotations

import asyncio
import sys
from contextlib import contextmanager

import pytest

from helpers.gates import SECONDS, Loader, wait_for
from midflight import code
from midflight.code import LoadError

# --- Who waits -------------------------------------------------------------------------------------------------


def test_a_body_that_does_not_end_holds_up_no_other_module(project, gates):
    """Only loads of the same module wait for it."""
    slow = Loader(project.write("slow.py", "GATES['slow'].wait()\n"))
    assert gates["slow"].reached.wait(SECONDS)

    quick = Loader(project.write("quick.py", "x = 1\n"))

    assert quick.report().version == 1
    assert slow.is_alive()
    gates["slow"].opened.set()
    assert slow.report().version == 1


def test_a_process_loads_another_module_while_a_body_runs(project, runtime, gates):
    """Its thread runs the processes, so it would hold up all of them."""
    path = project.write("quick.py", "")

    async def main():
        slow = Loader(project.write("slow.py", "GATES['slow'].wait()\n"))
        assert gates["slow"].reached.wait(SECONDS)
        told = code.load(path).version, slow.is_alive()
        gates["slow"].opened.set()
        await asyncio.to_thread(slow.report)
        return told

    assert runtime.run(main) == (1, True)


def test_loads_of_several_modules_wait_for_those_that_they_share(project, gates):
    """Whatever the order they are given in; what they do not share is no matter."""
    paths = {name: project.write(f"{name}.py", f"GATES['{name}'].wait()\n") for name in ("one", "two", "three")}
    first = Loader(lambda: code.load_many([paths["one"], paths["two"]]))
    assert gates["one"].reached.wait(SECONDS)
    second = Loader(lambda: code.load_many([paths["three"], paths["two"]]))
    wait_for(lambda: [each.state for each in code.loads()] == ["body", "waiting"])

    for gate in [gates["two"], gates["three"], gates["one"]]:
        gate.opened.set()

    assert [each.version for each in first.outcome()] == [1, 1]
    assert [each.version for each in second.outcome()] == [1, 2]


def test_loads_of_a_module_come_in_the_order_in_which_they_were_asked_for(project, gates):
    """So the text that was sent last is the one that runs in the end."""
    path = project.write("thing.py", "")
    loaders = [Loader(lambda: code.load(path, "NUMBER = 0\nGATES['first'].wait()\n"))]
    assert gates["first"].reached.wait(SECONDS)
    for number in range(1, 6):
        loaders.append(Loader(lambda number=number: code.load(path, f"NUMBER = {number}\n")))
        wait_for(lambda: len(code.loads()) == len(loaders))

    gates["first"].opened.set()

    assert [each.report().version for each in loaders] == [1, 2, 3, 4, 5, 6]
    assert sys.modules["thing"].NUMBER == 5


def test_a_load_that_waits_says_for_which_load_and_how_long(project, gates):
    """And the one that runs says where its body is."""
    path = project.write("thing.py", "x = 1\nGATES['thing'].wait()\n")
    first = Loader(path, "editor 1")
    assert gates["thing"].reached.wait(SECONDS)
    second = Loader(path, "editor 2")
    wait_for(lambda: len(code.loads()) == 2 and code.loads()[1].waits_for is not None)

    running, waiting = code.loads()

    assert (running.by, running.modules, running.state) == ("thread editor 1", ("thing",), "body")
    assert "called at thing.py:2 in <module>" in running.place
    assert (waiting.waits_for, waiting.state) == (running.number, "waiting")
    assert waiting.text.startswith("thing waits for the load of thing by thread editor 1, since 0.")
    gates["thing"].opened.set()
    assert (first.report().version, second.report().version) == (1, 2)
    assert code.loads() == ()


def test_a_body_may_wait_for_a_thread_that_loads_another_module(project):
    """That load is no part of the one that runs the body."""
    inner = project.write("inner.py", "")
    text = f"""
        import threading
        from midflight import code
        thread = threading.Thread(target=code.load, args=({inner!r},))
        thread.start()
        thread.join({SECONDS})
        DONE = not thread.is_alive()
        """

    code.load(project.write("outer.py", text))

    assert sys.modules["outer"].DONE
    assert code.is_loaded("inner")


def test_two_load_hooks_that_load_each_others_modules_do_not_wait_for_each_other(project, gates):
    """Each load still has its own module; the second that asks is refused, which is a warning in its report."""
    text = """
        from midflight import code
        @code.on_load
        def load():
            GATES[{own!r}].wait()
            code.load({other!r})
        """
    one, two = project.path("one.py"), project.path("two.py")
    project.write("one.py", text.format(own="one", other=two))
    project.write("two.py", text.format(own="two", other=one))
    loaders = [Loader(one), Loader(two)]
    for name in ("one", "two"):
        assert gates[name].reached.wait(SECONDS)

    for name in ("one", "two"):
        gates[name].opened.set()

    warnings = [warning.message for loader in loaders for warning in loader.report().warnings]
    assert len(warnings) == 1
    assert "it would wait for the load of" in warnings[0]


# --- What one commits while the other is prepared ----------------------------------------------------------------


@contextmanager
def a_load_between(project, gates, text):
    """Load `user` with that text, whose body waits at the gate "user"; give its loader, and let it go on after that."""
    loader = Loader(project.write("user.py", text))
    assert gates["user"].reached.wait(SECONDS)
    yield loader
    gates["user"].opened.set()


def test_a_body_that_has_imported_what_is_no_longer_current_is_run_again(project, gates):
    """Else the new version would hold a class of an older one, and no report would say so."""
    project.load_text("base", "class Base:\n    number = 1\n")
    text = "from base import Base\nRUNS = globals().get('RUNS', 0) + 1\nGATES['user'].wait()\nclass User(Base): pass\n"

    with a_load_between(project, gates, text) as loader:
        project.load_text("base", "class Base:\n    number = 2\n")

    assert loader.report().stale_imports == ()
    assert sys.modules["user"].User.number == 2
    assert sys.modules["user"].User.__mro__[1] is sys.modules["base"].Base


def test_a_constant_that_was_imported_counts_too(project, gates):
    """It is known by the text of the import."""
    project.load_text("base", "LIMIT = 1\n")
    with a_load_between(project, gates, "from base import LIMIT\nGATES['user'].wait()\n") as loader:
        project.load_text("base", "LIMIT = 2\n")

    loader.report()
    assert sys.modules["user"].LIMIT == 2


def test_a_qualified_read_of_the_body_counts_too(project, gates):
    """A class whose base is `base.Base`."""
    project.load_text("base", "class Base:\n    number = 1\n")
    with a_load_between(project, gates, "import base\nclass User(base.Base): pass\nGATES['user'].wait()\n") as loader:
        project.load_text("base", "class Base:\n    number = 2\n")

    loader.report()
    assert sys.modules["user"].User.number == 2


def test_a_body_that_calls_through_the_module_only_is_not_run_again(project, gates):
    """Such a call finds the current version."""
    project.load_text("base", "def f(): return 1\n")
    text = "import builtins, base\nRUNS.append(1)\nGATES['user'].wait()\ndef g(): return base.f()\n"
    runs = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("builtins.RUNS", runs, raising=False)
        with a_load_between(project, gates, text) as loader:
            project.load_text("base", "def f(): return 2\n")
        loader.report()

    assert (runs, sys.modules["user"].g()) == ([1], 2)


def test_the_checks_are_repeated_against_what_was_committed_meanwhile(project, gates):
    """A name that the other module has lost is in the report, though it was there when the body ran."""
    project.load_text("base", "def f(): pass\n")
    text = "import base\nGATES['user'].wait()\ndef g(): return base.f()\n"
    with a_load_between(project, gates, text) as loader:
        project.load_text("base", "def h(): pass\n")

    (warning,) = loader.report().warnings
    assert "base" in warning.message
    assert warning.line == 3


def test_a_body_that_is_outdated_twice_is_refused(project):
    """Somebody loads the other module faster than this one can be prepared; the refusal says which."""
    project.load_text("base", "class Base:\n    pass\n")
    text = f"""
        from base import Base
        import threading
        from midflight import code
        LOADS.append(1)
        text = f"class Base:\\n    number = {{len(LOADS)}}\\n"
        thread = threading.Thread(target=code.load, args=({project.path("base.py")!r}, text))
        thread.start()
        thread.join()
        """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("builtins.LOADS", [], raising=False)
        with pytest.raises(LoadError, match="imported Base from base, which has been loaded meanwhile, for the second"):
            code.load(project.write("user.py", text))

    assert "user" not in sys.modules


@pytest.fixture
def half_loaded(project, gates):
    """Give the loader of `first`, a first load whose body has ended, and that of a load which imports it."""
    first = project.write("first.py", "GATES['first'].wait()\nx = 1\n")
    other = project.write("other.py", "import builtins\nGATES['other'].wait()\nbuiltins.RESULT\n")
    loading = Loader(lambda: code.load_many([first, other])[0])
    assert gates["first"].reached.wait(SECONDS)
    user = Loader(project.write("user.py", "GATES['user'].wait()\nfrom first import x\n"))
    for name in ("first", "user"):
        gates[name].opened.set()
    wait_for(lambda: [each.waits_for for each in code.loads()] == [None, code.loads()[0].number])
    return loading, user


def test_a_load_waits_for_the_first_load_of_what_it_imports(half_loaded, gates, monkeypatch):
    """The body of that has ended, its commit is to come: it might still be refused."""
    monkeypatch.setattr("builtins.RESULT", 1, raising=False)
    loading, user = half_loaded

    gates["other"].opened.set()

    assert (loading.report().version, user.report().version) == (1, 1)


def test_a_body_that_has_imported_what_was_refused_in_the_end_is_run_again(half_loaded, gates):
    """What it holds belongs to no version."""
    loading, user = half_loaded

    gates["other"].opened.set()

    assert isinstance(loading.outcome(), LoadError)
    assert user.report().version == 1
    assert "first" in sys.modules
    assert sys.modules["user"].x == sys.modules["first"].x
    assert not code.is_loaded("first")


def test_what_is_on_the_search_path_stays_while_another_load_needs_it(project, gates):
    """The load that put it there fails; the other one, from the same folder, goes on."""
    root = str(project.root)
    failing = Loader(project.write("failing.py", "GATES['failing'].wait()\n1 / 0\n"))
    assert gates["failing"].reached.wait(SECONDS)
    project.load_text("other", "x = 1\n")

    gates["failing"].opened.set()

    assert isinstance(failing.outcome(), LoadError)
    assert root in sys.path


def test_many_loads_side_by_side_leave_each_module_whole(project, runtime):
    """Of six modules in six threads at once, all on one runtime; each has its own text in the end."""
    paths = {name: project.write(f"{name}.py", "") for name in "abcdef"}

    def load(name):
        for number in range(5):
            code.load(paths[name], f"NAME, NUMBER = {name!r}, {number}\n")

    async def main():
        await asyncio.gather(*(asyncio.to_thread(load, name) for name in paths))

    runtime.run(main)
    assert [(sys.modules[name].NAME, sys.modules[name].NUMBER) for name in paths] == [(name, 4) for name in paths]
    assert [[each.version for each in code.versions(name)] for name in paths] == [[5]] * 6
