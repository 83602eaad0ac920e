"""Signatures and documentation of live objects. Runs no user code; see safe_look.py.

Defaults and annotations are printed here, not by `str(signature)`, which would ask each of them for its `__repr__`.
"""

from __future__ import annotations

import functools
import inspect
from dataclasses import dataclass
from inspect import Parameter, Signature
from types import FunctionType, GenericAlias, MethodType, ModuleType, UnionType
from typing import Any

from midflight.code import lowlevel
from midflight.introspect.cursor import Call, read_written
from midflight.introspect.safe_look import (
    BUILTIN_CALLABLES,
    Found,
    Instance,
    bases_of,
    class_name,
    find_member,
    is_a,
    kind_of,
    own_names,
    short_text,
    unwrapped,
    version_number,
)
from midflight.introspect.scopes import Scope, resolve

__all__ = ["CallTip", "Doc", "call_tip", "doc_of", "parameters_of", "signature_text"]

_DOC_CHARACTERS = 64 * 1024
_ANNOTATION_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class CallTip:
    """The call that is being written: `active` is the index of its present parameter in `parameters`, None for none."""

    name: str
    parameters: tuple[str, ...]
    returns: str
    active: int | None
    kind: str
    version: int | None


@dataclass(frozen=True, slots=True)
class Doc:
    """The documentation of an object. `place` is its file and line, None if it has no text in a file."""

    name: str
    kind: str
    module: str | None
    version: int | None
    signature: str
    text: str
    value: str | None


def signature_of(found: Found) -> Signature | None:
    """Return the signature of the found object; None if it cannot be called, or its parameters are not known."""
    value, is_bound = found.value, found.is_bound
    if is_a(value, type):
        return _of_class(value)
    if type(value) is Instance:
        return _of_calls(value)
    if type(value) is functools.partial:
        return _inspected(value) if type(unwrapped(value)) is FunctionType else None
    if type(value) is MethodType:
        value, is_bound = value.__func__, True
    if type(value) is FunctionType:
        signature = _inspected(unwrapped(value))
        return _without_first(signature) if is_bound else signature
    if type(value) in BUILTIN_CALLABLES:
        signature = _inspected(value)
        first = next(iter(signature.parameters), "") if signature is not None else ""
        return _without_first(signature) if is_bound and first == "self" else signature
    return _of_calls(value)


def _inspected(value: Any) -> Signature | None:
    try:
        return lowlevel.signature_of(value, follow_wrapped=False)
    except (ValueError, TypeError):  # a builtin that does not say
        return None


def _of_class(cls: type) -> Signature | None:
    """Return how `cls` is called: as its `__init__` or its `__new__`, whichever is a function of Python's."""
    for name in ("__init__", "__new__"):
        for base in bases_of(cls):
            function = own_names(base).get(name)
            function = function.__func__ if type(function) is staticmethod else unwrapped(function)
            if type(function) is FunctionType:
                return _without_first(_inspected(function))
            if function is not None:
                break
    is_plain = type(cls) is type and not own_names(cls).keys() & {"__signature__", "__call__"}
    return _inspected(cls) if is_plain else None


def _of_calls(value: Any) -> Signature | None:
    """Return the signature of an object whose class has a `__call__` in Python."""
    found = find_member(value, "__call__")
    if found is None or type(unwrapped(found.value)) is not FunctionType:
        return None
    return _without_first(_inspected(unwrapped(found.value)))


def _without_first(signature: Signature | None) -> Signature | None:
    parameters = [] if signature is None else list(signature.parameters.values())
    if signature is None or not parameters or parameters[0].kind is Parameter.VAR_POSITIONAL:
        return signature
    return signature.replace(parameters=parameters[1:])


def parameters_of(found: Found) -> tuple[tuple[str, ...], tuple[Parameter | None, ...], str]:
    """Return each parameter as text, with itself (None for the marks / and *), and the text of the result.

    Empty if it cannot be called, or nobody can say how.
    """
    signature = signature_of(found)
    if signature is None:
        return (), (), ""
    texts: list[str] = []
    which: list[Parameter | None] = []
    is_starred = False
    parameters = list(signature.parameters.values())
    for index, parameter in enumerate(parameters):
        if parameter.kind is Parameter.VAR_POSITIONAL:
            is_starred = True
        elif parameter.kind is Parameter.KEYWORD_ONLY and not is_starred:
            is_starred = True
            texts.append("*")
            which.append(None)
        texts.append(_parameter_text(parameter))
        which.append(parameter)
        following = parameters[index + 1].kind if index + 1 < len(parameters) else None
        if parameter.kind is Parameter.POSITIONAL_ONLY and following is not Parameter.POSITIONAL_ONLY:
            texts.append("/")
            which.append(None)
    returns = signature.return_annotation
    return tuple(texts), tuple(which), "" if returns is Signature.empty else _annotation_text(returns)


