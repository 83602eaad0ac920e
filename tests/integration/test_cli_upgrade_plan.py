"""`midflight upgrade --plan`: a recorded order of upgrade, which a later `midflight upgrade` follows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.command_line import Shell
from helpers.server_process import Program
from midflight.epc import RemoteServer

STORE = """\
from midflight import GenServer


class Store(GenServer):
    def init(self):
        self.kept = 3
"""
CHANGE = """
    def code_change(self, old_vsn, extra):
        self.kept = [self.kept, extra]
"""
DESK = "import store\nPRICE = 1\n"


@pytest.fixture(autouse=True)
def saved(start: Callable[..., Program], project: Path, run: Shell) -> Path:
    """Two modules that run, one of which imports the other and has a live server; both were changed and saved."""
    start("serve").port()
    for name, text in (("store", STORE), ("desk", DESK)):
        (project / f"{name}.py").write_text(text)
    run("load", str(project / "store.py"), str(project / "desk.py"))
    with RemoteServer.attach(project) as client:
        session = client.call("shell/open")["session"]
        client.call("shell/eval", session, "await store.Store.start(name='store')")
    (project / "store.py").write_text(STORE + CHANGE)
    (project / "desk.py").write_text(DESK.replace("1", "2"))
    return project


def versions(run: Shell) -> list[int]:
    return [run.json("versions", name)[-1]["version"] for name in ("store", "desk")]


def test_a_plan_says_the_order_and_the_steps_and_changes_nothing(run: Shell, saved: Path) -> None:
    """What is imported comes first, whatever the order on the command line; what is shown is what is written."""
    shown = run("upgrade", str(saved / "desk.py"), "store", "--extra", "7", "--plan")

    plan = json.loads((saved / "upgrade-plan.json").read_text())
    (step,) = plan["steps"]
    assert (step["modules"], step["extra"]) == (["store", "desk"], "7")
    pid = step["does"][3].partition(" ")[0]
    assert step["does"] == [
        "load store as version 2",
        "load desk as version 2",
        "suspend 1 server",
        f"{pid} (store): kept=3 -> kept=[3, 7]",
        "make all of it current in one step",
        "resume them",
    ]
    assert plan["modules"]["desk"]["path"] == "desk.py"
    assert shown.splitlines()[0] == f"Plan written to {saved / 'upgrade-plan.json'}"
    assert [line.strip() for line in shown.splitlines()[1:7]] == step["does"]
    assert versions(run) == [1, 1]


def test_an_upgrade_without_modules_follows_the_plan(run: Shell, saved: Path) -> None:
    """With its extra; and not twice."""
    run("upgrade", "--plan", "--extra", "7")

    shown = run("upgrade", "--dry-run")
    before = versions(run)
    done = run.json("upgrade")
    run("upgrade", code=3)
    again = run.error

    assert (before, versions(run)) == ([1, 1], [2, 2])
    assert "-> kept=[3, 7]" in shown
    assert [(each["module"], each["version"]) for each in done["reports"]] == [("store", 2), ("desk", 2)]
    assert done["reports"][0]["upgraded"][0]["after"] == "kept=[3, 7]"
    twice = "store runs the plan's new text already; desk runs the plan's new text already; nothing was done"
    assert twice in again


def test_a_plan_that_does_not_fit_any_more_is_refused(run: Shell, saved: Path) -> None:
    """It names the modules, and nothing is changed: for a text that was changed, that is gone, or that runs already."""
    run("upgrade", "--plan")
    path, said = saved / "desk.py", []

    for text in (DESK, None, DESK.replace("1", "3")):
        path.unlink(missing_ok=True)
        if text is not None:
            path.write_text(text)
        run("upgrade", code=3)
        said.append(run.error)
    before = versions(run)
    run("load", str(path))
    run("upgrade", code=3)
    said.append(run.error)

    assert before == [1, 1]
    assert "desk.py was changed since the plan was made; nothing was done. Make it again" in said[0]
    assert "desk.py" in said[1]
    assert "desk.py was changed since the plan was made" in said[2]
    assert "desk runs another text than when the plan was made" in said[3]
    assert versions(run) == [1, 2]


def test_the_steps_of_an_edited_plan_are_done_in_their_order(run: Shell, saved: Path) -> None:
    """One that is refused ends it; the report says that the steps before it are done."""
    path = saved / "first.json"
    run("upgrade", "--plan", str(path))
    plan = json.loads(path.read_text())
    plan["steps"] = [{"modules": ["desk"]}, {"modules": ["store"], "extra": "1 / 0"}]
    path.write_text(json.dumps(plan))

    run("upgrade", str(path), code=3)
    assert "Step 2 of 2: --extra could not be evaluated" in run.error
    assert "The steps before it are done." in run.error
    failed = versions(run)
    plan["steps"] = [{"modules": ["store"], "extra": "'new'"}]
    del plan["modules"]["desk"]
    path.write_text(json.dumps(plan))
    done = run.json("upgrade", str(path))

    assert failed == [1, 2]
    assert [each["module"] for each in done["reports"]] == ["store"]
    assert versions(run) == [2, 2]


def test_a_step_that_is_refused_is_named(run: Shell, saved: Path) -> None:
    """With the number of the step."""
    (saved / "store.py").write_text(STORE + CHANGE.replace("extra]", "1 / extra]"))
    path = saved / "first.json"
    run("upgrade", "--plan", str(path), "--extra", "1")
    plan = json.loads(path.read_text())
    plan["steps"] = [{"modules": ["desk"]}, {"modules": ["store"], "extra": "0"}]
    path.write_text(json.dumps(plan))

    run("upgrade", str(path), code=3)

    assert "Step 2 of 2 was refused; the steps before it are done.\nstore not upgraded" in run.error
    assert versions(run) == [1, 2]


def test_no_plan_is_written_of_what_would_be_refused(run: Shell, saved: Path) -> None:
    """Exit code 3, as for a dry run."""
    (saved / "store.py").write_text(STORE + CHANGE.replace("extra]", "1 / extra]"))
    run("upgrade", "--plan", "--extra", "0", code=3)
    refused = run.error
    (saved / "store.py").write_text("def (:\n")
    run("upgrade", "store", "--plan", code=3)

    assert "ZeroDivisionError" in refused
    assert "No plan was made. store not loaded: line 1" in run.error
    assert not (saved / "upgrade-plan.json").exists()


def test_what_is_no_plan_is_refused(run: Shell, saved: Path) -> None:
    """With what to do; a name that does not end in .json too, which would be a module's."""
    wrong = {
        None: "There is no plan",
        "{": "is not a plan of an upgrade",
        "{}": "is not a plan of an upgrade",
        '{"midflight-upgrade-plan": 1, "steps": [{"modules": ["a"]}], "modules": {}}': "not those below them",
        '{"midflight-upgrade-plan": 2}': "of another format than 1",
    }
    for text, says in wrong.items():
        if text is not None:
            (saved / "upgrade-plan.json").write_text(text)

        run("upgrade", code=4 if text is None else 3)

        assert says in run.error
    run("upgrade", "--plan", str(saved / "store.py"), code=3)
    assert "store.py is not the name of a plan, which ends in .json" in run.error
    assert (saved / "store.py").read_text() == STORE + CHANGE
    run("load", "--modified")
    run("upgrade", "--plan", code=3)
    assert "No module's file differs from what runs; no plan was made" in run.error
