"""The annotations of functions, read without running any of them.

From Python 3.14 on annotations are a function next to the function (PEP 649), which runs when somebody asks for them:
a name that is there for a type checker only raises NameError then, and a call is the user's. Here they are read as
text instead, by that function's byte code with no name in reach: whatever it looks up becomes the text of its name.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from inspect import Signature
from types import CellType, FunctionType, MethodType
from typing import Any

from midflight.parsing import undisturbed

if sys.version_info >= (3, 14):
    import annotationlib

__all__ = ["ANNOTATE", "annotations_of", "names_around", "signature_of"]

ANNOTATE = "__annotate__"  # the name of the code that the compiler makes of annotations, from 3.14 on


def annotations_of(function: FunctionType) -> Mapping[str, Any]:
    """Return the annotations of the parameters of `function` and of its result, "return": objects, or text.

    Text where the function's module asks for it by `from __future__ import annotations`, and from Python 3.14 on
    wherever they have not been worked out. Nothing of what somebody has put in the place of the compiler's own.
    """
    if sys.version_info >= (3, 14) and function.__annotate__ is not None:
        return _late(function)
    return function.__annotations__


def _late(function: FunctionType) -> Mapping[str, Any]:
    if sys.version_info >= (3, 14):
        annotate = function.__annotate__
        if type(annotate) is not FunctionType or annotate.__code__.co_name != ANNOTATE:
            return {}
        if annotate.__globals__ is vars(dataclasses):  # that of an __init__, which would ask the class
            return dict(_of_dataclass(**names_around(annotate)))
        cells = tuple(CellType() for _ in annotate.__code__.co_freevars)
        knows_no_name = FunctionType(annotate.__code__, {"__builtins__": {}}, closure=cells or None)
        try:
            return annotationlib.call_annotate_function(knows_no_name, annotationlib.Format.STRING, owner=function)
        except Exception:  # written by hand, so not one of the compiler's functions; or 1 / 0
            pass
    return {}


def _of_dataclass(
    __class__: type, annotation_fields: Sequence[str], return_type: object, **_: object
) -> Iterator[tuple[str, Any]]:
    """Yield the annotations of a method that dataclasses writes, by the variables around its `__annotate__`."""
    fields = type.__dict__["__dict__"].__get__(__class__).get("__dataclass_fields__", {})
    for name in annotation_fields:
        kind = fields[name].type if name in fields else Signature.empty
        yield name, getattr(kind, "__forward_arg__", kind) if type(kind).__module__ == "annotationlib" else kind
    if return_type is not dataclasses.MISSING:
        yield "return", return_type


def names_around(function: FunctionType) -> dict[str, Any]:
    """Return the variables that `function` shares with the functions around it."""
    found = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # it is empty
            continue
    return found


def signature_of(value: Callable[..., Any], *, follow_wrapped: bool = True) -> Signature:
    """Return `inspect.signature` of a callable, with annotations as `annotations_of` has them.

    Raises: TypeError or ValueError, as that does, if nobody can say how it is called.
    """
    if sys.version_info >= (3, 14):
        try:
            return inspect.signature(
                _twin(value), follow_wrapped=follow_wrapped, annotation_format=annotationlib.Format.STRING
            )
        except (TypeError, ValueError):
            raise
        except Exception as error:  # of a function that somebody has put in the place of the compiler's
            raise ValueError(f"its annotations raise {type(error).__name__}: {error}") from error
    else:
        return undisturbed(inspect.signature, value, follow_wrapped=follow_wrapped)  # it parses those of C functions


def _twin(value: Any) -> Any:
    """Return a callable with the parameters of `value` whose annotations are text; `value` itself of a class."""
    if type(value) is MethodType:
        return MethodType(_twin(value.__func__), value.__self__)
    if type(value) is functools.partial:
        return functools.partial(_twin(value.func), *value.args, **value.keywords)
    if type(value) is not FunctionType:
        return value
    twin = FunctionType(value.__code__, {}, value.__name__, value.__defaults__, value.__closure__)
    twin.__kwdefaults__ = value.__kwdefaults__
    twin.__dict__.update(value.__dict__)  # it may say what it wraps
    twin.__annotations__ = dict(annotations_of(value))
    return twin
