"""Raising an exception in a piece of code on another thread: it hits that piece, or nothing."""

from __future__ import annotations

import operator
import os
import pickle
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import repeat
from operator import itemgetter

import pytest

from midflight.kernel import Target

DEADLINE_SECONDS = 30
STRIKES = 100


class Struck(Exception):
    """What the tests raise."""


@contextmanager
def threads_that_strike(*targets: Target[Struck]) -> Iterator[None]:
    """Strike at each of `targets` all the time, each from a thread of its own; threads change places very often."""
    stop = threading.Event()

    def strike(target: Target[Struck]) -> None:
        while not stop.is_set():
            target.interrupt()

    threads = [threading.Thread(target=strike, args=(target,)) for target in targets]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)  # else another thread comes in every 5 ms only, when all is over
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
        stop.set()
        for thread in threads:
            thread.join(DEADLINE_SECONDS)


def in_a_thread(function: Callable[[], object]) -> None:
    """Run `function` on a thread of its own, to its end."""
    thread = threading.Thread(target=function)
    thread.start()
    thread.join(DEADLINE_SECONDS)
    assert not thread.is_alive()


def work() -> None:
    for _ in range(100):
        time.sleep(0)  # others run: a strike falls in here, and hits after the call


def resist() -> None:
    """Catch all that comes, for a while."""
    for _ in range(30):
        try:
            work()
        except Struck:
            pass


def fail() -> None:
    """End by an exception of a function in C that has let others run: then no check lies between the two."""
    for _ in range(100):
        try:
            os.read(-1, 1)
        except OSError:
            pass
    os.read(-1, 1)


def yield_in_c() -> None:
    """End without a check after others have run."""
    for _ in range(100):
        for _ in map(time.sleep, (0,)):
            pass
    for _ in map(time.sleep, (0,)):
        return


@pytest.mark.parametrize("is_main_thread", [True, False])
@pytest.mark.parametrize("piece", [work, resist, fail, yield_in_c])
def test_strikes_at_any_moment_hit_the_piece_or_nothing(piece: Callable[[], None], is_main_thread: bool) -> None:
    """The code around the target never sees the exception, not even the next bytecode after it."""
    target: Target[Struck] = Target(Struck)
    strikes: list[int] = []
    outside: list[BaseException] = []

    def run_pieces() -> None:
        try:
            while len(strikes) < STRIKES:
                try:
                    target.run(piece)
                except (target.dealt, OSError):
                    pass
                if target.struck:
                    strikes.append(1)
                for _ in range(20):  # a chance for one that comes too late
                    pass
        except BaseException as error:
            outside.append(error)

    with threads_that_strike(target):
        run_pieces() if is_main_thread else in_a_thread(run_pieces)

    assert outside == []
    assert len(strikes) == STRIKES


def test_a_target_within_another_keeps_its_own() -> None:
    """Each is left by its own exception only; what hits the inner one's way out belongs to the outer."""
    outer: Target[Struck] = Target(Struck)
    inner: Target[Struck] = Target(Struck)
    wrong: list[BaseException] = []
    strikes: list[int] = []

    def around() -> None:
        for _ in range(5):
            try:
                inner.run(work)
            except inner.dealt:
                pass
            work()

    def run_pieces() -> None:
        try:
            while len(strikes) < STRIKES:
                try:
                    outer.run(around)
                except outer.dealt:
                    strikes.append(1)
        except BaseException as error:
            wrong.append(error)

    with threads_that_strike(outer, inner):
        in_a_thread(run_pieces)

    assert wrong == []
    assert len(strikes) == STRIKES


def test_a_piece_that_never_ends_is_broken_off() -> None:
    """The exception is an ordinary one of its class; the piece's own `finally` blocks run."""
    target: Target[Struck] = Target(Struck)
    begun = threading.Event()
    seen: list[object] = []

    def spin() -> None:
        try:
            while True:
                begun.set()
        finally:
            seen.append("unwound")

    def run() -> None:
        try:
            target.run(spin)
        except Struck as error:
            seen.append(type(error).__name__)
            seen.append(isinstance(error, target.dealt))

    thread = threading.Thread(target=run)
    thread.start()
    assert begun.wait(DEADLINE_SECONDS)
    while thread.is_alive():
        target.interrupt()
    thread.join()

    assert seen == ["unwound", "Struck", True]


