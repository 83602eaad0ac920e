"""One definition of an edited text, put into the text that runs."""

from __future__ import annotations

from textwrap import dedent

import pytest

from midflight.code.source.replace_definition import NoDefinition, block_at, blocks_in, put_in

EDITED = dedent("""\
    import x

    # about a
    @deco(
        1,
    )
    def a():
        return 1


    class C:
        y = 1

        def m(self):
            return 2

        @property
        def p(self):
            return 3

        @p.setter
        def p(self, value):
            pass

        class D:
            def deep(self):
                return 4

    z = 5
    """)

BROKEN = EDITED + "\ndef b(:\n    pass\n"


@pytest.mark.parametrize("text", [EDITED, BROKEN], ids=["valid", "with a half-written definition"])
@pytest.mark.parametrize(
    ("line", "name", "first", "last"),
    [(3, "a", 4, 8), (4, "a", 4, 8), (8, "a", 4, 8), (9, "a", 4, 8), (15, "C", 11, 27), (28, "C", 11, 27)],
)
def test_definition_is_found_around_a_line(text, line, name, first, last):
    """With its decorators; from the comment above it and the empty lines behind it, too."""
    block = block_at(text, line)

    assert (block.name, block.first, block.last) == (name, first, last)


@pytest.mark.parametrize("text", [EDITED, BROKEN], ids=["valid", "with a half-written definition"])
@pytest.mark.parametrize(
    ("more", "kind", "name", "lines"),
    [
        ("x = 1", "assignment", "x", 1),
        ("a, *b = 1, 2", "assignment", "a, b", 1),
        ("ROUTES['/'] = f(\n    1\n)", "assignment", "ROUTES['/']", 3),
        ("from a import (\n    b,\n)", "import", "b", 3),
        ("if x:\n    def f(): pass\nelse:\n    g = 1", "compound", "f, g", 4),
        ("try:\n    import j\nexcept ImportError:\n    j = None", "compound", "j", 4),
    ],
)
def test_every_statement_that_binds_a_name_is_a_form(text, more, kind, name, lines):
    """By the names that it binds, or by its target."""
    first = text.count("\n") + 2

    block = block_at(f"{text}\n{more}\n", first)

    assert (block.kind, block.name, block.first, block.last) == (kind, name, first, first + lines - 1)


@pytest.mark.parametrize("line", ["", "run()", "assert x", "del x"])
def test_a_statement_that_binds_no_name_is_no_form(line):
    """Nor is what stands before the first one."""
    with pytest.raises(NoDefinition, match="no statement at the top level that binds a name"):
        block_at(f"{line}\nx = 1\n", 1)


def test_string_at_the_margin_does_not_end_a_definition():
    """Found by what is not indented, in a text that is no valid module."""
    text = 'def a():\n    return """\nin the string\n"""\n\ndef b(:\n'

    block = block_at(text, 2)

    assert (block.first, block.last) == (1, 4)


@pytest.mark.parametrize(
    ("line", "name", "index", "count"),
    [(15, "C.m", 0, 1), (17, "C.p", 0, 2), (22, "C.p", 1, 2), (26, "C.D.deep", 0, 1)],
)
def test_method_is_found_in_its_class(line, name, index, count):
    """The innermost; a setter is the second of its name."""
    block = block_at(EDITED, line, is_method=True)

    assert (block.name, block.index, block.count) == (name, index, count)


@pytest.mark.parametrize(("line", "why"), [(8, "a is no class"), (14, "Point is in no method and no attribute of C.D")])
def test_where_no_method_is_there_is_none(line, why):
    """A function has none, and the head of a class is none."""
    edited = EDITED.replace("    y = 1\n\n", "    class D:\n        'text'\n        x = 1\n")
    with pytest.raises(NoDefinition, match=why):
        block_at(edited, line - (line == 14), is_method=True)


def test_an_attribute_is_found_in_its_class():
    """As a method is."""
    block = block_at(EDITED, 12, is_method=True)

    assert (block.kind, block.name, block.first) == ("assignment", "C.y", 12)


def put(running: str, edited: str, line: int, is_method: bool = False):
    return put_in(dedent(running), block_at(dedent(edited), line, is_method=is_method))


def test_definition_takes_the_place_of_the_one_that_runs():
    """All else stays, comments and other definitions included."""
    running = "x = 1\n@old\ndef a():\n    return 1\n# kept\ndef b(): pass\n"

    found = put(running, "x = 2\ndef a():\n    return 2\ndef b(): return 3\n", 2)

    assert found.text == "x = 1\ndef a():\n    return 2\n# kept\ndef b(): pass\n"
    assert (found.first, found.is_new) == (2, False)


def test_new_definition_goes_behind_the_one_that_precedes_it():
    """As far as that is there; nearest first."""
    running = "def a():\n    pass\n\n\ndef c(): pass\n"
    edited = "def a(): pass\ndef b(): pass\ndef new():\n    return 1\ndef c(): pass\n"

    found = put(running, edited, 4)

    assert found.text == "def a():\n    pass\n\n\ndef new():\n    return 1\n\n\ndef c(): pass\n"
    assert found.text.split("\n")[found.first - 1] == "def new():"


