"""Tables: rows that any process reads, with an owner, and kept over loads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.servers import end_of, settle, wait_for_ever
from midflight import (
    ChildSpec,
    NoSuchName,
    Supervisor,
    Table,
    TableTransfer,
    call,
    exit,
    receive,
    self_,
    spawn,
    whereis,
)
from midflight.otp.rows import KINDS, MISSING


@pytest.mark.parametrize(
    "wrong",
    [{"kind": "list"}, {"kind": []}, {"access": "open"}, {"heir": "me"}, {"name": ""}],
)
def test_what_cannot_be_a_table_is_none(runtime, wrong):
    """At once, and nothing is started."""

    async def main():
        with pytest.raises((TypeError, ValueError)):
            await Table.new(**wrong)

    runtime.run(main)


def test_a_key_must_have_a_hash(runtime):
    """As in a dict; the table is as it was."""

    async def main():
        table = await Table.new()
        with pytest.raises(TypeError, match="hash"):
            table.insert([], 1)
        return table.items()

    assert runtime.run(main) == []


def test_an_ordered_set_refuses_a_key_that_does_not_compare(runtime):
    """With the error of the comparison, and no row."""

    async def main():
        table = await Table.new(kind="ordered_set")
        table.insert(1, "one")
        with pytest.raises(TypeError):
            table.insert("a", "a")
        return table.items()

    assert runtime.run(main) == [(1, "one")]


def test_a_counter_of_a_bag_is_refused(runtime):
    """A bag has lists."""

    async def main():
        table = await Table.new(kind="bag")
        table.insert("n", 1)
        with pytest.raises(TypeError):
            table.update_counter("n")
        return table.lookup("n")

    assert runtime.run(main) == [1]


def test_a_supervised_table_is_public(runtime):
    """Its supervisor owns it; a new start is a new table."""

    async def main():
        await Supervisor.start_link([ChildSpec("shelf", Table, ("shelf",))])
        Table("shelf").insert("a", 1)
        before = Table("shelf").items()
        exit(whereis("shelf"), "kill")
        await settle()
        return before, Table("shelf").items()

    assert runtime.run(main) == ([("a", 1)], [])


def test_it_ends_with_its_owner(runtime):
    """Whatever the reason."""

    async def owner():
        await Table.new("shelf")
        await receive()

    async def main():
        pid = spawn(owner)
        await settle()
        await end_of(pid, "kill")
        await settle()
        with pytest.raises(NoSuchName):
            Table("shelf").items()

    runtime.run(main)


def test_who_gets_it_may_write(runtime):
    """From the call on, before the new owner has read the message."""

    async def other(pid):
        transfer = await receive(TableTransfer)
        Table(transfer.table).insert("b", 2)
        pid << (transfer.data, Table(transfer.table).items())

    async def main():
        table = await Table.new()
        table.insert("a", 1)
        table.give_away(spawn(other, self_()), "yours")
        with pytest.raises(PermissionError, match="nothing was changed"):
            table.insert("c", 3)
        return await receive()

    assert runtime.run(main) == ("yours", [("a", 1), ("b", 2)])


def test_a_table_is_not_given_to_the_dead(runtime):
    """Its rows would be gone; nor to its owner, who has it."""

    async def main():
        table = await Table.new()
        table.insert("a", 1)
        dead = spawn(settle)
        await end_of(dead)
        for pid, why in ((dead, "is not alive"), (self_(), "owns it already")):
            with pytest.raises(ValueError, match=why):
                table.give_away(pid)
        await settle()
        return table.items(), table.info()["owner"] is self_(), await receive(timeout=0, default="nothing")

    assert runtime.run(main) == ([("a", 1)], True, "nothing")


def test_a_table_whose_new_owner_has_ended_meanwhile_is_gone(runtime):
    """It has no heir."""

    async def main():
        table = await Table.new()
        other = spawn(wait_for_ever)
        table.give_away(other)
        exit(other, "kill")
        await settle()
        with pytest.raises(NoSuchName):
            len(table)

    runtime.run(main)


def test_a_counter_of_a_value_that_is_none_is_refused(runtime):
    """The key is there, so the default is not taken."""

    async def main():
        table = await Table.new()
        table.insert("a", None)
        with pytest.raises(TypeError):
            table.update_counter("a", 1, 5)
        return table.items()

    assert runtime.run(main) == [("a", None)]


def test_a_table_is_kept_over_loads(project, runtime):
    """It is in no module: the next version finds it by its name."""
    text = """
        from midflight import Table

        async def make():
            return await Table.new("shelf")

        def look():
            return {}, Table("shelf").lookup("a")
    """

    async def main():
        project.load_text("shop", text.format(1))
        import shop

        (await shop.make()).insert("a", [1])
        project.load_text("shop", text.format(2))
        return shop.look()

    assert runtime.run(main) == (2, [1])


def test_a_table_is_a_server_like_any_other(runtime):
    """It knows no calls of its own."""

    async def main():
        table = await Table.new("shelf")
        with pytest.raises(Exception, match="was called with"):
            await call("shelf", "rows")
        return repr(table)

    assert runtime.run(main) == "Table('shelf')"


keys = st.integers(0, 6)


@given(st.lists(st.tuples(st.sampled_from(["insert", "take", "clear"]), keys, st.integers(0, 3)), max_size=30), keys)
def test_an_ordered_set_is_a_sorted_dict(steps, at):
    """Items, and the neighbours of any key, there or not."""
    rows, model = KINDS["ordered_set"](), {}

    for step, key, value in steps:
        if step == "insert":
            rows.insert(key, value)
            model[key] = value
        elif step == "take":
            assert rows.take(key, None) == model.pop(key, None)
        elif value == 0:
            rows.clear()
            model.clear()

    assert rows.items() == sorted(model.items())
    assert rows.after(at) == min((key for key in model if key > at), default=MISSING)
    assert rows.before(at) == max((key for key in model if key < at), default=MISSING)


def test_the_neighbours_of_a_key_in_a_set():
    """In the order in which the keys came; a key that is not there has none."""
    rows = KINDS["set"]()
    for key in "bac":
        rows.insert(key, 1)

    assert (rows.after("b"), rows.before("c"), rows.after("c")) == ("a", "a", MISSING)
    with pytest.raises(KeyError):
        rows.after("x")
