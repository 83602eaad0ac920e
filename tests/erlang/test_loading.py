"""The cases h* about loading: what is refused, the third version, the life of a module. Each test prints its lines."""

from __future__ import annotations

import sys

import pytest

from erlang.versions import QUALIFIED_LOOP, has_old_code, version
from midflight import code, exit, is_alive, receive, self_, spawn, spawn_monitor
from midflight.errors import LoadError, NotPurged

same, differs = pytest.mark.same, pytest.mark.differs

ANSWERING_LOOP = """
    from midflight import receive

    async def loop():
        _, pid = await receive(("v", ...))
        pid << VERSION
        return loop()
"""


# --- What is refused --------------------------------------------------------------------------------


@same
def test_h24_compile_error_changes_nothing(t, expected):
    """A call of what is not defined is found before the load, as Erlang's compiler does."""

    async def main():
        m = t.load(QUALIFIED_LOOP.replace('("v", VERSION)', "1"))
        pid = spawn(m.loop)
        await t.s()
        with pytest.raises(LoadError) as refused:
            t.load("async def loop(): return nosuch()")
        assert refused.value.report.refusals[0].code == "undefined-name"
        t.o(("error", "compile_error"))
        t.o(("old", has_old_code()))
        pid << ("v", self_())
        t.o(await t.recv())

    t.run(main)

    assert t.printed == expected


@differs(
    "What runs before a version is current is the module's body: if it raises, the load is refused. `@on_load` "
    "functions run after the swap, so their errors are warnings."
)
def test_h25_on_load_failure(t, expected):
    """Whatever the body raises, the version before stays current."""

    async def main():
        m = t.load("def v(): return 1")
        for failure in ('raise RuntimeError("no")', 'raise SystemExit("boom")'):
            with pytest.raises(LoadError) as refused:
                t.load(f"def v(): return 2\n{failure}")
            assert refused.value.report.refusals[0].code == "body"
            t.o(("error", "on_load_failure"))
            t.o(("v", m.v()))
            if "no" in failure:
                t.o(("old", has_old_code()))
        source = """
            from midflight import code

            @code.on_load
            def init():
                raise RuntimeError("no")

            def v():
                return 3
        """
        report = code.load(t.file(source))
        (warning,) = report.warnings
        assert "RuntimeError: no" in warning.message
        assert m.v() == 3

    t.run(main)

    assert t.printed == expected


@same
def test_h51_failed_compile_kills_nobody(t, expected):
    """Those in the old version and those in the current one live on. The compiler's words are each language's own."""

    async def main():
        m = t.load(version(ANSWERING_LOOP, 1))
        old = spawn(m.loop)
        await t.s()
        t.load(version(ANSWERING_LOOP, 2))
        new = spawn(m.loop)
        await t.s()
        with pytest.raises(LoadError, match=r"m not loaded: line 6, .* Version \d+ stays current"):
            t.load(version(ANSWERING_LOOP, "nosuch("))
        t.o("error")
        for pid in (old, new):
            pid << ("v", self_())
            t.o(await t.recv())
        t.o(("old_still_there", has_old_code()))

    t.run(main)

    assert t.printed == expected[expected.index("error") :]


@same
def test_h40_atomic_group_load(t, expected):
    """Together or not at all; the refusal names the one that is to blame."""

    async def main():
        files = [t.file("def v(): return 1", name) for name in ("a", "b")]
        code.load_many(files)
        a, b = sys.modules["a"], sys.modules["b"]
        t.o("ok")
        t.o((a.v(), b.v()))
        t.file("def v(): return 2", "a")
        t.file("junk(", "b")
        with pytest.raises(LoadError) as refused:
            code.load_many(files)
        t.o(("error", [(refused.value.report.module, "badfile")]))
        t.o((a.v(), b.v()))

    t.run(main)

    assert t.printed == expected


# --- The third version ------------------------------------------------------------------------------


@differs("A load kills nobody: there are as many versions as are run.")
def test_h37_c_purges_by_force(t, expected):
    """The third load is like the second."""

    async def main():
        m = t.load(version(ANSWERING_LOOP, 1))
        t.o(("ok", "m"))
        pid, ref = spawn_monitor(m.loop)
        await t.s()
        for number in (2, 3):
            t.load(version(ANSWERING_LOOP, number))
            t.o(("ok", "m"))
            t.o(("alive", is_alive(pid)))
            pid << ("v", self_())
            t.o(await t.recv())
        t.o(await receive((ref, ..., ...), timeout=1, default="nothing"))

    t.run(main)

    assert t.printed == expected.but(("{alive,false}", "{alive,true}", "1"), ("{down,killed}", "nothing"))


