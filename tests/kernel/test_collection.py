"""A look at the frames of all threads, with the garbage collection due in the midst of it."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading

import pytest

from architecture.sources import modules
from midflight.collection import frames_of_threads, without_collection

PROGRAM = """
import gc, threading, weakref
from midflight.collection import frames_of_threads

gate = threading.Event()
for _ in range(50):
    threading.Thread(target=gate.wait, daemon=True).start()

class Knot:
    pass

heard = []

def starts_a_thread(_):
    thread = threading.Thread(target=heard.append, args=(True,))
    thread.start()
    thread.join()

gc.disable()
knot = Knot()
knot.itself = knot
reference = weakref.ref(knot, starts_a_thread)
del knot
gc.set_threshold(gc.get_count()[0] + 25)  # due while the frames of fifty threads are made
gc.enable()
print(len(frames_of_threads()))
gc.collect()
print(heard)
"""

WALK = """
import gc, threading
from midflight.collection import callers_of, frames_of_threads

is_deep, may_return, is_elsewhere, may_end = (threading.Event() for _ in range(4))

def deep(levels):
    if levels:
        return deep(levels - 1)
    is_deep.set()
    may_return.wait(10)

def elsewhere(levels):
    a = b = c = d = e = f = g = h = i = j = k = l = m = n = o = p = q = r = s = t = elsewhere.__code__
    if levels:
        return elsewhere(levels - 1)
    is_elsewhere.set()
    may_end.wait(10)

def run():
    deep(20)
    elsewhere(20)

def let_it_run(phase, _):
    if phase == "stop":
        may_return.set()
        is_elsewhere.wait(10)

def read_callers():
    gc.enable()
    frames = callers_of(frame)
    gc.disable()
    return frames

thread = threading.Thread(target=run)
thread.start()
is_deep.wait(10)
frame = frames_of_threads()[thread.ident]
while frame.f_code is not deep.__code__:
    frame = frame.f_back
gc.collect()
gc.disable()
gc.callbacks.append(let_it_run)
waste = [[] for _ in range(1000)]
gc.set_threshold(gc.get_count()[0])  # due with the next object
print({type(each).__name__ for each in read_callers()})
may_return.set()
may_end.set()
"""


def test_a_collection_that_is_due_does_not_freeze_the_program():
    """Before Python 3.13 its callbacks would run while the interpreter's lock of threads is held."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=30, check=False)

    assert (done.stdout, done.stderr) == ("51\n[True]\n", "")


def test_a_caller_is_a_frame_though_its_thread_runs_on_amid_the_look():
    """In Python 3.11, a collection as `f_back` is read would let it return, and the answer was what lay there then."""
    done = subprocess.run([sys.executable, "-c", WALK], capture_output=True, text=True, timeout=30, check=False)

    assert (done.stdout, done.stderr) == ("{'frame'}\n", "")


@pytest.mark.parametrize("is_on", [True, False])
def test_the_collection_is_left_as_it_was(is_on):
    """Also by what raises, and by a call within a call."""
    before = gc.isenabled()
    try:
        (gc.enable if is_on else gc.disable)()
        assert without_collection(without_collection, gc.isenabled) is False
        assert gc.isenabled() is is_on
        with pytest.raises(ZeroDivisionError):
            without_collection(lambda: 1 / 0)
        assert gc.isenabled() is is_on
    finally:
        (gc.enable if before else gc.disable)()


def test_two_threads_put_it_off_at_a_time():
    """Neither waits for the other, and it is on again only when both are done."""
    is_in, may_go = threading.Event(), threading.Event()
    heard = []

    def first():
        is_in.set()
        heard.append(may_go.wait(30))

    thread = threading.Thread(target=without_collection, args=(first,))
    thread.start()
    is_in.wait(30)

    without_collection(may_go.set)
    is_on_between = without_collection(gc.isenabled)
    thread.join()

    assert (heard, is_on_between, gc.isenabled()) == ([True], False, True)


def test_the_frames_are_those_of_the_threads():
    """By the number of the thread, the caller's included."""
    assert frames_of_threads()[threading.get_ident()].f_code is without_collection.__code__


def test_one_place_looks_at_all_frames():
    """Elsewhere it would freeze the program again."""
    found = [one.name for one in modules() if "sys._current_frames" in one.text and one.name != "midflight.collection"]

    assert found == ["midflight.kernel.async_exc"]  # which does it without a collection, in one step


def test_one_place_looks_at_callers():
    """Elsewhere it would be told of what is no frame."""
    found = [one.name for one in modules() if ".f_back" in one.text]

    assert found == ["midflight.collection"]


def test_one_place_asks_for_objects_and_referrers():
    """Elsewhere what the program has frozen would be missed."""
    found = [one.name for one in modules() if "gc.get_referrers" in one.text or "gc.get_objects" in one.text]

    assert found == ["midflight.collection", "midflight.shell.machine"]  # which counts the objects, frozen ones too
