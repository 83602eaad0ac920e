"""Every way in which a load can fail leaves all as it was, what runs included; and the next good load works.

Three kinds of faults: in the text, in what is around it (the disk, another load), and in each step of a load in turn.
"""

from __future__ import annotations

import builtins
import io
import os
import sys
import threading

import pytest

from helpers.faults import Fault, world
from helpers.versions import project_in, text_of
from midflight import code, exit, run_process
from midflight.code.version import modules

SECONDS = 10.0  # to fail instead of to hang; no test waits for it
ERRORS = (OSError, MemoryError, KeyboardInterrupt)
SWAP = "load/commit._swap"  # the first step that changes what others see

# Where a load changes things.
CHANGING = (
    *("loading/lock", "load/transaction", "load/attempt", "load/prepare", "load/draft", "load/body", "load/commit"),
    *("version/facade", "version/modules", "version/hooks", "version/snapshots", "version/version"),
)


def is_changing(step):
    """Say whether a step is of a file that changes something; most only look, and one error is enough for those."""
    return step.partition(".")[0] in CHANGING


def account(number):
    """Return the text of a version of `account`."""
    return text_of("account_v1").replace("NUMBER = 1", f"NUMBER = {number}")


@pytest.fixture(autouse=True)
def _own_folder(monkeypatch):
    """Keep the texts of versions in a folder of the test's own: it is looked at."""
    monkeypatch.setattr("midflight.code.version.snapshots._folders", {})


@pytest.fixture
def running(project, runtime):
    """Give two processes, in version 1 and 2 of `account`, each with a state and a message that it passed over."""
    pids = []
    for number in (1, 2):
        project.load_text("account", account(number))
        pid = runtime.spawn(sys.modules["account"].loop, number * 100, name=f"account {number}")
        pid << ("unknown", number)
        runtime.run_until_idle()
        pids.append(pid)
    yield pids
    for pid in pids:
        pid << "stop"
    runtime.run_until_idle()


def answers(runtime, pids):
    """Return version and total of each process."""
    sink = []
    for pid in pids:
        pid << ("tell", sink)
    runtime.run_until_idle()
    return sink


def fail(project, text):
    """Load a text as `account` and return what the load raised, None if it raised nothing."""
    try:
        project.load_text("account", text)
    except (code.LoadError, *ERRORS) as error:
        return error
    return None


def numbers(name="account"):
    """Return the numbers of the versions that are there."""
    return [each.version for each in code.versions(name)]


# --- In the text -----------------------------------------------------------------------------------------------

TEXTS = {
    "syntax": account(3) + "\ndef late(\n",
    "body": account(3) + "\nKEPT.append(1 / 0)\n",
    "exit": account(3) + "\nraise SystemExit(1)\n",
    "import": account(3) + "\nimport nonesuch\n",
    "from-import": account(3) + "\nfrom account import nonesuch\n",
    "undefined-name": account(3) + "\ndef late():\n    return nonesuch\n",
    "live-call": account(3).replace("def loop", "def other").replace("upgrade/account.loop", "upgrade/account.other"),
    "encoding": "# coding: ascii\nNAME = 'é'\n",
    "replaced": account(3) + "\nimport sys\nsys.modules[__name__] = object()\n",
    "interrupt": account(3) + "\nraise KeyboardInterrupt\n",
    "load in a load": account(3) + "\nfrom midflight import code\ncode.load(__file__)\n",
}


@pytest.mark.parametrize("fault", TEXTS)
def test_a_text_that_cannot_be_loaded_changes_nothing(project, runtime, running, fault):
    """H3: whoever says no, the compiler, the body, or a check."""
    before = world(runtime, "account")

    assert fail(project, TEXTS[fault]) is not None

    assert world(runtime, "account") == before
    assert project.load_text("account", account(3)).version == 3
    assert answers(runtime, running) == [(1, 100), (2, 200)]


