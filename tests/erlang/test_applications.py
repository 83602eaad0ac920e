"""The cases p80 to p85: applications, their environment, their callbacks, and their ends."""

from __future__ import annotations

import pytest

from erlang.t import idle
from midflight import (
    ApplicationError,
    Exit,
    ProcessExit,
    monitor,
    receive,
    register,
    self_,
    send,
    spawn,
    spawn_link,
    trap_exit,
)
from midflight.otp import application
from midflight.otp.application import ApplicationSpec

same, differs = pytest.mark.same, pytest.mark.differs


async def top(ends=None):
    """End with the reason of an exit signal, which is told first."""
    trap_exit(True)
    reason = (await receive(Exit)).reason
    if ends is not None:
        ends(reason)
    raise ProcessExit(reason)


def running(*names):
    return [each.name for each in application.which_applications() if each.name in names]


@same
def test_p80_application_start(t, expected):
    """Refusals are ApplicationError, with OTP's reason; what returns nothing is Erlang's ok."""
    specs = {}

    class Module:
        def start(kind, name):
            t.o(("starts", name))
            return spawn_link(top)

    def load(name, needs):
        specs[name] = ApplicationSpec(name, Module, name, needs, description=f"of {name}", vsn="1")
        application.load(specs[name])

    def said(name, reason):
        """Show the reason as OTP does, whose already_loaded has the whole application in it."""
        if reason[0] != "already_loaded":
            return "error", reason
        facts = [
            ("description", specs[name].description.encode()),
            ("vsn", specs[name].vsn.encode()),
            ("modules", []),
            ("registered", []),
            ("applications", list(specs[name].applications)),
            ("mod", ("p80_application_start", name)),
        ]
        return "error", ("already_loaded", ("application", name, facts))

    async def answer(function, *args):
        try:
            found = function(*args)
            found = await found if hasattr(found, "__await__") else found
        except ApplicationError as error:
            return said(error.application, error.reason)
        return "ok" if found is None else ("ok", found)

    async def main():
        loads = [("x80a", ()), ("x80b", ("x80a",)), ("x80c", ("x80b", "x80a")), ("x80a", ())]
        t.o([await answer(load, *each) for each in loads])
        t.o(await answer(application.start, "x80c"))
        t.o(await answer(application.ensure_all_started, "x80c"))
        t.o(await answer(application.ensure_all_started, "x80c"))
        names = ("x80a", "x80b", "x80c")
        t.o(running(*names))
        (facts,) = [each for each in application.which_applications() if each.name == "x80b"]
        t.o((facts.name, facts.description.encode(), facts.vsn.encode()))
        t.o(await answer(application.start, "x80a"))
        t.o(await answer(application.ensure_started, "x80a"))
        t.o(await answer(application.unload, "x80a"))
        t.o(await answer(application.stop, "x80a"))
        t.o(await answer(application.stop, "x80a"))
        t.o(running(*names))
        t.o(await answer(application.unload, "x80a"))
        t.o(await answer(application.unload, "x80a"))
        t.o(sorted(each.name for each in application.loaded_applications()))
        t.o([await answer(application.stop, "x80c"), await answer(application.stop, "x80b")])

    t.run(main)

    strings = [line.replace('<<"', '"').replace('">>', '"') for line in t.printed]
    assert strings == expected


@same
def test_p81_application_env(t, expected):
    """One that is not there is the default, here as with get_env/3; a value is Erlang's {ok, Value}."""
    missing = object()

    def get(key):
        found = application.get_env("x81", key, missing)
        return "undefined" if found is missing else ("ok", found)

    async def main():
        def load():
            application.load(ApplicationSpec("x81", vsn="1", env={"port": 80, "hosts": ["a"]}))
            return "ok"

        t.o(application.get_env("x81", "port", "none"))
        application.put_env("x81", "early", 1)
        t.o(application.get_env("x81", "early", "none"))
        t.o(load())
        t.o([application.get_env("x81", key, "none") for key in ("port", "hosts", "early", "other")])
        t.o("ok" if application.put_env("x81", "port", 8080) is None else "error")
        t.o(get("port"))
        t.o(get("other"))
        for _ in range(2):
            t.o("ok" if application.unset_env("x81", "port") is None else "error")
        t.o(application.get_env("x81", "port", "gone"))
        t.o(sorted(application.get_all_env("x81").items()))
        t.o("ok" if await application.start("x81") is None else "error")
        t.o("ok" if await application.stop("x81") is None else "error")
        application.unload("x81")
        t.o(sorted(application.get_all_env("x81").items()))
        t.o(load())
        t.o(application.get_env("x81", "port", "none"))

    t.run(main)

    assert t.printed == expected