def test_a_target_that_runs_nothing_cannot_be_struck() -> None:
    """Before, after, and from within."""
    target: Target[Struck] = Target(Struck)

    assert not target.interrupt()
    assert target.run(target.interrupt) is False
    assert not target.interrupt()


def test_a_target_runs_one_piece_at_a_time() -> None:
    """The second would be left open by the end of the first."""
    target: Target[Struck] = Target(Struck)

    with pytest.raises(RuntimeError, match="runs something already"):
        target.run(target.run, work)

    target.run(work)


def test_what_the_piece_raises_itself_is_not_taken_for_the_targets() -> None:
    """It may use the very class that others strike with."""
    target: Target[Struck] = Target(Struck)

    def own() -> None:
        raise Struck

    with pytest.raises(Struck) as caught:
        target.run(own)

    assert not isinstance(caught.value, target.dealt)


def test_what_was_dealt_pickles_as_what_it_is_called() -> None:
    """A class of one target could not be found again."""
    error = Target(Struck).dealt("why")

    again = pickle.loads(pickle.dumps(error))

    assert type(again) is Struck
    assert again.args == ("why",)


def struck_while_in_c(piece: Callable[[Callable[[], int]], object]) -> tuple[object, Target[Struck]]:
    """Run `piece(block)` in a target; `block`, in C, returns 7 when a strike has been dealt. Return how it ended."""
    target: Target[Struck] = Target(Struck)
    reader, writer = os.pipe()
    ends: list[object] = []
    block = partial(next, map(itemgetter(0), map(os.read, repeat(reader), repeat(1))))

    def run() -> None:
        try:
            ends.append(target.run(piece, block))
        except BaseException as error:
            ends.append(type(error))

    thread = threading.Thread(target=run)
    thread.start()
    while not target.interrupt(amid_ours=True):
        pass
    os.write(writer, b"\7")
    thread.join(DEADLINE_SECONDS)
    os.close(reader)
    os.close(writer)
    return ends[0], target


def test_a_strike_that_finds_the_piece_failed_is_dropped() -> None:
    """The piece's own exception is what the caller gets: an exit by a failure in C makes no check on its way."""

    def fail_at_once(block: Callable[[], int]) -> None:
        next(map([].__getitem__, map(int.__index__, iter(block, None))))

    end, target = struck_while_in_c(fail_at_once)

    assert (end, target.came_late) == (IndexError, True)


def test_a_strike_in_the_last_function_in_c_still_hits() -> None:
    """The check after that call is the piece's last."""

    def end(block: Callable[[], int]) -> int:
        return block()

    result, target = struck_while_in_c(end)

    assert (result, target.came_late) == (target.dealt, False)


def test_a_strike_after_the_last_bytecode_says_so() -> None:
    """The result of a piece that is a function in C is lost, and the caller can tell."""
    result, target = struck_while_in_c(operator.call)

    assert (result, target.came_late) == (target.dealt, True)


def test_a_lock_that_the_piece_takes_by_threading_is_never_left_locked() -> None:
    """Between taking the lock and guarding it Python's own `with condition` has a call, so a check."""
    target: Target[Struck] = Target(Struck)
    condition = threading.Condition(threading.Lock())
    left_locked: list[int] = []
    strikes: list[int] = []

    def use() -> None:
        while True:
            for _ in range(20):
                pass
            with condition:
                condition.notify()

    def run_pieces() -> None:
        while len(strikes) < STRIKES // 4 and not left_locked:
            try:
                target.run(use)
            except target.dealt:
                strikes.append(1)
            if not condition.acquire(blocking=False):
                left_locked.append(len(strikes))
                return
            condition.release()

    with threads_that_strike(target):
        in_a_thread(run_pieces)

    assert (left_locked, len(strikes)) == ([], STRIKES // 4)


def test_a_piece_that_waits_for_a_condition_is_broken_off() -> None:
    """Where `threading` only waits, with a time, it is struck: it puts its lock in order."""
    target: Target[Struck] = Target(Struck)
    event = threading.Event()
    ends: list[type[BaseException]] = []

    def wait_on() -> None:
        while True:
            event.wait(0.01)

    def run() -> None:
        try:
            target.run(wait_on)
        except Struck as error:
            ends.append(type(error))

    thread = threading.Thread(target=run)
    thread.start()
    while thread.is_alive():
        target.interrupt()
        time.sleep(0)
    thread.join()

    assert ends == [target.dealt]
    event.set()  # its lock is free
