"""Parts of the compiled kernel, compared with what they stand for: a deque, and functions in Python."""

from __future__ import annotations

import inspect
import json
import math
import os
import subprocess
import sys
from collections import deque
from importlib import import_module
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import midflight
from helpers.kernel_programs import ROOT, is_built
from midflight.kernel import ManualClock, calls, matches, messages, running
from midflight.testing import TestRuntime

pytestmark = pytest.mark.skipif(not is_built(), reason="no compiled kernel is built, or an old one: run scripts/setup")

steps = st.one_of(
    st.tuples(st.sampled_from(["append", "appendleft"]), st.integers()),
    st.tuples(st.sampled_from(["pop", "popleft", "clear"])),
    st.tuples(st.sampled_from(["extend", "extendleft"]), st.lists(st.integers(), max_size=9)),
    st.tuples(st.sampled_from(["__getitem__", "__delitem__"]), st.integers(-12, 12)),
    st.tuples(st.just("__setitem__"), st.integers(-12, 12), st.integers()),
)


def taken(queue: Any, step: tuple[Any, ...]) -> object:
    """Take a step; return what it gave, or the kind of its error."""
    name, *args = step
    try:
        return getattr(queue, name)(*args)
    except IndexError:
        return IndexError


@given(st.lists(steps, max_size=60))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # on a busy machine all is
def test_the_queue_does_what_a_deque_does(taken_steps: list[tuple[Any, ...]]) -> None:
    """Also at the border of its ring, and where it grows."""
    queue, model = import_module("midflight.kernel._compiled").Queue(), deque[int]()

    for step in taken_steps:
        assert taken(queue, step) == taken(model, step)
        assert list(queue) == list(model)
        assert len(queue) == len(model)


def test_a_long_queue_gives_its_memory_back() -> None:
    """A mailbox that was long once is small when it is empty."""
    queue = import_module("midflight.kernel._compiled").Queue(range(5000))

    assert [queue.popleft() for _ in range(5000)] == list(range(5000))
    assert taken(queue, ("popleft",)) is IndexError
    queue.append("next")
    assert list(queue) == ["next"]


leaves = st.one_of(
    st.integers(0, 2),
    st.sampled_from(["", "a"]),
    st.none(),
    st.booleans(),
    st.sampled_from([0.0, 1.0, math.nan]),
    st.just(b"a"),
)
messages_sent = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3).map(tuple), max_leaves=6)
patterns = st.recursive(
    st.one_of(leaves, st.sampled_from([..., int, str, bool, float, tuple, object, type(None)])),
    lambda inner: st.lists(inner, max_size=3).map(tuple),
    max_leaves=6,
)


@given(st.lists(patterns, min_size=1, max_size=2), st.lists(messages_sent, min_size=1, max_size=3))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_receive_takes_what_the_search_in_python_takes(wanted: list[Any], sent: list[Any]) -> None:
    """The oldest that one of the patterns matches; the glance in C is never of another mind."""

    async def main() -> list[Any]:
        for message in sent:
            midflight.self_() << message
        return [await midflight.receive(*wanted, timeout=0, default="nothing") for _ in range(2)]

    taken = [message for message in sent if any(matches(pattern, message) for pattern in wanted)]
    expected = [*taken, "nothing", "nothing"][:2]
    runtime = TestRuntime(ManualClock())
    try:
        found = runtime.run(main)
    finally:
        runtime.close()

    assert [id(each) for each in found] == [id(each) for each in expected]


def test_functions_in_c_look_like_those_in_python() -> None:
    """Name, docstring and signature, for help, for completion and for the checks of a load."""
    listed = [
        f"{function.__name__}{inspect.signature(function)} {function.__doc__}"
        for function in (calls.spawn, calls.self_, messages.send_after, messages.make_ref, running.current_process)
    ]
    look = (
        "import inspect, json; from midflight.kernel import calls, messages, running\n"
        "fs = calls.spawn, calls.self_, messages.send_after, messages.make_ref, running.current_process\n"
        "print(json.dumps([f'{f.__name__}{inspect.signature(f)} {f.__doc__}' for f in fs]))"
    )
    for kernel in ("python", "compiled"):
        environment = os.environ | {"MIDFLIGHT_KERNEL": kernel, "PYTHONPATH": str(ROOT / "server")}
        done = subprocess.run([sys.executable, "-c", look], env=environment, capture_output=True, text=True, check=True)
        assert json.loads(done.stdout) == listed


def test_functions_in_c_behave_as_functions_in_python() -> None:
    """In a class they are methods; they are copied and pickled by name; the rest is that of the one in Python."""
    look = (
        "import copy, inspect, pickle\n"
        "import midflight\n"
        "from midflight import receive, self_, send_after, spawn\n"
        "class Holder:\n"
        "    spawn, held = spawn, staticmethod(self_)\n"
        "for f in (receive, self_, send_after, spawn):\n"
        "    assert copy.deepcopy([f])[0] is f and copy.copy(f) is f\n"
        "    assert pickle.loads(pickle.dumps(f)) is f, f\n"
        "    assert f.__code__.co_name == f.__name__ and 'Pid' in f.__globals__\n"
        "    assert not hasattr(f, 'nothing_like_it')\n"
        "holder = Holder()\n"
        "assert holder.spawn.__self__ is holder and Holder.spawn is spawn and Holder.held is self_"
    )
    for kernel in ("python", "compiled"):
        environment = os.environ | {"MIDFLIGHT_KERNEL": kernel, "PYTHONPATH": str(ROOT / "server")}
        done = subprocess.run([sys.executable, "-c", look], env=environment, stderr=subprocess.PIPE, check=False)
        assert done.stderr == b""