def test_new_definition_without_one_before_it_goes_to_the_end():
    """It may use whatever the text defines."""
    found = put("x = 1\n\n", "def new(): pass\nx = 1\n", 1)

    assert found.text == "x = 1\n\n\ndef new(): pass\n"
    assert found.is_new


def test_method_is_replaced_and_added_in_its_class():
    """The rest of the class stays out."""
    running = "class C:\n    y = 1\n    def m(self): return 1\n    z = 2\nx = 1\n"
    edited = "class C:\n    y = 9\n    def m(self): return 2\n    def new(self): return 3\n"

    assert put(running, edited, 3, True).text == running.replace("return 1", "return 2")
    assert put(running, edited, 4, True).text == (
        "class C:\n    y = 1\n    def m(self): return 1\n\n    def new(self): return 3\n\n    z = 2\nx = 1\n"
    )


@pytest.mark.parametrize(
    ("running", "edited", "line", "is_method", "why"),
    [
        ("if 1:\n    def a(): pass\n", "def a(): pass\n", 1, False, "inside of another statement"),
        ("def a(): pass\n", "if 1:\n    def a(): pass\n", 2, False, "a is made by a definition"),
        ("a, b = 1, 2\n", "a = 1\n", 1, False, "inside of another statement"),
        ("if x: a = 1\nif y: b = 2\n", "if x: a = b = 1\n", 1, False, "once in this text and 2 times"),
        ("def a(): pass\ndef a(): pass\n", "def a(): pass\n", 1, False, "defined once in this text and 2 times"),
        ("class C:\n  def m(self): pass\n", "class C:\n    def m(self): pass\n", 2, True, "indented otherwise"),
        ("x = 1\n", "class C:\n    def m(self): pass\n", 2, True, "not one class C"),
    ],
)
def test_no_place_that_is_certain_is_refused(running, edited, line, is_method, why):
    """Nothing is guessed."""
    with pytest.raises(NoDefinition, match=why):
        put(running, edited, line, is_method)


@pytest.mark.parametrize(
    ("running", "edited", "line", "text"),
    [
        ("x = 1\ny = 2\n", "x = 3\ny = 4\n", 2, "x = 1\ny = 4\n"),
        ("x = 1\nx += 1\n", "x = 1\nx += 5\n", 2, "x = 1\nx += 5\n"),
        ("a, b = 1, 2\n", "a, b = 3, 4\n", 1, "a, b = 3, 4\n"),
        ("R['a'] = 1\nR['b'] = 2\n", "R['b'] = 3\n", 1, "R['a'] = 1\nR['b'] = 3\n"),
        ("if x:\n    def f(): return 1\n", "if x:\n    def f(): return 2\n", 2, "if x:\n    def f(): return 2\n"),
        ("if x:\n    a = 1\n", "if x:\n    a = 1\n    b = 2\n", 1, "if x:\n    a = 1\n    b = 2\n"),
        ("import os\nx = 1\n", "import os\ny = 1\n", 2, "import os\ny = 1\nx = 1\n"),
        ("from a import b\nx = 1\n", "from a import b, c\n", 1, "from a import b, c\nx = 1\n"),
        ("import os, sys\n", "import os\n", 1, "import os\nimport os, sys\n"),
        ("'text'\nfrom __future__ import annotations\nx = 1\n", "import os\n", 1, None),
    ],
)
def test_a_form_takes_the_place_of_the_one_that_runs(running, edited, line, text):
    """Whatever its kind; a new import goes to the beginning."""
    wanted = "'text'\nfrom __future__ import annotations\nimport os\nx = 1\n" if text is None else text

    assert put_in(running, block_at(edited, line)).text == wanted


def test_an_attribute_is_replaced_and_added_in_its_class():
    """Without the rest of the class."""
    running = "class C:\n    y = 1\n    z = 2\n"
    edited = "class C:\n    y = 9\n    new = 3\n    z = 8\n"

    assert put(running, edited, 4, True).text == running.replace("z = 2", "z = 8")
    assert put(running, edited, 3, True).text == "class C:\n    y = 1\n    new = 3\n    z = 2\n"


def test_the_definitions_of_a_region_are_found():
    """Those that stand in it as a whole, with its other forms; all else is left."""
    text = "import a\nx = 1\n\ndef f():\n    return 1\n\nrun(f)\nclass C:\n    pass\n"

    blocks, rest = blocks_in(text, 1, 8)

    assert [block.name for block in blocks] == ["a", "x", "f"]
    assert rest == ["", "", "run(f)", "class C:"]
    assert blocks_in(text, 1, 3) == ([], ["import a", "x = 1", ""])
    assert blocks_in(text, 5, 7) == ([], ["    return 1", "", "run(f)"])
