"""`__persist__` in its corners: where its assignments may stand, and when it cannot do what it says."""

from __future__ import annotations

import sys

import pytest

STATEMENTS = {
    "under an if": "if True:\n    kept = made()",
    "under an else": "if not made:\n    pass\nelse:\n    kept = made()",
    "in a try": "try:\n    kept = made()\nexcept OSError:\n    kept = None",
    "in a with": "import contextlib\nwith contextlib.nullcontext():\n    kept = made()",
    "two at once": "kept, other = made(), made()",
    "a list of names": "[kept, (other, other)] = made(), (1, 2)",
}


@pytest.mark.parametrize("where", STATEMENTS)
def test_an_assignment_that_is_kept_does_not_run_wherever_it_stands(project, where):
    """A connection is opened once."""
    head = "__persist__ = ['kept', 'other']\nother = 1\nCALLS = []\ndef made():\n    CALLS.append(1)\n    return [1]\n"
    project.load_text("thing", f"{head}{STATEMENTS[where]}\n")
    kept = sys.modules["thing"].kept

    project.load_text("thing", f"{head}{STATEMENTS[where]}\n")

    assert sys.modules["thing"].kept is kept
    assert sys.modules["thing"].CALLS == []


def test_an_assignment_to_another_name_too_is_for_the_rules_of_state(project):
    """It is kept if its statement is the same, and else it runs."""
    text = "__persist__ = ['kept']\nkept = other = []\n"
    project.load_text("thing", text)
    before = sys.modules["thing"].other

    project.load_text("thing", text)
    assert sys.modules["thing"].kept is sys.modules["thing"].other is before
    project.load_text("thing", text.replace("other", "more"))
    assert sys.modules["thing"].more is not before


@pytest.mark.parametrize(
    ("statement", "line"),
    [
        ("__persist__ = list(NAMES)", 2),
        ("__persist__ = ['a', *NAMES]", 2),
        ("__persist__: list = NAMES", 2),
        ("__persist__ = ['a']\n__persist__ += NAMES", 3),
    ],
)
def test_a_list_that_is_no_list_of_strings_is_a_warning(project, statement, line):
    """It is read before anything runs."""
    report = project.load_text("thing", f"NAMES = ['b']\n{statement}\na = b = 1\n")

    (warning,) = report.warnings
    assert (warning.code, warning.line) == ("persist", line)
    assert "write a list of strings" in warning.message


def test_more_of_the_list_by_a_list_of_strings_counts(project):
    """`+=` is read too."""
    text = "__persist__ = ['a']\n__persist__ += ['b']\na, b = [], []\n"
    project.load_text("thing", text)
    before = sys.modules["thing"].b

    assert project.load_text("thing", text).warnings == ()
    assert sys.modules["thing"].b is before


def test_a_name_that_nothing_binds_is_a_warning(project):
    """A slip of the pen would lose the state."""
    report = project.load_text("thing", "__persist__ = [\n    'conn',\n    'cahce',\n]\nconn = cache = 1\n")

    (warning,) = report.warnings
    assert (warning.line, warning.message) == (3, "__persist__ names cahce, which the module does not bind")


REBINDING = """
from midflight import receive
__persist__ = ["total", "log"]
total = 0
log = []
async def loop():
    global total
    total += await receive()
    return loop()
"""


def test_a_name_that_old_code_binds_anew_while_processes_run_it_is_a_warning(project, runtime):
    """The new version has what it was at the load, and never hears of the rest."""
    assert project.load_text("thing", REBINDING).warnings == ()
    thing = sys.modules["thing"]
    assert project.load_text("thing", REBINDING).warnings == ()  # nobody runs the version before

    pid = runtime.spawn(thing.loop)
    pid << 1
    runtime.run_until_idle()
    report = project.load_text("thing", REBINDING)
    pid << 10
    runtime.run_until_idle()

    (warning,) = report.warnings
    assert (warning.code, warning.line) == ("persist", 3)
    assert "total is in __persist__" in warning.message
    assert thing.total == 1
    runtime.shutdown()
