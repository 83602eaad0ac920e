"""A body that nobody can stop: its load is given up, the module is free, and its thread reaches nothing any more."""

from __future__ import annotations

import sys
import threading

import pytest

from helpers.gates import SECONDS, Loader, wait_for
from midflight import code
from midflight.code import LoadError, LoadInterrupted, lowlevel


def give_up(number=None):
    """Break off the load of that number, the only one for None, with no time to end."""
    if number is None:
        (load,) = code.loads()
        number = load.number
    assert code.break_off(number, "me", seconds=0) == "given-up"


@pytest.fixture
def hanging(project, gates):
    """Give a function that loads a text in a load thread, whose body comes to the gate "g", and gives it up there."""

    def load(text, name="thing"):
        path = project.write(f"{name}.py", text)
        thread = lowlevel.LoadThread(lambda: code.load(path), "me")
        assert gates["g"].reached.wait(SECONDS)
        give_up(thread.load.number)
        return thread

    yield load
    gates["g"].opened.set()
    wait_for(lambda: code.loads() == ())


def test_who_loads_gets_the_refusal_though_the_thread_runs_on(project, hanging):
    """It names the thread and what that does."""
    project.load("thing_v1")
    thread = hanging("x = 1\nGATES['g'].wait()\n")

    with pytest.raises(LoadInterrupted) as caught:
        thread.result()

    assert thread.is_alive()
    said = str(caught.value)
    assert said.startswith("thing not loaded: broken off by me after ")
    assert f"{thread.name} still runs the body of thing in " in said
    assert "called at thing.py:2 in <module>. Version 1 stays current. Load again." in said
    (row,) = code.loads()
    assert (row.state, row.thread) == ("given-up", thread.name)
    assert row.text.startswith(f"{thread.name} still runs the body of thing in ")


def test_the_version_before_is_seen_and_the_module_can_be_loaded(project, hanging):
    """The report of that load says which thread runs on."""
    project.load("thing_v1")
    thread = hanging("GATES['g'].wait()\n")

    assert sys.modules["thing"].which() == 1
    report = project.load("thing_v2")

    assert (report.version, sys.modules["thing"].which()) == (2, 2)
    (note,) = report.warnings
    assert (note.code, note.severity) == ("given-up", "note")
    assert f"{thread.name} still runs the body of thing" in note.message


def test_its_thread_writes_to_its_own_dictionary_only(project, hanging, gates):
    """Through the module as well, whatever has become current meanwhile; what it makes is current nowhere."""
    project.load("thing_v1")
    text = """
        import sys, thing
        try:
            GATES['g'].wait()
        except BaseException:
            pass
        thing.late = 1
        setattr(sys.modules['thing'], 'later', 1)
        SEEN.append(vars(thing) is globals())
        """
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("builtins.SEEN", seen, raising=False)
        thread = hanging(text)
        project.load("thing_v2")
        gates["g"].opened.set()
        thread.join(SECONDS)

    assert seen == [True]
    assert not {"late", "later"}.intersection(vars(sys.modules["thing"]))
    assert sys.modules["thing"].which() == 2
    assert type(sys.modules["thing"]) is type(sys)
    assert [each.version for each in code.versions("thing")] == [2]


def test_when_its_body_ends_nothing_is_left(project, hanging, gates):
    """Its text is removed, and nobody names the thread any more."""
    project.load("thing_v1")
    thread = hanging("GATES['g'].wait()\n1 / 0\n")

    gates["g"].opened.set()
    thread.join(SECONDS)

    assert code.loads() == ()
    assert project.load("thing_v2").warnings == ()


def test_its_tracebacks_keep_the_text_that_it_runs(project, hanging):
    """The next version has its number, and another file."""
    project.load("thing_v1")
    hanging("GATES['g'].wait()\n")
    project.load("thing_v2")

    files = {frame.f_code.co_filename for frame in frames_of_bodies()}

    assert len(files) == 1
    with open(files.pop(), encoding="utf-8") as stream:
        assert stream.read() == "GATES['g'].wait()\n"


