"""What is remembered of the last texts, and how much of it."""

from __future__ import annotations

import pytest

from midflight.code.source import bindings, trees
from midflight.code.source.text_memory import TextMemory
from midflight.code.state import module_text


def test_a_text_is_asked_once():
    """And again if what it was made of is another object."""
    memory, made = TextMemory[str](100), []

    def make(what: str) -> str:
        made.append(what)
        return what

    tree, other = object(), object()

    assert [memory.get("x", tree, make, "a"), memory.get("x", tree, make, "b")] == ["a", "a"]
    assert [memory.get("x", other, make, "c"), memory.get("x", tree, make, "d")] == ["c", "d"]
    assert made == ["a", "c", "d"]


@pytest.mark.parametrize(("number", "length"), [(100, 10), (10, 200_000)])
def test_few_are_kept_and_they_are_not_long(number, length):
    """The oldest go first; one that was asked for is not old."""
    memory = TextMemory[object](500_000, 32)
    first = "a" * length
    for each in range(number):
        memory.get(f"{each:{length}}", None, object)
        kept = memory.get(first, None, object)

    assert len(memory.texts()) <= 32
    assert sum(map(len, memory.texts())) <= 500_000
    assert memory.get(first, None, object) is kept


def test_the_last_one_is_kept_however_long_it_is():
    """A load asks for it several times."""
    memory = TextMemory[object](100)
    memory.get("short", None, object)

    assert memory.get("a" * 1000, None, object) is memory.get("a" * 1000, None, object)
    assert memory.texts() == ["a" * 1000]


def test_what_raises_is_not_kept():
    """It raises each time."""
    memory = TextMemory[int](100)
    for _ in range(2):
        with pytest.raises(ValueError, match="invalid literal"):
            memory.get("x", None, int, "x")

    assert memory.texts() == []


def test_the_length_is_right_after_a_text_was_made_again_and_after_all_was_forgotten():
    """Else it would forget ever more, or ever less."""
    memory = TextMemory[object](10)
    for each in range(5):
        memory.get("aaaa", each, object)
    memory.get("bbbb", None, object)
    assert memory.texts() == ["aaaa", "bbbb"]

    memory.clear()
    memory.get("cccccccc", None, object)
    assert memory.texts() == ["cccccccc"]


def test_trees_bindings_and_facts_of_state_are_remembered_so():
    """All that a load makes of a whole text."""
    assert {type(each) for each in (trees._trees, bindings._bindings, module_text._texts)} == {TextMemory}
