"""A few rounds of chaos in the still world, and proofs that its rules can be broken and its seeds played again."""

from __future__ import annotations

from functools import partial

import pytest

from chaos.actions import loads
from chaos.invariants import check
from chaos.ledger import Broken
from chaos.player import Player
from chaos.record import Record
from chaos.still import play, still_world
from chaos.world import KINDS
from midflight import exit, link, unlink


@pytest.mark.parametrize("seed", ["1", "2", "3"])
def test_no_rule_is_broken_by_random_actions(seed):
    """Nothing lost, in order, every monitor once, the right version, nothing left behind: the rules of a round."""
    record = play(seed, rounds=4, steps=250)

    assert record.counts["messages"] > 100
    assert record.counts["good loads"] > 10
    assert record.counts["bad loads"] > 5
    assert record.counts["waits"] > 50


def test_a_seed_does_the_same_each_time():
    """So that a failure can be looked at: its seed is the way back to it."""
    first, second = (play("again", rounds=1, steps=150) for _ in range(2))

    assert first.last == second.last
    assert first.counts == second.counts


def test_a_failure_says_its_seed_and_the_last_actions(monkeypatch):
    """What is printed leads back to the moment."""
    monkeypatch.setattr("chaos.still.check", lambda world: world.ledger.fault("x") or check(world))

    with pytest.raises(Broken, match=r"(?s)x.*The last \d+ actions.*--seed told --steps 50 --first 0 --rounds 1"):
        play("told", rounds=1, steps=50)


def lost_letter(world, one, other):
    world.ledger.next_letter(one.number, other.number, "plain")


def doubled_letter(world, one, other):
    letter = world.ledger.next_letter(one.number, other.number, "plain")
    other.pid << letter
    other.pid << letter


def silent_end(world, one, other):
    exit(one.pid, "kill")


def forgotten_link(world, one, other):
    def link_and_forget(me):
        link(other.pid)
        unlink(other.pid)

    world.ledger.links.add(frozenset((one.number, other.number)))
    world.order(one, "link", link_and_forget)


def wrong_version(world, one, other):
    one.version = 99


def stray_message(world, one, other):
    one.pid << "nobody knows this"


@pytest.mark.parametrize(
    "breach", [lost_letter, doubled_letter, silent_end, forgotten_link, wrong_version, stray_message]
)
def test_a_breach_is_found(breach):
    """The rules can fail: each of these is one that they must see."""
    with still_world("breach", Record("")) as still:
        world = still.world
        world.open()
        players = [world.start() for _ in range(20)]
        still.rest()
        one, other = [each for each in players if each.kind != "server"][:2]

        breach(world, one, other)

        with pytest.raises(Broken):
            still.rest()


def test_a_leak_is_found():
    """A dead process that somebody keeps is seen when the round's accounts are closed."""
    with still_world("leak", Record("")) as still:
        still.world.open()
        player = still.world.start()
        still.rest()
        kept = player.pid.process

        with pytest.raises(Broken, match="records of 1 dead processes"):
            still.end_round()
        assert kept is not None


def test_a_load_between_a_spawn_and_the_first_step_is_no_breach():
    """The first step runs in the version of the spawn and calls the current one: the ledger goes along."""
    with still_world("early", Record("")) as still:
        world = still.world
        world.open()
        (line, *_) = world.lines = world.lines[:1]
        players = {kind: Player(world.ledger, line, kind, traps=False) for kind in KINDS if kind != "server"}

        def spawn_and_load(witness):
            for player in players.values():
                witness.start_here(player, witness)
            loads.load_good(witness)

        world.witness_does("spawn and load", spawn_and_load)
        still.rest()
        for player in players.values():
            world.order(player, "look", lambda me: None)
        still.rest()

        assert {kind: player.version for kind, player in players.items()} == {"tail": 1, "while": 1, "newest": 2}
        still.end_round()


def test_a_child_that_was_killed_before_the_witness_looked_is_no_breach():
    """Nobody can tell the witness why it ended, and the one that is linked to it has heard that."""
    with still_world("unseen", Record("")) as still:
        world = still.world
        world.open()
        parent = Player(world.ledger, world.lines[0], "tail", traps=False)
        world.witness_does("start", partial(world.start_here, parent))
        still.rest()

        def bear_and_kill(me):
            child = world.start(by=me, way="spawn_link")
            world.send_exit(child, "kill")

        world.order(parent, "bear and kill", bear_and_kill)
        still.rest()

        assert not parent.is_alive
        still.end_round()
