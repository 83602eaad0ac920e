"""Classes of a module that say they are another's, and such as no statement of it has made."""

from __future__ import annotations

import pickle
import sys

import pytest

PUBLIC = 'class Hook:\n    __module__ = "public"\n    def f(self):\n        return 1\n'
MADE = "from dataclasses import make_dataclass\nPoint = make_dataclass('Point', ['x', 'y'])\n"


@pytest.mark.parametrize(("text", "name"), [(PUBLIC, "Hook"), (MADE, "Point")])
def test_an_unchanged_class_is_kept_whatever_module_it_names(project, text, name):
    """As libraries do whose public names are in another module."""
    project.load_text("thing", text)
    before = getattr(sys.modules["thing"], name)

    report = project.load_text("thing", text + "x = 1\n")

    assert report.kept == (name,)
    assert getattr(sys.modules["thing"], name) is before


@pytest.mark.parametrize(
    ("text", "name", "old", "new"), [(PUBLIC, "Hook", "return 1", "return 2"), (MADE, "Point", "'y'", "'z'")]
)
def test_a_changed_one_is_in_the_report(project, text, name, old, new):
    """As superseded, with the reason."""
    project.load_text("thing", text)

    report = project.load_text("thing", text.replace(old, new))

    assert [(each.name, each.reason) for each in report.superseded] == [(name, "its text differs")]


def test_an_object_of_a_superseded_class_of_another_name_pickles_as_before(project, monkeypatch):
    """By the name that it gives, where the program has put it."""
    project.load_text("thing", PUBLIC)
    thing = sys.modules["thing"]
    public = type(sys)("public")
    public.Hook = thing.Hook
    monkeypatch.setitem(sys.modules, "public", public)
    hook = thing.Hook()

    project.load_text("thing", PUBLIC.replace("return 1", "return 2"))

    assert type(pickle.loads(pickle.dumps(hook))) is public.Hook


def test_a_class_that_a_library_has_put_into_the_module_is_not_reported_gone(project):
    """It makes it again when it is asked for."""
    text = "class Page:\n    pass\n\n\ndef of(name):\n    globals()[name] = type(name, (), {'__module__': __name__})\n"
    project.load_text("thing", text)
    sys.modules["thing"].of("Page[int]")

    report = project.load_text("thing", text + "x = 1\n")

    assert report.superseded == ()


def test_a_class_that_was_imported_is_nobody_s_to_keep(project):
    """Though its name is the same."""
    project.load_text("thing", "from fractions import Fraction\nOther = type('Other', (), {})\n")

    report = project.load_text("thing", "from fractions import Fraction\nOther = 1\n")

    assert [each.name for each in report.superseded] == ["Other"]
    assert "__reduce_ex__" not in vars(sys.modules["fractions"].Fraction)
