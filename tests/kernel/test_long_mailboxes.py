"""Receives over long mailboxes: what they cost, counted in steps and never in seconds."""

from __future__ import annotations

import random
from collections import deque
from types import SimpleNamespace
from typing import Any

import pytest

from midflight import CallTimeout, GenServer, call, demonitor, make_ref, receive, self_, sleep, spawn, spawn_monitor
from midflight.kernel import split_mailbox
from midflight.kernel.mailbox import NOT_FOUND, Receive
from midflight.kernel.refs import Ref
from midflight.kernel.split_mailbox import SplitMailbox

MANY = 16_000
BLOCK = 64  # messages in a block of a deque


class Measured(deque):
    """A mailbox that counts its steps: messages walked over or moved, and blocks walked over to one by its index."""

    steps = 0

    def __getitem__(self, index):
        self.steps += 1 + self._distance(index) // BLOCK
        return super().__getitem__(index)

    def __delitem__(self, index):
        self.steps += 1 + self._distance(index)
        super().__delitem__(index)

    def __iter__(self):
        for message in super().__iter__():
            self.steps += 1
            yield message

    def __reversed__(self):
        for message in super().__reversed__():
            self.steps += 1
            yield message

    def _distance(self, index):
        return min(index, len(self) - index)


def measured() -> Measured:
    """Give the calling process a mailbox that counts from now on, with what it has."""
    process = self_().process
    assert process is not None
    process.mailbox = mailbox = Measured(process.mailbox or ())
    return mailbox


def fill(count: int) -> None:
    for number in range(count):
        self_() << number


def test_a_look_through_the_whole_mailbox_costs_a_few_steps_a_message(runtime):
    """The cost is linear: a deque read by index is quick at its ends only."""

    async def main():
        fill(MANY)
        mailbox = measured()
        assert await receive("never", timeout=0, default=None) is None
        return mailbox.steps

    assert runtime.run(main) < 6 * MANY


def test_many_messages_that_come_at_once_cost_a_waiting_receiver_a_few_steps_each(runtime):
    """What was passed over before is not walked over again, and what came since is not walked to one by one."""

    async def waiter(ready):
        fill(MANY)
        mailbox = measured()
        ready << self_()
        await receive("the last")
        return mailbox.steps

    async def main():
        me = self_()

        async def report():
            me << ("steps", await waiter(me))

        pid = spawn(report)
        assert await receive() is pid
        await sleep(0)
        for number in range(MANY):
            pid << number
        pid << "the last"
        return (await receive(("steps", ...)))[1]

    assert runtime.run(main) < 12 * MANY


def test_messages_in_front_of_a_ref_are_never_looked_at_again(runtime):
    """A stream of messages that hold one ref, behind a backlog from before it was made: none of that is looked at."""
    looks = 0

    class Old:
        def __eq__(self, other):
            nonlocal looks
            looks += 1
            return self is other

        __hash__ = None

    async def main():
        me, old = self_(), Old()
        for number in range(1000):
            me << (old, number)
        ref = make_ref()
        for number in range(1000):
            me << (ref, number)
        taken = [(await receive((ref, ...)))[1] for _ in range(1000)]
        assert taken == list(range(1000))

    runtime.run(main)

    assert looks == 0


def test_messages_with_a_ref_are_taken_from_behind_a_backlog_at_once(runtime):
    """A deque would move all that is on the shorter side for each: the mailbox is divided where the ref was made."""

    async def main():
        me = self_()
        fill(MANY)
        ref = make_ref()
        for number in range(MANY):
            me << (ref, number)
        assert await receive((ref, ...)) == (ref, 0)
        process = me.process
        process.mailbox = SplitMailbox(process, Measured(process.mailbox.front), Measured(process.mailbox.behind))
        before, behind = process.mailbox.front, process.mailbox.behind
        for number in range(1, MANY):
            assert await receive((ref, ...)) == (ref, number)
        assert len(before) == MANY
        assert [await receive() for _ in range(MANY)] == list(range(MANY))
        assert process.mailbox is behind
        return before.steps + behind.steps

    assert runtime.run(main) < 8 * MANY


def test_a_receive_shows_each_message_to_a_predicate_once(runtime):
    """The first in the mailbox, too, and whether or not the receiver had to wait."""
    seen = []

    def is_wanted(message):
        seen.append(message)
        return message == "wanted"

    async def main():
        fill(300)
        sender = self_()
        sender << "not wanted"
        spawn(lambda: sender << "wanted")
        await receive("no", is_wanted)

    runtime.run(main)

    assert seen == [*range(300), "not wanted", "wanted"]