def frames_of_bodies():
    for frame in sys._current_frames().values():
        inner = frame
        while inner is not None:
            if inner.f_globals.get("__name__") == "thing" and inner.f_code.co_name == "<module>":
                yield inner
            inner = inner.f_back


# --- First loads and imports -------------------------------------------------------------------------------------


def test_an_import_of_the_half_made_module_is_refused_at_once(project, hanging):
    """By an error that names the thread; it would wait for a lock for as long as that runs."""
    thread = hanging("x = 1\nGATES['g'].wait()\n")

    with pytest.raises(ImportError, match=f"thing is half made: {thread.name} still runs the body of thing"):
        __import__("thing")
    assert "thing" not in sys.modules


def test_a_load_that_would_import_it_is_refused_at_once(project, hanging):
    """For the same reason."""
    thread = hanging("GATES['g'].wait()\n")

    with pytest.raises(LoadError, match=f"ImportError: thing is half made: {thread.name}"):
        project.load_text("user", "import thing\n")


def test_a_thread_that_waits_for_the_half_made_module_goes_on(project, gates):
    """It imported it while the load was under way."""
    sys.path.append(str(project.root))
    path = project.write("thing.py", "GATES['g'].wait()\n")
    loader = Loader(path)
    assert gates["g"].reached.wait(SECONDS)
    importer = Loader(lambda: __import__("thing"))
    wait_for(lambda: waits_for_an_import(importer))

    give_up()

    assert isinstance(importer.outcome(), ImportError)
    gates["g"].opened.set()
    assert isinstance(loader.outcome(), LoadInterrupted)


def waits_for_an_import(thread):
    frame = sys._current_frames().get(thread.ident)
    return frame is not None and (frame.f_code.co_name, frame.f_code.co_filename[:8]) == ("acquire", "<frozen ")


def test_the_half_made_module_can_be_loaded_once_it_is_mended(project, hanging, gates):
    """The thread of the first attempt then ends, and takes nothing away."""
    thread = hanging("GATES['g'].wait()\n1 / 0\n")

    assert project.load("thing_v1").version == 1
    assert __import__("thing").which() == 1
    gates["g"].opened.set()
    thread.join(SECONDS)

    assert sys.modules["thing"].which() == 1
    assert project.load("thing_v2").version == 2


@pytest.mark.parametrize("end", ["", "1 / 0\n"])
def test_a_module_that_the_body_is_importing_is_refused_too(project, hanging, gates, end):
    """The import system has its lock as well; loaded from its file, it is whole, and stays when the thread ends."""
    sys.path.append(str(project.root))
    project.load("thing_v1")
    project.write("other.py", f"GATES['g'].wait()\n{end}")
    thread = hanging("import other\n")

    with pytest.raises(ImportError, match="other is half made"):
        __import__("other")
    assert sys.modules["thing"].which() == 1
    project.load_text("other", "x = 1\n")
    gates["g"].opened.set()
    thread.join(SECONDS)

    assert sys.modules["other"].x == 1
    assert __import__("other").x == 1


def test_an_import_is_refused_no_more_when_the_thread_has_ended(project, hanging, gates):
    """It begins anew."""
    sys.path.append(str(project.root))
    thread = hanging("GATES['g'].wait()\nx = 1\n")

    gates["g"].opened.set()
    thread.join(SECONDS)

    assert __import__("thing").x == 1


def test_a_package_keeps_no_half_made_submodule(project, hanging, gates):
    """It is an attribute of the package only when it is whole."""
    sys.path.append(str(project.root))
    project.write("pack/__init__.py", "")
    thread = hanging("GATES['g'].wait()\n", "pack/sub")

    with pytest.raises(ImportError, match=r"pack\.sub is half made"):
        __import__("pack.sub")
    assert not hasattr(sys.modules["pack"], "sub")
    gates["g"].opened.set()
    thread.join(SECONDS)
    assert not hasattr(sys.modules["pack"], "sub")


