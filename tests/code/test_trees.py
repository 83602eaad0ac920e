"""Trees of texts that were parsed last."""

from __future__ import annotations

import ast

import pytest

from midflight.code.source import trees
from midflight.code.source.text_memory import TextMemory
from midflight.code.source.trees import tree_of, tree_or_none


@pytest.fixture(autouse=True)
def empty(monkeypatch):
    """Begin with none."""
    monkeypatch.setattr(trees, "_trees", TextMemory(trees._trees.most_characters))


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
        for each in trees._trees.texts():
            tree = tree_of(each)
            assert dumps.setdefault(each, ast.dump(tree, include_attributes=True)) == ast.dump(
                tree, include_attributes=True
            )
    assert len(dumps) == 3


def test_what_is_not_python_is_not_kept():
    """It raises what the parser does, each time."""
    for _ in range(2):
        with pytest.raises(SyntaxError) as caught:
            tree_of("x =", "thing.py")
        assert caught.value.filename == "thing.py"
        assert tree_or_none("x =") is None
