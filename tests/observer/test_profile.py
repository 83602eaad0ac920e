"""A profile of the live program: what is counted, for whom, and the flame picture made of it."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from types import FrameType
from xml.etree import ElementTree

import pytest

from midflight import Runtime
from midflight.collection import callers_of
from midflight.errors import RequestError
from midflight.observer import Profile, ProfileRow, Sampler, Tally, flame_svg, take_profile

SVG = "{http://www.w3.org/2000/svg}"


def frames_in(source: str, module: str, version: int | None = None) -> list[FrameType]:
    """Return the frames, innermost first, of a call of `outer` in a module with this source, which ends in `look()`."""
    seen: list[FrameType] = []

    def look() -> None:
        seen.extend(each for each in callers_of(sys._getframe(1)) if each.f_globals is namespace)

    namespace: dict[str, object] = {"__name__": module, "look": look}
    if version is not None:
        namespace["__midflight_version__"] = version
    exec(source, namespace)
    outer = namespace["outer"]
    assert callable(outer)
    outer()
    return seen


PAY = "def outer():\n    inner()\n\ndef inner():\n    look()\n"


def row(profile: Profile, name: str) -> ProfileRow:
    """Return the row of the function `name`."""
    (found,) = [each for each in profile.rows if each.function.name == name]
    return found


def test_a_function_has_its_own_share_and_that_of_what_it_calls() -> None:
    """By process; the version of its code is named."""
    tally = Tally()
    inner, outer = frames_in(PAY, "shop", version=3)
    for frames in ([inner, outer], [inner, outer], [outer]):
        tally.note("<0.5.0> till", frames)

    found = tally.profile(1.0)

    assert found.busy == 3
    assert (row(found, "inner").own, row(found, "inner").total) == (2, 2)
    assert (row(found, "outer").own, row(found, "outer").total) == (1, 3)
    assert {each.who for each in found.rows} == {"<0.5.0> till"}
    assert {(each.function.module, each.function.version) for each in found.rows} == {("shop", 3)}
    assert row(found, "inner").function.line == 4


def test_a_function_that_calls_itself_counts_once_a_look() -> None:
    """Its total is at most the number of looks."""
    tally = Tally()
    source = "def outer(n=3):\n    outer(n - 1) if n else look()\n"

    tally.note("task one", frames_in(source, "shop"))

    assert [(each.own, each.total) for each in tally.profile(1.0).rows] == [(1, 1)]


def test_a_thread_that_waits_does_not_count() -> None:
    """Its innermost frame is a function of the standard library that waits in C."""
    tally = Tally()

    tally.note("thread a", frames_in(PAY.replace("inner", "select"), "selectors") + frames_in(PAY, "shop"))
    tally.note("thread b", [])

    assert tally.profile(1.0) == Profile(1.0, 0, 0, (), {})


def test_a_thread_of_ours_counts_while_it_runs_code_of_the_program() -> None:
    """A shell's input, say; not while it waits for a connection."""
    tally = Tally()
    ours = frames_in(PAY, "midflight.epc.workers")
    tally.note("thread midflight-epc-worker-1", ours)
    tally.note("thread midflight-epc-worker-2", frames_in(PAY, "shop") + ours)

    assert {each.who for each in tally.profile(1.0).rows} == {"thread midflight-epc-worker-2"}


def test_what_runs_the_program_is_left_out_below_it() -> None:
    """The event loop's frames; of a loop that runs nobody's code the innermost one stays."""
    tally = Tally()
    loop = frames_in(PAY, "asyncio.base_events")
    tally.note("task one", frames_in(PAY, "shop") + loop)
    tally.note("thread main", loop)

    stacks = tally.profile(1.0).stacks

    assert {(who, *(each.module for each in functions)) for who, functions in stacks} == {
        ("task one", "shop", "shop"),
        ("thread main", "asyncio.base_events"),
    }


