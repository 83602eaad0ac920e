"""One definition of a text that is being edited, put into the text that runs: all else of that stays as it is. Pure.

The edited text need not be a valid module: its other definitions may be half written. Only the one that is meant must
be whole. Lines count from 1; a definition begins with its first decorator.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from midflight.code.source.definitions import DEFINES
from midflight.code.source.parts import first_line
from midflight.parsing import UNPARSABLE, module_or_none, parse_module

__all__ = ["Block", "NoDefinition", "Replaced", "block_at", "put_in"]

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Function = ast.FunctionDef | ast.AsyncFunctionDef

HEAD = re.compile(r"(?:async[ \t]+def|def|class)[ \t]+(\w+)")
UNINDENTED = re.compile(r"[^\s#)\]}]")
BLANK = re.compile(r"\s*(?:#.*)?")


class NoDefinition(Exception):
    """There is no definition to put in, or no one place to put it. The text says why, as the start of a sentence."""


@dataclass(frozen=True, slots=True)
class Block:
    """A definition of the edited text: its dotted name, its lines, and the statements before it in the same scope.

    `index` and `count` tell one of several of the same name, as overloads and setters are.
    """

    name: str
    first: int
    last: int
    lines: tuple[str, ...]
    before: tuple[str, ...]
    index: int
    count: int
    column: int = 0


@dataclass(frozen=True, slots=True)
class Replaced:
    """A text with a definition put in: from line `first` on. `is_new` if there was none of that name."""

    text: str
    first: int
    is_new: bool


def block_at(text: str, line: int, *, is_method: bool = False) -> Block:
    """Return the definition around `line`: that at the top level, or the innermost method of its class.

    On the empty lines behind a definition it is meant, too, and on the comments right above it. Raises: NoDefinition.
    """
    lines = text.split("\n")
    spans = _spans(text, lines)
    position = _pick([(first, last) for _, first, last in spans], line, lines)
    if position is None:
        raise NoDefinition("Point is in no definition at the top level")
    name, first, last = spans[position]
    same = [index for index, span in enumerate(spans) if span[0] == name]
    block = Block(
        name,
        first,
        last,
        tuple(lines[first - 1 : last]),
        tuple(span[0] for span in spans[:position]),
        same.index(position),
        len(same),
    )
    return _method(block, line) if is_method else block


def _pick(spans: Sequence[tuple[int, int]], line: int, lines: Sequence[str]) -> int | None:
    """Return the index of the span that is meant by `line`."""
    for index, (first, last) in enumerate(spans):
        if first <= line <= last:
            return index
    if not BLANK.fullmatch(lines[line - 1] if line <= len(lines) else ""):
        return None
    below = line
    while below <= len(lines) and lines[below - 1].lstrip().startswith("#"):
        below += 1
    if below > line:
        for index, (first, _) in enumerate(spans):
            if first == below:
                return index
    above = min(line, len(lines))
    while above and BLANK.fullmatch(lines[above - 1]):
        above -= 1
    return next((index for index, (_, last) in enumerate(spans) if last == above), None)


# --- The definitions of a text -----------------------------------------------------------------------------


def _spans(text: str, lines: Sequence[str]) -> list[tuple[str, int, int]]:
    """Return name, first and last line of the definitions at the top level, in order.

    An assignment to one name is one, too, in a text that is a valid module.
    """
    tree = module_or_none(text)
    if tree is None:
        return list(_scanned(lines))
    spans = []
    for node in tree.body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                spans.append(_span(node))
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                spans.append((name, node.lineno, node.end_lineno or node.lineno))
    return spans


def _span(node: Definition) -> tuple[str, int, int]:
    return node.name, first_line(node), node.end_lineno or node.lineno


def _scanned(lines: Sequence[str]) -> Iterator[tuple[str, int, int]]:
    """Yield the definitions of a text that is not a valid module, found by the lines that are not indented.

    A definition ends before the next line that is not indented, or before the one after that, and so on, as far as
    another definition, where the text so far is whole: a string of several lines may stand at the margin.
    """
    starts = [index for index, line in enumerate(lines) if UNINDENTED.match(line)]
    taken = 0
    for position, start in enumerate(starts):
        head = HEAD.match(lines[start])
        if head is None or start < taken:
            continue
        first = start
        for earlier in reversed(starts[:position]):  # nothing but decorators can stand right before, at the margin
            if not lines[earlier].startswith("@"):
                break
            first = earlier
        ends = []
        for following in [*starts[position + 1 :], len(lines)]:
            ends.append(_last_line(lines, start, following))
            if following < len(lines) and (HEAD.match(lines[following]) or lines[following].startswith("@")):
                break
        whole = (end for end in ends if _is_whole("\n".join(lines[first:end])))
        last = next(whole, ends[0])
        taken = last
        yield head[1], first + 1, last


def _last_line(lines: Sequence[str], start: int, end: int) -> int:
    while end - 1 > start and BLANK.fullmatch(lines[end - 1]):
        end -= 1
    return end


def _is_whole(text: str) -> bool:
    return module_or_none(text) is not None


def _method(block: Block, line: int) -> Block:
    """Return the innermost method of the class `block` that `line` is in. Raises: NoDefinition."""
    try:
        node: ast.stmt = parse_module("\n".join(block.lines)).body[0]
    except UNPARSABLE as error:
        raise NoDefinition(f"The class {block.name} cannot be read ({error})") from None
    if not isinstance(node, ast.ClassDef):
        raise NoDefinition(f"{block.name} is no class, so it has no methods")
    names, found = [block.name], None
    while isinstance(node, ast.ClassDef):
        members = [each for each in node.body if isinstance(each, Definition)]
        spans = [_span(each) for each in members]
        position = _pick([span[1:] for span in spans], line - block.first + 1, block.lines)
        if position is None:
            raise NoDefinition(f"Point is in no method of {'.'.join(names)}")
        node = members[position]
        names.append(members[position].name)
        name, first, last = spans[position]
        same = [index for index, span in enumerate(spans) if span[0] == name]
        found = Block(
            ".".join(names),
            first + block.first - 1,
            last + block.first - 1,
            block.lines[first - 1 : last],
            tuple(span[0] for span in spans[:position]),
            same.index(position),
            len(same),
            node.col_offset,
        )
    assert found is not None
    return found


# --- Into the text that runs -------------------------------------------------------------------------------


def put_in(running: str, block: Block) -> Replaced:
    """Return `running` with the definition of that name replaced.

    If it has none, the definition is added: behind the nearest one that precedes it in the edited text, else at the
    end of the module or class. Raises: NoDefinition.
    """
    lines = running.split("\n")
    tree = parse_module(running)
    *classes, name = block.name.split(".")
    scope = _scope(tree, classes)
    found = [each for each in scope.body if isinstance(each, Definition) and each.name == name]
    if not found and _is_inside(scope, name):
        raise NoDefinition(f"{block.name} stands inside of another statement in the version that runs")
    if found and len(found) != block.count:
        raise NoDefinition(
            f"{block.name} is defined {_times(block.count)} in this text and {_times(len(found))} in the version that "
            "runs, so it is not clear which one is meant"
        )
    new = list(block.lines)
    if found:
        target = found[block.index]
        _check_column(block, target)
        _, first, last = _span(target)
        return Replaced("\n".join([*lines[: first - 1], *new, *lines[last:]]), first, False)
    behind: ast.stmt | None = _behind(scope, block)
    if behind is None:
        behind = scope.body[-1] if isinstance(scope, ast.ClassDef) else None
    if isinstance(scope, ast.ClassDef):
        _check_column(block, scope.body[0])
    end = len(lines) if behind is None else behind.end_lineno or behind.lineno
    before = lines[:end]
    while behind is None and before and not before[-1].strip():
        before.pop()
    space = [""] * (0 if not before else 1 if classes else 2)
    after = lines[end:] or [""]
    if after[0].strip():
        after = [*space, *after]
    return Replaced("\n".join([*before, *space, *new, *after]), len(before) + len(space) + 1, True)


def _scope(tree: ast.Module, classes: Sequence[str]) -> ast.Module | ast.ClassDef:
    scope: ast.Module | ast.ClassDef = tree
    for index, name in enumerate(classes):
        found = [each for each in scope.body if isinstance(each, ast.ClassDef) and each.name == name]
        if len(found) != 1:
            said = ".".join(classes[: index + 1])
            raise NoDefinition(f"There is not one class {said} in the version that runs, but {len(found)}")
        scope = found[0]
    return scope


def _is_inside(scope: ast.Module | ast.ClassDef, name: str) -> bool:
    """Say whether `name` is defined in a compound statement of the scope."""
    waiting: list[ast.AST] = [each for each in scope.body if not isinstance(each, Definition)]
    for node in waiting:  # grows as it goes
        if isinstance(node, DEFINES) and getattr(node, "name", None) == name:
            return True
        if not isinstance(node, Definition):
            waiting += [each for each in ast.iter_child_nodes(node) if not isinstance(each, ast.expr)]
    return False


def _behind(scope: ast.Module | ast.ClassDef, block: Block) -> Definition | None:
    """Return the nearest definition of the scope that precedes the new one in the edited text."""
    for name in reversed(block.before):
        found = [each for each in scope.body if isinstance(each, Definition) and each.name == name]
        if found:
            return found[-1]
    return None


def _check_column(block: Block, beside: ast.stmt) -> None:
    if beside.col_offset != block.column:
        raise NoDefinition(f"{block.name} is indented otherwise than in the version that runs")


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
