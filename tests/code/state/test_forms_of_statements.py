"""Which names are state, whatever form of statement binds them."""

from __future__ import annotations

import pytest

from midflight import code

from .conftest import kept, told


@pytest.mark.parametrize(
    "text",
    [
        "X = {}\n",
        "X: dict = {}\n",
        "X, y = {}, 1\n",
        "[X] = [{}]\n",
        "y = X = {}\n",
        "X = {}\nX |= {}\n",
        "if True:\n    X = {}\nelse:\n    X = {1: 1}\n",
        "try:\n    X = {}\nexcept ValueError:\n    X = None\n",
        "for y in range(2):\n    X = {}\n",
        "match 1:\n    case 1:\n        X = {}\n",
        "(X := {})\n",
        "if (X := {}) == {}:\n    y = 1\n",
        "print(end='') or (X := {})\n",
        "[X := {} for y in range(1)]\n",
        "def init():\n    global X\n    X = {}\ninit()\n",
        "class Init:\n    def __init__(self):\n        global X\n        X = {}\nInit()\n",
    ],
)
def test_a_name_is_state_whatever_form_of_statement_binds_it(thing, text):
    """A walrus and a function that the body calls as well."""
    thing.load(f"{text}def f(): return 1\n")
    X = thing.module.X
    X["a"] = 1

    report = thing.edit("return 1", "return 2")

    assert thing.module.X is X
    assert X == {"a": 1}
    assert "X (1)" in kept(report)


@pytest.mark.parametrize(
    ("old", "new"), [("(X := {})\n", "(X := {2: 2})\n"), ("def init():\n    global X\n    X = {}\ninit()\n",) * 2]
)
def test_a_name_whose_statement_of_another_form_changed_is_left_behind(thing, old, new):
    """And the report names it."""
    thing.load(f"{old}def f(): return 1\n")
    thing.module.X["a"] = 1

    new = new.replace("X = {}", "X = {2: 2}")
    report = thing.load(f"{new}def f(): return 1\n")

    assert thing.module.X == {2: 2}
    assert told(report, "X")[0][0] == "left"
    code.recover("thing", "X")
    assert thing.module.X == {"a": 1}


def test_an_expression_that_binds_an_object_runs_again(thing):
    """It does more than that, so it cannot be left out; the new object is named."""
    thing.load("import threading\nCALLS = []\nCALLS.append(X := threading.Lock())\ndef f(): return 1\n")

    report = thing.edit("return 1", "return 2")

    ((outcome, why),) = told(report, "X")
    assert outcome == "new"
    assert "a statement that does more" in why


def test_a_logger_a_context_variable_and_the_like_are_not_state(thing):
    """Nothing is said of them."""
    text = (
        "import logging, contextvars, typing, re, functools, pathlib\nlog = logging.getLogger('x')\n"
        "v = contextvars.ContextVar('v')\nT = typing.TypeVar('T')\nP = re.compile('a')\npart = functools.partial(len)\n"
        "D = pathlib.Path('.')\nJ = dict[str, int]\nfor loop in range(3): pass\n"
    )
    thing.load(text)

    assert thing.again().state == ()