def test_the_picture_has_a_bar_for_each_function_on_top_of_its_caller() -> None:
    """Their widths are their shares; the text is well-formed XML, whatever a name has in it."""
    tally = Tally()
    inner, outer = frames_in(PAY, "shop<&>", version=2)
    for frames in ([inner, outer], [outer], [outer], [outer]):
        tally.note("<0.5.0>", frames)

    root = ElementTree.fromstring(flame_svg(tally.profile(1.0)))

    bars = {}
    for group in root.iter(f"{SVG}g"):
        title, bar = group.find(f"{SVG}title"), group.find(f"{SVG}rect")
        assert title is not None
        assert bar is not None
        bars[title.text] = (float(bar.attrib["y"]), round(float(bar.attrib["width"])))
    assert list(bars) == [
        "all: 4 of 4, 100.0 %",
        "<0.5.0>: 4 of 4, 100.0 %",
        "shop<&> v2 outer: 4 of 4, 100.0 %",
        "shop<&> v2 inner: 1 of 4, 25.0 %",
    ]
    assert [width for _, width in bars.values()] == [1200, 1200, 1200, 300]
    heights = [y for y, _ in bars.values()]
    assert heights == sorted(heights, reverse=True)


def test_an_empty_profile_has_a_picture() -> None:
    """With a bar for nothing seen, or none."""
    assert ElementTree.fromstring(flame_svg(Tally().profile(0.1))).tag == f"{SVG}svg"


def spin(is_over: Callable[[], bool]) -> None:
    """Keep a thread busy."""
    while not is_over():
        pass


def test_processes_and_tasks_of_a_live_loop_are_told_apart() -> None:
    """Each is seen while it holds the loop; their stacks begin with their own code."""
    begun, seen = (threading.Event(), threading.Event()), (threading.Event(), threading.Event())

    async def work(number: int) -> None:
        begun[number].set()
        spin(seen[number].is_set)

    def look() -> Profile:
        sampler = Sampler()
        for number in (0, 1):
            assert begun[number].wait(10)
            sampler.look()
            seen[number].set()
        return sampler.tally.profile(1.0)

    async def program() -> Profile:
        async with Runtime() as runtime:
            looking = asyncio.create_task(asyncio.to_thread(look))
            await asyncio.sleep(0)
            chore = asyncio.create_task(work(0), name="chore")
            await chore
            runtime.spawn(work, 1, name="worker")
            return await looking

    found = asyncio.run(program())

    stacks = {who.partition(" ")[2]: [each.name.rpartition(".")[2] for each in of] for who, of in found.stacks}
    assert stacks["chore"][:2] == stacks["worker"][:2] == ["work", "spin"]


def test_a_busy_thread_is_seen_and_one_that_waits_is_not() -> None:
    """By their names."""
    over = threading.Event()
    threads = [
        threading.Thread(target=spin, args=(over.is_set,), name="spinner"),
        threading.Thread(target=over.wait, name="waiter"),
    ]
    for thread in threads:
        thread.start()
    try:
        found = take_profile(0.2)
    finally:
        over.set()
        for thread in threads:
            thread.join()

    own = {each.who: each.total for each in found.rows if each.function.name == "spin"}
    assert own["thread spinner"] == found.looks
    assert "thread waiter" not in {each.who for each in found.rows}


def test_one_profile_at_a_time_is_taken() -> None:
    """The other is refused; afterwards the interpreter is shared as before."""
    interval = sys.getswitchinterval()
    looking = threading.Event()

    def probe() -> None:
        while sys.getswitchinterval() == interval:
            pass
        looking.set()

    thread = threading.Thread(target=probe)
    first = threading.Thread(target=take_profile, args=(0.3,))
    thread.start()
    first.start()
    assert looking.wait(10)
    with pytest.raises(RequestError, match="A profile is being taken; no other was begun"):
        take_profile(0.3)
    first.join()
    thread.join()

    assert sys.getswitchinterval() == interval
    assert take_profile(0.01).looks >= 1
