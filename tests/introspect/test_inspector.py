"""Values as pages."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import pytest

from helpers.shells import Shell
from midflight.errors import RequestError
from midflight.introspect import InspectorTable, Page, page_of, part_of
from midflight.observer import evaluate, run_aside


class Thing:
    """A thing."""

    colour = "red"

    def __init__(self) -> None:
        self.size = 3

    @property
    def area(self) -> int:
        """The area."""
        return self.size**2

    def grow(self, by: int = 1) -> None:
        """Grow."""


Look = Callable[..., Page]


@pytest.fixture
def look(shell: Shell) -> Look:
    """A function that returns the page of a value."""

    def look(value: Any, start: int = 0) -> Page:
        return run_aside(shell.session.scheduler, lambda: page_of(value, start), "The look", sink=shell.output)

    return look


def test_an_object_shows_what_it_has(look: Look) -> None:
    """Its own attributes, then its class's; a property is not asked."""
    page = look(Thing())

    assert (page.type, page.module) == ("Thing", __name__)
    assert [(part.section, part.label, part.kind, part.text) for part in page.parts] == [
        ("attribute", "size", "int", "3"),
        ("class", "area", "property", "not asked yet"),
        ("attribute", "colour", "str", "'red'"),
        ("class", "grow", "method", "(by: int = 1) -> None"),
    ]


def test_a_property_is_asked_when_somebody_goes_into_it() -> None:
    """Then its value may be nobody's but ours."""
    assert part_of(Thing(), 1) == (9, True)
    assert part_of(Thing(), 0) == (3, False)


def test_a_container_is_shown_by_pages(look: Look) -> None:
    """A hundred items at a time, by their true index."""
    page = look([*range(250)], 120)

    assert (page.start, page.total, page.length, len(page.parts)) == (100, 250, 250, 100)
    assert (page.parts[0].index, page.parts[0].label, page.parts[0].text) == (100, "100", "100")
    assert [part.label for part in look({"a": 1, ("b",): 2}).parts] == ["'a'", "('b',)"]
    assert part_of({"a": 1, "b": 2}, 1) == (2, False)
    assert look([], 5).parts == ()


def test_what_raises_or_is_huge_is_bounded(look: Look) -> None:
    """A page says so in its place."""

    class Rude:
        def __repr__(self) -> str:
            raise RuntimeError("no")

    assert "Rude" in look(Rude()).text
    assert len(look("x" * 1_000_000).text) < 10_000
    assert len(look([list(range(1000))] * 1000).parts) == 100


def test_pids_are_marked(shell: Shell, look: Look) -> None:
    """So that an editor shows the process."""
    shell.ask("pid = spawn(lambda: None)")
    pid = shell.session.bindings.find("pid")

    assert look(pid).pid == repr(pid)
    assert look([pid]).parts[0].pid == repr(pid)


def test_the_table_keeps_nothing_alive_that_others_hold() -> None:
    """What is nobody's is told; what is the table's own stays; the oldest go."""
    table = InspectorTable(kept=3)
    thing, temporary = Thing(), Thing()
    weak, owned, number = table.add(thing), table.add(temporary, is_owned=True), table.add(7)
    del temporary

    assert table.get(weak) is thing
    assert isinstance(table.get(owned), Thing)
    assert table.get(number) == 7
    del thing
    gc.collect()
    with pytest.raises(RequestError, match="is gone: nobody holds it"):
        table.get(weak)
    table.add(8)
    with pytest.raises(RequestError, match="not inspected any more"):
        table.get(weak)
    table.drop([owned, 99])
    assert len(table) == 2


def test_an_expression_is_evaluated_aside(shell: Shell) -> None:
    """It may await, binds nothing, and needs no turn of the shell."""
    shell.bind(x=2)
    busy = shell.session.eval("await receive()")
    namespace = shell.session.scope.globals()

    def value(text: str) -> Any:
        return evaluate(shell.session.scheduler, text, namespace, sink=shell.output)

    assert value("x + 1") == 3
    assert value("await sleep(0, )") is None
    assert value("(y := 5)") == 5
    assert "y" not in namespace
    with pytest.raises(RequestError, match="not one Python expression"):
        value("x = 1")
    with pytest.raises(RequestError, match="ZeroDivisionError"):
        value("1 / 0")
    shell.session.interrupt()
    assert busy.result(10).status == "interrupted"


def test_what_takes_too_long_is_ended(shell: Shell) -> None:
    """A look that never ends holds nobody up for ever."""

    async def forever() -> None:
        while True:
            pass

    with pytest.raises(RequestError, match=r"took longer than .* and was ended"):
        run_aside(shell.session.scheduler, forever, "The look", sink=shell.output, seconds=0.2)
    assert shell.value("1 + 1") == "2"
