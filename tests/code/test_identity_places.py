"""Classes that read classes, and where in the text a class may stand to keep its object."""

from __future__ import annotations

import sys

import pytest

from helpers.identity import load_twice, reasons
from midflight import code

# --- Classes that read classes --------------------------------------------------------------------------------


def test_a_class_is_kept_with_those_that_it_reads_in_whatever_order(project):
    """Of two that read each other, both or none."""
    text = """
        class Tree:
            def leaf(self): return Leaf()
            def last(self) -> "Last": ...
        class Leaf:
            def tree(self): return Tree()
        class Last(Leaf): limit = {}
        """
    assert load_twice(project, text.format(1)).kept == ("Tree", "Leaf", "Last")

    report = load_twice(project, text.format(1), text.format(2))

    assert reasons(report) == {
        "Tree": "it reads Last, which is not kept",
        "Leaf": "it reads Tree, which is not kept",
        "Last": "its text differs",
    }


def test_the_reason_says_how_a_name_is_reached(project):
    """Across classes further down."""
    text = "class A:\n    def f(self): return B\nclass B:\n    def f(self): return helper\ndef helper(): pass\n"

    report = load_twice(project, text)

    assert reasons(report) == {
        "A": "it reads B, which reads helper, a function, which is made anew",
        "B": "it reads helper, a function, which is made anew",
    }


def test_a_new_subclass_is_one_of_the_kept_class(project):
    """New code that asks for it finds old objects to be what they were."""
    load_twice(project, "class Base: pass\n")
    base = sys.modules["thing"].Base

    project.load_text("thing", "class Base: pass\nclass Sub(Base): pass\n")

    assert issubclass(sys.modules["thing"].Sub, base)


def test_a_class_whose_base_is_new_is_new(project):
    """Its text is the same, what it is made of is not."""
    text = "class Base: x = {}\nclass Sub(Base): pass\n"

    report = load_twice(project, text.format(1), text.format(2))

    assert reasons(report)["Sub"] == "it reads Base, which is not kept"
    assert sys.modules["thing"].Sub.x == 2


def test_modules_of_one_load_keep_what_they_have_of_one_another(project):
    """By from-import, and by the module."""
    first = project.write("first.py", "class A: pass\nclass X: pass\n")
    second = project.write("second.py", "import first\nfrom first import A\nclass B(A, first.X): pass\n")
    code.load_many([first, second])
    before = sys.modules["second"].B

    reports = code.load_many([first, second])
    assert [report.kept for report in reports] == [("A", "X"), ("B",)]
    assert sys.modules["second"].B is before
    project.write("first.py", "class A: pass\nclass X: new = 1\n")
    reports = code.load_many([first, second])

    assert reasons(reports[1]) == {"B": "it reads first.X, which is another object now"}
    assert sys.modules["second"].B.new == 1


# --- Where a class stands ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "if True:\n    class K: pass\n",
        "if 0:\n    pass\nelif 0:\n    pass\nelse:\n    class K: pass\n",
        "try:\n    class K: pass\nfinally:\n    pass\n",
        "try:\n    1 / 0\nexcept ZeroDivisionError:\n    class K: pass\n",
        "import contextlib\nwith contextlib.nullcontext():\n    class K: pass\n",
        "match 1:\n    case 1:\n        class K: pass\n",
    ],
)
def test_a_class_is_kept_wherever_its_statement_runs_once(project, text):
    """The question is asked at its place."""
    assert load_twice(project, text).kept == ("K",)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("for _ in '12':\n    class K: pass\n", "its statement differs"),
        ("class K: pass\nclass K: pass\n", "its name is bound more than once"),
        ("try:\n    from a import K\nexcept ImportError:\n    class K: pass\n", "its name is bound more than once"),
        ("class K: pass\nK.x = 1\n", "the body of the module sets an attribute of it"),
        ("class K: pass\nsetattr(K, 'x', 1)\n", "the body of the module sets an attribute of it"),
        ("class K:\n    all = {}\nK.all['x'] = 1\n", "the body of the module sets an attribute of it"),
        ("class K: pass\ndef f():\n    global K\n    K = None\n", "a function binds its name anew by `global`"),
    ],
)
def test_a_class_that_the_body_does_more_with_is_made_anew(project, text, why):
    """Else a load that fails would have changed it, or the name would mean another one."""
    assert reasons(load_twice(project, text)) == {"K": why}


def test_a_class_that_was_put_in_another_order_is_kept(project):
    """Lines do not count."""
    text = "class A: pass\nclass B:\n    def f(self): return A\n"
    other = "X = 1\nclass B:\n    def f(self): return A\nif X:\n    pass\nclass A: pass\n"

    assert load_twice(project, text, other).kept == ("B", "A")


def test_a_class_that_somebody_has_put_another_in_the_place_of_is_made_anew(project):
    """As a test's mock: what there is by that name is none of the module's."""
    project.load_text("thing", "class K: pass\n")
    sys.modules["thing"].K = int

    report = project.load_text("thing", "class K: pass\n")

    assert (report.kept, report.superseded) == ((), ())
    assert sys.modules["thing"].K is not int


def test_a_name_that_is_bound_unseen_after_all_is_a_warning(project):
    """A body may do with its names what no text says."""
    text = "class K:\n    def f(self): return hidden\n"
    project.load_text("thing", text, force=True)

    report = project.load_text("thing", text + "globals()['hid' + 'den'] = 1\n", force=True)

    (warning,) = [each for each in report.warnings if each.code == "identity"]
    assert "K was kept, but reads hidden" in warning.message
