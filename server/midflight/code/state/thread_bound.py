"""Calls in the body of a module that make an object of the thread that runs them, as `sqlite3.connect` does. Pure."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from midflight.code.state.module_text import ModuleText

__all__ = ["ThreadBound", "thread_bound_calls"]

# What each of these makes works, or can be made, in one thread only.
SQLITE = "a connection that only its own thread may use"
HANDLER = "a handler that only the main thread may set"
LOOP = "an object of the event loop of its thread, which a thread for loads has not"
CALLS = {
    "sqlite3.connect": SQLITE,
    "sqlite3.dbapi2.connect": SQLITE,
    "signal.signal": HANDLER,
    "signal.set_wakeup_fd": HANDLER,
    "signal.setitimer": HANDLER,
    "asyncio.get_event_loop": LOOP,
    "asyncio.get_running_loop": LOOP,
    "asyncio.create_task": LOOP,
    "asyncio.ensure_future": LOOP,
    "tkinter.Tk": "a window that only its own thread may use",
}


class ThreadBound(NamedTuple):
    """Such a call: its place in the text, its name as it is imported, and what it makes."""

    line: int
    column: int
    name: str
    makes: str


def thread_bound_calls(text: ModuleText, skipped: Collection[int] = ()) -> list[ThreadBound]:
    """Return those calls that a body does when it runs, in its own statements and in the functions that it calls.

    `skipped` are the ids of statements that do not run.
    """
    if not any(name.rpartition(".")[2] in text.text for name in CALLS):
        return []
    imported = dict(_imported(text.tree))
    called: set[str] = set()
    methods: set[str] = set()
    found: list[ThreadBound] = []
    for statement, footprint in text.footprints:
        if id(statement) in skipped:
            continue
        called |= footprint.called
        methods |= footprint.methods
        found += _calls_in(_run_at_once(statement), imported)
    reached = text.definitions.reached(called, methods)
    for parts in reached.parts.values():
        for part in parts:
            found += _calls_in(ast.walk(part), imported)
    return sorted(set(found))


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.asname or alias.name.partition(".")[0]
                yield name, alias.name if alias.asname else name
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def _run_at_once(statement: ast.stmt) -> Iterator[ast.AST]:
    """Yield the nodes of a statement that run with it: not those of functions, nor of the statements in its blocks."""
    waiting: list[ast.AST] = []
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
        waiting += [*statement.decorator_list, *statement.args.defaults, *filter(None, statement.args.kw_defaults)]
    elif isinstance(statement, ast.ClassDef):
        waiting += [*statement.decorator_list, *statement.bases, *statement.keywords]
        for inner in statement.body:
            yield from _run_at_once(inner)
    else:
        waiting += [child for child in ast.iter_child_nodes(statement) if not isinstance(child, ast.stmt)]
    for node in waiting:  # grows as it goes
        if isinstance(node, ast.Lambda | ast.stmt):
            continue
        yield node
        waiting += ast.iter_child_nodes(node)


def _calls_in(nodes: Iterable[ast.AST], imported: dict[str, str]) -> Iterator[ThreadBound]:
    for node in nodes:
        name = _name_of(node.func, imported) if isinstance(node, ast.Call) else ""
        if isinstance(node, ast.Call) and name in CALLS and not _is_shared(node):
            yield ThreadBound(node.lineno, node.col_offset, name, CALLS[name])


def _is_shared(call: ast.Call) -> bool:
    """Say whether a connection is made for all threads, `check_same_thread=False`."""
    return any(
        each.arg == "check_same_thread" and isinstance(each.value, ast.Constant) and each.value.value is False
        for each in call.keywords
    )


def _name_of(function: ast.expr, imported: dict[str, str]) -> str:
    words: list[str] = []
    while isinstance(function, ast.Attribute):
        words.append(function.attr)
        function = function.value
    if not isinstance(function, ast.Name) or function.id not in imported:
        return ""
    return ".".join([imported[function.id], *reversed(words)])
