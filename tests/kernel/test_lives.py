"""Lives of nodes: pids and refs of an earlier life, or of another node, are dead, and never somebody else's."""

from __future__ import annotations

import pytest

from midflight import (
    CallError,
    Down,
    NoSuchProcess,
    alias,
    call,
    is_alive,
    link,
    make_ref,
    monitor,
    process_info,
    receive,
    self_,
    spawn,
)
from midflight.kernel import Address, Life, Pid


@pytest.fixture
def life(runtime):
    """The third life of the only node."""
    yield Life(runtime.scheduler.processes, creation=3)
    runtime.shutdown()


def test_a_pid_of_this_life_is_found_again(runtime, life):
    """The same object: pids are equal to themselves only."""
    pid = runtime.spawn(receive)

    assert life.address(pid) == Address(node=0, creation=3, number=pid.number)
    assert life.pid(life.address(pid)) is pid


def test_a_pid_that_died_since_it_was_written_is_found_as_long_as_anybody_has_it(runtime, life):
    """It is the same one, dead."""
    pid = runtime.spawn(lambda: None)
    address = life.address(pid)
    runtime.run_until_idle()

    assert life.pid(address) is pid
    assert pid.process is None


def test_a_pid_of_an_earlier_life_is_dead_and_nobody_elses(runtime, life):
    """Though a process of this life has its number."""
    here = runtime.spawn(receive)
    earlier = life.pid(Address(0, 2, here.number))

    async def look():
        ref = monitor(earlier)
        earlier << "to nobody"
        with pytest.raises(NoSuchProcess):
            link(earlier)
        with pytest.raises(CallError, match="noproc"):
            await call(earlier, "anything")
        messages = process_info(here)["messages"]
        return is_alive(earlier), await receive() == Down(ref, earlier, "noproc"), is_alive(here), messages

    assert runtime.run(look) == (False, True, True, [])
    assert earlier != here


def test_what_was_written_with_one_name_is_one_object(life):
    """Else two pids of one process were unequal."""
    assert life.pid(Address(0, 2, 5)) is life.pid(Address(0, 2, 5))
    assert life.pid(Address(0, 2, 5)) is not life.pid(Address(0, 1, 5))
    assert life.ref(Address(0, 2, 5)) is life.ref(Address(0, 2, 5))


def test_a_foreign_pid_is_written_as_it_was(life):
    """A state that holds it keeps it through any number of lives."""
    for address in (Address(0, 2, 5), Address(7, 1, 5)):
        assert life.address(life.pid(address)) == address
        assert life.address(life.ref(address)) == address


def test_pids_look_and_are_ordered_as_in_otp(life):
    """By number, then node, then creation; an earlier life is not shown. OTP 25 gives the same for its terms."""
    found = [life.pid(Address(*each)) for each in [(0, 1, 9), (7, 1, 3), (0, 2, 5), (0, 1, 5), (0, 3, 5)]]

    assert [repr(pid) for pid in sorted(found)] == ["<7.3.0>", "<0.5.0>", "<0.5.0>", "<0.5.0>", "<0.9.0>"]
    assert [pid.creation for pid in sorted(found)] == [1, 0, 1, 2, 1]
    assert repr(life.ref(Address(7, 1, 5))) == "#Ref<7.5>"


def test_a_ref_of_this_life_is_found_again(runtime, life):
    """An alias still takes what is sent to it."""

    async def look():
        ref = alias()
        life.ref(life.address(ref)) << "through it"
        return await receive()

    assert runtime.run(look) == "through it"


def test_a_ref_of_an_earlier_life_takes_nothing(runtime, life):
    """It is not the one of this life that has its number."""

    async def look():
        ref = make_ref()
        earlier = life.ref(Address(0, 2, ref.number))
        earlier << "to nobody"
        return earlier != ref, await receive(timeout=0, default="nothing")

    assert runtime.run(look) == (True, "nothing")


def test_a_node_that_got_a_number_knows_what_it_wrote_before(runtime, life):
    """Its pids were written with 0 then."""
    pid = runtime.spawn(receive)
    later = Life(runtime.scheduler.processes, creation=3, node=5)

    assert later.pid(life.address(pid)) is pid
    assert later.address(pid) == Address(5, 3, pid.number)


@pytest.mark.parametrize(("creation", "node"), [(0, 0), (-1, 0), (2**32, 0), (1, -1), (1, 2**32)])
def test_a_life_without_a_number_is_refused(creation, node):
    """Its pids could not be told from those of this life."""
    with pytest.raises(ValueError, match=r"a creation from 1, both below 2\*\*32, not .*nothing was changed"):
        Life({}, creation, node)


def test_a_new_pid_is_of_this_life_of_this_node(runtime):
    """0 and 0, in both kernels; a ref likewise."""

    async def look():
        return self_().node, self_().creation, make_ref().node, make_ref().creation, spawn(receive).creation

    assert runtime.run(look) == (0, 0, 0, 0, 0)
    assert Pid(5, None, 7, 2).node == 7
