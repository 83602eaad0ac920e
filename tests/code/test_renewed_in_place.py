"""Functions of kept classes stay the same objects, so who holds one, or a method of an object, has the newest."""

from __future__ import annotations

import gc
import sys
import threading
import weakref

import pytest

from helpers.identity import namespace_of_the_first
from midflight.code.version import in_place

TEXT = """
import sys
class Listener:
    def __init__(self):
        self.heard = []
    def on(self, event):
        self.heard.append((event, sys._getframe().f_globals[VERSION]))
VERSION = "__midflight_version__"
"""


@pytest.fixture
def listener(project):
    project.load_text("thing", TEXT)
    return sys.modules["thing"].Listener()


def test_a_held_bound_method_equals_one_that_is_taken_after_a_load(project, listener):
    """`list.remove` finds it, and a dictionary that it is a key of."""
    listeners, by_method = [listener.on], {listener.on: "first"}

    project.load_text("thing", f"# moved\n{TEXT}")

    assert by_method[listener.on] == "first"
    listeners.remove(listener.on)
    assert listeners == []


def test_a_weak_method_lives_and_calls_the_new_version(project, listener):
    """As blinker and django.dispatch register one: it must not die with the version that it was made in."""
    method = weakref.WeakMethod(listener.on)

    project.load_text("thing", f"# moved\n{TEXT}")
    gc.collect()

    called = method()
    assert called is not None
    called("click")
    assert listener.heard == [("click", 2)]


def test_a_function_that_a_c_library_or_a_table_holds_is_the_newest(project, listener):
    """A bound method, the function itself and a partial of it are in the current version."""
    held = [listener.on, type(listener).on.__get__(listener)]

    project.load_text("thing", f"# moved\n{TEXT}")
    project.load_text("thing", f"# moved\n\n{TEXT}")
    for call in held:
        call("click")

    assert listener.heard == [("click", 3), ("click", 3)]
    assert type(listener).on.__code__.co_firstlineno == 8


def test_a_suspended_frame_keeps_the_names_that_it_began_with(project):
    """It borrows its globals from its function: those stay until it ends, and go then."""
    text = (
        "import sys\nclass K:\n    def numbers(self):\n        while True: yield sys._getframe().f_globals[VERSION]\n"
    )
    text += "VERSION = '__midflight_version__'\n"
    project.load_text("thing", text)
    thing = sys.modules["thing"]
    generator = thing.K().numbers()
    assert next(generator) == 1

    project.load_text("thing", f"# moved\n{text}")
    gc.collect()

    assert next(generator) == 1
    assert namespace_of_the_first() is not None
    assert next(thing.K().numbers()) == 2
    del generator
    assert namespace_of_the_first() is None


def test_a_frame_in_a_traceback_keeps_the_names_that_it_began_with(project):
    """A debugger reads them after any number of loads."""
    text = "class K:\n    def fail(self): raise ValueError(1)\n"
    project.load_text("thing", text)
    with pytest.raises(ValueError, match="1") as caught:
        sys.modules["thing"].K().fail()

    project.load_text("thing", f"# moved\n{text}")
    gc.collect()

    frame = caught.value.__traceback__.tb_next.tb_frame
    assert frame.f_globals["__midflight_version__"] == 1


def test_nothing_is_remembered_of_a_load_that_nobody_was_in(project, listener):
    """No dictionary is kept."""
    gc.collect()
    before = in_place.borrowed()

    project.load_text("thing", f"# moved\n{TEXT}")

    gc.collect()
    assert in_place.borrowed() == before


def test_a_module_function_that_somebody_put_into_a_kept_class_stays_old_code(project, listener):
    """It is also what old code calls by its name: it must not be half new."""
    text = f"{TEXT}\ndef tell(self): return __midflight_version__, NUMBER\nNUMBER = 1\n"
    project.load_text("thing", text)
    thing = sys.modules["thing"]
    thing.Listener.tell = held = thing.tell

    report = project.load_text("thing", text.replace("NUMBER = 1", "NUMBER = 2"))

    assert report.kept == ("Listener",)
    assert held(None) == (2, 1)


def test_threads_that_call_a_method_while_it_is_renewed_are_not_disturbed(project):
    """A call in the midst of a renewal has the one version's names or the other's."""
    text = "import sys\nclass K:\n    def f(self):\n"
    text += "        for _ in range(3): yield sys._getframe().f_globals['__midflight_version__']\n"
    project.load_text("thing", text)
    calls, told, stop = sys.modules["thing"].K(), [], threading.Event()

    def call():
        while not stop.is_set():
            told.append(len(set(calls.f())))

    threads = [threading.Thread(target=call) for _ in range(2)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for number in range(20):
            project.load_text("thing", "#\n" * number + text)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        sys.setswitchinterval(interval)

    assert set(told) == {1}
