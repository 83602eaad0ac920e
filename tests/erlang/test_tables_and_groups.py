"""The cases p60 to p67 and e17: process groups, tables, and a registry as a hub."""

from __future__ import annotations

import pytest

from midflight import (
    AlreadyStarted,
    CallError,
    NoSuchName,
    Pid,
    PubSub,
    Ref,
    Table,
    TableTransfer,
    exit,
    is_alive,
    receive,
    self_,
    spawn,
    whereis,
)
from midflight.otp import pg

same, differs = pytest.mark.same, pytest.mark.differs


@differs('join returns None and leave whether it left; the scope comes last, and is "pg" by default.')
def test_p60_pg_groups(t, expected):
    """Groups are by a name of any kind."""

    def members(group):
        t.o(len(pg.get_members(group, "s")))

    async def join(group, pids):
        await pg.join(group, pids, "s")
        t.o("ok")

    async def leave(group, pids):
        t.o("ok" if await pg.leave(group, pids, "s") else "not_joined")

    async def main():
        await pg.start_link("s")
        a, b = t.pid(), t.pid()
        t.o(pg.get_members("g", "s"))
        t.o(pg.which_groups("s"))
        await join("g", a)
        await join("g", a)
        await join("g", [b, b])
        members("g")
        await leave("g", a)
        members("g")
        t.o(a in pg.get_members("g", "s"))
        for group in ("g", "g", "other"):
            await leave(group, a)
        members("g")
        t.o(pg.get_local_members("g", "s") == pg.get_members("g", "s"))
        await pg.join("h", b, "s")
        t.o(sorted(pg.which_groups("s")))
        b << "stop"
        await t.s()
        members("g")
        t.o(pg.which_groups("s"))
        await pg.join(("any", "term"), a, "s")
        t.o(pg.which_groups("s"))
        with pytest.raises(CallError) as error:
            await pg.join("g", a, "nobody")
        t.o(error.value.reason)

    t.run(main)

    assert t.printed == expected


@differs("demonitor returns True where OTP's returns ok.")
def test_p61_pg_monitor(t, expected):
    """A message is (ref, kind, group, pids)."""

    async def shown(ref, name):
        await t.s()
        for message in await t.mb():
            assert message[0] is ref
            t.o((name, (*message[1:3], len(message[3]))))

    async def main():
        await pg.start_link("s")
        a, b = t.pid(), t.pid()
        await pg.join("g", a, "s")
        ref, members = await pg.monitor("g", "s")
        t.o((len(members), type(ref) is Ref))
        await pg.join("g", [b, b], "s")
        await shown(ref, "joined")
        await pg.leave("g", b, "s")
        await shown(ref, "left")
        await pg.join("other", a, "s")
        await shown(ref, "other")
        await pg.leave("g", self_(), "s")
        await shown(ref, "not_joined")
        a << "stop"
        await shown(ref, "ended")
        t.o(await pg.demonitor(ref, "s"))
        await pg.join("g", t.pid(), "s")
        await shown(ref, "off")
        t.o(await pg.demonitor(ref, "s"))
        ref, groups = await pg.monitor_scope("s")
        t.o({group: len(members) for group, members in groups.items()})
        await pg.join("x", t.pid(), "s")
        await shown(ref, "scope")

    t.run(main)

    assert t.printed == expected.but(("ok", "true"))


@differs("A key and its value are two arguments, and what has no result returns None.")
def test_p63_ets_rows(t, expected):
    """Rows of a set, an ordered_set and a bag."""

    def rows(table, key):
        t.o([] if (value := table.lookup(key)) is None else [(key, value)])

    def done(_):
        t.o(True)

    async def main():
        table = await Table.new()
        rows(table, "a")
        for value in (1, 2):
            done(table.insert("a", value))
            rows(table, "a")
        t.o(table.insert_new("a", 3))
        t.o(table.insert_new("b", 3))
        t.o(len(table))
        t.o(("a" in table, "c" in table))
        t.o([("b", table.take("b"))])
        t.o([] if table.take("b") is None else "?")
        done(table.delete("a"))
        done(table.delete("a"))
        t.o(table.items())
        t.o(table.update_counter("n", 5, 0))
        t.o(table.update_counter("n", -2))
        with pytest.raises(KeyError):
            table.update_counter("nobody")
        t.o("refused")
        table.clear()
        t.o(len(table))
        ordered = await Table.new(kind="ordered_set")
        for key in (3, 1, 2):
            ordered.insert(key, "x")
        t.o(ordered.items())
        t.o((ordered.first(), ordered.next(1), ordered.last(), ordered.next(3, "$end_of_table")))
        bag = await Table.new(kind="bag")
        for value in (1, 2, 1):
            bag.insert("k", value)
        t.o([("k", value) for value in bag.lookup("k")])
        t.o(len(bag))
        t.o(bag.insert_new("k", 9))
        done(bag.delete("k"))
        t.o(bag.lookup("k"))
        await table.drop()
        t.o(True)
        with pytest.raises(NoSuchName):
            table.lookup("a")
        t.o("refused")

    t.run(main)

    assert t.printed == expected