def test_a_predicate_that_sends_to_its_own_process_holds_nobody_up(runtime):
    """What it sends is looked at in a turn of its own: others run meanwhile, and no message is missed."""
    left = 1000

    def sends(message):
        nonlocal left
        left -= 1
        if left > 0:
            self_() << "again"
        return message == "stop"

    async def selective(boss):
        await receive(sends)
        boss << ("stopped with looks left:", left)

    async def main():
        pid = spawn(selective, self_())
        pid << "begin"
        await sleep(0)
        pid << "stop"
        return (await receive())[1]

    assert runtime.run(main) > 900


def test_a_predicate_that_flushes_the_mailbox_spoils_no_receive(runtime):
    """It may take messages out in front of the one that is looked at; that one is taken, and none is passed over."""

    async def main():
        gone = [spawn_monitor(lambda: None)[1] for _ in range(3)]
        await sleep(0)

        def flushes(message):
            if gone:
                demonitor(gone.pop(0), flush=True)
            return message == "second"

        fill(2)
        for message in ("first", "second", "third"):
            self_() << message
        assert await receive(flushes) == "second"
        return [await receive() for _ in range(4)]

    assert runtime.run(main) == [0, 1, "first", "third"]


def test_a_process_that_polls_a_long_mailbox_lets_the_others_run(runtime):
    """To look through a long mailbox counts as many receives. OTP: each message passed over is a reduction."""
    polls = []

    async def poller():
        fill(MANY)
        while len(polls) < 100:
            await receive("never", timeout=0, default=None)
            polls.append("poll")

    async def other():
        while len(polls) < 100:
            await sleep(0)
            polls.append("other")

    async def main():
        watched = [spawn_monitor(each) for each in (poller, other)]
        for _, ref in watched:
            await receive((ref, ..., ...))

    runtime.run(main)

    assert polls.count("other") >= polls.count("poll") - 1


def test_a_call_that_times_out_looks_at_what_came_since_it_was_made(runtime, clock):
    """Its late answer can be nowhere else, however long the mailbox is."""

    class Silent(GenServer):
        async def handle_call(self, request, client):
            await receive("never")

    async def main():
        server = await Silent.start()
        fill(MANY)
        mailbox = measured()
        with pytest.raises(CallTimeout):
            await call(server, "anything", timeout=0)
        return mailbox.steps

    assert runtime.run(main) < 100


def test_a_flush_looks_at_what_came_since_the_monitor_was_made(runtime):
    """A Down can be nowhere else."""

    async def main():
        fill(MANY)
        mailbox = measured()
        pid, ref = spawn_monitor(lambda: None)
        await sleep(0)
        assert pid.process is None
        demonitor(ref, flush=True)
        assert len(mailbox) == MANY
        return mailbox.steps

    assert runtime.run(main) < 100


@pytest.mark.parametrize("far", [2, split_mailbox.FAR])
@pytest.mark.parametrize("seed", range(15))
def test_what_is_taken_is_what_a_plain_look_from_the_front_would_take(monkeypatch, seed, far):
    """Marks, save pointers, blocks and parts only save work: the oldest that matches is taken, the rest keep order."""
    monkeypatch.setattr(split_mailbox, "FAR", far)
    chance = random.Random(seed)
    process: Any = SimpleNamespace(mailbox=deque(), arrived=0, pid=object())
    refs = [Ref(process)]
    waiting = None
    for _ in range(300):
        if chance.random() < 0.05:
            refs.append(Ref(process))
        for _ in range(chance.choice((0, 0, 1, 2, 60))):
            kind = chance.choice(("a", "b", chance.choice(refs[-3:])))
            process.mailbox.append((kind, process.arrived))
            process.arrived += 1
        kinds = chance.sample(["a", "b", *refs[-3:]], chance.choice((1, 1, 2)))
        request = waiting or Receive(tuple((kind, ...) for kind in kinds), None)
        wanted = {id(pattern[0]) for pattern in request.patterns}
        if waiting is None and process.mailbox and chance.random() < 0.4:
            oldest = process.mailbox[0]
            assert process.mailbox.popleft() is oldest  # a receive of any message
        before = list(process.mailbox)
        assert len(process.mailbox) == len(before)
        found = request.take(process)
        expected = next((message for message in before if id(message[0]) in wanted), NOT_FOUND)
        assert found is expected
        assert list(process.mailbox) == [message for message in before if message is not expected]
        waiting = request if found is NOT_FOUND and chance.random() < 0.7 else None
