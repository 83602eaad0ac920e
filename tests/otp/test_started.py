"""Plain processes that say when they are ready, under a supervisor."""

from __future__ import annotations

import pytest

from helpers.servers import pids_of, settle, wait_for_ever
from midflight import (
    IGNORE,
    ChildSpec,
    GenServer,
    InitFailed,
    NotInProcess,
    ProcessExit,
    Registry,
    Supervisor,
    exit,
    is_alive,
    process_info,
    receive,
    self_,
    spawn,
    started,
    trap_exit,
    whereis,
)


def test_the_supervisor_waits_until_the_child_is_ready(runtime):
    """OTP: proc_lib:start_link and init_ack: the child after it starts only then, and start_link answers only then."""
    order = []

    async def slow():
        order.append("slow begins")
        await receive("go on")
        order.append("slow is ready")
        started()
        await wait_for_ever()

    async def next_one():
        order.append("next")
        await wait_for_ever()

    async def go_on():
        await settle()
        order.append("nobody waits in vain")
        whereis("slow") << "go on"

    async def main():
        spawn(go_on)
        specs = [ChildSpec("slow", slow, name="slow", waits=True), ChildSpec("next", next_one)]
        supervisor = await Supervisor.start_link(specs)
        pids = await pids_of(supervisor)
        await settle()
        return pids["slow"] == whereis("slow"), order

    assert runtime.run(main) == (True, ["slow begins", "nobody waits in vain", "slow is ready", "next"])


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (KeyError("x"), "KeyError('x')"),
        (ProcessExit("no disk"), "fails did not start: 'no disk'"),
        (None, "fails did not start: 'normal'"),
    ],
)
def test_a_child_that_ends_before_it_is_ready_has_not_started(runtime, end, reason):
    """What it raised is the reason why the supervisor did not start; the children before it are stopped."""
    pids = []

    async def fails():
        if end is not None:
            raise end

    async def first():
        pids.append(self_())
        await wait_for_ever()

    async def main():
        trap_exit(True)
        with pytest.raises(InitFailed) as caught:
            await Supervisor.start_link([ChildSpec("first", first), ChildSpec("fails", fails, waits=True)])
        return repr(caught.value.reason), [is_alive(pid) for pid in pids]

    found, alive = runtime.run(main)
    assert reason in found
    assert alive == [False]


def test_a_restart_waits_too(runtime):
    """Each start is the same: which_children, asked meanwhile, is answered after it."""

    async def ready():
        started()
        await wait_for_ever()

    async def main():
        supervisor = await Supervisor.start_link([ChildSpec("one", ready, waits=True)])
        first = (await pids_of(supervisor))["one"]
        exit(first, "kill")
        await settle()
        second = (await pids_of(supervisor))["one"]
        return is_alive(first), is_alive(second), first != second

    assert runtime.run(main) == (False, True, True)


def test_a_child_may_say_that_there_is_nothing_to_do(runtime):
    """OTP: init_ack(ignore): the child is kept, without a process."""

    async def idle():
        started(IGNORE)

    async def main():
        supervisor = await Supervisor.start_link([ChildSpec("idle", idle, waits=True)])
        return await pids_of(supervisor)

    assert runtime.run(main) == {"idle": None}


def test_the_child_is_linked_and_shown_as_its_own_function(runtime):
    """As one that is not waited for: the initial call is the function's, the parent's links have it."""

    async def ready():
        started()
        await wait_for_ever()

    async def main():
        supervisor = await Supervisor.start_link([ChildSpec("one", ready, waits=True)])
        pid = (await pids_of(supervisor))["one"]
        return pid in process_info(supervisor)["links"], process_info(pid)["initial_call"].rpartition(".")[2]

    assert runtime.run(main) == (True, "ready")


def test_a_name_of_a_registry_is_taken_before_the_child_runs(runtime):
    """A second child that wants it does not start, with AlreadyStarted."""

    async def ready():
        started()
        await wait_for_ever()

    async def main():
        names = Registry("names")
        await Registry.start_link("names")
        name = names.via("one")
        supervisor = await Supervisor.start_link([ChildSpec("one", ready, name=name, waits=True)])
        pid = (await pids_of(supervisor))["one"]
        return name.whereis() == pid

    assert runtime.run(main)


def test_started_means_nothing_where_nobody_waits(runtime):
    """In a spawned process, for a second time, and in a process that the child has spawned, with its context."""

    async def grandchild(top):
        started()
        top << "grandchild said so"

    async def child(top):
        spawn(grandchild, top)
        await receive("go on")
        started()
        started()
        await wait_for_ever()

    async def supervise(top):
        await Supervisor.start_link([ChildSpec("one", child, (top,), name="one", waits=True)])
        top << "supervisor is ready"
        await wait_for_ever()

    async def main():
        started()
        spawn(supervise, self_())
        first = await receive()
        early = await receive(timeout=0, default="not yet")
        whereis("one") << "go on"
        return first, early, await receive()

    assert runtime.run(main) == ("grandchild said so", "not yet", "supervisor is ready")


def test_started_takes_nothing_else(runtime):
    """A value that the supervisor would not understand is the child's error."""

    async def main():
        with pytest.raises(TypeError, match="takes None or IGNORE, not 7; the starter still waits"):
            started(7)
        return True

    assert runtime.run(main)


def test_started_is_for_processes():
    """As every function of the calling process."""
    with pytest.raises(NotInProcess):
        started()


@pytest.mark.parametrize(
    ("start", "waits", "error"),
    [(GenServer, True, ValueError), (lambda: None, True, ValueError), (wait_for_ever, "yes", TypeError)],
)
def test_only_an_async_function_can_be_waited_for(start, waits, error):
    """A class is waited for anyway, and a plain function returns when it has started something."""
    with pytest.raises(error, match="waits must be"):
        ChildSpec("one", start, waits=waits)
