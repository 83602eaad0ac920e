"""A process that ends while it waits inside an asynchronous generator unwinds that one too, innermost frame first.

Before 3.13 `coroutine.close()` passes the step objects of `async for` over, which leaves the generator as it is.
"""

from __future__ import annotations

import asyncio

import pytest

from midflight import Down, exit, is_alive, receive, sleep, spawn_monitor

REASONS = ("kill", "shutdown")


class Told:
    """Writes down what ends, in order, as a context manager in the code that waits."""

    def __init__(self):
        self.names = []

    def __call__(self, name):
        return _Ending(self.names, name)


class _Ending:
    def __init__(self, names, name):
        self._names, self._name = names, name

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._names.append(self._name)

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        self._names.append(self._name)


async def items(ends):
    with ends("items"):
        while True:
            yield await receive()


async def for_each(ends):
    with ends("process"):
        async for _ in items(ends):
            pass


async def nested(ends):
    async def outer():
        with ends("outer"):
            async for item in items(ends):
                yield item

    with ends("process"):
        async for _ in outer():
            pass


async def through_functions(ends):
    async def one():
        async with ends("async with"):
            return await receive()

    async def outer():
        with ends("outer"):
            yield await one()

    async def consume():
        with ends("consume"):
            return [item async for item in outer()]

    with ends("process"):
        await consume()


async def on_a_future(ends):
    async def seconds():
        with ends("seconds"):
            yield await asyncio.sleep(3600)

    with ends("process"):
        async for _ in seconds():
            pass


async def anext_with_default(ends):
    with ends("process"):
        await anext(items(ends), None)


async def asend(ends):
    async def answers():
        with ends("answers"):
            question = yield "ready"
            yield question, await receive()

    generator = answers()
    await anext(generator)
    with ends("process"):
        await generator.asend("why")


async def athrow(ends):
    async def patient():
        try:
            yield "ready"
        except ValueError:
            with ends("patient"):
                yield await receive()

    generator = patient()
    await anext(generator)
    with ends("process"):
        await generator.athrow(ValueError())


async def aclose(ends):
    async def slow():
        try:
            yield "ready"
        finally:
            with ends("slow"):
                await receive()

    generator = slow()
    await anext(generator)
    with ends("process"):
        await generator.aclose()


SHAPES = {
    for_each: ["items", "process"],
    nested: ["items", "outer", "process"],
    through_functions: ["async with", "outer", "consume", "process"],
    on_a_future: ["seconds", "process"],
    anext_with_default: ["items", "process"],
    asend: ["answers", "process"],
    athrow: ["patient", "process"],
    aclose: ["slow", "process"],
}


def end(runtime, function, *args, reason="kill"):
    """End a process that waits in `function`; return the reason that its monitor hears."""

    async def main():
        pid, _ = spawn_monitor(function, *args)
        await sleep(0)
        await sleep(0)
        exit(pid, reason)
        return (await receive(Down)).reason

    heard = runtime.loop.run_until_complete(runtime._runtime.run(main))
    runtime.run_until_idle()  # what asyncio would do to a generator that was dropped as it is
    return heard


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("shape", SHAPES)
def test_generators_unwind_with_the_process(runtime, caplog, shape, reason):
    """P19, P20: every `finally` and `async with` runs, innermost first, and nothing is left to complain."""
    ends = Told()

    heard = end(runtime, shape, ends, reason=reason)

    assert heard == {"kill": "killed"}.get(reason, reason)
    assert ends.names == SHAPES[shape]
    assert caplog.text == ""


def test_a_killed_process_that_ran_unwinds_its_generator_where_it_next_waits(runtime, caplog):
    """It kills itself by a friend's hand, amid the generator, and cannot take that for an error of its own."""
    ends = Told()

    async def main():
        async def busy():
            with ends("busy"):
                try:
                    exit(pid_of_worker[0], "kill")
                except asyncio.CancelledError:
                    pass
                yield await receive()

        async def work():
            with ends("process"):
                async for _ in busy():
                    pass

        pid_of_worker = []
        pid, _ = spawn_monitor(work)
        pid_of_worker.append(pid)
        return (await receive(Down)).reason

    assert runtime.run(main) == "killed"
    assert ends.names == ["busy", "process"]
    assert caplog.text == ""


def test_a_generator_that_another_process_goes_on_with_is_left_to_it(runtime, caplog):
    """A killed process was in it before, and waits elsewhere now."""
    ends = Told()

    async def main():
        async def numbers():
            with ends("numbers"):
                for number in range(4):
                    await sleep(0)
                    yield number

        shared = numbers()

        async def take_one():
            async for _ in shared:
                await receive()

        pid, _ = spawn_monitor(take_one)
        for _ in range(4):
            await sleep(0)
        exit(pid, "kill")
        assert not is_alive(pid)
        return [number async for number in shared]

    assert runtime.run(main) == [1, 2, 3]
    assert ends.names == ["numbers"]
    assert caplog.text == ""


def test_a_finally_of_a_generator_runs_to_its_first_await(runtime):
    """P20: nothing resumes it; the code around it is unwound all the same, and the log says what happened."""
    ends = Told()

    async def main():
        async def lingering():
            try:
                yield await receive()
            finally:
                with ends("finally"):
                    await sleep(1)
                ends.names.append("never")

        with ends("process"):
            async for _ in lingering():
                pass

    assert end(runtime, main) == "killed"
    assert ends.names == ["finally", "process"]


def test_what_a_finally_of_a_generator_raises_keeps_nobody_from_unwinding(runtime, caplog):
    """It goes to the log, as nobody is left to have it as a reason."""
    ends = Told()

    async def main():
        async def failing():
            try:
                yield await receive()
            finally:
                ends.names.append("finally")
                raise ValueError("amid the clean-up")

        with ends("process"):
            async for _ in failing():
                pass

    assert end(runtime, main) == "killed"
    assert ends.names == ["finally", "process"]
    assert [record.name for record in caplog.records] == ["midflight.crash"]
    assert "amid the clean-up" in caplog.text


def test_a_generator_that_ignores_the_close_is_dead_all_the_same(runtime, caplog):
    """As a coroutine that does: its process is dead, the log says so, and nothing tries again."""

    async def deaf():
        while True:
            try:
                yield await receive()
            except BaseException:
                pass

    async def main():
        async for _ in deaf():
            pass

    assert end(runtime, main) == "killed"
    assert [record.name for record in caplog.records] == ["midflight.crash"]
    assert "dead all the same" in caplog.text
