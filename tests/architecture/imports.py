"""The rules of importing, as pure functions from a module to sentences that say what breaks them.

Every import counts, under `if TYPE_CHECKING:` too: a type from a higher layer is a dependency on it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from architecture.sources import Module

LAYERS = (
    "lazy",
    "collection",
    "outside",
    "text",
    "parsing",
    "errors",
    "kernel",
    "code",
    "otp",
    "durable",
    "introspect",
    "observer",
    "shell",
    "epc",
    "cluster",
    "app",
    "cli",
)

# Who may import from which part. A layer sees those below it; the others see what they are given here.
SEEN_BY: dict[str, frozenset[str]] = {
    **{layer: frozenset(LAYERS[:rank]) for rank, layer in enumerate(LAYERS)},
    "asking": frozenset({"errors", "kernel"}),
    "line_input": frozenset({"asking"}),
    "breakpoints": frozenset({"asking", "kernel", "line_input"}),
    "line_events": frozenset({"collection"}),
    "line_breakpoints": frozenset({"asking", "breakpoints", "code", "errors", "kernel", "line_events", "parsing"}),
    "debugger": frozenset({"asking", "code", "kernel", "line_breakpoints", "line_events"}),
    "dap": frozenset({"asking", "errors", "kernel", "code"}),
    "watchdog": frozenset({"asking", "collection", "outside", "text", "errors", "kernel"}),
    "all_tasks": frozenset({"collection", "kernel"}),
    "loop_clock": frozenset(),
    "current_task": frozenset(),
    "memory": frozenset(),
    "pauses": frozenset(),
    "event_loop": frozenset({"outside", "text", "kernel", "pauses"}),
    "driver": frozenset(
        {"outside", "text", "errors", "kernel", "code", "durable", "watchdog", "all_tasks", "event_loop", "epc"}
        | {"breakpoints", "line_input", "loop_clock", "thread_output", "cluster", "current_task"}
    ),
    "testing": frozenset({"errors", "kernel", "driver"}),
    "coverage": frozenset({"code"}),
    "adapters": frozenset({"code"}),
    "editors": frozenset({"lazy", "errors", "text", "epc"}),
    "detached_log": frozenset(),
    "log_output": frozenset(),
    "thread_output": frozenset({"kernel"}),
    "program": frozenset({"errors", "code"}),
    "systemd": frozenset(),
}
SEEN_BY["code"] |= {"all_tasks"}
SEEN_BY["observer"] |= {"all_tasks", "pauses"}
SEEN_BY["shell"] |= {"breakpoints"}
SEEN_BY["epc"] |= {"asking", "dap", "line_breakpoints", "memory"}
SEEN_BY["app"] |= {"driver", "event_loop", "line_input", "memory", "pauses"}
SEEN_BY["app"] |= {"detached_log", "editors", "log_output", "program"}
SEEN_BY["project_server"] = SEEN_BY["app"]
SEEN_BY["project_start"] = frozenset({"text", "errors", "kernel", "code", "otp", "driver", "program"})
SEEN_BY["embedded"] = SEEN_BY["app"] | {"project_server"}
SEEN_BY["watch"] = frozenset({"text", "errors", "epc"})
SEEN_BY["following"] = frozenset({"driver", "embedded"})
SEEN_BY["script"] = frozenset({"parsing", "text", "errors", "code", "epc", "embedded", "following"})
SEEN_BY["app"] |= {"systemd"}
SEEN_BY["app"] |= {"project_server", "project_start"}
SEEN_BY["cli"] |= {"dap", "driver", "editors", "program", "script", "watch", "embedded"}
SEEN_BY["__main__"] = frozenset({"cli"})
# midflight/__init__.py: the public names
SEEN_BY[""] = frozenset(SEEN_BY) - {
    "cli",
    "app",
    "detached_log",
    "editors",
    "program",
    "testing",
    "coverage",
    "project_server",
    "project_start",
    "systemd",
    "script",
    "following",
    "watch",
    "__main__",
    "",
}

# The rooms of the code server, in the same way. What stands in code/ itself is below them all.
ROOMS = (
    "report",
    "source",
    "version",
    "loading",
    "census",
    "identity",
    "state",
    "held",
    "checks",
    "move",
    "load",
    "upgrade",
    "editing",
)

# Files that list names for the layers above, besides the list of their package.
SECOND_LISTS = frozenset({"midflight.code.lowlevel"})

# Made of the kernel's own files: the loop around it, what watches that loop, and the list of its public names.
INSIDE_THE_KERNEL = ("driver", "watchdog", "")

# Modules of the standard library that wait for the world, and the only parts that may.
FOREIGN: dict[str, frozenset[str]] = {
    "socket": frozenset({"cli", "dap", "epc", "systemd"}),
    "select": frozenset({"cli", "epc"}),
    "selectors": frozenset({"epc", "pauses", "testing"}),
    "ssl": frozenset(),
    "multiprocessing": frozenset(),
    "subprocess": frozenset({"app", "cli", "editors"}),
}

# All that a kernel with neither event loop nor thread of its own takes of these: what a process meets that awaits.
KERNEL_TAKES = {
    "asyncio": frozenset({"CancelledError", "Future", "InvalidStateError", "Task", "isfuture", "sleep"}),
    "threading": frozenset(),
}


@dataclass(frozen=True)
class Import:
    """One imported name: `from target import name`, or `import target` with no name."""

    target: str
    name: str | None
    line: int
    in_function: bool


def imports(module: Module) -> Iterator[Import]:
    """Every import of `module`, relative ones resolved, with the lines they stand on."""

    def walk(node: ast.AST, in_function: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            match child:
                case ast.Import(names=names):
                    for alias in names:
                        yield Import(alias.name, None, child.lineno, in_function)
                case ast.ImportFrom(names=names):
                    for alias in names:
                        yield Import(_absolute(module, child), alias.name, child.lineno, in_function)
                case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                    yield from walk(child, True)
                case _:
                    yield from walk(child, in_function)

    return walk(module.tree, False)


def _absolute(module: Module, statement: ast.ImportFrom) -> str:
    if not statement.level:
        return statement.module or ""
    package = module.name.split(".") if module.is_package else module.name.split(".")[:-1]
    package = package[: len(package) - statement.level + 1]
    return ".".join([*package, *(statement.module or "").split(".")]).rstrip(".")


def part_of(name: str) -> str | None:
    """The layer that a dotted name belongs to, "" for midflight itself, None for any other package."""
    parts = name.split(".")
    if parts[0] != "midflight":
        return None
    return parts[1] if len(parts) > 1 else ""


def direction(module: Module) -> Iterator[str]:
    """Say which imports of `module` go up, or to a part that it does not see."""
    own = part_of(module.name)
    if own not in SEEN_BY:
        yield f"{module.name}: belongs to no layer; name its place in SEEN_BY"
        return
    for found in imports(module):
        target = part_of(found.target)
        if target == "" and found.name is not None and found.name in SEEN_BY:
            target = found.name  # from midflight import kernel
        if target is not None and target != own and target not in SEEN_BY[own]:
            yield f"{module.name}:{found.line}: {own or 'midflight'} may not import {found.target}"


def between_rooms(module: Module) -> Iterator[str]:
    """Say which imports of a file of the code server go up from its room, or name no room."""
    own = _room_of(module.name, module.is_package)
    if own is None:
        return
    if own and own not in ROOMS:
        yield f"{module.name}: belongs to no room; name its place in ROOMS"
        return
    below = ROOMS[: ROOMS.index(own)] if own else ()
    for found in imports(module):
        target = _room_of(found.target, found.target.count(".") == 2 and found.target.split(".")[2] in ROOMS)
        if target and target != own and target not in below:
            yield f"{module.name}:{found.line}: code/{own} may not import {found.target}"


def _room_of(name: str, is_package: bool) -> str | None:
    """The folder of code/ that a dotted name is in, "" for a file of code/ itself, None outside and for its lists."""
    parts = name.split(".")
    if parts[:2] != ["midflight", "code"] or len(parts) == 2 or name in SECOND_LISTS:
        return None
    return parts[2] if len(parts) > 3 or is_package else ""


def inside_functions(module: Module) -> Iterator[str]:
    """Say which imports of `module` wait until a function runs: that is how a cycle is dodged."""
    for found in imports(module):
        if found.in_function:
            yield f"{module.name}:{found.line}: imports {found.target} inside a function"


def waiting(module: Module) -> Iterator[str]:
    """Say which imports of `module` can wait for the world in a part that must not."""
    own = part_of(module.name)
    for found in imports(module):
        top = found.target.split(".")[0]
        if top in FOREIGN and own not in FOREIGN[top]:
            yield f"{module.name}:{found.line}: imports {top}; only {sorted(FOREIGN[top]) or 'nobody'} may"


def taken_by_the_kernel(module: Module) -> Iterator[str]:
    """Say what a file of the kernel takes of asyncio and threading beyond the little it needs."""
    if part_of(module.name) != "kernel":
        return
    taken = [
        (owner, attribute, node.lineno)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute)
        for owner, attribute in [(ast.unparse(node.value), node.attr)]
    ]
    for found in imports(module):
        top, _, below = found.target.partition(".")
        if below or found.name:
            taken.append((top, below or found.name or "", found.line))
    for owner, name, line in taken:
        if name not in KERNEL_TAKES.get(owner, {name}):
            yield f"{module.name}:{line}: the kernel takes {owner}.{name}"


def undeclared(module: Module, offered: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """Say which imports of `module` take from another part what its `__init__` does not list.

    `offered` maps each package to its `__all__`. A part that is one file offers what it defines. A file in
    SECOND_LISTS is imported by itself, and offers its own `__all__`.
    """
    own = part_of(module.name)
    for found in imports(module):
        part = part_of(found.target)
        if part in (None, "", own) or (part == "kernel" and own in INSIDE_THE_KERNEL):
            continue
        if f"{found.target}.{found.name}" in SECOND_LISTS:
            continue  # from midflight.code import lowlevel
        package = found.target if found.target in SECOND_LISTS else f"midflight.{part}"
        if found.target != package and package in offered:
            yield f"{module.name}:{found.line}: imports {found.target}, past {package}"
        elif found.name is not None and found.name not in offered.get(package, (found.name,)):
            yield f"{module.name}:{found.line}: {package} does not list {found.name}"
