"""A supervisor of a class of its own is asked for its children again when its module is upgraded."""

from __future__ import annotations

import asyncio
from functools import partial
from textwrap import indent

import pytest

from helpers.servers import pids_of, settle
from midflight import ChildSpec, InitFailed, Supervisor, call, code, exit, is_alive, register, self_, send, whereis
from midflight.code import UpgradeError, lowlevel

TEXT = """\
from midflight import ChildSpec, GenServer, Supervisor, receive, register, send, trap_exit
import app


class Till(GenServer):
    def init(self, total=0):
        self.total = total

    def handle_call(self, request, client):
        return VERSION, self.total

{of_till}

class Stubborn(GenServer):
    def init(self, name):
        trap_exit(True)
        self.name = name

    def terminate(self, reason):
        send("test", (self.name, reason))


class Broken(GenServer):
    def init(self):
        raise ValueError("no table")


VERSION = {version}


class Tree(Supervisor):
    {options}

    def init(self, *args):
{body}


def started(name):
    return ChildSpec(name, Stubborn, (name,), name=name)
"""


@pytest.fixture
def tree(project):
    """Return a function that writes a version of app.py: `body` is that of Tree.init, `options` its attributes."""

    def write(version, body, options="pass", of_till=""):
        text = TEXT.format(version=version, body=indent(body, " " * 8), options=options, of_till=of_till)
        return project.write("app.py", text)

    return write


def children(*names):
    """Return an init that has these children."""
    return f"return [started(name) for name in {names!r}]"


async def heard():
    """Return the messages that have come to the test."""
    from midflight import receive

    found = []
    while (message := await receive(timeout=0, default=None)) is not None:
        found.append(message)
    return found


async def start(path, *args):
    """Load version 1 and start its tree."""
    register("test", self_())
    await asyncio.to_thread(code.load, path)
    import app

    return await app.Tree.start_link(*args)


def test_children_are_added_and_removed(tree, runtime):
    """Added ones run at once, kept ones stay the same processes, removed ones have stopped."""

    async def main():
        supervisor = await start(tree(1, children("a", "b")))
        before = await pids_of(supervisor)
        await code.upgrade(tree(2, children("b", "c")))
        after = await pids_of(supervisor)
        return list(after), after["b"] == before["b"], is_alive(before["a"]), whereis("c") == after["c"], await heard()

    assert runtime.run(main) == (["b", "c"], True, False, True, [("a", "shutdown")])


def test_removed_children_stop_in_the_reverse_order(tree, runtime):
    """As when the supervisor ends."""

    async def main():
        await start(tree(1, children("a", "b", "c", "d")))
        await code.upgrade(tree(2, children("b")))
        await settle()
        return await heard()

    assert runtime.run(main) == [("d", "shutdown"), ("c", "shutdown"), ("a", "shutdown")]


def test_the_order_is_that_of_the_new_version(tree, runtime):
    """So the children stop in its reverse from then on."""

    async def main():
        supervisor = await start(tree(1, children("a", "b")))
        await code.upgrade(tree(2, children("c", "b", "a")))
        order = list(await pids_of(supervisor))
        exit(supervisor, "normal")
        await settle()
        return order

    assert runtime.run(main) == ["c", "b", "a"]


def test_changed_arguments_count_at_the_next_start(tree, runtime):
    """The child runs on with the old ones until then."""
    one = 'return [ChildSpec("till", Till, (1,), name="till")]'

    async def main():
        await start(tree(1, one))
        await code.upgrade(tree(2, one.replace("1", "2")))
        before = await call("till", "get")
        exit(whereis("till"), "boom")
        await settle()
        return before, await call("till", "get")

    assert runtime.run(main) == ((2, 1), (2, 2))


def test_new_children_run_the_new_version(tree, runtime):
    """They start before it is current: with its classes all the same."""

    async def main():
        await start(tree(1, "return []"))
        await code.upgrade(tree(2, 'return [ChildSpec("till", Till, (5,), name="till")]'))
        return await call("till", "get")

    assert runtime.run(main) == (2, 5)


