"""Supervisors as classes: `init` returns the children, and the options are attributes."""

from __future__ import annotations

import pytest

from helpers.servers import pids_of, settle, wait_for_ever
from midflight import IGNORE, ChildSpec, InitFailed, Supervisor, exit, is_alive, trap_exit
from midflight.observer.process_rows import row_of


class Tree(Supervisor):
    """A supervisor of as many children as it is told."""

    strategy = "one_for_all"
    intensity = 3

    def init(self, *ids):
        return [ChildSpec(id, wait_for_ever) for id in ids]


def test_init_returns_the_children(runtime):
    """From the arguments of start_link."""

    async def main():
        tree = await Tree.start_link("a", "b", name="tree")
        return list(await pids_of(tree)), list(await pids_of("tree"))

    assert runtime.run(main) == (["a", "b"], ["a", "b"])


def test_the_options_are_attributes(runtime):
    """All stop when one ends, by one_for_all; after three restarts it lives still."""

    async def main():
        tree = await Tree.start_link("a", "b")
        for _ in range(3):
            before = await pids_of(tree)
            exit(before["a"], "boom")
            await settle()
        return is_alive(before["b"]), is_alive(tree)

    assert runtime.run(main) == (False, True)


def test_init_may_set_the_options(runtime):
    """As attributes of the object, before it returns."""

    class Set(Tree):
        def init(self, *ids):
            self.strategy = "one_for_one"
            return super().init(*ids)

    async def main():
        tree = await Set.start_link("a", "b")
        before = await pids_of(tree)
        exit(before["a"], "boom")
        await settle()
        return is_alive(before["b"])

    assert runtime.run(main)


def test_init_may_be_async(runtime):
    """As every callback."""

    class Later(Supervisor):
        async def init(self):
            await settle()
            return [ChildSpec("a", wait_for_ever)]

    async def main():
        return list(await pids_of(await Later.start_link()))

    assert runtime.run(main) == ["a"]


def test_init_may_want_no_process(runtime):
    """IGNORE, as of any server."""

    class Nobody(Supervisor):
        def init(self):
            return IGNORE

    async def main():
        return await Nobody.start_link()

    assert runtime.run(main) is None


def test_a_class_under_a_supervisor(runtime):
    """Its args are init's."""

    async def main():
        top = await Supervisor.start_link([ChildSpec("tree", Tree, ("a",), type="supervisor")])
        return list(await pids_of((await pids_of(top))["tree"]))

    assert runtime.run(main) == ["a"]


@pytest.mark.parametrize(
    ("children", "says"),
    [([ChildSpec("a", wait_for_ever)] * 2, "distinct ids"), (["a"], "described by a ChildSpec"), (5, "children")],
)
def test_wrong_children_are_an_error_of_the_start(runtime, children, says):
    """That init returned them is found out in the process; nothing is left behind."""

    class Wrong(Supervisor):
        def init(self):
            return children

    async def main():
        trap_exit(True)
        with pytest.raises((TypeError, ValueError), match=says):
            await Wrong.start_link()

    runtime.run(main)


def test_wrong_options_are_an_error_of_the_start(runtime):
    """Of attributes too."""

    class Wrong(Tree):
        strategy = "one_for_none"

    async def main():
        trap_exit(True)
        with pytest.raises(ValueError, match="strategy must be one of"):
            await Wrong.start_link("a")

    runtime.run(main)


def test_options_are_not_given_to_a_class_of_its_own(runtime):
    """They are its attributes."""

    async def main():
        with pytest.raises(TypeError, match="they are attributes of the class; nothing was started"):
            Tree.start_link("a", strategy="one_for_one")

    runtime.run(main)


def test_a_class_without_init_has_its_own_defaults(runtime):
    """And takes its children as Supervisor does."""

    class Many(Supervisor):
        intensity = 0

    async def main():
        trap_exit(True)
        tree = await Many.start_link([ChildSpec("a", wait_for_ever)])
        exit((await pids_of(tree))["a"], "boom")
        await settle()
        return is_alive(tree)

    assert runtime.run(main) is False


def test_a_child_that_does_not_start(runtime):
    """InitFailed, from the child's error; those before it are stopped."""

    class Fails(Supervisor):
        def init(self):
            return [ChildSpec("a", wait_for_ever, name="a"), ChildSpec("b", lambda: 1 / 0)]

    async def main():
        trap_exit(True)
        with pytest.raises(InitFailed, match="child 'b' of Fails") as caught:
            await Fails.start_link()
        return type(caught.value.__cause__)

    assert runtime.run(main) is ZeroDivisionError


def test_a_class_of_its_own_is_listed_as_a_supervisor(runtime):
    """In every list of processes, with the class as its place."""

    async def main():
        tree = await Tree.start_link("a")
        place = row_of(runtime.scheduler, tree.process).place
        return place.function, place.behaviour

    assert runtime.run(main) == ("Tree", "supervisor")
