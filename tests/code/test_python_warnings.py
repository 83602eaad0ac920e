"""What Python warns of while a version is compiled, and while its body runs, is in the report."""

from __future__ import annotations

import subprocess
import sys
import warnings

import pytest

from midflight import code
from midflight.code.load import python_warnings
from midflight.parsing import parse_module

pytestmark = pytest.mark.filterwarnings("default")


def told(report):
    """Line and message of each warning of Python's."""
    return [(each.line, each.message) for each in report.warnings if each.code == "python-warning"]


def test_the_compiler_s_warnings_are_in_the_report(project):
    """At their lines, with the file that people edit."""
    report = project.load_text("thing", 'x = "a"\nif x is "a":\n    pass\n')

    ((line, message),) = told(report)
    assert line == 2
    assert message.startswith('SyntaxWarning: "is" with ')
    assert report.warnings[0].path == project.path("thing.py")


@pytest.mark.parametrize("before", ["", "class K:\n    pass\n"])
def test_an_escape_that_python_does_not_know_is_in_the_report(project, before):
    """Whether the tree that runs is the text's own or has questions in it."""
    project.load_text("thing", before)

    report = project.load_text("thing", before + 'x = "\\d"\n')

    ((line, message),) = told(report)
    assert line == 1 + before.count("\n")
    assert "invalid escape sequence" in message


def test_only_what_the_parser_may_warn_of_is_parsed_once_more(project, monkeypatch):
    """Each time if it does warn, else until it changes: a raw literal is in order."""
    kept, escape, raw, rest = "class K:\n    pass\n", 'def f():\n    return "\\w"\n', 'RAW = r"\\d"\n', "x = 1\n" * 20
    text = kept + escape + raw + rest
    parsed = []

    def parse(part, *args):
        parsed.append(part.lstrip("\n") + "\n")
        return parse_module(part, *args)

    monkeypatch.setattr(python_warnings, "parse_module", parse)
    project.load_text("thing", kept)

    reports = [project.load_text("thing", f"# {each}\n{text}") for each in range(3)]

    assert parsed == [escape, raw, escape, escape]
    assert [line for report in reports for line, _ in told(report)] == [5, 5, 5]


def test_a_number_that_a_keyword_follows_at_once_is_in_the_report(project):
    """It is the parser that says so, and the tree that runs does not come from it."""
    project.load_text("thing", "class K:\n    pass\n")

    ((line, message),) = told(project.load_text("thing", "class K:\n    pass\nx = 1if K else 2\n"))

    assert line == 3
    assert "invalid decimal literal" in message


def test_a_warning_of_the_body_is_in_the_report(project):
    """At the line that it names."""
    assert told(project.load_text("thing", "import warnings\n\nwarnings.warn('old')\n")) == [(3, "UserWarning: old")]


def test_a_warning_that_a_library_gives_of_itself_is_told_at_the_line_that_called_it(project):
    """As one of a decorator that finds a name taken."""
    project.load_text("lib", "import warnings\ndef task(f):\n    warnings.warn('taken')\n    return f\n")

    report = project.load_text("thing", "import lib\n\n@lib.task\ndef f():\n    pass\n")

    assert told(report) == [(3, "UserWarning: taken")]


def test_a_warning_that_is_ignored_is_not_told(project):
    """The filters are the user's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert told(project.load_text("thing", "import warnings\nwarnings.warn('old')\n")) == []


def test_a_warning_that_a_line_gives_twice_is_told_once(project):
    """A loop may give it a thousand times."""
    report = project.load_text("thing", "import warnings\nfor _ in 'ab':\n    warnings.warn('old')\n")

    assert told(report) == [(3, "UserWarning: old")]


def test_nothing_of_ours_is_left_in_python_s_way(project, monkeypatch):
    """The function that shows warnings is what it was, when no other load runs."""
    monkeypatch.setattr(python_warnings, "_collecting", [])  # another test's load may hang in its body for good
    monkeypatch.setattr(warnings, "showwarning", lambda *_, **__: None)
    before = warnings.showwarning

    project.load_text("thing", "import warnings\nwarnings.warn('old')\n")
    with pytest.raises(code.LoadError):
        project.load_text("thing", "1 / 0\n")

    assert warnings.showwarning is before


def test_a_warning_made_an_error_refuses_the_load(project):
    """As it stops an import."""
    path = project.write("thing.py", "import warnings\nwarnings.warn('old')\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(code.LoadError, match="old"):
            code.load(path)

    assert "thing" not in sys.modules


def test_the_filters_of_python_itself_let_all_that_is_told_through(project):
    """In a program of its own, in which nobody has set any; the terminal has it too."""
    path = project.write("thing.py", 'x = "\\d"\nif x is "a":\n    pass\n')
    main = project.write(
        "main.py",
        f"""
        from midflight import code
        for _ in range(2):
            report = code.load({path!r})
            print([(each.line, each.code) for each in report.warnings])
        """,
    )

    done = subprocess.run([sys.executable, main], capture_output=True, text=True, check=True)

    assert done.stdout == "[(1, 'python-warning'), (2, 'python-warning')]\n" * 2
    assert "SyntaxWarning" in done.stderr
