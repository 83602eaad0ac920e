"""The cases e22 to e26: Elixir's Task.yield, DynamicSupervisor, Registry, Application, and replies that come late."""

from __future__ import annotations

import pytest

from erlang.t import idle
from midflight import (
    NOREPLY,
    CallTimeout,
    ChildSpec,
    DynamicSupervisor,
    Exit,
    GenServer,
    ProcessExit,
    Registry,
    Supervisor,
    Task,
    call,
    cast,
    exit,
    is_alive,
    receive,
    reply,
    self_,
    sleep,
    spawn,
    trap_exit,
)
from midflight.otp import application
from midflight.otp.application import ApplicationSpec

same, differs = pytest.mark.same, pytest.mark.differs


def shown(value):
    """Return what Elixir prints of a value: nil for None."""
    return "nil" if value is None else value


@same
def test_e22_task_yield(t, expected):
    """yield_ and yield_many, as `yield` is a word of Python's."""

    async def slow(number):
        await sleep(number / 1000)
        return number

    async def boom():
        raise ProcessExit("boom")

    async def main():
        trap_exit(True)
        task = Task.start(lambda: slow_seven())
        t.o(shown(await task.yield_(0.01)))
        t.o(shown(await task.yield_(2)))
        t.o(shown(await Task.start(boom).yield_(1)))
        ended = Task.start(idle)
        ended.pid << ("die", "odd")
        t.o(shown(await ended.yield_(1)))
        tasks = [Task.start(slow, number) for number in (1, 900, 2)]
        t.o([shown(outcome) for _, outcome in await Task.yield_many(tasks, 0.4)])
        t.o(shown(await tasks[1].shutdown()))
        killed = Task.start(idle)
        exit(killed.pid, "kill")
        t.o(shown(await killed.yield_(1)))

    async def slow_seven():
        await t.s(0.06)
        return 7

    t.run(main)

    assert t.printed == expected


@same
def test_e23_dynamic_gives_up(t, expected):
    """max_restarts is the intensity."""

    async def active(supervisor):
        return (await Supervisor.count_children(supervisor))["active"]

    async def main():
        trap_exit(True)
        for restart in ("permanent", "transient", "temporary"):
            for why in ("normal", "boom"):
                supervisor = await DynamicSupervisor.start_link(intensity=1)
                spec = ChildSpec("x", idle, restart=restart)
                one, other = [await Supervisor.start_child(supervisor, spec) for _ in range(2)]
                one << ("die", why)
                await t.s()
                after_one = await active(supervisor)
                other << ("die", why)
                await t.s()
                t.o((restart, why, after_one, is_alive(supervisor) and await active(supervisor)))
                ended = await receive(Exit, timeout=0.03, default=None)
                t.o("lives" if ended is None else ended.reason)

    t.run(main)

    assert t.printed == expected


@differs("dispatch and unregister return None, where Elixir has the atom ok.")
def test_e24_registry_dispatch(t, expected):
    """The function of dispatch gets the entries of the key, as a list of (pid, value)."""
    news = Registry("news")

    async def other(pid):
        news.register("tea", 1)
        news.register("milk", 2)
        pid << "ready"
        await idle()

    def values(key):
        return tuple(sorted(value for _, value in news.lookup(key)))

    async def main():
        await Registry.start_link("news", "duplicate")
        me = self_()
        pid = spawn(other, me)
        t.o(await t.recv())
        news.register("tea", 10)
        t.o((values("tea"), values("milk"), values("salt")))
        t.o(news.dispatch("tea", lambda entries: me << (self_() == me, len(entries))))
        t.o(await t.recv())
        t.o(news.dispatch("salt", lambda entries: me << "called"))
        t.o(await t.recv(0.02))
        t.o((sorted(news.keys(pid)) == ["milk", "tea"], news.keys(me) == ["tea"], news.count()))
        t.o(news.unregister("milk"))
        t.o(news.unregister("tea"))
        t.o((values("tea"), values("milk"), news.count()))
        pid << "stop"
        await t.s()
        t.o((values("tea"), news.keys(pid), news.count()))

    t.run(main)

    assert t.printed == expected.but(*[("ok", "undefined")] * 4)


@differs("A second reply to one call is dropped; in Elixir it comes as a message.")
def test_e25_later_replies(t, expected):
    """NOREPLY, and reply(client, value) by whichever process."""

    class Server(GenServer):
        def init(self):
            self.waiting = {}

        def handle_call(self, request, client):
            match request:
                case ("later", number):
                    self.waiting[number] = client
                case ("other", number):
                    spawn(reply, client, ("from_other", number))
                case "twice":
                    reply(client, "first")
                    return "second"
            return NOREPLY

        def handle_cast(self, message):
            reply(self.waiting.pop(message[1]), message)

    async def later(pid, number, to):
        to << (number, await call(pid, ("later", number)))

    async def main():
        pid = await Server.start()
        for number in (1, 2):
            spawn(later, pid, number, self_())
            await t.s(0.01)
        for number in (2, 1):
            cast(pid, ("answer", number))
            t.o(await t.recv())
        t.o(await call(pid, ("other", 3)))
        t.o(await call(pid, "twice"))
        t.o(await t.recv(0.02))
        try:
            await call(pid, ("later", 4), 0.02)
        except CallTimeout:
            t.o("timeout")
        cast(pid, ("answer", 4))
        t.o(await t.recv(0.02))
        t.o(await call(pid, ("other", 5)))

    t.run(main)

    assert t.printed == expected.but(("{[alias|<REF>],second}", "nothing"))


@same
def test_e26_application_env(t, expected):
    """unset_env is OTP's name of delete_env; what returns nothing is Elixir's ok."""

    def get(key, *default):
        return shown(application.get_env("x26", key, *default))

    async def main():
        def load():
            application.load(ApplicationSpec("x26", vsn="1", env={"port": 80, "host": "a"}))

        def done(found):
            return "ok" if found is None else found

        t.o(get("port"))
        t.o(get("port", "none"))
        t.o(done(load()))
        t.o((get("port"), get("other"), get("other", 1)))
        t.o(done(application.put_env("x26", "port", None)))
        t.o(get("port", 1))
        t.o(done(application.unset_env("x26", "port")))
        t.o(get("port", 1))
        t.o(sorted(application.get_all_env("x26").items()))
        t.o(("ok", await application.ensure_all_started("x26")))
        t.o("x26" in [each.name for each in application.which_applications()])
        t.o(done(await application.stop("x26")))
        t.o(done(application.unload("x26")))
        t.o(get("host", "gone"))

    t.run(main)

    assert t.printed == expected
