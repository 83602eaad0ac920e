"""The cases p101 to p105: lists of children, the outcomes of starts, and the callers of a server that ends."""

from __future__ import annotations

import pytest

from erlang.t import idle
from midflight import (
    IGNORE,
    NOREPLY,
    CallError,
    ChildSpec,
    Exit,
    GenServer,
    InitFailed,
    ProcessExit,
    Supervisor,
    call,
    cast,
    is_alive,
    receive,
    self_,
    spawn,
    spawn_link,
    started,
    trap_exit,
    whereis,
)

same, differs = pytest.mark.same, pytest.mark.differs


async def counts(supervisor):
    """Return how many specs there are, and how many of them are active, supervisors and workers."""
    found = await Supervisor.count_children(supervisor)
    return [found[key] for key in ("specs", "active", "supervisors", "workers")]


@same
def test_p101_child_lists(t, expected):
    """A function that returns IGNORE wants no process now; None as the pid is OTP's undefined.

    which_children has the first child first, where OTP's has the last one.
    """

    async def show(supervisor):
        children = await Supervisor.which_children(supervisor)
        t.o([(child.id, None if child.pid is None else "pid", child.type) for child in children])
        t.o(await counts(supervisor))

    async def pid(supervisor, wanted):
        return {child.id: child.pid for child in await Supervisor.which_children(supervisor)}[wanted]

    async def main():
        supervisor = await Supervisor.start_link(
            [
                ChildSpec("a", idle),
                ChildSpec("b", lambda: IGNORE),
                ChildSpec("c", lambda: IGNORE, restart="temporary"),
                ChildSpec("d", idle, restart="transient", type="supervisor"),
                ChildSpec("e", idle, restart="temporary"),
            ],
            intensity=9,
        )
        await show(supervisor)
        t.o("ok" if await Supervisor.terminate_child(supervisor, "a") is None else "error")
        await show(supervisor)
        (await pid(supervisor, "d")) << "stop"
        (await pid(supervisor, "e")) << ("die", "boom")
        await t.s()
        await show(supervisor)
        t.o("ok" if await Supervisor.restart_child(supervisor, "d") is not None else "error")
        t.o(await Supervisor.restart_child(supervisor, "b"))
        await show(supervisor)
        for wanted in ("b", "a"):
            t.o("ok" if await Supervisor.delete_child(supervisor, wanted) is None else "error")
        await show(supervisor)

    t.run(main)

    assert t.printed == expected


@same
def test_p102_simple_one_for_one(t, expected):
    """start_child takes the further arguments."""

    def start(first, to, second):
        if second == "no":
            raise LookupError(first)
        return spawn_link(child, first, to, second)

    async def child(first, to, second):
        to << (first, second)
        await idle()

    async def ids(supervisor):
        return [child.id for child in await Supervisor.which_children(supervisor)]

    async def main():
        for restart in ("permanent", "temporary"):
            spec = ChildSpec("x", start, ("first", self_()), restart=restart)
            supervisor = await Supervisor.start_link([spec], "simple_one_for_one", 3)
            t.o((restart, await ids(supervisor), await counts(supervisor)))
            one = await Supervisor.start_child(supervisor, ("second",))
            t.o(await t.recv())
            two = await Supervisor.start_child(supervisor, ("third",))
            t.o(await t.recv())
            try:
                await Supervisor.start_child(supervisor, ("no",))
            except LookupError as error:
                t.o(("error", error.args[0]))
            t.o((await ids(supervisor), await counts(supervisor)))
            one << ("die", "boom")
            t.o(await t.recv(0.03))
            t.o((is_alive(two), await counts(supervisor)))
            t.o("ok" if await Supervisor.terminate_child(supervisor, two) is None else "error")
            t.o((is_alive(two), await counts(supervisor)))
            t.o("ok" if await Supervisor.terminate_child(supervisor, two) is None else "error")

    t.run(main)

    assert t.printed == expected


@same
def test_p103_start_child(t, expected):
    """A start that fails raises, and nothing of it is kept."""

    def ends():
        raise ProcessExit("no_disk")

    def fails():
        raise OSError("no disk")

    async def main():
        supervisor = await Supervisor.start_link([])
        starts = {
            "ok": idle,
            "ignore": lambda: IGNORE,
            "error": fails,
            "exit": ends,
            "nonsense": lambda: "nonsense",
        }
        for restart in ("permanent", "transient", "temporary"):
            for how, start in starts.items():
                try:
                    pid = await Supervisor.start_child(supervisor, ChildSpec((how, restart), start, restart=restart))
                    said = ("ok", None) if pid is None else "started"
                except (OSError, InitFailed, TypeError):
                    said = "error"
                kept = [
                    (child.id, None if child.pid is None else "pid")
                    for child in await Supervisor.which_children(supervisor)
                    if child.id == (how, restart)
                ]
                t.o((restart, how, said, kept))
        t.o(is_alive(supervisor))

    t.run(main)

    assert t.printed == expected


@same
def test_p104_tree_that_fails(t, expected):
    """start_link raises the reason."""

    async def child(name, to):
        trap_exit(True)
        to << ("starts", name)
        started()
        reason = (await receive(Exit)).reason
        to << ("stops", name, reason)
        raise ProcessExit(reason)

    def spec(name, to):
        return ChildSpec(name, child, (name, to), name=name, waits=True)

    def bad(to):
        to << "fails"
        raise OSError("no disk")

    def failing(to):
        children = [spec("a", to), spec("b", to), ChildSpec("c", bad, (to,)), spec("d", to)]
        return Supervisor.start_link(children, name="x104")

    def outer(to):
        return Supervisor.start_link([spec("first", to), ChildSpec("inner", failing, (to,), type="supervisor")])

    async def main():
        trap_exit(True)
        for name, start in (("fails", failing), ("outer", outer)):
            try:
                await start(self_())
            except InitFailed:
                t.o((name, "error"))
            t.o([message for message in await t.mb() if type(message) is not Exit])
            t.o([whereis(each) for each in ("x104", "a", "b", "first")])

    t.run(main)

    assert t.printed == expected


@differs("A cast to a name that nobody has is dropped too, and returns None.")
def test_p105_callers_of_a_crash(t, expected):
    """The reason of the CallError is that of the server's end."""

    class Server(GenServer):
        def init(self):
            self.count = 0

        def handle_call(self, request, client):
            if request == "wait":
                return NOREPLY
            self.count += 1
            return self.count

        def handle_cast(self, message):
            raise ProcessExit(message[1])

    async def waits(number, to):
        try:
            await call("x105", "wait")
        except CallError as error:
            to << (number, error.reason)

    async def main():
        await Supervisor.start_link([ChildSpec("x", Server, name="x105")], intensity=9)
        t.o([await call("x105", "count") for _ in range(2)])
        for number in (1, 2, 3):
            spawn(waits, number, self_())
        await t.s()
        cast("x105", ("die", "boom"))
        cast("x105", "lost")
        t.o(sorted([await t.recv() for _ in range(3)]))
        await t.s()
        t.o([await call("x105", "count") for _ in range(2)])
        t.o(cast("nobody_105", "x"))
        try:
            await call("nobody_105", "x")
        except CallError as error:
            t.o(error.reason)

    t.run(main)

    assert t.printed == expected.but(("ok", "undefined"))
