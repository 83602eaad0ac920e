"""One form of a text that is being edited, put into the text that runs: all else of that stays as it is. Pure.

A form is a definition, an assignment, an import, or a compound statement that binds names. The edited text need not be
a valid module: its other forms may be half written. Only the one that is meant must be whole. Lines count from 1.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from midflight.code.source.forms import BLANK, Form, Kind, forms_of, forms_of_text
from midflight.parsing import UNPARSABLE, parse_module

__all__ = ["Block", "NoDefinition", "Replaced", "block_at", "blocks_in", "put_in"]

SAID = {
    "definition": "definition",
    "assignment": "assignment",
    "import": "import",
    "compound": "statement with others inside",
}


class NoDefinition(Exception):
    """There is no form to put in, or no one place to put it. The text says why, as the start of a sentence."""


@dataclass(frozen=True, slots=True)
class Block:
    """A form of the edited text: its lines, and its surroundings in the same scope.

    `classes` are the names of the classes that it stands in. `before` are the keys of the forms before it. `index` and
    `count` tell one of several of the same key, as overloads and setters are. `others` are the names that forms of
    another key bind as well.
    """

    kind: Kind
    names: tuple[str, ...]
    first: int
    last: int
    lines: tuple[str, ...]
    before: tuple[tuple[Kind, frozenset[str]], ...]
    index: int
    count: int
    others: frozenset[str]
    classes: tuple[str, ...] = ()
    column: int = 0

    @property
    def key(self) -> tuple[Kind, frozenset[str]]:
        """The part that is equal in the form that it takes the place of."""
        return self.kind, frozenset(self.names)

    @property
    def name(self) -> str:
        """Its names for a person, with the class that they are of."""
        return ", ".join(".".join((*self.classes, name)) for name in self.names)


@dataclass(frozen=True, slots=True)
class Replaced:
    """A text with a form put in: from line `first` on. `is_new` if there was none of that name."""

    text: str
    first: int
    is_new: bool


def block_at(text: str, line: int, *, is_method: bool = False) -> Block:
    """Return the form around `line`: that at the top level, or the innermost method or attribute of its class.

    On the empty lines behind a form it is meant, too, and on the comments right above it. Raises: NoDefinition.
    """
    lines = text.split("\n")
    forms = forms_of_text(text)
    position = _pick([(form.first, form.last) for form in forms], line, lines)
    if position is None:
        raise NoDefinition("Point is in no statement at the top level that binds a name")
    block = _block(forms, position, lines)
    return _member(block, line) if is_method else block


def blocks_in(text: str, first: int, last: int) -> tuple[list[Block], list[str]]:
    """Return the forms at the top level that stand on the lines from `first` to `last`, whole.

    With them the other lines of that region, in order. If no definition is among them, there are no forms at all.
    """
    lines = text.split("\n")
    forms = forms_of_text(text)
    chosen = [
        _block(forms, position, lines)
        for position, form in enumerate(forms)
        if first <= form.first and form.last <= last
    ]
    if not any(block.kind == "definition" for block in chosen):
        chosen = []
    taken = {line for block in chosen for line in range(block.first, block.last + 1)}
    return chosen, [lines[line - 1] for line in range(first, min(last, len(lines)) + 1) if line not in taken]


def _block(forms: Sequence[Form], position: int, lines: Sequence[str], classes: tuple[str, ...] = ()) -> Block:
    form = forms[position]
    same = [index for index, each in enumerate(forms) if each.key == form.key]
    return Block(
        form.kind,
        form.names,
        form.first,
        form.last,
        tuple(lines[form.first - 1 : form.last]),
        tuple(each.key for each in forms[:position]),
        same.index(position),
        len(same),
        frozenset(name for each in forms if each.key != form.key for name in each.names),
        classes,
        form.column,
    )


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


def _member(block: Block, line: int) -> Block:
    """Return the innermost method or attribute of the class `block` that `line` is in. Raises: NoDefinition."""
    # At its own lines of the edited text, so that those of its members count from there too.
    lines = [*[""] * (block.first - 1), *block.lines]
    try:
        node: ast.stmt = parse_module("\n".join(lines)).body[0]
    except UNPARSABLE as error:
        raise NoDefinition(f"The class {block.name} cannot be read ({error})") from None
    if not isinstance(node, ast.ClassDef):
        raise NoDefinition(f"{block.name} is no class, so it has no methods")
    names: list[str] = []
    found = block
    while isinstance(node, ast.ClassDef):
        names.append(node.name)
        forms = forms_of(node.body)
        position = _pick([(form.first, form.last) for form in forms], line, lines)
        if position is None:
            raise NoDefinition(f"Point is in no method and no attribute of {'.'.join(names)}")
        found = _block(forms, position, lines, tuple(names))
        member = forms[position].statement
        assert member is not None
        node = member
    return found


# --- Into the text that runs -------------------------------------------------------------------------------


def put_in(running: str, block: Block) -> Replaced:
    """Return `running` with the form of that name replaced.

    If it has none, the form is added: behind the nearest one that precedes it in the edited text, else at the
    end of the module or class, an import at the beginning. Raises: NoDefinition.
    """
    lines = running.split("\n")
    scope = _scope(parse_module(running), block.classes)
    forms = forms_of(scope.body)
    target = _target(forms, block)
    new = list(block.lines)
    if target is not None:
        _check_column(block, target.column)
        return Replaced("\n".join([*lines[: target.first - 1], *new, *lines[target.last :]]), target.first, False)
    if isinstance(scope, ast.ClassDef):
        _check_column(block, scope.body[0].col_offset)
    behind = _line_behind(scope, forms, block)
    end = len(lines) if behind is None else behind
    before = lines[:end]
    while behind is None and before and not before[-1].strip():
        before.pop()
    wanted = (1 if block.classes else 2) if block.kind == "definition" else 0
    space = [""] * (wanted if before else 0)
    after = lines[end:] or [""]
    if after[0].strip():
        after = [*space, *after]
    return Replaced("\n".join([*before, *space, *new, *after]), len(before) + len(space) + 1, True)


def _target(forms: Sequence[Form], block: Block) -> Form | None:
    """Return the form that `block` takes the place of; None if it is a new one. Raises: NoDefinition."""
    names = set(block.names)
    found = [form for form in forms if form.key == block.key]
    if not found and block.kind in ("import", "compound"):  # it may bind more names now, or fewer
        found = [form for form in forms if form.kind == block.kind and names & set(form.names)]
        if block.kind == "import":
            found = [form for form in found if names > set(form.names)]
    if found:
        if len(found) != block.count:
            raise NoDefinition(
                f"{block.name} is defined {_times(block.count)} in this text and {_times(len(found))} in the version "
                "that runs, so it is not clear which one is meant"
            )
        return found[block.index]
    for form in forms:
        bound = names & set(form.names)
        if bound - block.others and "import" not in (form.kind, block.kind):
            name = ".".join((*block.classes, *sorted(bound)[:1]))
            raise NoDefinition(
                f"{name} stands inside of another statement in the version that runs"
                if form.kind == "compound" or len(form.names) > 1
                else f"{name} is made by a {SAID[form.kind]} in the version that runs"
            )
    return None


def _scope(tree: ast.Module, classes: Sequence[str]) -> ast.Module | ast.ClassDef:
    scope: ast.Module | ast.ClassDef = tree
    for index, name in enumerate(classes):
        found = [each for each in scope.body if isinstance(each, ast.ClassDef) and each.name == name]
        if len(found) != 1:
            said = ".".join(classes[: index + 1])
            raise NoDefinition(f"There is not one class {said} in the version that runs, but {len(found)}")
        scope = found[0]
    return scope


def _line_behind(scope: ast.Module | ast.ClassDef, forms: Sequence[Form], block: Block) -> int | None:
    """Return the last line of what a new form stands behind; None for the end of the module."""
    for key in reversed(block.before):
        found = [form.last for form in forms if form.key == key]
        if found:
            return found[-1]
    if isinstance(scope, ast.ClassDef):
        return _end(scope.body[-1])
    if block.kind != "import":
        return None
    first = [each for each in scope.body[:1] if isinstance(each, ast.Expr)]  # the docstring
    future = [each for each in scope.body if isinstance(each, ast.ImportFrom) and each.module == "__future__"]
    return max(map(_end, [*first, *future]), default=0)


def _end(statement: ast.stmt) -> int:
    return statement.end_lineno or statement.lineno


def _check_column(block: Block, column: int) -> None:
    if column != block.column:
        raise NoDefinition(f"{block.name} is indented otherwise than in the version that runs")


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