def test_a_child_that_does_not_start_undoes_it_all(tree, runtime):
    """Those started before it are stopped; code and children are as they were."""
    broken = 'return [*map(started, ("a", "c")), ChildSpec("d", Broken), started("e")]'

    async def main():
        supervisor = await start(tree(1, children("a", "b")))
        before = await pids_of(supervisor)
        with pytest.raises(UpgradeError) as caught:
            await code.upgrade(tree(2, broken))
        await settle()
        return await pids_of(supervisor) == before, await heard(), whereis("c"), whereis("e"), caught.value

    is_same, said, *gone, error = runtime.run(main)
    assert (is_same, said, gone) == (True, [("c", "shutdown")], [None, None])
    assert isinstance(error.__cause__, InitFailed)
    assert "ValueError('no table')" in str(error)
    assert "init of <0." in str(error)
    assert code.versions("app")[-1].version == 1


def test_another_server_that_fails_undoes_it_too(tree, runtime):
    """The children that had been started already are stopped."""
    other = "    def code_change(self, old_vsn, extra):\n        return 1 / 0\n"

    async def main():
        supervisor = await start(tree(1, children("a")))
        import app

        await app.Till.start()
        with pytest.raises(UpgradeError):
            await code.upgrade(tree(2, children("a", "b"), of_till=other))
        await settle()
        return list(await pids_of(supervisor)), await heard(), whereis("b")

    assert runtime.run(main) == (["a"], [("b", "shutdown")], None)


def test_children_added_on_request_stay(tree, runtime):
    """init did not name them before, so it does not remove them."""

    async def main():
        supervisor = await start(tree(1, children("a")))
        import app

        await Supervisor.start_child(supervisor, app.started("guest"))
        await code.upgrade(tree(2, children("b")))
        return list(await pids_of(supervisor))

    assert runtime.run(main) == ["b", "guest"]


def test_a_child_that_was_taken_out_stays_out(tree, runtime):
    """One that was terminated does not run after the upgrade, one that was deleted is not there."""

    async def main():
        supervisor = await start(tree(1, children("a", "b", "c")))
        await Supervisor.terminate_child(supervisor, "a")
        await Supervisor.terminate_child(supervisor, "b")
        await Supervisor.delete_child(supervisor, "b")
        await code.upgrade(tree(2, children("a", "b", "c")))
        return [(id, pid is not None) for id, pid in (await pids_of(supervisor)).items()]

    assert runtime.run(main) == [("a", False), ("c", True)]


def test_the_options_are_those_of_the_new_version(tree, runtime):
    """Strategy and intensity count from then on."""

    async def main():
        supervisor = await start(tree(1, children("a", "b")))
        await code.upgrade(tree(2, children("a", "b"), 'strategy = "one_for_all"'))
        before = await pids_of(supervisor)
        exit(before["a"], "kill")
        await settle()
        return is_alive(before["b"]), len(await pids_of(supervisor))

    assert runtime.run(main) == (False, 2)


def test_init_is_asked_with_its_arguments(tree, runtime):
    """Those of the start."""

    async def main():
        supervisor = await start(tree(1, "return [started(name) for name in args[:1]]"), "a", "b")
        await code.upgrade(tree(2, "return [started(name) for name in args]"))
        return list(await pids_of(supervisor))

    assert runtime.run(main) == ["a", "b"]


def test_a_dry_run_shows_it_and_starts_nothing(tree, runtime):
    """Who would be started, who would stop, who has a new spec."""

    async def main():
        supervisor = await start(tree(1, children("a", "b", "c")))
        before = await pids_of(supervisor)
        new = 'return [started("a"), ChildSpec("b", Stubborn, ("b",)), started("d")]'
        report = await code.upgrade(tree(2, new), dry_run=True)
        await settle()
        assert await pids_of(supervisor) == before
        assert (await heard(), whereis("d")) == ([], None)
        return [(each.before, each.after) for each in report.servers if each.class_name == "Tree"]

    assert runtime.run(main) == [
        ("children: 'a', 'b', 'c'", "children: 'a', 'b', 'd'; starts 'd'; stops 'c'; has a new spec of 'b'")
    ]


