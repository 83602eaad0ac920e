"""Parsing beside finalizers and other threads that parse: the tree is whole."""

from __future__ import annotations

import ast
import gc
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from midflight.parsing import expression_or_none, module_or_none, parse_expression, parse_module, undisturbed

TEXT = "".join(
    f"def f{n}(a, b=[1, 2, {{3: (4, 5)}}]):\n    return [g(a + {n}, *b) for c in d if c]\n" for n in range(60)
)
DEADLINE_SECONDS = 30


@contextmanager
def collections_that(do: Callable[[], object]) -> Iterator[None]:
    """Collect garbage many times in the making of a tree, and `do` something each time, as a finalizer may."""

    def collected(phase: str, info: dict[str, int]) -> None:
        do()

    threshold = gc.get_threshold()
    gc.callbacks.append(collected)
    gc.set_threshold(50, 10, 10)
    try:
        yield
    finally:
        gc.set_threshold(*threshold)
        gc.callbacks.remove(collected)


def parse_another() -> None:
    ast.parse("y = [1]")


@contextmanager
def another_thread_that_parses() -> Iterator[Callable[[], None]]:
    """Give a function that returns when another thread has parsed something."""
    asked: queue.Queue[bool] = queue.Queue()
    done: queue.Queue[bool] = queue.Queue()

    def parse_when_asked() -> None:
        while asked.get(timeout=DEADLINE_SECONDS):
            parse_another()
            done.put(True)

    thread = threading.Thread(target=parse_when_asked)
    thread.start()

    def ask() -> None:
        if threading.get_ident() != thread.ident:
            asked.put(True)
            done.get(timeout=DEADLINE_SECONDS)

    try:
        yield ask
    finally:
        asked.put(False)
        thread.join(DEADLINE_SECONDS)


def test_a_finalizer_that_parses_does_not_disturb() -> None:
    """CPython 3.11 counts the depth of all trees in one place: python/cpython#106905."""
    expected = ast.dump(ast.parse(TEXT))

    with collections_that(parse_another):
        found = [ast.dump(parse_module(TEXT)) for _ in range(5)]

    assert found == [expected] * 5


def test_another_thread_that_parses_does_not_disturb() -> None:
    """A finalizer lets others run, and so in the making of one tree another may be made."""
    expected = ast.dump(ast.parse(TEXT))

    with another_thread_that_parses() as ask, collections_that(ask):
        found = [ast.dump(parse_module(TEXT)) for _ in range(5)]

    assert found == [expected] * 5


def test_no_garbage_is_collected_while_a_tree_is_made() -> None:
    """On no Python: 3.11 would, as often as the tree has so many hundred objects; later ones wait for the end."""
    seen: list[bool] = []

    with collections_that(lambda: seen.append(True)):
        parse_module(TEXT)
        during = len(seen)

    assert during <= 4  # begin and end of a collection or two, when it is done


@pytest.mark.parametrize("is_on", [True, False])
def test_parsing_leaves_the_collection_as_it_was(is_on: bool) -> None:
    """A program may have turned it off; also where the text is not Python."""
    was_on = gc.isenabled()
    (gc.enable if is_on else gc.disable)()
    try:
        for text in (TEXT, "x ="):
            module_or_none(text)
            assert gc.isenabled() == is_on
    finally:
        (gc.enable if was_on else gc.disable)()


@pytest.mark.parametrize("is_on", [True, False])
def test_the_collection_is_as_it_was(is_on: bool) -> None:
    """Where others parse it is put off for the second try only."""

    def disturbed_once(tries: list[bool]) -> bool:
        tries.append(gc.isenabled())
        if len(tries) == 1:
            raise RecursionError
        return tries[-1]

    was_on = gc.isenabled()
    (gc.enable if is_on else gc.disable)()
    try:
        seen = _second_try(disturbed_once)
        after = gc.isenabled()
    finally:
        (gc.enable if was_on else gc.disable)()

    assert (seen, after) == (False, is_on)


def _second_try(function: Callable[[list[bool]], bool]) -> Any:
    """Return what `function` says of the collection in its second try; False where nothing can be disturbed."""
    try:
        return undisturbed(function, [])
    except RecursionError:  # this Python has not the fault, so there is no second try
        return False


@pytest.mark.parametrize("text", ["x =", "\0", "(" * 5000, "-" * 200_000 + "1", "\ud800"])
def test_a_text_that_is_no_python_is_none(text: str) -> None:
    """Whatever the compiler raises for it."""
    assert module_or_none(text) is None
    assert expression_or_none(text) is None


def test_an_expression_is_its_node() -> None:
    """No module around it."""
    assert isinstance(parse_expression("a + 1"), ast.BinOp)
