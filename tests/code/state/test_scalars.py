"""Numbers, texts and the like in a module's state."""

from __future__ import annotations

from .conftest import kept, told

SCALARS = (
    "hits = 0\nconn = None\nready = False\ndef hit():\n    global hits, conn\n    hits += 1\n    conn = object()\n"
)


def test_scalars_that_changed_at_run_time_keep_the_running_value(thing):
    """By `global`, and from outside; over several loads."""
    thing.load(SCALARS)
    thing.module.hit()
    thing.module.ready = True
    conn = thing.module.conn

    report = thing.again()

    assert (thing.module.hits, thing.module.ready) == (1, True)
    assert thing.module.conn is conn
    assert kept(report) == ["hits", "conn", "ready"]
    thing.module.hit()
    thing.again()
    assert thing.module.hits == 2


def test_a_scalar_that_nobody_changed_and_differs_is_new_and_named(thing):
    """`STARTED = time()`."""
    thing.load("import itertools\nSTARTED = next(COUNT)\n".replace("COUNT", "itertools.count(id(object()))"))

    thing.load("import time\nSTARTED = time.perf_counter_ns()\n")
    before = thing.module.STARTED
    report = thing.again()

    assert before < thing.module.STARTED
    assert told(report, "STARTED") == [("new", "it differs though its text is the same; `once` keeps it")]


def test_a_scalar_that_all_three_have_otherwise_keeps_the_running_value_and_is_named(thing):
    """Its text is the same, and gives another value."""
    thing.load("N = 1\nx = N + 1\n")
    thing.module.x = 50

    report = thing.edit("N = 1", "N = 2")

    assert thing.module.x == 50
    assert told(report, "x")[0][0] == "conflict"


def test_scalars_count_apart_while_processes_run_the_old_version_and_that_is_named(thing, runtime):
    """With the pids."""
    thing.load(
        "from midflight import receive\nhits = 0\nasync def loop():\n    global hits\n"
        "    hits += await receive()\n    return loop()\n"
    )
    pid = runtime.spawn(thing.module.loop)
    pid << 3
    runtime.run_until_idle()

    report = thing.again()
    pid << 4
    runtime.run_until_idle()

    assert thing.module.hits == 3
    assert (
        "apart",
        f"{pid!r} goes on with a copy of its own in version 1: what is bound there is not seen here",
    ) in told(report, "hits")
    runtime.shutdown()
