"""A new version without the method of a state that a machine is in is refused: it would end at its next event."""

from __future__ import annotations

import sys
from textwrap import dedent

import pytest

from midflight import CallError, call, code

TEXT = """
    from midflight import Next, StateMachine

    class Light(StateMachine):
        def init(self):
            return "red"

        def red(self, kind, content):
            return Next(content, reply="red")

        def green(self, kind, content):
            return Next(reply="green")
    """
RENAMED = TEXT.replace("def green", "def go")
CHANGED = """
        def code_change(self, old_vsn, extra):
            if self.state == "green":
                self.state = "{}"
    """
ANY = """
        def handle_event(self, kind, content, state):
            return Next(reply=("any", state))
    """


@pytest.fixture
def lights(project, runtime):
    """Return a function that starts lights in these states and has `load` load a text.

    It returns their pids, the report or the error, and their answers to a call afterwards.
    """

    def run(states, text, load):
        project.load_text("light", TEXT)

        async def main():
            pids = [await sys.modules["light"].Light.start() for _ in states]
            for pid, state in zip(pids, states, strict=True):
                await call(pid, state)
            try:
                found = load("light", dedent(text))
                report = found if isinstance(found, code.LoadReport) else await found
            except code.LoadError as error:
                report = error
            return pids, report, [await call(pid, "x") for pid in pids]

        return runtime.run(main)

    return run


@pytest.mark.parametrize("load", [code.load, code.upgrade])
@pytest.mark.parametrize("text", [RENAMED, RENAMED + CHANGED.format("nowhere"), RENAMED + CHANGED.format("stop")])
def test_a_state_that_is_gone_refuses_the_version(lights, load, text):
    """With the processes that are in it; they go on where they are. A name of every server is no state either."""
    pids, error, answers = lights(["green", "red"], text, load)

    assert f"{pids[0]!r}" in str(error)
    assert "Light has no state" in str(error) or "name of every server" in str(error)
    assert f"{pids[1]!r}" not in str(error)
    assert answers[0] == "green"


@pytest.mark.parametrize("load", [code.load, code.upgrade])
@pytest.mark.parametrize("text", [RENAMED, RENAMED.replace("class Light(", "class Light (")])
def test_a_state_that_nobody_is_in_may_go(lights, load, text):
    """The others are in states that the new version has."""
    _, report, answers = lights(["red"], text, load)

    assert (report.version, answers) == (2, ["red"])


def test_code_change_may_set_another_state(lights):
    """Which an upgrade waits for; a load would not run it."""
    _, report, answers = lights(["green"], RENAMED + CHANGED.format("go"), code.upgrade)

    assert (report.version, answers) == (2, ["green"])


def test_a_machine_with_one_callback_is_in_any_state(lights):
    """A state is then a value, and no name of a method."""
    _, report, answers = lights(["green"], RENAMED + ANY, code.load)

    assert (report.version, answers) == (2, [("any", "green")])


def test_force_makes_it_a_warning(project, runtime):
    """The machine ends at its next event, as the warning says."""
    project.load_text("light", TEXT)

    async def main():
        pid = await sys.modules["light"].Light.start()
        await call(pid, "green")
        report = code.load("light", dedent(RENAMED), force=True)
        with pytest.raises(CallError, match="has no state 'green'"):
            await call(pid, "x")
        return pid, [(each.severity, each.code, each.message) for each in report.warnings]

    pid, [(severity, kind, message)] = runtime.run(main)
    assert (severity, kind) == ("warning", "live-state")
    assert message.startswith(f"{pid!r} would end at the next message")


def test_a_dry_run_says_so(lights):
    """Before anything is changed."""

    def rehearse(name, text):
        return code.upgrade(name, text, dry_run=True)

    (pid,), report, answers = lights(["green"], RENAMED, rehearse)

    (refusal,) = report.refusals
    assert f"{pid!r}" in refusal.message
    assert "Light has no state 'green'" in refusal.message
    assert answers == ["green"]
