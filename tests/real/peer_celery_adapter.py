"""Tasks of celery as others hold them: after a load the same object runs the new function, with the new options."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery, _state
from celery.app.trace import build_tracer

from helpers.versions import Project, project_in
from midflight import code

pytestmark = pytest.mark.filterwarnings("default::celery.exceptions.DuplicateTaskNameWarning")

QUEUE = """
from celery import Celery
app = Celery("shop", broker="memory://", set_as_current=True)
app.conf.task_always_eager = True
app.finalize()
"""

TASKS = """
from celery import shared_task
from queue_app import app

class Later(Exception): pass
tries = []

@app.task
def plain(n): return n + 1

@app.task(bind=True, name="shop.bound", rate_limit="1/s")
def bound(self, n): return self.name, n + 1

@shared_task
def shared(n): return n + 1

@app.task(autoretry_for=(Later,), max_retries=2, retry_backoff=False, default_retry_delay=0)
def stubborn(n):
    tries.append(n + 1)
    if len(tries) < 3: raise Later
    return n + 1

@app.task(shared=False)
def own(n): return n + 1
"""

OTHER = """
from tasks import plain, bound, shared, stubborn
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    known = set(_state._on_app_finalizers)
    with project_in(tmp_path) as found:
        found.load_text("queue_app", QUEUE)
        found.load_text("tasks", TASKS)
        found.load_text("other", OTHER)
        yield found
        _state._deregister_app(sys.modules["queue_app"].app)
    _state._on_app_finalizers.intersection_update(known)


def value(task: Any) -> Any:
    return task.delay(1).get()


def test_whoever_has_a_task_runs_the_new_function(project: Project) -> None:
    """The object is the same one, in the registry and in modules that imported it."""
    other, app = sys.modules["other"], sys.modules["queue_app"].app
    before = {name: app.tasks[name] for name in ("tasks.plain", "shop.bound", "tasks.shared", "tasks.stubborn")}

    for number in (2, 3):
        text = TASKS.replace("n + 1", f"n + {number}")
        report = project.load_text("tasks", text)

        assert {name: app.tasks[name] for name in before} == before
        assert (value(other.plain), value(other.bound)) == (1 + number, ("shop.bound", 1 + number))
        assert (value(other.shared), other.plain(1), sys.modules["tasks"].plain(1)) == (1 + number,) * 3
        sys.modules["tasks"].tries.clear()
        assert value(other.stubborn) == 1 + number
        assert sys.modules["tasks"].tries == [1 + number] * 3
        assert [each.message for each in report.warnings if "shop.bound" in each.message] == [
            "celery: shop.bound runs the current function"
        ]
        assert code.text(report).count("DuplicateTaskNameWarning") <= code.text(report).count("Task name 'tasks.own'")


def test_the_options_are_those_of_the_new_text(project: Project) -> None:
    """Those of the decorator, and the docstring."""
    text = TASKS.replace('rate_limit="1/s"', 'rate_limit="9/s"').replace("def plain(n):", 'def plain(n): "Doc.";')

    project.load_text("tasks", text)

    app = sys.modules["queue_app"].app
    assert app.tasks["shop.bound"].rate_limit == "9/s"
    assert app.tasks["tasks.plain"].__doc__ == "Doc."


def test_an_application_that_is_made_later_has_the_new_function(project: Project) -> None:
    """Celery notes each function for those: that of the version before is forgotten."""
    project.load_text("tasks", TASKS.replace("n + 1", "n + 2"))
    later = Celery("later", broker="memory://", set_as_current=False)
    later.finalize()

    assert later.tasks["tasks.shared"](1) == 3
    assert later.tasks["tasks.plain"](1) == 3
    _state._deregister_app(later)


def test_a_worker_has_a_tracer_of_the_new_function(project: Project) -> None:
    """A worker makes one for each task, and calls that."""
    app = sys.modules["queue_app"].app
    task = app.tasks["tasks.plain"]
    task.__trace__ = build_tracer(task.name, task, app.loader, app=app)

    project.load_text("tasks", TASKS.replace("n + 1", "n + 2"))

    result, _, _, _ = task.__trace__("an-id", (1,), {}, {"id": "an-id", "is_eager": True, "delivery_info": {}})
    assert result == 3


def test_a_load_that_fails_changes_no_task(project: Project) -> None:
    """The body has run the decorators by then, to which celery gave the registered tasks."""
    with pytest.raises(code.LoadError):
        project.load_text("tasks", TASKS.replace("n + 1", "n + 2") + "\n1 / 0\n")

    assert value(sys.modules["other"].plain) == 2


def test_what_the_adapter_does_not_reach_is_warned_of(project: Project) -> None:
    """A task that is not shared is noted nowhere but in the registry: celery's own warning stays."""
    report = project.load_text("tasks", TASKS.replace("def own(n): return n + 1", "def own(n): return n + 2"))

    assert value(sys.modules["queue_app"].app.tasks["tasks.own"]) == 2
    assert "tasks.own" in code.text(report)
    gone = project.load_text("tasks", TASKS.replace("def plain(", "def other_name("))
    assert "celery: tasks.plain stays registered, with the function of the version before" in code.text(gone)
