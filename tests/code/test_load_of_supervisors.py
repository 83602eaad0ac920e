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