@differs("What is not allowed is a PermissionError.")
def test_p64_ets_access(t, expected):
    """protected by default."""

    async def as_other(function, *args):
        async def other(pid):
            try:
                found = function(*args)
                if found is not None and not isinstance(found, int):
                    found = await found
                pid << ("done", True if found is None else [("a", found)])
            except PermissionError:
                pid << ("done", "refused")

        spawn(other, self_())
        return (await receive(("done", ...)))[1]

    async def main():
        for access in (None, "protected", "public", "private"):
            table = await Table.new(**({} if access is None else {"access": access}))
            table.insert("a", 1)
            said = [] if access is None else [access]
            asked = ((table.lookup, "a"), (table.insert, "b", 2), (table.delete, "a"), (table.drop,))
            t.o((said, *[await as_other(*each) for each in asked]))
            try:
                t.o([("a", table.lookup("a"))])
            except NoSuchName:
                t.o("gone")

    t.run(main)

    assert t.printed == expected


@same
def test_p66_ets_owner(t, expected):
    """An heir is a pid, and the message a TableTransfer."""

    async def owned(**options):
        async def owner(pid):
            table = await Table.new(**options)
            table.insert("a", 1)
            pid << ("table", table)
            match await receive():
                case ("give", to):
                    table.give_away(to, "gift")
                    await receive("stop")

        owner_pid = spawn(owner, self_())
        return owner_pid, (await receive(("table", ...)))[1]

    def is_there(table):
        try:
            return len(table) >= 0
        except NoSuchName:
            return False

    def got(message, pid):
        return ("transfer", message.from_pid == pid, message.data) if type(message) is TableTransfer else message

    async def main():
        p, table = await owned()
        p << "stop"
        await t.s()
        t.o((is_there(table), await t.recv(0.01)))
        q, table = await owned(heir=self_(), heir_data="legacy")
        t.o(table.info()["heir"] == self_())
        q << "stop"
        await t.s()
        t.o((is_there(table), got(await t.recv(0.01), q)))
        table.insert("b", 2)
        t.o((table.info()["owner"] == self_(), [("a", table.lookup("a"))], "b" in table))
        dead = t.pid()
        exit(dead, "kill")
        await t.s()
        r, table = await owned(heir=dead)
        r << "stop"
        await t.s()
        t.o(is_there(table))
        s, table = await owned()
        with pytest.raises(PermissionError):
            table.give_away(self_(), "x")
        t.o("refused")
        s << ("give", self_())
        t.o(got(await t.recv(), s))
        t.o(table.info()["owner"] == self_())
        for to in (dead, self_()):
            with pytest.raises(ValueError, match="stays"):
                table.give_away(to, "x")
            t.o(("badarg", table.info()["owner"] == self_()))
        s << "stop"
        await t.s()
        t.o(is_there(table))

    t.run(main)

    assert t.printed == expected


@differs("The name is that of the table's process, so no other process has it.")
def test_p67_ets_names(t, expected):
    """`Table(name)` is a handle, from anywhere."""

    async def main():
        table = await Table.new("shelf")
        t.o(table.dest)
        table.insert("a", 1)
        me = self_()
        spawn(lambda: me << [("a", Table("shelf").lookup("a"))])
        t.o(await t.recv())
        with pytest.raises(AlreadyStarted):
            await Table.new("shelf")
        t.o("refused")
        t.o(type(whereis("shelf")) is Pid)
        t.o(whereis("nobody"))
        await table.drop()
        t.o(whereis("shelf"))
        t.o((await Table.new("shelf")).dest)
        t.o([] if table.lookup("a") is None else "?")

    t.run(main)

    assert t.printed == expected


@same
def test_e17_pub_sub(t, expected):
    """PubSub has a broadcast for it."""

    async def listener(topic, pid):
        PubSub("hub").subscribe(topic)
        pid << "ready"
        while True:
            match await receive():
                case ("said", what):
                    pid << ("heard", what)
                case "leave":
                    PubSub("hub").unsubscribe(topic)
                    pid << "left"
                case "stop":
                    return

    async def start(topic):
        pid = spawn(listener, topic, self_())
        await receive("ready")
        return pid

    def say(topic, what):
        PubSub("hub").broadcast(topic, ("said", what))

    async def main():
        await PubSub.start_link("hub")
        say("lobby", "nobody")
        t.o("ok")
        a, b, c = [await start(topic) for topic in ("lobby", "lobby", "attic")]
        say("lobby", "hello")
        t.o(await t.mb())
        say("attic", "hello")
        t.o(await t.mb())
        a << "leave"
        t.o(await t.recv())
        say("lobby", "again")
        t.o(await t.mb())
        b << "stop"
        await t.s()
        say("lobby", "alone")
        t.o(await t.mb())
        t.o(len(PubSub("hub").subscribers("lobby")))
        t.o(is_alive(c))

    t.run(main)

    assert t.printed == expected
