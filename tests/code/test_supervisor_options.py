"""What an upgrade takes over of a class of supervisors that has no init, and what it refuses of one that has."""

from __future__ import annotations

import asyncio

import pytest

from helpers.servers import pids_of, settle, wait_for_ever
from midflight import ChildSpec, Supervisor, code, processes, receive, register, self_
from midflight.code import UpgradeError
from midflight.otp import sys as otp_sys

OPTIONS = """
from midflight import DynamicSupervisor, PartitionSupervisor, Supervisor

class Tree(Supervisor):
    intensity = {0}

class Rooms(DynamicSupervisor):
    intensity = {0}
    max_children = {0}

class Parts(PartitionSupervisor):
    intensity = {0}
"""


def test_options_of_a_class_without_an_init_are_taken_over(project, runtime):
    """Attributes of the class; what was given at the start stays, and so do the children."""
    path = project.write("app.py", OPTIONS.format(1))

    async def main():
        code.load(path)
        import app

        child = ChildSpec("a", wait_for_ever)
        trees = [
            await app.Tree.start([child]),
            await app.Tree.start([child], intensity=9),
            await app.Rooms.start(),
            await app.Rooms.start(9),
            await app.Parts.start(child, 3),
        ]
        before = [await pids_of(tree) for tree in trees]
        await code.upgrade(project.write("app.py", OPTIONS.format(2)))
        servers = [await otp_sys.get_state(tree) for tree in trees]
        return (
            [(server.flags.intensity, server.max_children) for server in servers],
            before == [await pids_of(tree) for tree in trees],
        )

    assert runtime.run(main) == ([(2, None), (9, None), (2, 2), (2, 9), (2, None)], True)


def test_a_class_that_gets_an_init_is_asked(project, runtime):
    """It was started with its children; from now on init says what they are."""
    path = project.write("app.py", "from midflight import ChildSpec, Supervisor, receive\nclass Tree(Supervisor): pass")
    text = """
from midflight import ChildSpec, Supervisor, receive
class Tree(Supervisor):
    def init(self):
        return [ChildSpec("a", receive), ChildSpec("c", receive)]
"""

    async def main():
        code.load(path)
        import app

        tree = await app.Tree.start([ChildSpec("a", wait_for_ever), ChildSpec("b", wait_for_ever)])
        await code.upgrade(project.write("app.py", text))
        return list(await pids_of(tree))

    assert runtime.run(main) == ["a", "c"]


INIT = """
from midflight import ChildSpec, GenServer, Supervisor, receive, send

class Slow(GenServer):
    async def init(self):
        send("test", "begun")
        await receive("never")

class Tree(Supervisor):
    def init(self):
        {}
"""
ONE = 'return [ChildSpec("a", receive)]'


def test_an_init_that_forgets_to_return_undoes_it_all(project, runtime):
    """Or every child would be stopped."""
    path = project.write("app.py", INIT.format(ONE))

    async def main():
        code.load(path)
        import app

        supervisor = await app.Tree.start()
        with pytest.raises(UpgradeError, match="init must return its children, a list of ChildSpecs"):
            await code.upgrade(project.write("app.py", INIT.format("children = []")))
        return list(await pids_of(supervisor))

    assert runtime.run(main) == ["a"]


def test_a_child_that_takes_too_long_undoes_it_all(project, runtime, clock):
    """The upgrade has a time; the child that had not started yet is killed."""
    path = project.write("app.py", INIT.format(ONE))

    async def main():
        code.load(path)
        import app

        register("test", self_())
        supervisor = await app.Tree.start()
        before = processes()
        text = INIT.format('return [ChildSpec("a", receive), ChildSpec("b", Slow)]')
        upgrading = asyncio.create_task(code.upgrade(project.write("app.py", text)))
        await receive("begun")
        clock.advance(4.0)
        with pytest.raises(UpgradeError, match="is still in its init"):
            await upgrading
        await settle()
        return processes() == before, list(await pids_of(supervisor))

    assert runtime.run(main) == (True, ["a"])


def test_a_temporary_child_that_wants_no_process_is_not_kept(project, runtime):
    """As at the start of a supervisor: it is never to run."""
    path = project.write("app.py", INIT.format(ONE))
    kept = 'ChildSpec("b", lambda: None)'
    gone = 'ChildSpec("c", lambda: None, restart="temporary")'

    async def main():
        code.load(path)
        import app

        supervisor = await app.Tree.start()
        await code.upgrade(project.write("app.py", INIT.format(f'return [ChildSpec("a", receive), {kept}, {gone}]')))
        return [child.id for child in await Supervisor.which_children(supervisor)]

    assert runtime.run(main) == ["a", "b"]