# --- Around it -------------------------------------------------------------------------------------------------


class FullDisk(io.StringIO):
    """A file that takes a few characters and then finds that the disk is full."""

    def __init__(self, descriptor):
        super().__init__()
        self._file = io.FileIO(descriptor, "w")

    def write(self, text):
        self._file.write(text[:10].encode())
        self._file.close()
        raise OSError(28, "No space left on device")


def test_a_disk_that_is_full_in_the_midst_of_a_text_refuses_nothing(project, runtime, running, monkeypatch):
    """What was written of it goes, the text is kept in memory, and the version is whole."""
    path = project.write("account.py", account(3))

    with monkeypatch.context() as patch:
        patch.setattr("midflight.code.version.snapshots.open", lambda file, *_, **__: FullDisk(file), raising=False)
        assert code.load(path).version == 3

    assert not os.path.exists(sys.modules["account"].which.__code__.co_filename)
    assert code.source("account", 3) == account(3)
    assert answers(runtime, running) == [(1, 100), (2, 200)]


def test_a_file_that_cannot_be_read_changes_nothing(project, runtime, running):
    """It is gone, say."""
    (project.root / "account.py").unlink()
    before = world(runtime, "account")

    with pytest.raises(code.LoadError, match="cannot read"):
        code.load(project.path("account.py"))

    assert world(runtime, "account") == before
    assert project.load_text("account", account(3)).version == 3


def test_of_two_loads_at_once_the_one_that_fails_changes_nothing(project, runtime, running, monkeypatch):
    """The other waits for it, and gets the number that it did not use."""
    reached, opened = threading.Event(), threading.Event()
    monkeypatch.setattr(builtins, "STOP", lambda: reached.set() or opened.wait(SECONDS), raising=False)
    path = project.path("account.py")
    before = world(runtime, "account")
    results = []

    def load(text):
        try:
            results.append(code.load(path, text).version)
        except code.LoadError as error:
            results.append(error.report.refusals[0].code)

    # The bad one is in its body; the good one waits for it, or comes later: it is the second in any case.
    bad = threading.Thread(target=load, args=(account(3) + "\nSTOP()\n1 / 0\n",))
    good = threading.Thread(target=load, args=(account(4),))
    bad.start()
    assert reached.wait(SECONDS)
    seen = (numbers(), sys.modules["account"].NUMBER)
    good.start()
    opened.set()
    _join(runtime, bad, good)

    assert seen == ([1, 2], 2)
    assert set(results) == {"body", 3}  # the good one may be done before the other has told its error
    assert sys.modules["account"].NUMBER == 4
    assert before["processes"] == world(runtime, "account")["processes"]
    assert answers(runtime, running) == [(1, 100), (2, 200)]


def _join(runtime, *threads):
    """Run the runtime, on whose thread the threads commit, until they have ended."""

    async def wait():
        for thread in threads:
            await runtime.loop.run_in_executor(None, thread.join, SECONDS)

    runtime.loop.run_until_complete(wait())


def test_a_code_change_that_raises_changes_nothing(project, runtime, running):
    """H38: neither code nor state nor mailbox of any server, nor of any other process."""
    project.load("tally_v1")
    start = sys.modules["tally"].start
    servers = [runtime.loop.run_until_complete(run_process(start, total)) for total in (1, 2)]
    path = project.put("tally_that_fails")
    before = world(runtime, "account", "tally")

    with pytest.raises(code.LoadError):
        runtime.loop.run_until_complete(code.upgrade(path))

    runtime.run_until_idle()
    assert world(runtime, "account", "tally") == before
    assert project.load("tally_v2").version == 2
    assert answers(runtime, running) == [(1, 100), (2, 200)]
    for server in servers:
        exit(server, "shutdown")
    runtime.run_until_idle()