def test_a_load_with_news_asks_too(tree, runtime):
    """What C-c C-k does, if the text of the module has changed."""

    async def main():
        supervisor = await start(tree(1, children("a")))
        load = partial(lowlevel.load_or_upgrade, tree(2, children("a", "b")))
        first = await asyncio.to_thread(load)
        again = await asyncio.to_thread(load)
        return list(await pids_of(supervisor)), type(first).__name__, type(again).__name__

    assert runtime.run(main) == (["a", "b"], "UpgradeReport", "LoadReport")


def test_the_text_of_the_report_names_the_children(tree, runtime):
    """Among the servers that changed."""

    async def main():
        await start(tree(1, children("a")))
        return code.text(await code.upgrade(tree(2, children("a", "b"))))

    text = runtime.run(main)
    assert "-> children: 'a', 'b'; starts 'b'" in text
    assert "1 supervisor asked for its children" in text


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("return 5", "a supervisor's children"),
        ('return [started("a"), started("a")]', "distinct ids"),
        ('self.strategy = "simple_one_for_one"; return [started("a")]', "simple_one_for_one"),
        ("return 1 / 0", "ZeroDivisionError"),
    ],
)
def test_a_wrong_answer_of_init_undoes_it_all(tree, runtime, body, says):
    """The supervisor goes on as it was."""

    async def main():
        supervisor = await start(tree(1, children("a")))
        with pytest.raises(UpgradeError, match=says):
            await code.upgrade(tree(2, body))
        return list(await pids_of(supervisor))

    assert runtime.run(main) == ["a"]


def test_the_one_spec_of_all_is_replaced(tree, runtime):
    """Of simple_one_for_one: it counts for new children, and for those that start again."""
    one = 'return [ChildSpec("x", Till, restart="{}")]'
    simple = 'strategy = "simple_one_for_one"'

    async def main():
        supervisor = await start(tree(1, one.format("temporary"), simple))
        pid = await Supervisor.start_child(supervisor, (7,))
        await code.upgrade(tree(2, one.format("permanent"), simple))
        exit(pid, "boom")
        await settle()
        ((_, now, _),) = await Supervisor.which_children(supervisor)
        return now != pid, await call(now, "get")

    assert runtime.run(main) == (True, (2, 7))


def test_a_limit_is_taken_over(project, runtime):
    """max_children of a DynamicSupervisor of its own class."""
    text = "from midflight import DynamicSupervisor\n"
    text += "class Tree(DynamicSupervisor):\n    max_children = {}\n    def init(self): pass"

    async def main():
        supervisor = await start(project.write("app.py", text.format(0)))
        await code.upgrade(project.write("app.py", text.format(1)))
        return await Supervisor.start_child(supervisor, ChildSpec("x", settle))

    assert runtime.run(main) is not None


def test_the_new_children_are_supervised(tree, runtime):
    """One that ends later is started again."""

    async def main():
        supervisor = await start(tree(1, "return []"), "a")
        await code.upgrade(tree(2, children("a")))
        before = whereis("a")
        exit(before, "kill")
        await settle()
        return whereis("a") not in (None, before), list(await pids_of(supervisor))

    assert runtime.run(main) == (True, ["a"])


def test_a_removed_child_that_ends_by_itself_is_not_restarted(tree, runtime):
    """It is no child any more."""

    async def main():
        supervisor = await start(tree(1, children("a", "b")))
        send("a", "x")
        await code.upgrade(tree(2, children("b")))
        await settle()
        return whereis("a"), list(await pids_of(supervisor))

    assert runtime.run(main) == (None, ["b"])
