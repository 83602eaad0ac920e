"""Functions of ours that the compiled kernel has in C are shown as those in Python, in every front end."""

from __future__ import annotations

from typing import Any

import pytest

import midflight
from midflight.introspect.definitions import definition_of, target_of_value
from midflight.introspect.safe_look import Found, code_of, kind_of
from midflight.introspect.signatures import signature_text
from midflight.kernel import in_python


@pytest.mark.parametrize("name", ["spawn", "self_", "send_after", "cancel_timer", "make_ref", "receive"])
def test_a_function_in_c_is_shown_as_the_one_in_python(name: str) -> None:
    """Its signature, kind, code and place."""
    function = getattr(midflight, name)
    plain: Any = in_python(function)
    target = target_of_value(function)

    assert target is not None
    definition = definition_of(target)
    assert definition is not None
    assert (definition.name, definition.path) == (name, plain.__code__.co_filename)
    assert f"def {name}(" in definition.text
    assert kind_of(Found(function)).endswith("function")
    assert code_of(Found(function).value) is plain.__code__
    assert signature_text(Found(function)) == signature_text(Found(plain)) != ""