# --- Each step of a load ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", ERRORS)
def test_each_step_of_a_load_can_fail(project, runtime, running, error):
    """Before the swap: nothing has changed. From it on: the new version is there, whole, and so is the record of it.

    Each function of `midflight.code` that a load calls is a step. Ctrl-C, which nothing takes for its own, comes at
    each of them. That the next load comes as far as its own step shows that nothing is left locked or half done; the
    last one is good.
    """
    project.load_text("account", account(3))  # a module that was loaded lately is looked at by itself from then on
    with Fault() as found:
        project.load_text("account", account(4))
    steps = list(found.steps)
    before = world(runtime, "account")

    for step in steps:
        if error is not KeyboardInterrupt and not is_changing(step):
            continue
        current = numbers()[-1]
        with Fault(step, error) as fault:
            raised = fail(project, account(current + 1))
        assert step in fault.steps, f"{step}: the load did not come to it: {raised!r}"
        after = world(runtime, "account")
        if SWAP not in fault.steps and raised is not None:
            assert after == before, f"{step}: a load that failed has changed something"
        else:  # or the error went no further: Python drops some itself, and a text may be too deep to be compared
            _check_whole(step, current + 1)
            assert after["processes"] == before["processes"], step
        before = after

    assert project.load_text("account", account(9)).version == numbers()[-1]
    assert answers(runtime, running) == [(1, 100), (2, 200)]
    for pid in running:
        pid << "switch"
    assert answers(runtime, running) == [(9, 100), (9, 200)]


def _check_whole(step, number):
    module = sys.modules["account"]
    assert (module.NUMBER, module.__midflight_version__, numbers()) == (number, number, [1, 2, number]), step
    assert type(module) is type(sys), step
    assert code.source("account") == account(number), step


def test_each_step_of_a_first_load_can_fail(project, runtime):
    """Before the swap: there is no such module, and its folder is not on the path."""
    project.load("thing_v1")  # the folder for the texts is there then
    for name in ("warm-up", "first"):  # by the second one, all that is remembered of other modules is
        with project_in(project.root / name) as first, Fault() as found:
            first.load_text("account", account(1))
            _take_texts_away()
    steps = list(found.steps)

    for step in filter(is_changing, steps[: steps.index(SWAP)]):
        with project_in(project.root / "again") as again:
            before = world(runtime, "account")
            with Fault(step, KeyboardInterrupt) as fault:
                raised = fail(again, account(1))
            assert step in fault.steps, f"{step}: the load did not come to it: {raised!r}"
            if raised is not None:
                assert world(runtime, "account") == before, f"{step}: a load that failed has changed something"
            else:
                _take_texts_away()

    assert project.load_text("account", account(1)).version == 1
    assert sys.modules["account"].which() == 1


def test_each_step_of_a_load_of_two_modules_can_fail(project, runtime, running):
    """Both are at their old version, or both at their new one. Ctrl-C is the error that nothing takes for its own."""
    paths = [project.path("account.py"), project.write("thing.py", text_of("thing_v1"))]
    code.load(paths[1])
    with Fault() as found:
        code.load_many([(paths[0], account(3)), (paths[1], None)])
    before = world(runtime, "account", "thing")
    current = numbers()[-1]

    for step in found.steps:
        if not is_changing(step):
            continue
        with Fault(step, KeyboardInterrupt):
            try:
                code.load_many([(paths[0], account(current + 1)), (paths[1], None)])
            except KeyboardInterrupt:
                pass
        after = world(runtime, "account", "thing")
        if current == sys.modules["account"].NUMBER:
            assert after == before, f"{step}: a load that failed has changed something"
        else:
            current += 1
            _check_whole(step, current)
            assert numbers("thing") == [current - 1], step
            assert sys.modules["thing"].__midflight_version__ == current - 1, step
        before = after

    assert answers(runtime, running) == [(1, 100), (2, 200)]


def _take_texts_away():
    """Remove the files of a module that is to be forgotten, else the next one of its name would."""
    for version in modules.module_of("account").versions.values():
        version.snapshot.remove()