@same
def test_p82_application_phases(t, expected):
    """It is not among those that run until the phases are done."""

    class Module:
        def start(kind, args):
            t.o(("start", kind, args))
            return spawn_link(top, lambda reason: t.o(("tree_ends", reason))), ["state"]

        async def start_phase(phase, kind, args):
            t.o(("start_phase", phase, kind, args, running("x82") != []))

        def prep_stop(state):
            t.o(("prep_stop", state))
            return ["prepared", *state]

        def stop(state):
            t.o(("stop", state))

    async def main():
        phases = [("warm", [1]), ("open", [])]
        application.load(ApplicationSpec("x82", Module, ["arg"], start_phases=phases))
        t.o("ok" if await application.start("x82") is None else "error")
        t.o(running("x82") != [])
        t.o("ok" if await application.stop("x82") is None else "error")
        t.o(running("x82") != [])

    t.run(main)

    assert t.printed == expected


@differs("The state of a start that returns only a pid is None, where OTP's is [].")
def test_p83_application_fails(t, expected):
    """An error is an exception that start raises, or an exit of its own."""

    async def dies():
        raise ProcessExit("early")

    class Module:
        async def start(kind, how):
            match how:
                case "error":
                    raise ConnectionError("no_disk")
                case "bad":
                    return "nonsense"
                case "raise":
                    raise ProcessExit("boom")
                case "dies":
                    pid = spawn_link(dies)
                    await t.s()
                    return pid
            return spawn_link(idle)

        def start_phase(phase, kind, args):
            raise TimeoutError("cold")

        async def stop(state):
            await t.s(0.01)
            t.o(("stop", state))

    def kind(reason):
        if isinstance(reason, Exception):
            return "error", str(reason)
        return reason if type(reason) is tuple else ("error", reason)

    async def main():
        for how in ("error", "bad", "raise", "dies", "phase"):
            phases = [("warm", [])] if how == "phase" else ()
            application.load(ApplicationSpec(f"x83{how}", Module, how, start_phases=phases))
            try:
                await application.start(f"x83{how}")
                t.o((how, "ok"))
            except ApplicationError as error:
                t.o((how, kind(error.reason)))
            await t.s()
            t.o(running(f"x83{how}") != [])
            application.unload(f"x83{how}")

    t.run(main)

    assert t.printed == expected.but(("{stop,[]}", "{stop,undefined}"))


@same
def test_p84_application_ends(t, expected):
    """The reports are on the logger midflight.application."""

    async def named(name):
        register(name, self_())
        await idle()

    class Module:
        def start(kind, name):
            return spawn_link(named, name)

    def left():
        return sorted(running("x84a", "x84b"))

    async def main():
        for name in ("x84a", "x84b"):
            application.load(ApplicationSpec(name, Module, name))
        await application.start("x84b")
        for restart, why in (("temporary", "normal"), ("temporary", "boom"), ("transient", "normal")):
            await application.start("x84a", restart)
            t.o((restart, why, left()))
            await t.s()
            send("x84a", ("die", why))
            await t.s()
            t.o(left())
        for restart in ("temporary", "transient", "permanent"):
            await application.start("x84a", restart)
            await application.stop("x84a")
            t.o(("stopped", restart, left()))

    t.run(main)

    assert t.printed == expected


@same
def test_p85_get_application(t, expected):
    """A process is of the application of the process that has spawned it."""

    async def child(pid):
        spawn(orphan, pid)

    async def orphan(pid):
        pid << ("orphan", self_())
        await idle()

    async def tree(pid):
        trap_exit(True)
        pid << ("child", self_(), spawn(child, pid))
        raise ProcessExit((await receive(Exit)).reason)

    class Module:
        def start(kind, pid):
            return spawn_link(tree, pid)

    def whose(pid):
        found = application.get_application(pid)
        return found if found is None else ("ok", found)

    async def main():
        application.load(ApplicationSpec("x85", Module, self_()))
        await application.start("x85")
        _, first, _ = await receive(("child", ..., ...))
        _, orphaned = await receive(("orphan", ...))
        t.o(whose(first))
        t.o(whose(orphaned))
        t.o(whose(self_()))
        watch = monitor(orphaned)
        t.o("ok" if await application.stop("x85") is None else "error")
        t.o((await receive(lambda message: message[0] == watch)).reason)
        t.o(whose(orphaned))

    t.run(main)

    assert t.printed == expected