def _parameter_text(parameter: Parameter) -> str:
    stars = (
        "*" if parameter.kind is Parameter.VAR_POSITIONAL else "**" if parameter.kind is Parameter.VAR_KEYWORD else ""
    )
    text = f"{stars}{parameter.name}"
    is_annotated = parameter.annotation is not Parameter.empty
    if is_annotated:
        text += f": {_annotation_text(parameter.annotation)}"
    if parameter.default is not Parameter.empty:
        text += (" = " if is_annotated else "=") + short_text(parameter.default)
    return text


def _annotation_text(annotation: Any) -> str:
    if type(annotation) is str:
        text = annotation
    elif annotation is None:
        text = "None"
    elif is_a(annotation, type) and type(annotation) is not GenericAlias:
        text = class_name(annotation)
    elif type(annotation) in (GenericAlias, UnionType) or type(annotation).__module__ == "typing":
        text = repr(annotation).replace("typing.", "")
    else:
        text = short_text(annotation)
    return text if len(text) <= _ANNOTATION_CHARACTERS else text[: _ANNOTATION_CHARACTERS - 3] + "..."


def signature_text(found: Found) -> str:
    """Return "(total, count=1) -> int"; empty if it cannot be called, or nobody can say how."""
    if signature_of(found) is None:
        return ""
    texts, _, returns = parameters_of(found)
    return f"({', '.join(texts)})" + (f" -> {returns}" if returns else "")


def call_tip(scope: Scope, text: str) -> CallTip | None:
    """Return the innermost call that stands open at the end of `text` and whose callee is known."""
    call = read_written(text).call
    found = None if call is None else resolve(scope, call.callee)
    if call is None or found is None or signature_of(found) is None:
        return None
    texts, which, returns = parameters_of(found)
    return CallTip(call.callee, texts, returns, _active(call, which), kind_of(found), version_number(found.value))


def _active(call: Call, which: tuple[Parameter | None, ...]) -> int | None:
    """Return the index of the parameter that the argument being written is for."""
    taken = call.index
    for index, parameter in enumerate(which):
        if parameter is None:
            continue
        if call.keyword is not None:
            if parameter.name == call.keyword or parameter.kind is Parameter.VAR_KEYWORD:
                return index
        elif parameter.kind is Parameter.VAR_POSITIONAL:
            return index
        elif parameter.kind in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD):
            if taken == 0:
                return index
            taken -= 1
    return None


def doc_of(scope: Scope, text: str) -> Doc | None:
    """Return the documentation of the object that `text` means; None if that is not known."""
    found = resolve(scope, text)
    if found is None:
        return None
    value = found.value
    module = _module_name(value)
    is_plain = not (is_a(value, type, ModuleType) or type(unwrapped(value)) in (FunctionType, *BUILTIN_CALLABLES))
    return Doc(
        name=text.strip(),
        kind=kind_of(found),
        module=module,
        version=version_number(value),
        signature=signature_text(found),
        text=_doc_text(value)[:_DOC_CHARACTERS],
        value=None if not is_plain or type(value) is Instance else short_text(value),
    )


def _doc_text(value: Any) -> str:
    """Return the docstring of a thing, of an object its class's, without the indentation of its lines."""
    function = unwrapped(value)
    if type(value) is Instance:
        value = value.cls
    if type(function) is FunctionType or type(function) in BUILTIN_CALLABLES:
        found = function.__doc__
    elif is_a(value, type, ModuleType):
        found = own_names(value).get("__doc__")
    else:
        found = own_names(type(value)).get("__doc__")
    if type(found) is not str and is_a(value, type) and not own_names(value).get("__module__", "").startswith("_"):
        found = type.__dict__["__doc__"].__get__(value) if type(value) is type else None
    return inspect.cleandoc(lowlevel.readable(found)) if type(found) is str else ""


def _module_name(value: Any) -> str | None:
    """Return the name of the module that a thing was defined in."""
    function = unwrapped(value)
    if type(function) is FunctionType:
        found = function.__globals__.get("__name__")
    elif is_a(value, ModuleType):
        return None
    else:
        cls = value.cls if type(value) is Instance else value if is_a(value, type) else type(value)
        found = own_names(cls).get("__module__")
    return found if type(found) is str else None
