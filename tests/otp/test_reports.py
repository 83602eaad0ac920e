"""What a supervisor logs of its children: reports with OTP's fields."""

from __future__ import annotations

import logging

import pytest

from helpers.servers import advance_later, deaf, pids_of, settle, wait_for_ever
from midflight import ChildSpec, DynamicSupervisor, ProcessExit, Supervisor, exit, monitor, receive, trap_exit
from midflight.otp import ProgressReport, SupervisorReport


def reports_in(caplog):
    """Return the reports that were logged, oldest first."""
    return [record.report for record in caplog.records if record.name == "midflight.supervisor"]


def test_a_report_has_otps_fields(runtime, caplog):
    """Supervisor, context, reason, and the child as it was."""

    async def main():
        children = [ChildSpec("a", wait_for_ever, restart="transient", shutdown=3.0)]
        supervisor = await Supervisor.start_link(children, name="tree")
        pid = (await pids_of(supervisor))["a"]
        exit(pid, "boom")
        await settle()
        return supervisor, pid

    supervisor, pid = runtime.run(main)
    (report,) = reports_in(caplog)
    child = report.offender
    assert type(report) is SupervisorReport
    assert (report.supervisor, report.name, report.context, report.reason) == (
        supervisor,
        "tree",
        "child_terminated",
        "boom",
    )
    assert (child.pid, child.id, child.start, child.args) == (pid, "a", wait_for_ever, ())
    assert (child.restart, child.significant, child.shutdown, child.type) == ("transient", False, 3.0, "worker")
    assert (
        report.text()
        == f"supervisor {supervisor!r} (tree): child 'a' {pid!r} ended with 'boom'; it is to be started again"
    )


def test_progress_is_logged_for_who_wants_it(runtime, caplog):
    """At INFO, which most loggers drop."""
    caplog.set_level(logging.INFO, "midflight.supervisor")

    async def main():
        supervisor = await Supervisor.start_link([ChildSpec("a", wait_for_ever), ChildSpec("b", lambda: None)])
        return supervisor, (await pids_of(supervisor))["a"]

    supervisor, pid = runtime.run(main)
    (report,) = reports_in(caplog)
    assert type(report) is ProgressReport
    assert report.text() == f"supervisor {supervisor!r}: child 'a' {pid!r} was started"


@pytest.mark.parametrize(
    ("restart", "reason", "is_told"),
    [
        ("permanent", "normal", True),
        ("transient", "normal", False),
        ("temporary", "shutdown", False),
        ("temporary", "boom", True),
    ],
)
def test_a_good_end_is_no_news(runtime, caplog, restart, reason, is_told):
    """Of a child that is not started again; any end of a permanent one is."""

    async def dies():
        await receive("die")
        raise ProcessExit(reason)

    async def main():
        supervisor = await Supervisor.start_link([ChildSpec("a", dies, restart=restart)])
        (await pids_of(supervisor))["a"] << "die"
        await settle()

    runtime.run(main)
    assert bool(reports_in(caplog)) is is_told


def test_a_child_that_is_asked_to_stop_and_does_not(runtime, clock, caplog):
    """It was killed: a shutdown_error."""

    async def main():
        supervisor = await DynamicSupervisor.start_link()
        pid = await Supervisor.start_child(supervisor, ChildSpec("a", deaf, shutdown=2.0))
        ref = monitor(pid)
        await settle()
        advance_later(clock, 2.0)
        await Supervisor.terminate_child(supervisor, pid)
        return (await receive((ref, ..., ...))).reason

    assert runtime.run(main) == "killed"
    assert [(each.context, each.reason) for each in reports_in(caplog)] == [("shutdown_error", "killed")]


def test_the_end_after_too_many_restarts(runtime, caplog):
    """The last report is of the supervisor's own end."""

    async def main():
        trap_exit(True)
        supervisor = await Supervisor.start_link([ChildSpec("a", wait_for_ever)], intensity=0)
        exit((await pids_of(supervisor))["a"], "boom")
        await settle()

    runtime.run(main)
    *_, last = reports_in(caplog)
    assert (last.context, last.reason) == ("shutdown", "reached_max_restart_intensity")
    assert "1 within 5 s, of 0 that are allowed: it stops its children and ends" in last.text()
