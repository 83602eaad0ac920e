"""The cases p93 and p94, of ets: the order of keys and of a bag's values, and counters."""

from __future__ import annotations

import pytest

from midflight import Table, receive, self_, spawn

same, differs = pytest.mark.same, pytest.mark.differs

END = "$end_of_table"


@differs("A row is a key and a value; a bag's value that is there already keeps its place, as in OTP.")
def test_p93_ets_order(t, expected):
    """The default of first, next, previous and last is OTP's '$end_of_table'."""

    async def main():
        table = await Table.new(kind="ordered_set")
        t.o((table.first(END), table.last(END), table.next(1, END), table.previous(1, END)))
        for key in (30, 10, 20):
            table.insert(key, key * key)
        asked = (5, 10, 15, 20, 30, 99)
        t.o([table.next(key, END) for key in asked])
        t.o([table.previous(key, END) for key in asked])
        table.delete(20)
        t.o((table.next(10, END), table.previous(30, END), table.next(20, END)))
        table.insert(10, "again")
        t.o((table.items(), len(table)))
        t.o(table.take(10))
        t.o(table.items())
        bag = await Table.new(kind="bag")
        for value in ("c", "a", "b", "a"):
            bag.insert("k", value)
        t.o(bag.lookup("k"))
        t.o(bag.take("k"))
        t.o("k" in bag)

    t.run(main)

    rows = ("[{k,c},{k,a},{k,b}]", "[c,a,b]")
    assert t.printed == expected.but(("[{10,again}]", "again"), rows, rows)


@differs("lookup gives the value of a row, and what is not there is None.")
def test_p94_ets_counters(t, expected):
    """A refusal is a KeyError or a TypeError; the row is as it was."""

    def refused(function, *args):
        try:
            return function(*args)
        except (KeyError, TypeError):
            return "refused"

    async def main():
        table = await Table.new(access="public")
        t.o(tuple(table.update_counter("n", step, 10) for step in (1, -3, 0, 100)))
        t.o(refused(table.update_counter, "other", 1))
        t.o("other" in table)
        table.insert("w", "word")
        t.o(refused(table.update_counter, "w", 1))
        t.o(table.lookup("w"))

        async def count(pid):
            for _ in range(50):
                table.update_counter("sum", 1, 0)
            pid << "done"

        for _ in range(3):
            spawn(count, self_())
        for _ in range(3):
            await receive("done")
        t.o(table.lookup("sum"))
        bag = await Table.new(kind="bag")
        t.o(refused(bag.update_counter, "n", 1, 0))

    t.run(main)

    assert t.printed == expected.but(("[{w,word}]", "word"), ("[{sum,150}]", "150"))
