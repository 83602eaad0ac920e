"""Trees of texts that were parsed last."""

from __future__ import annotations

import ast

import pytest

from midflight.code.source import trees
from midflight.code.source.trees import tree_of, tree_or_none


@pytest.fixture(autouse=True)
def empty(monkeypatch):
    """Begin with none."""
    monkeypatch.setattr(trees, "_trees", {})


def test_a_text_is_parsed_once():
    """The next load compares with it."""
    text = "x = [1]\n"

    assert tree_of(text) is tree_of("x = " + "[1]\n")
    assert ast.dump(tree_of(text)) == ast.dump(ast.parse(text))


def test_a_load_does_not_change_the_tree_of_its_text(project):
    """Nor of the one before: both are shared. Classes, `__persist__` and state put questions into a copy."""
    text = "__persist__ = ['A']\nA = 1\nclass K:\n    x = {0}\nclass L: pass\nif A:\n    class M: pass\nSTATE = {{}}\n"
    dumps = {}
    for number in (1, 2, 2, 3):
        project.load_text("thing", text.format(number))
        for each, tree in trees._trees.items():
            assert dumps.setdefault(each, ast.dump(tree, include_attributes=True)) == ast.dump(
                tree, include_attributes=True
            )
    assert len(dumps) == 3


@pytest.mark.parametrize(("number", "length"), [(100, 10), (10, 200_000)])
def test_few_are_kept_and_they_are_not_long(number, length):
    """The oldest go first; one that was asked for is not old."""
    first = f"x = '{'a' * length}'\n"
    for each in range(number):
        tree_of(f"x = '{each:{length}}'\n")
        tree = tree_of(first)

    assert len(trees._trees) <= trees.MOST_TREES
    assert sum(map(len, trees._trees)) <= trees.MOST_CHARACTERS
    assert tree_of(first) is tree


def test_what_is_not_python_is_not_kept():
    """It raises what the parser does, each time."""
    for _ in range(2):
        with pytest.raises(SyntaxError) as caught:
            tree_of("x =", "thing.py")
        assert caught.value.filename == "thing.py"
        assert tree_or_none("x =") is None
