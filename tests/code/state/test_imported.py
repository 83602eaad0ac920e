"""State of modules that Python imported, and of tables whose keys come from another module."""

from __future__ import annotations

import importlib
import sys

import pytest

from helpers.versions import Project
from midflight import code

RULES = "class Rule:\n    'the first'\n\n\nclass Word:\n    pass\n"

TABLES = """
from rules import Rule, Word

BY_RULE = {Rule: 1, (Rule, Word): 2, Word: {(Word, (Rule,)): 3, frozenset([Rule]): 4}}
RULES = [Rule, (Rule, Word)]
SEEN = {Rule, (Rule, Word)}


def found():
    inner = BY_RULE[Word]
    return [
        BY_RULE.get(Rule), BY_RULE.get((Rule, Word)), inner.get((Word, (Rule,))), inner.get(frozenset([Rule])),
        Rule in RULES, (Rule, Word) in RULES, Rule in SEEN, (Rule, Word) in SEEN,
        len(BY_RULE), len(inner), len(RULES), len(SEEN),
    ]
"""

WHOLE = [1, 2, 3, 4, True, True, True, True, 3, 2, 2, 2]


pytestmark = pytest.mark.usefixtures("watched")


def first(project: Project, name: str, text: str, is_imported: bool) -> None:
    """Have a module, by an import or by a load."""
    if is_imported:
        sys.path.append(str(project.root))
        project.write(f"{name}.py", text)
        importlib.import_module(name)
    else:
        project.load_text(name, text)


@pytest.mark.parametrize("is_imported", [True, False])
def test_a_table_takes_the_new_classes_of_another_module(project, is_imported):
    """They are in its keys, alone and in tuples: what the body made of the old ones goes."""
    first(project, "rules", RULES, is_imported)
    first(project, "tables", TABLES, is_imported)
    tables = sys.modules["tables"]
    table = tables.BY_RULE

    for number in ("second", "third"):
        project.load_text("rules", RULES.replace("first", number))
        project.load_text("tables", TABLES)

        assert tables.found() == WHOLE
        assert tables.BY_RULE is table


@pytest.mark.parametrize("is_imported", [True, False])
def test_what_the_program_put_into_such_a_table_stays(project, is_imported):
    """Beside the new keys of the body."""
    first(project, "rules", RULES, is_imported)
    first(project, "tables", TABLES, is_imported)
    tables = sys.modules["tables"]
    tables.BY_RULE["run", 1] = 9

    project.load_text("rules", RULES.replace("first", "second"))
    project.load_text("tables", TABLES)

    assert tables.BY_RULE["run", 1] == 9
    assert tables.BY_RULE[tables.Rule] == 1
    assert len(tables.BY_RULE) == 4


EQUAL = """
import dataclasses


@dataclasses.dataclass(frozen=True)
class Key:
    name: str


PRICES = {Key("tea"): 1}
SEEN = {Key("tea")}
"""


@pytest.mark.parametrize("is_imported", [True, False])
def test_a_table_that_nobody_touched_is_the_body_s_whatever_its_keys(project, is_imported):
    """Keys with an `__eq__` of their own cannot be looked up; then the table is taken as a whole, and comes back so."""
    first(project, "thing", EQUAL, is_imported)
    thing = sys.modules["thing"]
    prices = thing.PRICES
    new = EQUAL.replace("name: str", "name: str\n    size: int = 0")

    project.load_text("thing", new)

    assert thing.PRICES is prices
    assert thing.PRICES[thing.Key("tea")] == 1
    assert thing.Key("tea") in thing.SEEN
    assert (len(thing.PRICES), len(thing.SEEN)) == (1, 1)


IMPORTED = """
GREETING = "hello"
HANDLERS = ["own"]
SESSIONS = {}
hits = 0


def hit(name):
    global hits
    hits += 1
    SESSIONS[name] = hits
"""


def test_the_first_load_of_an_imported_module_knows_what_its_body_made(project):
    """So a constant is no state, and what the body put into a list is told from what the program did."""
    first(project, "thing", IMPORTED, True)
    thing = sys.modules["thing"]
    thing.hit("Ada")
    thing.HANDLERS.append("late")

    report = project.load_text("thing", IMPORTED + "# more\n")

    kept = [each.sized() for each in report.state if each.outcome == "kept"]
    assert kept == ["HANDLERS (2)", "SESSIONS (1)", "hits"]
    assert (thing.HANDLERS, thing.SESSIONS, thing.hits) == (["own", "late"], {"Ada": 1}, 1)


def test_what_a_program_puts_in_is_named_at_every_load(project):
    """Though nothing came since the last one."""
    first(project, "thing", IMPORTED, True)
    thing = sys.modules["thing"]
    thing.hit("Ada")

    said = [code.summary(project.load_text("thing", IMPORTED + f"# {number}\n")) for number in range(3)]

    assert all("kept state: SESSIONS (1), hits" in line for line in said), said


HANDLERS = """
JOBS = []
JOBS.append(0)
HANDLERS = []


def handler(function):
    HANDLERS.append(function)
    return function


@handler
def one(): pass
"""


def imported_unseen(project: Project, text: str):
    """Import `jobs` as before anybody watched."""
    project.write("jobs.py", text)
    sys.path.append(str(project.root))
    return importlib.import_module("jobs")


def without_record(module):
    """Forget what its body made, as of a module that was imported before anybody looked."""
    vars(module).pop("__midflight_state__", None)
    return module


def test_a_list_whose_first_items_nobody_knows_stays_and_is_told(project):
    """The body's `0` is not put back: the program has replaced it."""
    jobs = without_record(imported_unseen(project, HANDLERS))
    jobs.JOBS[:] = [1]

    report = project.load_text("jobs", HANDLERS + "# more\n")

    assert jobs.JOBS == [1]
    assert any(each.name == "JOBS" and "cannot be told" in each.why for each in report.state)


def test_a_registry_whose_first_items_nobody_knows_gets_new_functions_alone(project):
    """One that the program has taken out stays out."""
    jobs = without_record(imported_unseen(project, HANDLERS + "\n@handler\ndef two(): pass\n"))
    jobs.HANDLERS.remove(jobs.two)

    project.load_text("jobs", HANDLERS + "\n@handler\ndef two(): pass\n\n\n@handler\ndef three(): pass\n")

    assert [jobs.one, jobs.three] == jobs.HANDLERS
