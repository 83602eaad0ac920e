"""A file or a module with a main of its own, run as `__main__` by `midflight run`, with a server inside.

The life of a program: its text is compiled -> `__main__` is a new module -> the statements before
`if __name__ == "__main__":` -> the server -> the rest. So the program's classes and its imports are there before
others find it by its name, as they are where a person writes `serve_in_background()` into it. A program that asks no
such question has its server from the start.

Law: the program meets what it meets under `python FILE` or `python -m MODULE`: its name, arguments, search path, the
way its errors are printed, and its exit code. Code here runs before it and after it, and in no frame that it sees.
"""

from __future__ import annotations
import __future__

import builtins
import importlib.util
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType, TracebackType
from typing import Any

from midflight.code.lowlevel import (
    note_body_of_program,
    readable,
    real_path,
    split_at_guard,
    watch_before_program,
)
from midflight.embedded import EmbeddedServer
from midflight.epc import find_root
from midflight.errors import RequestError
from midflight.following import serve_program
from midflight.parsing import module_or_none
from midflight.text import exception_text, trace_of

__all__ = ["run_file", "run_module"]

_FUTURE = sum({getattr(__future__, name).compiler_flag for name in __future__.all_feature_names})


Served = Callable[[EmbeddedServer], object]


def _nothing(_: EmbeddedServer) -> None:
    """Have nothing to do with the server."""


@dataclass(frozen=True, slots=True)
class _Program:
    """A program that is to run. `data` are the bytes of its source, None if it has none; `spec` is that of `-m`."""

    path: str
    argument: str  # sys.argv[0]
    loader: Any
    data: bytes | None
    spec: ModuleSpec | None = None


def run_file(file: str, arguments: Sequence[str], root: Path | None = None, served: Served = _nothing) -> int:
    """Run the script `file` as `python FILE ARGUMENTS...` does; return its exit code.

    `root` is the project that it is served as, by default that of the file; `served` is called with the server.
    Raises: RequestError if the file cannot be read; SystemExit and KeyboardInterrupt of the program, the latter after
    its traceback was printed; what `serve_program` raises.
    """
    path = os.path.abspath(file)
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise RequestError(
            f"{file} cannot be read ({error.strerror or error}); nothing was run. Name a file, "
            "FILE:FUNCTION, or with -m a module."
        ) from error
    loader = SourceFileLoader("__main__", path)
    program = _Program(path, file, loader, data)
    _put_first(os.path.dirname(os.path.realpath(path)))
    return _run(program, arguments, root or find_root(path), served)


def run_module(name: str, arguments: Sequence[str], root: Path | None = None, served: Served = _nothing) -> int:
    """Run the module `name` as `python -m MODULE ARGUMENTS...` does, a package by its `__main__`; see `run_file`.

    `root` is by default the project of the current folder.
    """
    folder = os.getcwd()
    _put_first(folder)
    spec = _spec(name)
    if spec is not None and spec.submodule_search_locations is not None:
        spec = _spec(f"{name}.__main__")
    if spec is None or not _can_run(spec):
        raise RequestError(
            f"no module named {name} can be run; nothing was run. Name a module, or a package with a __main__."
        )
    loader, path = _loader_of(spec), str(spec.origin)
    data = loader.get_data(path) if path.endswith(".py") else None
    program = _Program(path, path, loader, data, spec)
    return _run(program, arguments, root or find_root(folder), served)


def _spec(name: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(name)
    except (ImportError, AttributeError, ValueError) as error:
        raise RequestError(
            f"{name} cannot be run ({error}); nothing was run. Mend it, or name another module."
        ) from error


def _loader_of(spec: ModuleSpec) -> Any:
    return spec.loader


def _can_run(spec: ModuleSpec) -> bool:
    if spec.origin is None or not hasattr(spec.loader, "get_code"):
        return False
    return spec.origin.endswith(".py") or _loader_of(spec).get_code(spec.name) is not None


def _run(program: _Program, arguments: Sequence[str], root: Path, served: Served) -> int:
    sys.argv[:] = [program.argument, *arguments]
    module = _main_module(program)
    if program.data is not None:
        watch_before_program(module, program.path, program.data)
    codes: list[CodeType] = []
    if (code := _ended(codes, lambda: codes.extend(_codes(program)))) is not None:
        return code
    for number, each in enumerate(codes, 1):
        if number == len(codes):
            if number > 1:
                note_body_of_program(module)
            served(serve_program(root))
        if (code := _ended(codes, partial(exec, each, vars(module)))) is not None:
            return code
    return 0


def _put_first(folder: str) -> None:
    """Make `folder` the first place of imports, in the place of what Python has put there for Midflight's own main."""
    if not sys.flags.safe_path and sys.path:
        del sys.path[0]
    sys.path.insert(0, folder)


def _main_module(program: _Program) -> ModuleType:
    """Make the module that is to run, with the names that Python gives it, and let it be `__main__`."""
    module = ModuleType("__main__")
    spec = program.spec
    vars(module).update(
        __builtins__=builtins,
        __cached__=spec.cached if spec is not None else None,
        __file__=program.path,
        __loader__=program.loader,
        __package__=spec.parent if spec is not None else None,
        __spec__=spec,
    )
    if sys.version_info < (3, 14):
        vars(module)["__annotations__"] = {}
    sys.modules["__main__"] = module
    return module


def _codes(program: _Program) -> list[CodeType]:
    """Return the code of the program: of what is before its question and of the rest, or of all at once."""
    if program.data is None:
        return [program.loader.get_code(program.spec.name if program.spec is not None else "__main__")]
    code: CodeType = program.loader.source_to_code(program.data, program.path)
    tree = module_or_none(importlib.util.decode_source(program.data), program.path)
    parts = None if tree is None else split_at_guard(tree)
    if parts is None:
        return [code]
    flags = code.co_flags & _FUTURE
    return [compile(part, program.path, "exec", flags=flags, dont_inherit=True) for part in parts]


def _ended(codes: Sequence[CodeType], run: Callable[[], object]) -> int | None:
    """Run a part of the program; return the exit code if it has failed, None if it goes on."""
    try:
        run()
    except SystemExit:
        raise
    except BaseException as error:
        trace = trace_of(error)
        while trace is not None and trace.tb_frame.f_code not in codes:
            trace = trace.tb_next
        BaseException.with_traceback(error, trace)
        _print(error, trace)
        if isinstance(error, KeyboardInterrupt):
            sys.excepthook = _print_nothing  # Python, which ends by the signal, would print it again
            raise
        return 1
    return None


def _print(error: BaseException, trace: TracebackType | None) -> None:
    """Print an error as Python does; the lines of a version that was loaded with the file that people edit."""
    if sys.excepthook is not sys.__excepthook__ or not _has_version(trace):
        sys.excepthook(type(error), error, trace)
    elif sys.stderr is not None:
        print(readable(exception_text(error)), end="", file=sys.stderr)


def _has_version(trace: TracebackType | None) -> bool:
    while trace is not None:
        if real_path(trace.tb_frame.f_code.co_filename)[1] is not None:
            return True
        trace = trace.tb_next
    return False


def _print_nothing(*_: object) -> None:
    """Be the hook for an error that was printed."""
