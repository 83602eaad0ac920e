"""From the swap on a load is done to its end: what fails is a warning, and Ctrl-C comes when all is done."""

from __future__ import annotations

import gc
import signal
import sys
import threading
import typing
from functools import partial

import pytest

from helpers.faults import Fault
from helpers.ledgers import answers, load_ledger, start_ledgers, upgrade_ledger
from helpers.remembered import forget_remembered
from helpers.versions import text_of
from midflight import code
from midflight.code.census.census import Census
from midflight.code.load import after_swap, outcome

SWAP = "load/commit._swap"
CATCHES = "load/outcome.report_of"  # is only a `try` around what may fail
SWAP_ENDS = "version/hooks.keep"  # the last thing that it does; up to there a step that fails is done again


def account(number):
    """Return the text of a version of `account`."""
    return text_of("account_v1").replace("NUMBER = 1", f"NUMBER = {number}")


@pytest.fixture
def running(project, runtime):
    """Give a process in version 1 of `account`, which version 2 is loaded beside."""
    project.load_text("account", account(1))
    pid = runtime.spawn(sys.modules["account"].loop, 100)
    runtime.run_until_idle()
    project.load_text("account", account(2))
    yield pid
    pid << "stop"
    runtime.run_until_idle()


def steps_after_the_swap(project):
    """Return what a load calls from the swap on, in the order of the first calls there. Loads versions 3 and 4.

    Those of the second: a load looks longer at the first version that is superseded while old code runs.
    """
    for number in (3, 4):
        with Fault(since=SWAP) as found:
            project.load_text("account", account(number))
    return [step for step in found.steps if step != CATCHES]


def check_whole(number, step):
    module = sys.modules["account"]
    assert (module.NUMBER, module.__midflight_version__) == (number, number), step
    assert [each.version for each in code.versions("account")] == [1, number], step
    assert module.KEPT[-2:] == ["unload", "load"], step
    assert module.KEPT.count("load") == number, step


def clear_up(number):
    """Collect garbage before a load; now and then forget what loads remember, or each collection takes longer."""
    if number % 25 == 0:
        forget_remembered()
        gc.collect()
        gc.freeze()
    gc.collect()


@pytest.mark.parametrize("error", [MemoryError, RecursionError])
def test_an_error_after_the_swap_is_a_warning(project, running, caplog, error):
    """The load says what it did, what it does not know now, and logs the error; the hooks have run, each once."""
    steps = steps_after_the_swap(project)
    said = 0
    told = steps.index(SWAP_ENDS) + 1
    number = 4

    for index, step in enumerate(steps):
        caplog.clear()
        number += 1
        clear_up(number)  # else versions that wait for the collector crowd the first one out of what a load looks at
        with Fault(step, error, since=SWAP) as fault:
            report = project.load_text("account", account(number))
        assert step in fault.steps, step
        assert (report.version, report.current) == (number, number), step
        warnings = [each for each in report.warnings if each.code == "afterwards"]
        if index < told:
            assert not warnings, step
        elif warnings:
            assert f"injected in {step}" in warnings[0].message, step
            assert f"version {number} is current and whole, but " in warnings[0].message, step
            assert [record.name for record in caplog.records] == ["midflight.code"], step
            said += 1
        check_whole(number, step)
    assert said > 10


@pytest.mark.parametrize("what", ["typing", "rows", "report", "lost writes", "log"])
def test_what_fails_for_good_is_said(project, running, monkeypatch, what):
    """What a user of the report would miss is in the report."""

    def fail(*_, **__):
        raise RuntimeError("for good")

    target, said = {
        "typing": ((after_swap, "forget_typing_caches"), "the caches of typing"),
        "rows": ((Census, "rows"), "which processes run old versions is not known"),
        "report": ((outcome, "whole_report"), "what changed and who lingers is not known"),
        "lost writes": ((after_swap, "lost_writes"), "what __persist__ misses is not known"),
        "log": ((after_swap, "lost_writes"), "what __persist__ misses is not known"),
    }[what]
    with monkeypatch.context() as patch:
        patch.setattr(*target, fail)
        if what == "log":
            patch.setattr(outcome._log, "handle", fail)
        report = project.load_text("account", account(3))

    (warning,) = [each for each in report.warnings if each.code == "afterwards"]
    assert said in warning.message
    assert warning.message.endswith("RuntimeError: for good")
    assert report.version == report.current == 3
    assert "1 warning" in code.summary(report)
    check_whole(3, what)


def test_ctrl_c_at_each_step_from_the_swap_on_comes_when_all_is_done(project, running):
    """The versions are whole, and the hooks have run, each once."""
    steps = steps_after_the_swap(project)
    number = 4

    for step in steps:
        number += 1
        clear_up(number)
        with Fault(step, KeyboardInterrupt, since=SWAP) as fault, pytest.raises(KeyboardInterrupt):
            project.load_text("account", account(number))
        assert step in fault.steps, step
        check_whole(number, step)


