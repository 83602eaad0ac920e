"""A body that cannot run twice is told as that, with the definition at fault, and not as a line to mend."""

from __future__ import annotations

import sys

import pytest

from midflight import code
from midflight.code.lowlevel import load_definition

ORM = "from sqlalchemy.orm import DeclarativeBase\n\nclass Base(DeclarativeBase):\n    pass\n"
MODELS = """
from sqlalchemy.orm import Mapped, mapped_column
from orm import Base


class Customer(Base):
    __tablename__ = "customer"
    id: Mapped[int] = mapped_column(primary_key=True)


def total():
    return 1
"""

APP = "from flask import Flask\napp = Flask('shop')\n"
VIEWS = """
from application import app


@app.get("/")
def index():
    return "1"


def total():
    return 1
"""

REGISTRY = """
KNOWN = {}
CLOSED = []


def algorithm(function):
    if function.__name__ in KNOWN:
        raise ValueError(f"algorithm already known: {function.__name__}")
    KNOWN[function.__name__] = function
    return function


def close(value):
    if CLOSED:
        raise RuntimeError("closed")
    CLOSED.append(value)


def checked(value):
    if value < 0:
        raise ValueError("negative")
    return value
"""


def refused(project, name: str, text: str):
    """Load a text that is refused; return its report and its one line."""
    with pytest.raises(code.LoadError) as caught:
        project.load_text(name, text)
    assert code.source(name) != text
    return caught.value.report, str(caught.value)


@pytest.mark.filterwarnings("default:This declarative base already contains")
def test_an_edited_model_of_sqlalchemy(project):
    """Its table is there under its name."""
    project.load_text("orm", ORM)
    project.load_text("models", MODELS)

    report, line = refused(project, "models", MODELS.replace('"customer"\n', '"customer"\n    x = 1\n'))

    assert report.refusals[0].code == "runs-once"
    assert "cannot run twice: class Customer meets 'customer', which version 1 has made there" in line
    assert "Table 'customer' is already defined" in line
    assert "Fix the line" not in line
    assert "`once` or `@on_load`" in line


@pytest.mark.filterwarnings("default:This declarative base already contains")
def test_another_definition_beside_a_model_is_loaded(project):
    """That is what the refusal offers."""
    project.load_text("orm", ORM)
    project.load_text("models", MODELS)
    edited = MODELS.replace('"customer"\n', '"customer"\n    x = 1\n').replace("return 1", "return 2")
    refused(project, "models", edited)

    found = load_definition(project.path("models.py"), edited, edited[: edited.index("return 2")].count("\n") + 1)

    assert found.report.version == 2
    assert sys.modules["models"].total() == 2


@pytest.mark.parametrize("asked", [True, False], ids=["after its first request", "before"])
def test_routes_of_flask(project, asked):
    """After the first request no route is taken; before it the endpoint is there already."""
    project.load_text("application", APP)
    project.load_text("views", VIEWS)
    if asked:
        sys.modules["application"].app.test_client().get("/")

    report, line = refused(project, "views", VIEWS.replace('"1"', '"2"'))

    assert report.refusals[0].code == "runs-once"
    assert "cannot run twice: function index" in line


def test_a_registry_that_takes_a_name_once(project):
    """The key is in the error, and what it leads to is the function of version 1."""
    project.load_text("registry", REGISTRY)
    text = "from registry import algorithm\n@algorithm\ndef search(x):\n    return 1\n"
    project.load_text("thing", text)

    _, line = refused(project, "thing", text.replace("(x)", "(x, y)").replace("1\n", "2\n"))

    assert "cannot run twice: function search meets 'search', which version 1 has made there" in line


def test_a_call_that_is_made_once(project):
    """No key says so: the line and all that it reads are as they were, and it ran."""
    project.load_text("registry", REGISTRY)
    text = "import registry\nLIMIT = 3\nregistry.close(LIMIT)\ndef f():\n    return 1\n"
    project.load_text("thing", text)

    _, line = refused(project, "thing", text.replace("return 1", "return 2"))

    assert "line 3 runs as it did in version 1, and meets what that has left with others" in line


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("registry.checked(LIMIT)", "registry.checked(-LIMIT)"),
        ("LIMIT = 3", "LIMIT = -3"),
        ("def made():\n    return LIMIT", "def made():\n    return -LIMIT"),
        ("import registry\n", "import registry\nopen('/nonesuch/file')\n"),
        ("import registry\n", "import registry\nnonesuch()\n"),
    ],
    ids=["the line", "what it reads", "what it calls", "a file", "a name"],
)
def test_a_mistake_in_the_text_is_one_to_mend(project, old, new):
    """Whatever has changed may be at fault, so nobody says that the body cannot run twice."""
    project.load_text("registry", REGISTRY)
    text = (
        "import registry\nLIMIT = 3\ndef made():\n    return LIMIT\nregistry.checked(LIMIT)\nregistry.checked(made())\n"
    )
    project.load_text("thing", text)

    _, line = refused(project, "thing", text.replace(old, new))

    assert "twice" not in line


def test_a_library_that_was_loaded_since_may_be_at_fault(project):
    """The line ran with another version of it."""
    project.load_text("registry", REGISTRY)
    text = "import registry\nregistry.checked(3)\n"
    project.load_text("thing", text)
    project.load_text("registry", REGISTRY.replace("value < 0", "value > 0"))

    _, line = refused(project, "thing", text + "# a comment\n")

    assert "twice" not in line
