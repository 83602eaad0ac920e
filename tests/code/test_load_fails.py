"""A load that fails changes nothing, and says why."""

from __future__ import annotations

import sys
import traceback

import pytest

from midflight import code
from midflight.code import LoadError

FAILURES = {
    "syntax": ("def which()\n    return 3\n", "syntax", 1),
    "raise": ("def which():\n    return 3\n\n1 / 0\n", "body", 4),
    "exit": ("import sys\nsys.exit(3)\n", "body", 2),
    "import": ("x = 1\nimport nonesuch\n", "import", 2),
    "generator": ("raise GeneratorExit\n", "body", 1),
    "deep": ("def f():\n    return {}[1]\n\nf()\n", "body", 2),
    "late": ("return 1\n", "syntax", 1),
    "undefined": ("def which():\n    return nonesuch\n", "undefined-name", 2),
}


@pytest.mark.parametrize("kind", FAILURES)
def test_a_load_that_fails_changes_nothing(project, kind):
    """H3: version 1 is current, its namespace untouched, the module object as it was."""
    project.load("thing_v1")
    thing = sys.modules["thing"]
    before, path = dict(vars(thing)), list(sys.path)
    text, problem, line = FAILURES[kind]

    with pytest.raises(LoadError) as caught:
        project.load_text("thing", text)

    report = caught.value.report
    assert (report.module, report.version, report.current) == ("thing", None, 1)
    faults = [each for each in report.refusals if each.code != "traceback"]
    assert [(each.code, each.line) for each in faults] == [(problem, line)]
    assert report.refusals[0] == faults[0]
    assert vars(thing) == before
    assert type(thing) is type(sys)
    assert sys.path == path
    assert [version.version for version in code.versions("thing")] == [1]


@pytest.mark.parametrize("kind", FAILURES)
def test_a_first_load_that_fails_leaves_nothing_behind(project, kind):
    """No entry in sys.modules, no folder on sys.path, no record of the module."""
    path = list(sys.path)

    with pytest.raises(LoadError) as caught:
        project.load_text("thing", FAILURES[kind][0])

    assert caught.value.report.current is None
    assert "thing" not in sys.modules
    assert sys.path == path
    assert code.is_loaded("thing") is None
    with pytest.raises(code.UnknownModuleError):
        code.versions("thing")


def test_the_number_of_a_failed_load_is_given_again(project):
    """So versions count loads that happened."""
    project.load("thing_v1")
    with pytest.raises(LoadError):
        project.load_text("thing", "1 / 0\n")

    assert project.load("thing_v2").version == 2


def test_what_the_body_raised_is_the_cause(project):
    """With a traceback that shows the lines of the text that failed."""
    with pytest.raises(LoadError) as caught:
        project.load_text("thing", "def fail():\n    raise KeyError('why')  # here\n\nfail()\n")

    cause = caught.value.__cause__
    assert isinstance(cause, KeyError)
    assert "raise KeyError('why')  # here" in "".join(traceback.format_exception(cause))


def test_a_keyboard_interrupt_in_the_body_is_the_users(project):
    """It goes through as it is, and nothing has changed."""
    project.load("thing_v1")

    with pytest.raises(KeyboardInterrupt):
        project.load_text("thing", "raise KeyboardInterrupt\n")

    assert sys.modules["thing"].which() == 1
    assert project.load("thing_v2").version == 2


def test_a_syntax_error_in_a_module_that_the_body_imports_is_shown_there_too(project):
    """The line that has to be mended first, then the import's line in the module."""
    sys.path.append(str(project.root))
    helper = project.write("helper.py", "x = 1\ndef f(:\n")

    with pytest.raises(LoadError) as caught:
        project.load_text("thing", "\nimport helper\n")

    first, second = caught.value.report.refusals
    assert (first.path, first.line, first.code) == (helper, 2, "syntax")
    assert (second.path, second.line, second.code) == (project.path("thing.py"), 2, "traceback")


def test_a_body_that_puts_something_else_in_its_place_is_refused(project):
    """Nobody could reach its versions."""
    project.load("thing_v1")
    thing = sys.modules["thing"]

    with pytest.raises(LoadError, match="another object"):
        project.load_text("thing", "import sys\nsys.modules[__name__] = object()\n")

    assert sys.modules["thing"] is thing
    assert thing.which() == 1


@pytest.mark.parametrize("given", ["json", "midflight.kernel", "sys", "nonesuch_module"])
def test_what_can_have_no_versions_is_refused(given):
    """The report says why; nothing is imported for it."""
    with pytest.raises(LoadError) as caught:
        code.load(given)

    assert caught.value.report.refusals[0].code in ("refused", "not-found")
    assert caught.value.report.version is None


def test_force_overrides_a_check_and_says_so(project):
    """What was a refusal is a warning then."""
    report = project.load_text("thing", FAILURES["undefined"][0], force=True)

    assert report.version == 1
    assert [(each.code, each.severity) for each in report.warnings] == [("undefined-name", "warning")]


def test_force_does_not_override_the_compiler(project):
    """There would be nothing to run."""
    with pytest.raises(LoadError):
        project.load_text("thing", FAILURES["syntax"][0], force=True)


def test_a_body_that_fails_in_another_file_shows_the_whole_way(project):
    """The innermost step of the user's first, then the others outwards: also those in libraries, none of Midflight."""
    project.load_text("helper", "import json\n\ndef parse(text):\n    return json.loads(text)\n")
    with pytest.raises(LoadError) as caught:
        project.load_text("thing", "import helper\n\ndef begin():\n    return helper.parse('{')\n\nbegin()\n")

    report = caught.value.report
    thing, helper = project.path("thing.py"), project.path("helper.py")
    first, own, *steps = report.refusals
    assert (first.path, first.line, first.code, first.severity) == (helper, 4, "body", "error")
    assert (own.path, own.line, own.code, own.severity) == (thing, 4, "traceback", "error")
    assert own.message.startswith("JSONDecodeError: ")
    assert own.message.endswith(", raised at helper.py:4")
    assert all("json" in each.path for each in steps[:-1])
    assert len(steps) > 1
    assert (steps[-1].path, steps[-1].line, steps[-1].severity) == (thing, 6, "note")
    assert not [each for each in report.refusals if "midflight/" in each.path]
    assert code.summary(report).startswith("thing not loaded: helper.py line 4, JSONDecodeError: ")
    assert "more)" not in code.summary(report)
    assert f"  {thing}:6:0: on the way to the error, in <module>\n" in code.text(report)


def test_a_body_that_calls_itself_without_end_shows_few_steps(project):
    """A thousand equal lines help nobody."""
    with pytest.raises(LoadError) as caught:
        project.load_text("thing", "def f(n):\n    if n:\n        return f(n + 1)\n\nf(1)\n")

    assert len(caught.value.report.refusals) < 40
