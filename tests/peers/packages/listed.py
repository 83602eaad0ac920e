"""The packages that are loaded, and how the tests in their source distributions are run."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PACKAGES", "Package"]


@dataclass(frozen=True)
class Package:
    """A distribution, with the folders of its source that are imported from, relative to its root.

    `folder` is where they are, `tests` what pytest is given, `options` what else; `left_out` are modules that are not
    imported, each with everything below it.
    """

    name: str
    imports: tuple[str, ...]
    folder: str = "src"
    tests: str = "tests"
    options: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


NO_ASYNCIO = ("-p", "no:asyncio")  # pytest-asyncio warns of a setting, and there warnings are errors
NAMED_BY_TIME = (  # the name of the test has the time in it, so no two runs have the same test
    "--deselect=tests/test_deserialization.py::TestFieldDeserialization::test_invalid_datetime_deserialization"
)

PACKAGES = (
    Package("attrs", ("attr", "attrs"), options=NO_ASYNCIO),
    Package("boltons", ("boltons",), folder=".", options=NO_ASYNCIO),
    Package("click", ("click",), options=NO_ASYNCIO),
    Package("funcy", ("funcy",), folder=".", options=NO_ASYNCIO),
    Package("h11", ("h11",), folder=".", tests="h11/tests", left_out=("h11.tests",), options=NO_ASYNCIO),
    Package("jinja2", ("jinja2",), options=NO_ASYNCIO),
    Package("lark", ("lark",), folder=".", left_out=("lark.__pyinstaller",), options=NO_ASYNCIO),
    Package("marshmallow", ("marshmallow",), options=(*NO_ASYNCIO, NAMED_BY_TIME)),
    Package("pluggy", ("pluggy",), tests="testing", options=(*NO_ASYNCIO, "--ignore=testing/benchmark.py")),
    Package(
        "starlette",
        ("starlette",),
        folder=".",
        options=(*NO_ASYNCIO, "--ignore=tests/middleware/test_opentelemetry.py"),
    ),
    Package("structlog", ("structlog",)),
    Package("tinydb", ("tinydb",), folder=".", left_out=("tinydb.mypy_plugin",), options=NO_ASYNCIO),
    Package(
        "toolz",
        ("toolz",),
        folder=".",
        tests="toolz/tests",
        left_out=("toolz.tests", "toolz.sandbox.tests"),
        options=NO_ASYNCIO,
    ),
    Package("wsproto", ("wsproto",), options=NO_ASYNCIO),
)