@differs("Only on request: `two_versions=True` gives Erlang's limit, and the refusal is `NotPurged`.")
def test_h46_load_file_not_purged(t, expected):
    """The process in the old version lives."""
    source = """
        from midflight import receive

        def v():
            return VERSION

        async def loop():
            _, pid = await receive(("v", ...))
            pid << v()
            return loop()
    """

    async def main():
        m = t.load(version(source, 1), two_versions=True)
        t.o(("module", m.__name__))
        pid = spawn(m.loop)
        await t.s()
        t.o(("module", t.load(version(source, 2), two_versions=True).__name__))
        with pytest.raises(NotPurged):
            t.load(version(source, 3), two_versions=True)
        t.o(("error", "not_purged"))
        t.o(("current", m.v()))
        t.o(("alive", is_alive(pid)))
        t.load(version(source, 3))  # without it, there is no limit
        assert (m.v(), is_alive(pid)) == (3, True)

    t.run(main)

    assert t.printed == expected


@differs("A load kills nobody, of an unchanged file neither.")
def test_h52_l_purges_by_force(t, expected):
    """The same file three times is three versions."""
    source = """
        from midflight import receive

        async def loop():
            await receive("x")
            return loop()
    """

    async def main():
        m = t.load(source)
        pid, ref = spawn_monitor(m.loop)
        await t.s()
        for _ in range(2):
            code.load("m")
            t.o(("module", "m"))
            t.o(is_alive(pid))
        t.o(await receive((ref, ..., ...), timeout=1, default="nothing"))

    t.run(main)

    assert t.printed == expected.but(("{down,killed}", "true", "nothing"))


# --- The life of a module ---------------------------------------------------------------------------


@same
def test_h27_vsn_attribute(t, expected):
    """`__vsn__`, else a digest of the text, equal for equal text. OTP's is a number, ours is hexadecimal digits."""

    def vsn(source):
        t.load(source)
        (current,) = (each for each in code.versions("m") if each.is_current)
        return current.vsn

    async def main():
        t.printed.append('"{}"'.format(vsn("__vsn__ = '1.2'")))
        a, b, c = vsn("def v(): return 1"), vsn("def v(): return 1"), vsn("def v(): return 2")
        t.o((int(a, 16) > 0, a == b, a == c))

    t.run(main)

    assert t.printed == expected


@differs(
    "An old version that nobody runs goes by itself, so there is none after a load that nobody was caught by. "
    "`is_loaded` tells the file or None."
)
def test_h28_is_loaded(t, expected):
    """What is known of a module from its first load to after its end."""

    def st(when):
        path = code.is_loaded("m")
        loaded = False if path is None else ("file", path.removeprefix(f"{t.folder}/"))
        t.o((when, loaded, path is not None, has_old_code()))

    async def main():
        source = "def v(): return 1"
        st("never")
        t.load(source)
        st("one")
        t.load(source)
        st("two")
        code.purge("m")
        st("purged")
        code.delete("m")
        st("deleted")
        code.purge("m")
        st("gone")

    t.run(main)

    assert t.printed == expected.but(
        ('{one,{file,"src"},true,false}', "{one,{file,'m.py'},true,false}"),
        ('{two,{file,"src"},true,true}', "{two,{file,'m.py'},true,false}"),
        ('{purged,{file,"src"},true,false}', "{purged,{file,'m.py'},true,false}"),
        ("{deleted,false,false,true}", "{deleted,false,false,false}"),
    )


@same
def test_h36_modified_modules(t, expected):
    """What is loaded is compared with the file; `load_modified` loads those that differ."""

    def is_modified():
        return "mm" in code.modified_modules()

    async def main():
        mm = t.load("def v(): return 1", "mm")
        t.o(("v", mm.v(), is_modified()))
        t.file("def v(): return 2", "mm")
        t.o(("v", mm.v(), is_modified()))
        t.o([("module", report.module) for report in code.load_modified()])
        t.o(("v", mm.v(), is_modified()))
        t.file("def v(): return 3", "mm")
        t.o(("module", code.load("mm").module))
        t.o(("v", mm.v(), is_modified()))

    t.run(main)

    assert t.printed == expected


@differs("An old version that nobody runs goes by itself: there is none after the call that loads the module again.")
def test_h48_deleted_module_autoload(t, expected):
    """A module that was deleted is loaded from its file when something is read from it."""

    async def main():
        mm = t.load("def v(): return 1", "mm")
        t.o(mm.v())
        t.file("def v(): return 2", "mm")
        t.o(mm.v())
        t.o(code.delete("mm"))
        t.o(mm.v())
        t.o(has_old_code("mm"))

    t.run(main)

    assert t.printed == expected.but(("true", "true"), ("true", "false"))


def test_deleted_code_runs_on(t):
    """H31: what was current becomes old by `delete`, and its processes live."""

    async def main():
        m = t.load(version(ANSWERING_LOOP, 1))
        pid = spawn(m.loop)
        await t.s()
        assert code.delete("m")
        assert code.check_process_code(pid, "m")
        pid << ("v", self_())
        t.o(await t.recv())
        exit(pid, "kill")

    t.run(main)

    assert t.printed == ["1"]