# --- What a body holds -------------------------------------------------------------------------------------------


def test_a_value_that_a_given_up_body_is_making_holds_up_no_other(project, hanging):
    """`once` makes each of a module's values under a lock."""
    project.load("thing_v1")
    hanging("from midflight.code import once\nonce('x', GATES['g'].wait)\n")

    project.load_text("thing", "from midflight.code import once\nX = once('x', lambda: 2)\n")

    assert sys.modules["thing"].X == 2


def test_a_load_hook_that_a_given_up_body_registers_does_not_run(project, hanging, gates):
    """Its version never becomes current; nor does `once` keep what it makes."""
    project.load("thing_v1")
    text = """
        from midflight.code import on_load, once
        try:
            GATES['g'].wait()
        except BaseException:
            pass
        on_load(lambda: RAN.append(1))
        RAN.append(once('x', int))
        """
    ran = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("builtins.RAN", ran, raising=False)
        thread = hanging(text)
        gates["g"].opened.set()
        thread.join(SECONDS)

    project.load_text("thing", "from midflight.code import once\nX = once('x', lambda: 2)\n")
    assert (ran, sys.modules["thing"].X) == ([0], 2)


def test_of_several_modules_none_is_loaded(project, gates):
    """The one whose body had ended is as it was; all can be loaded again."""
    project.load_text("one", "x = 1\n")
    project.load_text("two", "x = 1\n")
    paths = [project.write("one.py", "x = 2\n"), project.write("two.py", "x = 2\nGATES['g'].wait()\n")]
    thread = lowlevel.LoadThread(lambda: code.load_many(paths), "me")
    assert gates["g"].reached.wait(SECONDS)

    give_up()

    with pytest.raises(LoadInterrupted, match="two not loaded"):
        thread.result()
    assert (sys.modules["one"].x, sys.modules["two"].x) == (1, 1)
    assert project.load_text("one", "x = 3\n").version == 2
    assert project.load_text("two", "x = 3\n").version == 2
    gates["g"].opened.set()
    thread.join(SECONDS)
    assert (sys.modules["one"].x, sys.modules["two"].x) == (3, 3)


def test_loads_that_wait_for_it_go_on(project, gates):
    """Its modules are free at once."""
    path = project.write("thing.py", "")
    first = lowlevel.LoadThread(lambda: code.load(path, "GATES['g'].wait()\n"), "me")
    assert gates["g"].reached.wait(SECONDS)
    second = Loader(path)
    wait_for(lambda: len(code.loads()) == 2)

    give_up(first.load.number)

    assert second.report().version == 1
    gates["g"].opened.set()
    first.join(SECONDS)
    assert first.load.ended.is_set()
    assert sys.modules["thing"] is not None


def test_bodies_are_given_up_again_and_again(project, gates):
    """Each of the threads has its own dictionary; all end in the end."""
    path = project.write("thing.py", "")
    code.load(path, "x = 0\n")
    threads = []
    for number in range(5):
        wait = f"try:\n    GATES['{number}'].wait()\nexcept BaseException:\n    pass\n"
        text = f"{wait}import thing\nthing.x = {number + 10}\n"
        threads.append(lowlevel.LoadThread(lambda text=text: code.load(path, text), "me"))
        assert gates[str(number)].reached.wait(SECONDS)
        give_up(threads[-1].load.number)
        assert code.load(path, f"x = {number}\n").version == number + 2

    for gate in gates.values():
        gate.opened.set()
    for thread in threads:
        thread.join(SECONDS)

    assert sys.modules["thing"].x == 4
    assert type(sys.modules["thing"]) is type(sys)
    assert not any(thread.name.startswith("midflight-load") for thread in threading.enumerate())
