"""How processes end and who hears of it: links, monitors, exit signals, kill. Statements P10 to P23."""

from __future__ import annotations

import pytest

from helpers.ends import down_reason, fail, wait_for_ever
from midflight import (
    Down,
    Exit,
    NoSuchProcess,
    ProcessExit,
    demonitor,
    exit,
    is_alive,
    link,
    monitor,
    receive,
    self_,
    sleep,
    spawn,
    spawn_link,
    spawn_monitor,
    trap_exit,
    unlink,
)


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda: 5, "normal"),
        (lambda: fail(ProcessExit("bye")), "bye"),
        (lambda: fail(ProcessExit()), "normal"),
        (lambda: exit(self_(), "normal"), "normal"),
        (lambda: exit(self_(), "kill"), "killed"),
        (lambda: fail(ProcessExit("kill")), "kill"),
    ],
)
def test_the_reason_of_an_end(runtime, function, reason):
    """P13, P14, P19: return is "normal"; a raised ProcessExit its own reason; exit(self_(), "kill") is "killed"."""
    assert runtime.run(down_reason, function) == reason
    assert runtime.crashes == []


def test_an_error_is_its_own_reason_and_is_reported(runtime):
    """A process that raises ends with the exception; the report has its state and last message."""

    async def divide(state, by=0):  # the report shows it
        number = await receive()
        return number / by

    async def main():
        pid, _ = spawn_monitor(divide, "kept", name="divider")
        pid << 7
        return await receive()

    down = runtime.run(main)
    (report,) = runtime.crashes

    assert isinstance(down.reason, ZeroDivisionError)
    assert report.reason is down.reason
    assert (report.name, report.last_message) == ("divider", 7)
    assert report.arguments == {"state": "kept", "by": 0}
    assert "return number / by" in report.traceback
    assert report.traceback.count("\n  File ") == 1  # no line of ours
    assert report.text().startswith(f"Process {down.pid!r} (divider) crashed in ")


def test_a_crash_report_goes_to_the_log_by_default(runtime, caplog):
    """Without listeners the logger midflight.crash gets it at ERROR."""
    runtime.scheduler.on_crash.clear()

    runtime.run(down_reason, fail, ValueError("seen in the log"))

    (record,) = caplog.records
    assert (record.name, record.levelname) == ("midflight.crash", "ERROR")
    assert "ValueError: seen in the log" in record.getMessage()


def test_a_crash_spreads_over_links(runtime):
    """P10: the same reason goes down a chain of links; "normal" does not."""

    async def middle():
        last = spawn_link(wait_for_ever)
        spawn(lambda: exit(last, "spread"))
        await wait_for_ever()

    async def first():
        spawn_link(middle)
        await wait_for_ever()

    async def linked_to_a_normal_end():
        spawn_link(lambda: None)
        await sleep(0)
        await sleep(0)
        raise ProcessExit("lived on")

    async def main():
        return await down_reason(first), await down_reason(linked_to_a_normal_end)

    assert runtime.run(main) == ("spread", "lived on")
    assert runtime.crashes == []


def test_a_long_chain_of_links_ends_without_recursion(runtime):
    """10 000 linked processes end with the first one's reason."""

    async def chain(left, top):
        if left:
            spawn_link(chain, left - 1, top)
        else:
            top << self_()
        await wait_for_ever()

    async def main():
        spawn_monitor(chain, 10_000, self_())
        last = await receive()
        exit(last, "all of you")
        return (await receive(Down)).reason

    assert runtime.run(main) == "all of you"


def test_exit_signals_of_each_kind(runtime):
    """P12: "normal" is ignored by others; any other reason ends; a trapper gets a message; "kill" ends all."""

    async def trapper(top):
        trap_exit(True)
        top << "ready"
        while True:
            top << await receive()

    async def main():
        plain, _ = spawn_monitor(wait_for_ever)
        trapping, _ = spawn_monitor(trapper, self_())
        await receive("ready")
        for reason in ("normal", "killed"):
            exit(plain, reason)
            exit(trapping, reason)
        heard = [await receive(timeout=1) for _ in range(3)]
        exit(trapping, "kill")
        heard.append(await receive())
        return plain, trapping, self_(), heard

    plain, trapping, me, heard = runtime.run(main)

    assert sorted(heard[:3], key=repr) == sorted(
        [Exit(me, "normal"), Exit(me, "killed"), heard[[type(h) for h in heard].index(Down)]], key=repr
    )
    assert {(h.pid, h.reason) for h in heard if type(h) is Down} == {(plain, "killed"), (trapping, "killed")}


def test_link_to_a_dead_process(runtime):
    """P15: it raises unless the linker traps exits, who gets "noproc"."""

    async def main():
        dead = spawn(lambda: None)
        await sleep(0)
        with pytest.raises(NoSuchProcess):
            link(dead)
        trap_exit(True)
        link(dead)
        return dead, await receive()

    dead, message = runtime.run(main)
    assert message == Exit(dead, "noproc")


def test_after_unlink_no_signal_comes(runtime):
    """P16."""

    async def main():
        pid = spawn_link(wait_for_ever)
        unlink(pid)
        exit(pid, "alone")
        await sleep(0)
        return is_alive(pid)

    assert runtime.run(main) is False


def test_message_then_exit_then_down(runtime):
    """P17: signals of a pair keep their order, and Exit comes before Down."""

    async def child(top):
        top << "last words"
        raise ProcessExit("gone")

    async def main():
        trap_exit(True)
        pid = spawn_link(child, self_())
        monitor(pid)
        return [type(await receive()) for _ in range(3)]

    assert runtime.run(main) == [str, Exit, Down]


def test_monitors(runtime):
    """P20 to P23: noproc at once, a Down for each, none after demonitor, flush, by name the holder of then."""

    async def main():
        pid = spawn(wait_for_ever, name="watched")
        refs = [monitor(pid), monitor(pid), monitor("watched")]
        dropped = monitor(pid)
        assert demonitor(dropped)
        exit(pid, "end")
        downs = [await receive(Down) for _ in refs]
        late = monitor(pid)
        noproc = await receive((late, ..., ...))
        flushed = monitor(pid)
        demonitor(flushed, flush=True)
        assert await receive(timeout=0, default="empty") == "empty"
        return pid, refs, downs, noproc

    pid, refs, downs, noproc = runtime.run(main)

    assert [down.ref for down in downs] == refs
    assert [down.pid for down in downs] == [pid, pid, ("watched", "nonode@nohost")]
    assert {down.reason for down in downs} == {"end"}
    assert noproc.reason == "noproc"