def test_ctrl_c_at_each_step_of_an_upgrade_leaves_code_and_states_alike(project, runtime):
    """A server of the old state under new code is what must never be."""
    load_ledger(project)
    wrong, struck = [], []

    async def upgrade(number, step=None):
        raised = None
        with Fault(step, KeyboardInterrupt, since=SWAP) as fault:
            try:
                await upgrade_ledger("self.total = extra", number, extra=number)
            except KeyboardInterrupt as error:
                raised = error
        return fault.steps, raised

    async def main():
        pids = await start_ledgers(1, 2)
        steps = list((await upgrade(2))[0])
        steps = steps[: steps.index("load/after_swap.note_seconds") + 1]
        for number, step in enumerate(steps, 3):
            seen, raised = await upgrade(number, step)
            struck.append(raised is not None)
            after = await answers(pids)
            if after != [(number, number)] * 2 or step not in seen:
                wrong.append((step, after))
        return steps

    steps = runtime.run(main)
    assert wrong == []
    assert {"upgrade/suspend.Suspension.install", "identity/server_state.swap_state", SWAP} <= set(steps)
    assert all(struck)


# --- Signals ---------------------------------------------------------------------------------------------------

HOOKS = """
import signal
from midflight.code import on_load, on_unload

__fresh__ = ["RAN"]
RAN = []
NUMBER = {number}

@on_load
def first():
    RAN.append("begun")
    {strike}
    RAN.append("done")

@on_load
def second():
    RAN.append("second")

@on_unload
def unload():
    {strike_unload}
"""
STRIKE = "signal.raise_signal(signal.SIGINT)"


def hooked(number, strike="pass", strike_unload="pass"):
    """Return the text of a module with hooks."""
    return HOOKS.format(number=number, strike=strike, strike_unload=strike_unload)


def test_a_real_ctrl_c_amid_the_commit_waits_for_its_end(project, running, monkeypatch):
    """It is noted, and raised when all is done; SIGINT is handled as before then."""
    handler = signal.getsignal(signal.SIGINT)
    strike = partial(signal.raise_signal, signal.SIGINT)  # written in C: the innermost code is the commit's
    ran = []
    monkeypatch.setattr(typing, "_cleanups", [strike, partial(ran.append, "after")])

    with pytest.raises(KeyboardInterrupt):
        project.load_text("account", account(3))

    assert ran == ["after"]
    assert signal.getsignal(signal.SIGINT) is handler
    check_whole(3, "signal")


def test_a_handler_of_the_programs_own_is_called_when_all_is_done(project, running, monkeypatch):
    """That of asyncio.run, say, which asks its main task to end; the load returns its report then."""
    seen = []
    monkeypatch.setattr(typing, "_cleanups", [partial(signal.raise_signal, signal.SIGINT)])
    before = signal.signal(signal.SIGINT, lambda *_: seen.append(sys.modules["account"].KEPT[-1]))
    try:
        report = project.load_text("account", account(3))
    finally:
        signal.signal(signal.SIGINT, before)

    assert seen == ["load"]
    assert report.version == 3


def test_ctrl_c_breaks_into_a_hook_that_takes_too_long(project):
    """Only that one: the others run, then it is raised."""
    project.load_text("hooked", hooked(1))

    with pytest.raises(KeyboardInterrupt):
        project.load_text("hooked", hooked(2, STRIKE))

    assert sys.modules["hooked"].NUMBER == 2
    assert sys.modules["hooked"].RAN == ["begun", "second"]


def test_ctrl_c_in_an_on_unload_stops_the_load(project):
    """Nothing has changed by then."""
    project.load_text("hooked", hooked(1, strike_unload=STRIKE))

    with pytest.raises(KeyboardInterrupt):
        project.load_text("hooked", hooked(2))

    assert sys.modules["hooked"].NUMBER == 1
    assert [each.version for each in code.versions("hooked")] == [1]


def test_a_load_in_a_thread_does_without_signals(project):
    """Only the main thread has handlers, and gets Ctrl-C; a thread's load has nothing to put off."""
    path = project.write("hooked.py", hooked(1))
    versions = []

    thread = threading.Thread(target=lambda: versions.append(code.load(path).version))
    thread.start()
    thread.join(10)

    assert versions == [1]


def test_a_deletion_is_whole_though_a_cache_cannot_be_emptied(project, running, monkeypatch, caplog):
    """The module has no current version, and says so; the log has the error."""

    def fail():
        raise RuntimeError("for good")

    with monkeypatch.context() as patch:
        patch.setattr(typing, "_cleanups", [fail])
        assert code.delete("account")

    assert code.is_loaded("account") is None
    assert "for good" in caplog.text
