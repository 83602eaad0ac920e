"""Annotations, which run late from Python 3.14 on, read without running them."""

from __future__ import annotations

import functools
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from midflight.code.lowlevel import annotations_of, signature_of

late = pytest.mark.skipif(sys.version_info < (3, 14), reason="annotations run with the def")


def defined(text: str, **names: Any) -> Any:
    """Return `f` of a text that does not ask for annotations as strings, as this file does."""
    exec(compile(text, "<test>", "exec", dont_inherit=True), names)
    return names["f"]


def written(annotation: Any) -> str:
    """Return how an annotation is written, be it an object or text."""
    return annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))


def test_annotations_of_a_function():
    """By the names of its parameters, and "return"."""
    f = defined("def f(a: int, b: 'Thing', c, *rest: str, d: float = 1.0, **more: bytes) -> None: pass")

    found = {name: written(each) for name, each in annotations_of(f).items()}

    assert found == {"a": "int", "b": "Thing", "rest": "str", "d": "float", "more": "bytes", "return": "None"}


def test_a_function_without_any():
    """No parameter is there."""
    assert annotations_of(defined("def f(a): pass")) == {}


def test_those_that_were_put_in_their_place():
    """By a decorator, say: they are objects on every Python."""
    f = defined("def f(a: int): pass")
    f.__annotations__ = {"a": float}

    assert annotations_of(f) == {"a": float}


def test_those_of_what_dataclasses_writes():
    """The types of the fields, as the class has worked them out; those of its bases too."""

    @dataclass
    class Base:
        x: int

    @dataclass
    class Point(Base):
        y: str

    found = annotations_of(Point.__init__)

    assert {name: written(each) for name, each in found.items()} == {"x": "int", "y": "str", "return": "None"}


@late
@pytest.mark.parametrize(
    "annotation",
    ["boom()", "[boom()]", "Missing", "Missing.x[1]", "list[Missing | None]", "{boom(): 1}", "here.boom()"],
)
def test_nothing_of_them_runs(annotation):
    """Neither a call nor the look-up of a name; they are there as text."""
    calls: list[object] = []
    f = defined(
        f"def make(here):\n    def f(a: {annotation}): pass\n    return f\nf = make(None)", boom=lambda: calls.append(1)
    )

    assert annotations_of(f) == {"a": annotation}
    assert str(signature_of(f)) == f"(a: {annotation!r})"
    assert calls == []


@late
def test_those_of_a_method_do_not_run_either():
    """Nor those that name what its class defines."""
    f = defined("class K:\n    class Inner: pass\n    def f(self, a: Inner, b: Missing) -> K: pass\nf = K.f")

    assert annotations_of(f) == {"a": "Inner", "b": "Missing", "return": "K"}


@late
def test_a_function_in_the_place_of_the_compilers_own_does_not_run():
    """What it would give is not known."""
    calls: list[object] = []

    def __annotate__(format: int) -> dict[str, Any]:
        calls.append(format)
        raise RuntimeError("it ran")

    f = defined("def f(a: int): pass")

    for annotate in (__annotate__, functools.partial(__annotate__), calls.append):
        f.__annotate__ = annotate
        assert annotations_of(f) == {}
    assert calls == []


@late
def test_a_type_of_a_field_that_is_not_there_is_text():
    """As under `if TYPE_CHECKING:`."""
    f = defined("from dataclasses import dataclass\n@dataclass\nclass K:\n    x: Missing\nf = K.__init__")

    assert annotations_of(f) == {"x": "Missing", "return": None}


def test_the_signature_of_whatever_can_be_called():
    """A function, a method, a partial of either, a class, a wrapper."""
    f = defined("def f(a: int, b, *, c=3): pass")
    k = defined("class K:\n    def __init__(self, x: int): pass\n    def m(self, y: int): pass\nf = K")

    @functools.wraps(f)
    def wrapper(*args: Any) -> None:
        pass

    def names(value: Any, **how: bool) -> list[str]:
        return list(signature_of(value, **how).parameters)

    assert names(f) == names(wrapper) == ["a", "b", "c"]
    assert names(wrapper, follow_wrapped=False) == ["args"]
    assert names(functools.partial(f, 1)) == ["b", "c"]
    assert (names(k), names(k(1).m), names(functools.partial(k(1).m, 1))) == (["x"], ["y"], [])
    assert signature_of(f).parameters["c"].default == 3


@pytest.mark.parametrize("value", [3, type])
def test_what_has_no_signature(value):
    """As `inspect.signature` says it."""
    with pytest.raises((TypeError, ValueError)):
        signature_of(value)


@late
def test_a_signature_that_cannot_be_known_for_its_annotations():
    """They are somebody's own function, and that fails."""
    k = defined("class K:\n    def __call__(self, x): pass\nf = K")

    def fail(format: int) -> dict[str, Any]:
        raise RuntimeError("no")

    k.__call__.__annotate__ = fail

    with pytest.raises(ValueError, match="its annotations raise RuntimeError: no"):
        signature_of(k())
