"""From the text before the cursor to what is being written."""

from __future__ import annotations

import pytest

from midflight.introspect.cursor import Call, Written, read_written


@pytest.mark.parametrize(
    ("text", "owner", "last"),
    [
        ("spa", None, "spa"),
        ("", None, ""),
        ("return ", None, ""),
        ("counter.lo", "counter", "lo"),
        ("counter.", "counter", ""),
        ("await a.b.c", "a.b", "c"),
        ("x = a[0].b.", "a[0].b", ""),
        ("v(3).x", "v(3)", "x"),
        ("if a.b and c.", "c", ""),
        ("f(a.b)\nbar.x", "bar", "x"),
        ("{'a': b.c", "b", "c"),
        ("'text'.up", "'text'", "up"),
        ("f(a) - g", None, "g"),
        ("1.5 + 2", None, ""),
    ],
)
def test_the_name_and_its_owner(text: str, owner: str | None, last: str) -> None:
    """The owner is an expression as it stands there."""
    found = read_written(text)

    assert (found.owner, found.last) == (owner, last)


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("f(", Call("f", 0, None, True)),
        ("a.f(1, ", Call("a.f", 1, None, True)),
        ("f(g(1, 2), [3, 4], x", Call("f", 2, None, True)),
        ("f(key=", Call("f", 0, "key", False)),
        ("f(a, key=b.", Call("f", 1, "key", False)),
        ("f(a == ", Call("f", 0, None, False)),
        ("f(a)(b, ", Call("f(a)", 1, None, True)),
        ("f([1, ", Call("f", 0, None, False)),
        ("f(\n  a,\n  b", Call("f", 1, None, True)),
        ("f('(', ", Call("f", 1, None, True)),
        ("f('a", Call("f", 0, None, True)),
    ],
)
def test_the_call_that_stands_open(text: str, call: Call) -> None:
    """Its callee, how many arguments came before this one, and the keyword of this one."""
    assert read_written(text).call == call


@pytest.mark.parametrize("text", ["(1, 2", "def f(a, ", "class A(b", "if (a", "[f(1), ", "f(1)", "return ("])
def test_what_is_no_call(text: str) -> None:
    """Parentheses group, and definitions have them too."""
    assert read_written(text).call is None


@pytest.mark.parametrize("text", ["# a.b", "x = 'a.b", 'f("""a.\nb', "r'\\"])
def test_in_text_nothing_is_written(text: str) -> None:
    """In a string and in a comment there is no name."""
    assert read_written(text).is_text


@pytest.mark.parametrize("text", ["# a\nb", "'it' b", "x = 'never closed\nb"])
def test_after_text_there_is(text: str) -> None:
    """A comment ends with its line, and so does what was never closed."""
    assert read_written(text) == Written(last="b")


@pytest.mark.parametrize(
    ("text", "source", "last"),
    [
        ("import cou", "", "cou"),
        ("from cou", "", "cou"),
        ("import a.b", "", "a.b"),
        ("from counter import lo", "counter", "lo"),
        ("from counter import (a, lo", "counter", "lo"),
    ],
)
def test_an_import_is_its_own_kind(text: str, source: str, last: str) -> None:
    """Modules, or the names of one."""
    found = read_written(text)

    assert (found.imports_from, found.last) == (source, last)
