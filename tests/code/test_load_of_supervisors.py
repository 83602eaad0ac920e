"""A plain load does not ask a supervisor for its children again; it says which supervisors have others now."""

from __future__ import annotations

import pytest

from helpers.servers import pids_of
from midflight import code, exit

TEXT = """
from midflight import ChildSpec, Supervisor, receive
NAMES = ["a", "b"]
RATE = 1
async def till(): await receive()
def spec(name): return ChildSpec(name, till)
class Tree(Supervisor):
    intensity = 2
    def init(self):
        return [*map(spec, NAMES), self.extra()]
    def extra(self):
        return spec("extra")
    def code_change(self, old_vsn, extra): pass
"""


def notes(report):
    return [each for each in report.warnings if each.code == "children"]


def loaded(project, runtime, edit, load=code.load):
    """Start a tree of version 1; return its pid, the report on version 2, and the names of its children then."""
    path = project.write("app.py", TEXT)

    async def main():
        code.load(path)
        import app

        pid = await app.Tree.start()
        project.write("app.py", edit(TEXT))
        report = load(path)
        report = report if isinstance(report, code.LoadReport) else await report
        children = list(await pids_of(pid))
        exit(pid, "kill")
        return pid, report, children

    return runtime.run(main)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('["a", "b"]', '["a", "b", "c"]'),
        ("return [*map(spec, NAMES), ", "return ["),
        ('spec("extra")', 'spec("more")'),
        ("return ChildSpec(name, till)", "return ChildSpec(name, till, restart='transient')"),
        ("intensity = 2", "intensity = 3"),
    ],
)
def test_a_supervisor_whose_children_changed_is_named(project, runtime, old, new):
    """With its class, and the verb that takes them; its children are as they were."""
    pid, report, children = loaded(project, runtime, lambda text: text.replace(old, new))

    (note,) = notes(report)
    assert note.severity == "note"
    assert f"{pid!r} (app.Tree)" in note.message
    assert "`upgrade`" in note.message
    assert children == ["a", "b", "extra"]


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text.replace("RATE = 1", "RATE = 2"),
        lambda text: text.replace("await receive()", "return await receive()"),
        lambda text: f"# a comment\n{text}",
        lambda text: text.replace("extra): pass", "extra): return"),
    ],
)
def test_an_edit_elsewhere_says_nothing(project, runtime, edit):
    """What a child runs is no child."""
    assert notes(loaded(project, runtime, edit)[1]) == []


def test_an_upgrade_says_nothing(project, runtime):
    """It has asked."""
    _, report, children = loaded(project, runtime, lambda text: text.replace('"b"]', '"b", "c"]'), code.upgrade)

    assert notes(report) == []
    assert children == ["a", "b", "c", "extra"]


FORM = """
from midflight import ChildSpec, DynamicSupervisor, Supervisor, receive
NAMES = ["a", "b"]
RATE = 1
async def till(): await receive()
def spec(name): return ChildSpec(name, till)
async def start(rate=RATE):
    children = [spec(name) for name in NAMES]
    children += [ChildSpec("rooms", DynamicSupervisor, (5,))]
    return await Supervisor.start(children, strategy="one_for_all")
"""


@pytest.mark.parametrize("load", [code.load, code.upgrade])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('["a", "b"]', '["a", "b", "c"]'),
        ("(5,))]", "(6,))]"),
        ("return ChildSpec(name, till)", "return ChildSpec(name, till, restart='transient')"),
        ('"one_for_all"', '"one_for_one"'),
        ("RATE = 1", None),
        ("await receive()", None),
        ("async def start", None),
    ],
)
def test_one_that_was_started_with_its_children_is_named(project, runtime, old, new, load):
    """With the function that started it: nobody is asked again, by an upgrade neither. Other edits say nothing."""
    path = project.write("app.py", FORM)

    async def main():
        code.load(path)
        import app

        pid = await app.start()
        project.write("app.py", FORM.replace(old, f"{old}  " if new is None else new))
        report = load(path)
        report = report if isinstance(report, code.LoadReport) else await report
        children = list(await pids_of(pid))
        exit(pid, "kill")
        return pid, report, children

    pid, report, children = runtime.run(main)

    said = [each.message for each in notes(report)]
    assert [text.partition(", which")[0] for text in said] == (
        [] if new is None else [f"{pid!r}: it was started with its children by app.start"]
    )
    assert children == ["a", "b", "rooms"]


def test_options_of_a_class_without_an_init_are_named(project, runtime):
    """max_children of a DynamicSupervisor of one's own, which an upgrade takes."""
    text = "from midflight import DynamicSupervisor\nclass Rooms(DynamicSupervisor):\n    max_children = {}\n"
    path = project.write("app.py", text.format(1))

    async def main():
        code.load(path)
        import app

        pid = await app.Rooms.start()
        project.write("app.py", text.format(2))
        return pid, code.load(path)

    pid, report = runtime.run(main)

    (note,) = notes(report)
    assert note.message.startswith(f"{pid!r} (app.Rooms): its class may say other children or options now")
