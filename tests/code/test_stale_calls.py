"""Old code that runs after a load is told once, with the place that called it. From Python 3.12 on."""

from __future__ import annotations

import sys

import pytest

from midflight import code
from midflight.code.lowlevel import on_stale_call

TEXT = """
def index(): return N
def other(): return N
def make():
    def closure(): return N
    return closure
def numbers():
    while True: yield N
class K:
    def on(self): return N
N = 1
"""

knows = pytest.mark.skipif(sys.version_info < (3, 12), reason="Python 3.11 cannot tell")


@pytest.fixture
def told():
    found = []
    end = on_stale_call(found.append)
    yield found
    end()


@pytest.fixture
def shop(project):
    project.load_text("shop", TEXT)
    return sys.modules["shop"]


def load(project):
    return project.load_text("shop", TEXT.replace("N = 1", "N = 2"))


@knows
def test_old_code_that_runs_is_told_once_with_its_caller(project, shop, told, caplog):
    """However often it runs; the log has it, too."""
    index = shop.index
    load(project)

    assert [index() for _ in range(3)] == [1, 1, 1]

    (call,) = told
    assert (call.module, call.version, call.name, call.line) == ("shop", 1, "index", 2)
    assert "test_stale_calls.py:" in call.caller
    assert call.caller.endswith("in test_old_code_that_runs_is_told_once_with_its_caller.<locals>.<listcomp>") or (
        call.caller.endswith("in test_old_code_that_runs_is_told_once_with_its_caller")
    )
    assert call.text in caplog.text


@knows
def test_closures_methods_and_suspended_calls_are_told(project, shop, told):
    """Whatever it is that runs old code."""
    closure, on, generator = shop.make(), shop.K().on, shop.numbers()
    next(generator)
    load(project)

    closure(), on(), next(generator)

    assert [each.name for each in told] == ["make.<locals>.closure", "K.on", "numbers"]


@knows
def test_new_code_and_forwarded_code_are_not_told(project, shop, told):
    """Only what is old is watched."""
    index = shop.index
    project.load_text("shop", TEXT.replace("N = 1", "N = 2"), forward=True)

    assert (index(), shop.other(), shop.K().on()) == (2, 2, 2)
    assert told == []


@knows
def test_a_listener_that_fails_does_not_reach_the_code_that_runs(project, shop, told, caplog):
    """The log has the error."""
    end = on_stale_call(lambda _: 1 / 0)
    index = shop.index
    load(project)

    assert index() == 1
    end()
    assert "ZeroDivisionError" in caplog.text


def test_the_report_says_whether_calls_are_told(project, shop):
    """On Python 3.11 that is not known."""
    index = shop.index

    report = load(project)

    is_said = "Whether they are called is not known on Python 3.11" in code.text(report)
    assert is_said is (sys.version_info < (3, 12))
    assert index() == 1
