"""What becomes of a supervisor's children when another init is asked: compared only, nothing runs."""

from __future__ import annotations

from midflight import ChildSpec
from midflight.otp.children import Child
from midflight.otp.renewal import compared


def spec(id, *args):
    """Return a spec that is told apart by its arguments."""
    return ChildSpec(id, print, args)


def records(*specs):
    """Return children by their ids."""
    return {each.id: Child(each.id, each, each.args) for each in specs}


def shape(renewal):
    """Return the ids of all, of those added, removed and changed."""
    return list(renewal.children), *([child.key for child in some] for some in each_list(renewal))


def each_list(renewal):
    """Return the lists of a renewal."""
    return renewal.added, renewal.removed, renewal.changed


def test_each_child_is_kept_added_removed_or_changed():
    """In the order of the new specs."""
    found = compared(records(spec("a"), spec("b"), spec("c")), {"a", "b", "c"}, [spec("d"), spec("c", 1), spec("a")])

    assert shape(found) == (["d", "c", "a"], ["d"], ["b"], ["c"])


def test_who_was_added_on_request_comes_last():
    """If the new specs name it, it is one of theirs."""
    found = compared(records(spec("a"), spec("x"), spec("y")), {"a"}, [spec("y"), spec("a")])

    assert shape(found) == (["y", "a", "x"], [], [], [])


def test_who_was_taken_out_stays_out():
    """init named it before, and it is no child now."""
    found = compared(records(spec("a")), {"a", "b"}, [spec("a"), spec("b")])

    assert shape(found) == (["a"], [], [], [])


def test_the_records_are_new_ones():
    """So that those of now are as they were, if the upgrade fails; a try to start again goes on by the new one."""
    children = records(spec("a", 1))
    children["a"].is_restarting = True

    (child,) = compared(children, {"a"}, [spec("a", 2)]).children.values()

    assert (child.args, child.is_restarting, children["a"].args) == ((2,), True, (1,))


def test_a_function_of_another_version_is_the_same_start():
    """By its name; that it has changed is what the load says."""

    def start():
        pass

    old = start

    def start():
        pass

    old.__qualname__ = start.__qualname__ = "start"
    assert shape(compared(records(ChildSpec("a", old)), {"a"}, [ChildSpec("a", start)])) == (["a"], [], [], [])
    assert shape(compared(records(ChildSpec("a", old)), {"a"}, [ChildSpec("a", print)])) == (["a"], [], [], ["a"])


def test_arguments_that_cannot_be_compared_are_others():
    """The comparison is the program's own code."""

    class Odd:
        def __eq__(self, other):
            raise TypeError("no way")

        __hash__ = None

    assert shape(compared(records(spec("a", Odd())), {"a"}, [spec("a", Odd())])) == (["a"], [], [], ["a"])


def test_it_says_who_is_who():
    """As the report of an upgrade has it."""
    found = compared(records(spec("a"), spec("b")), {"a", "b"}, [spec("a", 1), spec("c")])

    assert str(found) == "children: 'a', 'c'; starts 'c'; stops 'b'; has a new spec of 'a'"
    assert str(compared({}, set(), [])) == "children: none"
